"""Lattice markets whose best possible AUC is known in closed form.

The price is ``10000 * 1.0002**k`` and k moves by one a tick. With a dollar threshold of 3,500
every bar has four ticks. Episodes of 32 pattern bars and 32 outcome bars follow one another,
whole within a month; the pattern says which way the outcome leans. A study must put its events at
every 64th bar, offset 31, with a horizon of 32 bars. No stage of the pipeline uses this module.

In "moving_barriers" k moves by another step every month, and the ticks of a month with small steps
follow one another the faster. Volatility an hour, which a network may see, is that of every month;
volatility a bar is not, and a barrier of 0.23 % stands at 7, 8, 14 or 9 steps. What is measured in
bars and steps (the pattern, the lean of the outcome) stays as in "trend".
"""

import math
from pathlib import Path
from typing import Any, BinaryIO, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from price_physics.months import Month
from price_physics.schemas.ticks import TICKS
from price_physics.store.atomic import write_atomically

Kind = Literal["trend", "exclusive_or", "volatility", "walk", "moving_barriers"]
"""New ones go to the end: the place of a kind is part of its seed."""

DAY_MS = 86_400_000
TICKS_A_BAR = 4
PATTERN_BARS = OUTCOME_BARS = 32
TICKS_AN_EPISODE = TICKS_A_BAR * (PATTERN_BARS + OUTCOME_BARS)
OUTCOME_TICKS = TICKS_A_BAR * OUTCOME_BARS
BARRIER_PERCENT = 0.23
BARRIER_STEPS = 12
"""Steps to a barrier 23 basis points away: 1.0002**11 is 22.0, 1.0002**12 is 24.0."""
START_PRICE, STEP = 10_000.0, 1.0002
THETA = 0.025
PACES = (3, 4, 12, 5)
"""Episodes a day of the months of "moving_barriers", in turn, over the number that is asked for.

Chosen by arithmetic on the odds, before any network was trained: barriers move by a factor of two,
the fourth month's stand between the others', and the driftless odds, which take a bar of four ticks
for a Brownian path and so are off, are off by about as much in the fourth month as in the others.
"""
NOTIONAL_A_TICK, THRESHOLD_QUOTE = 1_000.0, 3_500.0
_TREND_DRIFT, _HALF_DRIFT, _CALM_MOVES = 0.25, 0.35, 0.25
_PACE_OF_STEP = 9  # at this pace a tick of "moving_barriers" would move by `STEP`


def tick_spacing_ns(episodes_a_day: int) -> int:
    """Time between ticks with which a day holds a whole number of episodes.

    Raises
    ------
    ValueError
        When that is no whole number of milliseconds.
    """
    n_ticks = episodes_a_day * TICKS_AN_EPISODE
    if n_ticks <= 0 or DAY_MS % n_ticks:
        raise ValueError(
            f"episodes_a_day = {episodes_a_day}: ticks would fall between milliseconds; choose a "
            "divisor of 337500, such as 1, 10, 25, 50, 100, 125, 250 or 500"
        )
    return DAY_MS // n_ticks * 1_000_000


def episodes_for(n_events: int, month: Month) -> int:
    """Fewest episodes a day that give a month so many events, with ticks on whole milliseconds.

    Raises
    ------
    ValueError
        When there is no such number.

    Examples
    --------
    >>> episodes_for(40_000, Month(2020, 1))
    1350
    """
    most = DAY_MS // TICKS_AN_EPISODE
    for episodes_a_day in range(1, most + 1):
        if most % episodes_a_day == 0 and n_episodes(month, episodes_a_day) >= n_events > 0:
            return episodes_a_day
    raise ValueError(f"{n_events} events a month: give 1 to {n_episodes(month, most)}")


def n_episodes(month: Month, episodes_a_day: int) -> int:
    """Episodes in a month: each is one event."""
    return (month.stop_ns - month.start_ns) // (DAY_MS * 1_000_000) * episodes_a_day


def horizon_minutes(episodes_a_day: int) -> float:
    """The horizon in minutes: exactly the 32 bars of the outcome."""
    return tick_spacing_ns(episodes_a_day) * TICKS_A_BAR * OUTCOME_BARS / 60e9


def pace(kind: Kind, n_months_before: int) -> int:
    """Episodes of a market's month over those that are asked for: 1, or one of `PACES`."""
    return PACES[n_months_before % len(PACES)] if kind == "moving_barriers" else 1


