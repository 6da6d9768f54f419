"""What does a stop give up beyond its level: by ticks, and by candles made of the same ticks?

``python -m price_physics_tests.benchmarks.candle_stops`` prints two tables: the trades of
binance_btcusdc from ``../shared/ticks``, or from the folder that is named, and driftless walks
whose trades bounce between bid and ask. Signals at every candle, long and short, meet only their
stops, by ``fill_signals`` on ticks and on candles; those that are stopped on both are compared.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from price_physics.labels.kernels import wilder_atr
from price_physics.prices import Prices
from price_physics.walk_forward.exit_reasons import STOP_LOSS
from price_physics.walk_forward.fills import fill_signals
from price_physics_tests.benchmarks.bar_stability import SHARED, binance_btcusdc

MINUTE_NS, DAY_NS = 60 * 10**9, 86_400 * 10**9
MINUTES = (1, 5, 15, 60)
MULTIPLES = (0.5, 1.0, 2.0, 3.0)
"""Distances of the stop, in ATR of 14 candles."""
LATENCIES_MS = (0, 100, 1_000, 10_000)
HORIZON_CANDLES = 200
SILENCE_NS = 60 * MINUTE_NS
"""No signal is alive over a longer one: what a stop pays across it says nothing of the rule."""
OURS = "rule"
MOST_HARSHER_BPS = 2.0

STEP_BPS, TRADES_A_MINUTE, N_TRADES = 1.7, 17, 1_000_000
"""Of the walks: about those of binance_btcusdc."""
BOUNCES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Half-spreads of the walks, in steps of the price between trades; ``bounce_of`` estimates them."""


@dataclass(frozen=True)
class Cell:
    """One market, candle length, distance and latency.

    Attributes
    ----------
    n_stops : int
    ticks_bps : float
        What the stops gave up beyond their level by ticks, mean.
    harsher_bps : dict of str to (mean, standard error)
        How much more they gave up by each rule of candles. Errors are those of sums of days.
    """

    market: str
    minutes: int
    multiple: float
    latency_ms: int
    n_stops: int
    ticks_bps: float
    harsher_bps: dict[str, tuple[float, float]]

    @property
    def judged(self) -> str:
        """Whether the rule is kinder than ticks or too harsh, by more than two errors."""
        mean, error = self.harsher_bps[OURS]
        if mean + 2 * error < 0:
            return "KINDER"
        return "HARSH" if mean - 2 * error > MOST_HARSHER_BPS else ""


def ticks_of(time_ns: np.ndarray, price: np.ndarray) -> Prices:
    return Prices(time_ns, time_ns, price, price, price, price)


def candles_of(ticks: Prices, minutes: int) -> Prices:
    """Make candles, one for every interval with trades."""
    number = ticks.time_ns // (minutes * MINUTE_NS)
    first = np.flatnonzero(np.diff(number, prepend=-1))
    last = np.append(first[1:], len(number)) - 1
    start_ns = number[first] * minutes * MINUTE_NS
    return Prices(
        start_ns,
        start_ns + minutes * MINUTE_NS - 1,
        ticks.close[first],
        np.maximum.reduceat(ticks.close, first),
        np.minimum.reduceat(ticks.close, first),
        ticks.close[last],
    )


def signals_of(candles: Prices, minutes: int, multiple: float) -> pd.DataFrame:
    """Enter long and short at every close whose horizon is known and without a silence."""
    atr = wilder_atr(candles.high, candles.low, candles.close, 14)
    since = np.diff(candles.open_time_ns, prepend=candles.open_time_ns[0])
    silent = np.cumsum(since > SILENCE_NS + minutes * MINUTE_NS)
    at = np.arange(100, len(candles.close) - HORIZON_CANDLES)
    at = at[silent[at] == silent[at + HORIZON_CANDLES]]
    event, price, width = candles.time_ns[at], candles.close[at], multiple * atr[at]
    both = []
    for side in (1, -1):
        stop, never = price - side * width, np.full(len(at), np.inf if side > 0 else -np.inf)
        upper, lower = (never, stop) if side > 0 else (stop, never)
        end = candles.time_ns[at + HORIZON_CANDLES]
        both.append(
            pd.DataFrame(
                {
                    "event_time_ns": event,
                    "horizon_end_ns": end,
                    "upper": upper,
                    "lower": lower,
                    "side": side,
                }
            )
        )
    return pd.concat(both, ignore_index=True)


def measure(
    market: str, ticks: Prices, minutes: int, multiple: float, latency_ms: int
) -> Cell | None:
    """Stop every signal on ticks and on candles; None where too few are stopped on both."""
    candles = candles_of(ticks, minutes)
    signals = signals_of(candles, minutes, multiple)
    in_turn, until = candles.in_turn(), int(candles.time_ns[-1])
    latency_ns = latency_ms * 10**6
    by_ticks = fill_signals(signals, ticks, latency_ns, until, by_clock=True)
    by_candles = fill_signals(signals, in_turn, latency_ns, until)
    both = np.flatnonzero((by_ticks.state == STOP_LOSS) & (by_candles.state == STOP_LOSS))
    if len(both) < 100:
        return None
    side = signals["side"].to_numpy()[both]
    level = np.where(side > 0, signals["lower"].to_numpy()[both], signals["upper"].to_numpy()[both])

    def given_up(price: np.ndarray) -> np.ndarray:
        return side * (level - price) / level * 1e4

    # the candle that was touched is the one of the touching tick: what leaves without latency
    touching = fill_signals(signals, ticks, 0, until, by_clock=True).exit[both]
    touched = np.searchsorted(candles.open_time_ns, ticks.time_ns[touching], side="right") - 1
    opened_beyond = np.maximum(given_up(candles.open[touched]), 0.0)
    width = (candles.high[touched] - candles.low[touched]) / level * 1e4
    rules = {
        OURS: given_up(by_candles.exit_price[both]),
        "level or open": opened_beyond,
        "a tenth of the range": opened_beyond + np.where(opened_beyond > 0, 0.0, 0.1 * width),
        "worse of level, market": np.maximum(given_up(in_turn.close[by_candles.exit[both]]), 0.0),
        "market": given_up(in_turn.close[by_candles.exit[both]]),
    }
    paid = given_up(by_ticks.exit_price[both])
    day = ticks.time_ns[touching] // DAY_NS
    return Cell(
        market,
        minutes,
        multiple,
        latency_ms,
        len(both),
        float(paid.mean()),
        {name: mean_by_days(rule - paid, day) for name, rule in rules.items()},
    )


