"""Our bars beside those of finmlkit, ml4t-engineer and mlfinpy, on the same ticks.

Where the definitions agree the bars are equal; every other difference has a test that shows what
it is. The peers' bars are golden files, made again by
``python -m price_physics_tests.benchmarks.peer_bars``; the ticks are exact in binary, so no sum
depends on its order.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from price_physics.bars.kernels import (
    BASE,
    IMBALANCE,
    NO_BAR,
    QUOTE,
    RUN,
    TICKS,
    FlowRule,
    dollar_bars,
    flow_bars,
    imbalance_bars,
    threshold_bars,
    time_bars,
)

from .peer_ticks import MARCH, peer_ticks

GOLDEN = {
    peer: json.loads(Path(__file__).with_name("golden").joinpath(f"{peer}.json").read_text())
    for peer in ("finmlkit", "ml4t_engineer", "mlfinpy")
}
FINMLKIT, ML4T, MLFINPY = (GOLDEN[peer]["bars"] for peer in GOLDEN)
COLUMNS = ("open", "high", "low", "close", "volume", "notional", "buy_volume")
UNITS = {"tick": TICKS, "volume": BASE, "dollar": QUOTE}
THRESHOLDS = {"tick": 25.0, "volume": 64.0, "dollar": 65_536.0}
MINUTE = 60 * 10**9

TIME, PRICE, QTY, SIGN = (np.array(column) for column in peer_ticks().values())
SIGN = SIGN.astype(np.int8)
N = TIME.size


@dataclass(frozen=True)
class Bars:
    """What a kernel gives, the open bar included as the last."""

    times: np.ndarray
    values: np.ndarray

    def __getattr__(self, name):
        if name in COLUMNS:
            return self.values[:-1, COLUMNS.index(name)].tolist()
        return self.times[:-1, ("open_time", "close_time", "n_ticks").index(name)].tolist()

    @property
    def last_tick(self):
        return (np.cumsum(self.n_ticks) - 1).tolist()


def ours(kind, sign=SIGN):
    ticks = (TIME, PRICE, QTY, sign)
    if kind == "time":
        return Bars(*time_bars(MARCH.start_ns, MINUTE, NO_BAR, ticks))
    return Bars(*threshold_bars(UNITS[kind], THRESHOLDS[kind], NO_BAR, ticks))


def last_ticks(n_ticks):
    return (np.cumsum(n_ticks) - 1).tolist()


def tick_rule():
    """Return sides as mlfinpy infers them: the ticks before the first change have none."""
    change = np.sign(np.diff(PRICE, prepend=PRICE[0])).astype(np.int8)
    last_change = np.maximum.accumulate(np.where(change != 0, np.arange(N), 0))
    return change[last_change]


# ---------------------------------------------------------------------------- tick, volume, dollar
@pytest.mark.parametrize("kind", UNITS)
def test_mlfinpy_tick_volume_and_dollar_bars_are_ours(kind):
    """A bar closes on the tick that reaches the threshold, the sum restarts, the stamp is last."""
    peer, bars = MLFINPY[kind], ours(kind)
    assert [n - 1 for n in peer["tick_num"]] == bars.last_tick
    assert peer["stamp"] == bars.close_time
    assert peer["cum_ticks"] == bars.n_ticks
    assert peer["cum_dollar_value"] == bars.notional
    for name in ("open", "high", "low", "close", "volume"):
        assert peer[name] == getattr(bars, name)


@pytest.mark.parametrize("kind", UNITS)
def test_ml4t_tick_volume_and_dollar_bars_are_ours_but_for_the_stamp(kind):
    peer, bars = ML4T[kind], ours(kind)
    assert peer["tick_count"] == bars.n_ticks
    for name in ("open", "high", "low", "close", "volume"):
        assert peer[name] == getattr(bars, name)
    if kind == "volume":
        assert peer["buy_volume"] == bars.buy_volume
    if kind == "dollar":
        assert peer["dollar_volume"] == bars.notional
        vwap = np.array(bars.notional) / np.array(bars.volume)
        assert peer["vwap"] == vwap.tolist()


@pytest.mark.parametrize("kind", UNITS)
def test_ml4t_stamps_a_bar_with_its_first_tick_which_is_look_ahead(kind):
    """Whoever joins on that stamp knows high, low and close before they happened."""
    stamps, bars = ML4T[kind]["timestamp"], ours(kind)
    assert stamps == bars.open_time
    assert all(s < close for s, close in zip(stamps, bars.close_time, strict=True))


@pytest.mark.parametrize("kind", ["tick", "volume"])
def test_finmlkit_tick_and_volume_bars_close_where_ours_do(kind):
    peer, bars = FINMLKIT[kind], ours(kind)
    assert peer["last_tick"] == bars.last_tick
    assert peer["stamp"] == bars.close_time
    for name in ("open", "high", "low", "close", "volume"):
        assert peer[name][1:] == getattr(bars, name)[1:]


@pytest.mark.parametrize("kind", UNITS)
def test_finmlkit_counts_the_first_tick_but_leaves_it_out_of_the_first_bar(kind):
    """It lists tick 0 as a close, so its first bar starts at tick 1."""
    peer, bars = FINMLKIT[kind], ours(kind)
    assert peer["trades"][0] == bars.n_ticks[0] - 1
    assert peer["volume"][0] == bars.volume[0] - QTY[0]
    assert peer["open"][0] == PRICE[1] != bars.open[0] == PRICE[0]


def test_finmlkit_carries_what_a_dollar_bar_has_too_much_into_the_next():
    """Ours restarts at zero, as the book does; its bars close earlier and are more."""
    excess, expected = 0.0, []
    for tick, notional in enumerate(PRICE * QTY):
        excess += notional
        if excess >= THRESHOLDS["dollar"]:
            expected.append(tick)
            excess -= THRESHOLDS["dollar"]
    assert FINMLKIT["dollar"]["last_tick"] == expected
    closes = ours("dollar").last_tick
    assert len(expected) > len(closes) == len(dollar_bars(PRICE, QTY, THRESHOLDS["dollar"]))
    assert expected[0] == closes[0]
    assert all(theirs <= own for theirs, own in zip(expected, closes, strict=False))


def test_peers_drop_the_ticks_after_the_last_close_where_we_keep_a_partial_bar():
    for peer in (MLFINPY["tick"]["cum_ticks"], ML4T["tick"]["tick_count"]):
        assert sum(peer) == 600 < N == 610
    bars = ours("tick")
    assert bars.times[-1, 2] == 10  # the open bar
    assert ML4T["tick"]["tick_count_with_incomplete"] == [*bars.n_ticks, 10]


@pytest.mark.parametrize("kind", ["time", *UNITS])
def test_mlfinpy_infers_sides_and_ignores_those_of_the_dump(kind):
    """By the tick rule; with its sides our bought volume is its, with the real ones it is not.

    The ticks before the first change of price have no side: it counts them as not bought, we
    as half.
    """
    sides = tick_rule()
    assert (sides == 0).sum() == 1
    inferred = ours(kind, sides).buy_volume
    assert MLFINPY[kind]["cum_buy_volume"] == [inferred[0] - QTY[0] / 2, *inferred[1:]]
    assert MLFINPY[kind]["cum_buy_volume"] != ours(kind).buy_volume


# ---------------------------------------------------------------------------- time
def test_mlfinpy_time_bars_are_ours_minute_by_minute():
    """Minutes of the clock, empty ones give no bar; it stamps the stop in seconds, we its end."""
    peer, bars = MLFINPY["time"], ours("time")
    assert [stamp * 10**9 - 1 for stamp in peer["stamp"]] == bars.close_time
    assert peer["cum_ticks"] == bars.n_ticks
    assert peer["cum_dollar_value"] == bars.notional
    for name in ("open", "high", "low", "close", "volume"):
        assert peer[name] == getattr(bars, name)
    assert max(np.diff(peer["stamp"])) > 60  # there were empty minutes


def test_mlfinpy_time_bars_number_the_tick_after_the_close():
    """It notices a close when the next minute's first tick comes, and gives that tick's number."""
    closes = ours("time").last_tick
    assert [n - 1 for n in MLFINPY["time"]["tick_num"]] == [tick + 1 for tick in closes]


# ---------------------------------------------------------------------------- imbalance and runs
def first_close(unit, against, threshold, start, sign=SIGN):
    """Return the tick on which our rule closes a bar that opened at `start`, at a threshold.

    Expectations that hold exactly that threshold, no floor under it, no guard on the ticks.
    """
    rule = FlowRule(unit, against, 1.0, 1, N, 0.0)
    expected = np.array([1.0, threshold, threshold, 0.0])
    ticks = (TIME[start:], PRICE[start:], QTY[start:], sign[start:])
    times, _ = flow_bars(rule, expected, np.zeros(3), NO_BAR, ticks)
    return start + int(times[0, 2]) - 1


def starts_of(last_tick):
    return [0, *(tick + 1 for tick in last_tick[:-1])]


@pytest.mark.parametrize("unit", ["tick", "volume"])
def test_ml4t_fixed_imbalance_bars_are_ours_without_expectations(unit):
    peer = ML4T[f"fixed_{unit}_imbalance"]
    threshold = peer["settings"]["threshold"]
    closes = last_ticks(peer["tick_count"])
    found = [first_close(UNITS[unit], IMBALANCE, threshold, s) for s in starts_of(closes)]
    assert found == closes


@pytest.mark.parametrize("unit", ["tick", "volume"])
def test_ml4t_imbalance_bars_close_where_ours_would_with_its_expectations(unit):
    """Bar by bar: the rule is one, `abs(theta) >= E`; the expectations differ."""
    peer = ML4T[f"{unit}_imbalance"]
    closes = last_ticks(peer["tick_count"])
    each = zip(peer["expected_imbalance"], starts_of(closes), strict=True)
    assert [first_close(UNITS[unit], IMBALANCE, e, start) for e, start in each] == closes


@pytest.mark.parametrize("unit", UNITS)
def test_ml4t_run_bars_close_where_ours_would_with_its_expectations(unit):
    """Bar by bar: the larger of all bought and all sold in the bar, not the longest streak."""
    peer = ML4T[f"{unit}_run"]
    closes = last_ticks(peer["tick_count"])
    each = zip(peer["expected_theta"], starts_of(closes), strict=True)
    assert [first_close(UNITS[unit], RUN, e, start) for e, start in each] == closes


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("flavour", ["ema", "const"])
def test_mlfinpy_imbalance_bars_close_where_ours_would_with_its_expectations(flavour, unit):
    """Bar by bar, on its inferred sides, once its warm-up of twenty ticks is over.

    It asks for more than the expectation, we for as much: the next larger number.
    """
    peer = MLFINPY[f"{flavour}_{unit}_imbalance"]
    closes = [n - 1 for n in peer["tick_num"]]
    assert closes[0] >= peer["settings"]["exp_num_ticks_init"] - 1
    expected = np.multiply(peer["exp_num_ticks"], np.abs(peer["expected_imbalance"]))
    each = zip(np.nextafter(expected, np.inf), starts_of(closes), strict=True)
    found = [first_close(UNITS[unit], IMBALANCE, e, start, tick_rule()) for e, start in each]
    assert found[1:] == closes[1:]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("flavour", ["ema", "const"])
def test_mlfinpy_run_bars_close_where_ours_would_with_its_expectations(flavour, unit):
    """Bar by bar, once it has seen twenty buys and twenty sells."""
    peer = MLFINPY[f"{flavour}_{unit}_run"]
    closes = [n - 1 for n in peer["tick_num"]]
    buys = np.array(peer["exp_imbalance_buy"]) * peer["exp_buy_ticks_proportion"]
    sells = np.array(peer["exp_imbalance_sell"]) * (1 - np.array(peer["exp_buy_ticks_proportion"]))
    expected = np.multiply(peer["exp_num_ticks"], np.maximum(buys, sells))
    each = zip(np.nextafter(expected, np.inf), starts_of(closes), strict=True)
    found = [first_close(UNITS[unit], RUN, e, start, tick_rule()) for e, start in each]
    assert found[1:] == closes[1:]
    seen = tick_rule()[: closes[0] + 1]
    assert min((seen > 0).sum(), (seen < 0).sum()) == 20  # the first bar waits for that


def test_ml4t_learns_ticks_and_fractions_apart_and_only_after_a_warm_up():
    """Its fifth bar still closes at the first expectation; ours learns from every bar.

    E[T] and P[b=1] are averaged each on its own and then multiplied, so that a short bar weighs
    as much as a long one; ours averages the bars' sides, whose product that is meant to be.
    """
    peer = ML4T["tick_imbalance"]
    settings, n_ticks = peer["settings"], peer["tick_count"]
    warm_up, alpha = settings["min_bars_warmup"], settings["alpha"]
    assert len(set(peer["expected_imbalance"][: warm_up + 1])) == 1
    expected = np.multiply(peer["expected_t"], np.abs(2 * np.array(peer["p_buy"]) - 1))
    np.testing.assert_allclose(peer["expected_imbalance"], expected)
    learnt = alpha * n_ticks[warm_up] + (1 - alpha) * peer["expected_t"][warm_up]
    assert peer["expected_t"][warm_up + 1] == pytest.approx(learnt)


def test_ml4t_and_mlfinpy_imbalance_bars_collapse_where_ours_do_not():
    """Signs that cancel shrink the expectation, which shortens bars, which shrinks it further.

    Most of their tick-imbalance bars hold one tick or two. Ours never ask for less than balanced
    flow of the initial length would show.
    """
    theirs = [ML4T["tick_imbalance"]["tick_count"]]
    theirs.append(np.diff(MLFINPY["ema_tick_imbalance"]["tick_num"]))
    for n_ticks in theirs:
        assert np.median(n_ticks) == 1
    rule = FlowRule(TICKS, IMBALANCE, 20.0, 1, N, 0.1)
    ticks, expected = (TIME, PRICE, QTY, SIGN), np.array([20.0, 8.0, -8.0, 20.0])
    bars = Bars(*flow_bars(rule, expected, np.zeros(3), NO_BAR, ticks))
    assert min(bars.n_ticks) >= 4  # the root of twenty, rounded down, is the least it takes
    assert 610 / 80 < np.mean(bars.n_ticks) < 80


def test_mlfinpy_volume_and_dollar_imbalance_bars_swing_where_ours_do_not():
    """Long bars raise the expected ticks, which lengthens bars; then cancelling signs win.

    From 20 expected ticks to more than 50 and down to less than 2, without a change of market.
    Ours have a floor, and a least and a most number of ticks.
    """
    for unit in ("volume", "dollar"):
        expected = MLFINPY[f"ema_{unit}_imbalance"]["exp_num_ticks"]
        assert expected[0] == 20
        assert max(expected) > 50
        assert min(expected) < 2
    found = imbalance_bars(PRICE, QTY, SIGN, 20.0, 2_000.0, 19.0, 5, 80)
    n_ticks = np.diff(found, prepend=-1)
    assert n_ticks.min() >= 5
    assert n_ticks.max() <= 80
    assert 10 < n_ticks.mean() < 40


@pytest.mark.parametrize("unit", ["volume", "dollar"])
def test_ml4t_volume_and_dollar_run_bars_mix_units(unit):
    """E[T] starts as an amount (ticks times the mean size) and then learns counts of ticks.

    So the threshold, compared with an amount, drifts from amounts towards tick counts.
    """
    peer = ML4T[f"{unit}_run"]
    settings, n_ticks, expected = peer["settings"], peer["tick_count"], peer["expected_t"]
    size = QTY if unit == "volume" else PRICE * QTY
    assert expected[0] == pytest.approx(settings["expected_ticks_per_bar"] * size.mean())
    alpha, warm_up = settings["alpha"], settings["min_bars_warmup"]
    for bar in range(warm_up, len(expected) - 1):
        counted = alpha * n_ticks[bar] + (1 - alpha) * expected[bar]
        assert expected[bar + 1] == pytest.approx(counted)
    assert expected[-1] < expected[0] / 4
    assert np.mean(n_ticks[-50:]) < np.mean(n_ticks[:5]) / 2