def step_size(kind: Kind, n_months_before: int) -> float:
    """What k moves by in a market's month: 1, or what keeps the volatility of an hour the same."""
    if kind != "moving_barriers":
        return 1.0
    return math.sqrt(_PACE_OF_STEP / pace(kind, n_months_before))


def barrier_steps(kind: Kind, n_months_before: int) -> int:
    """Steps to a barrier `BARRIER_PERCENT` away, on either side, in a market's month.

    Examples
    --------
    >>> [barrier_steps("moving_barriers", i) for i in range(5)], barrier_steps("trend", 1)
    ([7, 8, 14, 9, 7], 12)
    """
    log_step = step_size(kind, n_months_before) * math.log(STEP)
    return math.ceil(math.log1p(BARRIER_PERCENT / 100) / log_step)


def ceiling_auc(kind: Kind, theta: float = THETA, n_months_before: int = 0) -> float:
    """AUC of +1 against -1 that no classifier can beat in a market's month.

    ``1 / (1 + ((1 - theta) / (1 + theta))**A)`` where the pattern tells the sign of the drift
    (gambler's ruin between barriers A steps away); 0.5 where nothing can be told.

    Examples
    --------
    >>> round(ceiling_auc("trend"), 4), ceiling_auc("walk")
    (0.6457, 0.5)
    """
    _check(kind, theta)
    if kind in ("volatility", "walk"):
        return 0.5
    return 1 / (1 + ((1 - theta) / (1 + theta)) ** barrier_steps(kind, n_months_before))


def lattice_market(
    kind: Kind,
    first_month: Month,
    n_months: int,
    episodes_a_day: int,
    seed: int,
    theta: float = THETA,
) -> pd.DataFrame:
    """Generate the ticks of a market whose answer is known.

    Parameters
    ----------
    kind : {"trend", "exclusive_or", "volatility", "walk", "moving_barriers"}
        Kind of the pattern. "trend": a drift of 0.25 d, and the outcome leans to d.
        "exclusive_or": halves with drifts of 0.35 d1 and 0.35 d2, and the outcome leans to d1 d2.
        "volatility": no drift; ticks move with probability 0.25 or 1, by episode. "walk": nothing.
        "moving_barriers": the moves of "trend", in steps that change from month to month.
        d, d1, d2 are fair coins, tossed once an episode.
    first_month : Month
    n_months : int
        Months depend on those before them only: a longer market begins with the shorter one.
    episodes_a_day : int
        A divisor of 337500; of 5625 for "moving_barriers", whose months have `PACES` times as many.
    seed : int
    theta : float
        Drift of the outcome: a tick goes up with probability ``(1 + theta) / 2``.

    Returns
    -------
    DataFrame
        TICKS, evenly spaced from the first instant of each month.

    Raises
    ------
    ValueError
        For an unknown kind, a drift outside [0, 1), or ticks between milliseconds.
    """
    _check(kind, theta)
    times, moves, positions, position = [], [], [], 0.0
    for i in range(n_months):
        month, a_day = first_month + i, episodes_a_day * pace(kind, i)
        spacing = tick_spacing_ns(a_day)
        moves.append(_moves(kind, n_episodes(month, a_day), theta, _rng(kind, seed, i)))
        times.append(month.start_ns + spacing * np.arange(len(moves[-1]), dtype=np.int64))
        positions.append(position + step_size(kind, i) * np.cumsum(moves[-1], dtype=np.int64))
        position = positions[-1][-1]
    if not moves:
        return TICKS.empty()
    move = np.concatenate(moves)
    price = START_PRICE * STEP ** np.concatenate(positions)
    return pd.DataFrame(
        {
            "time_ns": np.concatenate(times),
            "trade_id": pd.array(np.arange(1, len(move) + 1), dtype="Int64"),
            "price": price,
            "qty": NOTIONAL_A_TICK / price,
            "tick_sign": _signs(move),
        }
    )


def outcome_signs(
    kind: Kind, first_month: Month, n_months: int, episodes_a_day: int, seed: int
) -> npt.NDArray[np.int8]:
    """Which way the outcome of every episode of `lattice_market` leans: what an oracle knows.

    Returns
    -------
    int8 array of shape (n_episodes,)
        The sign of the drift, episode by episode; 0 throughout where there is none.
    """
    _check(kind, 0)
    n = [n_episodes(first_month + i, episodes_a_day * pace(kind, i)) for i in range(n_months)]
    if kind in ("volatility", "walk"):
        return np.zeros(sum(n), np.int8)
    coins = [_coins(n[i], _rng(kind, seed, i))[..., 0] for i in range(n_months)]
    coin, other = np.concatenate([np.empty((2, 0)), *coins], axis=1).astype(np.int8)
    return coin * other if kind == "exclusive_or" else coin