def mean_by_days(value: np.ndarray, day: np.ndarray) -> tuple[float, float]:
    """The mean and its standard error, where values of one day depend on each other."""
    _, number = np.unique(day, return_inverse=True)
    of_days = np.bincount(number, weights=value - value.mean())
    return float(value.mean()), float(np.sqrt((of_days**2).sum()) / len(value))


def bounce_of(ticks: Prices, n_trades: int = 100) -> float:
    """Estimate the half-spread in steps of the price: a bounce adds to short returns alone.

    References
    ----------
    Roll (1984), A simple implicit measure of the effective bid-ask spread: the same idea.
    """
    price = np.log(ticks.close)
    long = np.var(price[n_trades:] - price[:-n_trades]) / n_trades
    return float(np.sqrt(max(np.var(np.diff(price)) / long - 1, 0.0) / 2))


def walk(bounce: float, n_trades: int = N_TRADES, seed: int = 13) -> Prices:
    """Trades of a driftless walk, `bounce` steps above or below the price, by chance."""
    rng = np.random.default_rng(seed)
    waited = rng.exponential(MINUTE_NS / TRADES_A_MINUTE, n_trades).astype(np.int64)
    steps = np.cumsum(rng.standard_normal(n_trades)) + bounce * rng.choice([-1.0, 1.0], n_trades)
    return ticks_of(DAY_NS + np.cumsum(waited), 1e4 * np.exp(1e-4 * STEP_BPS * steps))


def real_ticks(folder: Path) -> Prices:
    """Read binance_btcusdc."""
    frame = pd.concat(binance_btcusdc(folder).ticks.values())
    return ticks_of(frame["time_ns"].to_numpy(), frame["price"].to_numpy())


def real_cells(ticks: Prices) -> Iterator[Cell]:
    """Measure binance_btcusdc."""
    for minutes in MINUTES:
        for multiple in MULTIPLES:
            for latency_ms in LATENCIES_MS:
                if cell := measure("BTC/USDC", ticks, minutes, multiple, latency_ms):
                    yield cell


def walk_cells(n_trades: int = N_TRADES) -> Iterator[Cell]:
    """Measure the walks."""
    for bounce in BOUNCES:
        ticks = walk(bounce, n_trades)
        for minutes in MINUTES:
            for multiple in (1.0, 3.0):
                for latency_ms in (0, 100):
                    if cell := measure(f"bounce {bounce:g}", ticks, minutes, multiple, latency_ms):
                        yield cell


def table(cells: list[Cell]) -> str:
    """Lay cells out for people, in basis points."""
    rules = list(cells[0].harsher_bps)
    heads = ["market", "minutes", "ATR", "latency ms", "stops", "ticks", *rules, ""]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for c in cells:
        values = [f"{mean:.2f} ± {error:.2f}" for mean, error in c.harsher_bps.values()]
        row = [c.market, c.minutes, f"{c.multiple:g}", c.latency_ms, f"{c.n_stops:,}"]
        line = [*map(str, row), f"{c.ticks_bps:.2f}", *values, c.judged]
        lines.append(f"| {' | '.join(line)} |")
    return "\n".join(lines)


def summary(cells: list[Cell]) -> list[str]:
    """Say the range of the rule's means without a latency and with one."""
    lines = []
    for name, kept in (
        ("without latency", [c for c in cells if not c.latency_ms]),
        ("with latency", [c for c in cells if c.latency_ms]),
    ):
        means = [c.harsher_bps[OURS][0] for c in kept]
        kinder, harsh = (sum(c.judged == word for c in kept) for word in ("KINDER", "HARSH"))
        lines.append(
            f"{name}: the rule is {min(means):.2f} to {max(means):.2f} bps harsher than ticks; of "
            f"{len(kept)} cells kinder by more than two errors {kinder}, more than "
            f"{MOST_HARSHER_BPS:g} bps harsher by more than two errors {harsh}"
        )
    return lines


def report(cells: list[Cell]) -> None:
    print("\n".join([table(cells), "", *summary(cells), ""]))


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=SHARED / "binance_btcusdc")
    options = parser.parse_args(arguments)
    print("Basis points: what stops give up by ticks, and how much more by rules of candles.\n")
    if options.folder.is_dir():
        ticks = real_ticks(options.folder)
        print(f"BTC/USDC bounces by {bounce_of(ticks):.2f} of the price's step between trades.\n")
        report(list(real_cells(ticks)))
    else:
        print(f"{options.folder} is absent: the trades of binance_btcusdc were not measured.\n")
    report(list(walk_cells()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