def write_generic_parquet(ticks: pd.DataFrame, path: Path) -> None:
    """Write ticks as a parquet dump of vendor "generic": the columns of the CSV, typed.

    Times are whole milliseconds. Same ticks, same bytes, and far fewer than as CSV: prices lie on
    a lattice, and everything else counts up. A mark beside it says that it is made up.
    """
    table = pa.table(
        {
            "timestamp": ticks["time_ns"].to_numpy() // 1_000_000,
            "price": ticks["price"].to_numpy(),
            "qty": ticks["qty"].to_numpy(),
            "trade_id": ticks["trade_id"].to_numpy(np.int64),
            "is_buyer_maker": ticks["tick_sign"].to_numpy() < 0,
        }
    )
    counts = dict.fromkeys(["timestamp", "trade_id"], "DELTA_BINARY_PACKED")
    lattice = ["price", "qty"]

    _mark(path)

    def write(file: BinaryIO) -> None:
        pq.write_table(
            table, file, compression="zstd", use_dictionary=lattice, column_encoding=counts
        )

    write_atomically(path, write)


def write_generic_csv(ticks: pd.DataFrame, path: Path) -> None:
    """Write ticks as a dump of vendor "generic", prices and quantities to the last bit.

    Columns `timestamp` (ms), `price`, `qty`, `trade_id`, `is_buyer_maker`; gzipped where the
    path ends in ``.gz``. Same ticks, same bytes. A mark beside it says that it is made up.
    """
    _mark(path)
    compression: Any = {"method": "gzip", "mtime": 0} if path.suffix == ".gz" else None
    pd.DataFrame(
        {
            "timestamp": ticks["time_ns"] // 1_000_000,
            "price": ticks["price"],
            "qty": ticks["qty"],
            "trade_id": ticks["trade_id"],
            "is_buyer_maker": np.where(ticks["tick_sign"] > 0, "false", "true"),
        }
    ).to_csv(path, index=False, lineterminator="\n", compression=compression)


def _mark(path: Path) -> None:
    mark = path.with_name(f"{path.name}.SYNTHETIC")
    write_atomically(mark, b"A lattice market: made up, no trial.\n")


def _check(kind: str, theta: float) -> None:
    if kind not in get_args(Kind):
        raise ValueError(f"kind = {kind!r}: choose one of {', '.join(get_args(Kind))}")
    if not 0 <= theta < 1:
        raise ValueError(f"theta = {theta} lies outside [0, 1)")


def _rng(kind: Kind, seed: int, n_months_before: int) -> np.random.Generator:
    return np.random.default_rng([seed, get_args(Kind).index(kind), n_months_before])


def _coins(n: int, rng: np.random.Generator) -> np.ndarray:
    """Toss d1 (which is d) and d2, of shape (2, n, 1), before anything else is drawn of a month."""
    return rng.choice([-1, 1], size=(2, n, 1))


def _moves(kind: Kind, n: int, theta: float, rng: np.random.Generator) -> np.ndarray:
    """Steps of every tick, -1, 0 or +1: int8 array of shape (n * 256,) of n episodes."""
    n_pattern, n_half = TICKS_A_BAR * PATTERN_BARS, TICKS_A_BAR * PATTERN_BARS // 2
    coin, other = _coins(n, rng)
    calm = rng.random((n, 1)) < 0.5
    drift = np.zeros((n, TICKS_AN_EPISODE))
    if kind in ("trend", "moving_barriers"):
        drift[:, :n_pattern] = _TREND_DRIFT * coin
        drift[:, n_pattern:] = theta * coin
    elif kind == "exclusive_or":
        drift[:, :n_half] = _HALF_DRIFT * coin
        drift[:, n_half:n_pattern] = _HALF_DRIFT * other
        drift[:, n_pattern:] = theta * coin * other
    up = rng.random(drift.shape) < (1 + drift) / 2
    move = np.where(up, 1, -1).astype(np.int8)
    if kind == "volatility":
        move[calm & (rng.random(drift.shape) >= _CALM_MOVES)] = 0
    return move.ravel()


def _signs(move: np.ndarray) -> np.ndarray:
    """The tick rule: the side of the last move; a market that has not moved was bought."""
    moved = np.maximum.accumulate(np.where(move != 0, np.arange(len(move)), 0))
    return np.where(move[moved] < 0, -1, 1).astype(np.int8)
