"""Driftless odds: two formulas, an inverted Laplace transform and random walks must agree."""

import math

import mpmath
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from price_physics.labels import driftless_kernels as kernels
from price_physics.labels.atr import month_atr
from price_physics.labels.driftless import (
    ATR_OF_SIGMA,
    RECENT_BARS,
    bars_in_horizon,
    driftless_odds,
    first_passage,
)
from price_physics.labels.kernels import first_touch, wilder_atr
from price_physics.labels.sides import barrier_levels
from price_physics.study.labels import LabelsConfig
from price_physics_tests.labels.synthetic import make_world

COMPILED = ("by_images", "by_series", "_in_units")
BROADIE_GLASSERMAN_KOU = 0.5826  # -zeta(1/2) / sqrt(2 pi), in standard deviations of a step
DISTANCE = st.floats(1e-6, 1e6)
SPREAD = st.floats(0, 1e6)
ANY_DISTANCE = st.floats(0, exclude_min=True, allow_subnormal=True)
ANY_SPREAD = st.floats(0, allow_subnormal=True)


def laplace_passage(upper, lower, spread):
    """Up, none and down by inverting Darling and Siegert's transforms at 30 digits."""
    with mpmath.workdps(30):
        a, b, t = mpmath.mpf(upper), mpmath.mpf(lower), mpmath.mpf(spread) ** 2

        def inverted(distance):
            def transform(p):
                root = mpmath.sqrt(2 * p)
                return mpmath.sinh(distance * root) / mpmath.sinh((a + b) * root) / p

            return mpmath.invertlaplace(transform, t, method="talbot")

        up, down = inverted(b), inverted(a)
        return float(up), float(1 - up - down), float(down)


def exact_images(upper, lower, spread):
    """Twenty images a barrier at 40 digits, whatever the horizon."""
    with mpmath.workdps(40):
        a, b = mpmath.mpf(upper), mpmath.mpf(lower)
        unit = mpmath.sqrt(2) * mpmath.mpf(spread)

        def chance(x, y):
            pairs = ((x + 2 * k * (x + y), 2 * (k + 1) * (x + y) - x) for k in range(20))
            return sum(mpmath.erfc(p / unit) - mpmath.erfc(q / unit) for p, q in pairs)

        up, down = chance(a, b), chance(b, a)
        return float(up), float(1 - up - down), float(down)


def chances(upper, lower, spread):
    """`first_passage` of one path as three floats."""
    return [float(chance[0]) for chance in first_passage(upper, lower, spread)]


# ---------------------------------------------------------------------------- exactness
@pytest.mark.parametrize("spread", [0.2, 0.5, 0.9, 1.0, 1.6, 3.0, 8.0])
@pytest.mark.parametrize(
    "barriers", [(1, 1), (1, 2), (3, 0.5), (1, 50), (0.01, 5), (5, 0.001), (1e-9, 1)]
)
def test_odds_are_the_inverted_laplace_transforms(barriers, spread):
    assert chances(*barriers, spread) == pytest.approx(
        laplace_passage(*barriers, spread), abs=1e-14, rel=0
    )


@pytest.mark.slow
def test_odds_are_exact_everywhere():
    """Distances over nine orders, horizons from none to long, and many around the switch."""
    rng = np.random.default_rng(13)
    n = 400
    upper, lower = 10 ** np.stack([rng.uniform(-8, 1, n), rng.uniform(-1, 1, n)])
    spread = (upper + lower) * np.where(
        rng.random(n) < 0.5, rng.uniform(0.2, 0.3, n), 10 ** rng.uniform(-2, 0.3, n)
    )
    found = np.array(first_passage(upper, lower, spread))
    expected = np.array([exact_images(*path) for path in zip(upper, lower, spread, strict=True)]).T
    assert np.abs(found - expected).max() < 3e-15
    # Rare events as well, as the logarithm is what counts.
    likely = (expected > 1e-300) & (np.minimum(upper, lower) > 1e-3 * (upper + lower))
    np.testing.assert_allclose(found[likely], expected[likely], rtol=1e-11)


def test_series_and_images_meet_at_the_switch():
    share = np.linspace(1e-6, 1 - 1e-6, 101)
    for at, within in ((kernels.LONG, 5e-15), (0.22, 1e-14), (0.27, 1e-12)):
        for a in share:
            series, images = kernels.by_series(a, 1 - a, at), kernels.by_images(a, 1 - a, at)
            assert series == pytest.approx(images, abs=within, rel=0)


def test_a_long_horizon_ends_at_a_barrier_and_says_how_seldom_it_does_not():
    """Far below rounding errors `none` keeps its digits: 4 / pi exp(-(pi s / w)**2 / 2)."""
    expected = 4 / math.pi * math.exp(-((math.pi * 5) ** 2) / 2)
    assert chances(1, 1, 10) == [0.5, pytest.approx(expected, rel=1e-12), 0.5]
    assert expected < 1e-50


# ---------------------------------------------------------------------------- simulation
def test_odds_are_those_of_random_walks():
    """A walk of a thousand steps overshoots its barriers by 0.5826 of a step, on average."""
    n_paths, n_steps = 40_000, 1_000
    barriers = np.array([[1, 1], [0.5, 1.5], [2, 0.7], [0.3, 0.25], [1.8, 40.0]])
    rng = np.random.default_rng(5)
    step = 1 / math.sqrt(n_steps)
    position = np.zeros(n_paths, np.float32)
    met = np.zeros((len(barriers), n_paths), np.int8)
    for _ in range(n_steps):
        position += np.float32(step) * rng.standard_normal(n_paths, np.float32)
        for (upper, lower), label in zip(barriers, met, strict=True):
            label[(label == 0) & (position >= upper)] = 1
            label[(label == 0) & (position <= -lower)] = -1
    beyond = barriers.T + BROADIE_GLASSERMAN_KOU * step
    for label, expected in zip((1, 0, -1), first_passage(*beyond, 1.0), strict=True):
        found = np.mean(met == label, axis=1)
        error = np.sqrt(expected * (1 - expected) / n_paths)
        assert (np.abs(found - expected) <= 4 * error).all()


@pytest.mark.slow
def test_odds_are_what_ticks_without_drift_do():
    """Bars of 200 ticks whose clock speeds up and slows down; long and short, by the clock."""
    rng = np.random.default_rng(8)
    n_bars, ticks = 20_000, 200
    price = 1e4 + np.cumsum(rng.standard_normal(n_bars * ticks))
    pace = np.repeat(np.exp(np.cumsum(rng.normal(0, 0.02, n_bars)) % 2), ticks)
    time_ns = np.cumsum((1e9 * pace).astype(np.int64))
    bars = price.reshape(n_bars, ticks)
    close, close_ns = bars[:, -1], time_ns[ticks - 1 :: ticks]
    atr = wilder_atr(bars.max(axis=1), bars.min(axis=1), close, 14)
    config = LabelsConfig(horizon_minutes=200)
    inside = bars_in_horizon(config, time_ns[::ticks], close_ns)
    event = np.arange(100, n_bars - 200, 10)
    side = np.where(rng.random(len(event)) < 0.5, 1, -1)
    take, stop = np.full(len(event), 3.0), np.full(len(event), 2.0)
    levels = barrier_levels(side, close[event], atr[event], take, stop)
    label, _ = first_touch(
        time_ns, price, event * ticks + ticks - 1, *levels, config.longest_horizon_ns
    )
    odds = driftless_odds(side, take, stop, inside[event])
    for outcome, expected in zip((1, 0, -1), odds, strict=True):
        for traded in (side == 1, side == -1):
            # labels overlap five deep: 2,000 events a side are worth some hundreds
            assert np.mean(label[traded] == outcome) == pytest.approx(
                expected[traded].mean(), abs=0.04
            )
    assert np.ptp(odds[1]) > 0.2  # the pace is in it
    assert np.corrcoef(odds[1], label == 0)[0, 1] > 0.1


def test_the_range_of_a_brownian_bar():
    assert pytest.approx(math.sqrt(8 / math.pi), abs=3e-4) == ATR_OF_SIGMA
    rng = np.random.default_rng(2)
    n_steps = 1_000
    paths = np.cumsum(rng.standard_normal((4_000, n_steps)), axis=1) / math.sqrt(n_steps)
    spans = np.maximum(paths.max(axis=1), 0) - np.minimum(paths.min(axis=1), 0)
    unseen = 2 * BROADIE_GLASSERMAN_KOU / math.sqrt(n_steps)
    error = spans.std() / math.sqrt(len(spans))
    assert spans.mean() + unseen == pytest.approx(ATR_OF_SIGMA, abs=3 * error)


# ---------------------------------------------------------------------------- limits
def test_limits():
    inf = math.inf
    assert chances(1, 2, 0) == [0, 1, 0]
    assert chances(inf, inf, 0) == [0, 1, 0]
    assert chances(1, 3, inf) == [0.75, 0, 0.25]
    assert chances(inf, inf, 5) == chances(inf, inf, inf) == [0, 1, 0]
    assert chances(inf, 1, inf) == [0, 0, 1]
    for spread in (0.1, 1, 7, 1e3):
        reflected = math.erfc(2 / spread / math.sqrt(2))
        assert chances(2, inf, spread) == [pytest.approx(reflected, rel=1e-12), 1 - reflected, 0]
        assert chances(1e9, 2, spread) == pytest.approx([0, 1 - reflected, reflected], abs=1e-6)
    assert chances(40, 40, 1) == [pytest.approx(0, abs=1e-300), 1, pytest.approx(0, abs=1e-300)]


@pytest.mark.slow
@settings(max_examples=500, deadline=None)
@given(ANY_DISTANCE, ANY_DISTANCE, ANY_SPREAD)
@example(5e-324, 5e-324, 5e-324)
@example(5e-324, 1.0, 0.25)
@example(5e-324, 1.0, 0.3)
@example(1.7e308, 1.7e308, 1.7e308)
@example(1e-308, 1e-308, 1e308)
@example(1e308, 1e308, 1e-308)
@example(math.inf, 5e-324, math.inf)
def test_whatever_comes_in_comes_out_as_chances(upper, lower, spread):
    up, none, down = chances(upper, lower, spread)
    assert min(up, none, down) >= 0
    assert up + none + down == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    "path", [(0, 1, 1), (1, -1, 1), (1, 1, -1), (np.nan, 1, 1), (1, 1, np.nan)]
)
def test_what_is_no_path_is_refused_and_named(path):
    upper, lower, spread = (np.array([1.0, value, 1.0]) for value in path)
    with pytest.raises(ValueError, match=r"path 1: upper .* must be positive"):
        first_passage(upper, lower, spread)


# ---------------------------------------------------------------------------- properties
@settings(max_examples=200, deadline=None)
@given(DISTANCE, DISTANCE, SPREAD)
def test_a_mirrored_path_has_mirrored_odds(upper, lower, spread):
    assert chances(upper, lower, spread) == chances(lower, upper, spread)[::-1]


@settings(max_examples=200, deadline=None)
@given(DISTANCE, DISTANCE, SPREAD, st.sampled_from([2.0**-40, 0.5, 1024.0]), st.floats(0.1, 10))
def test_the_unit_does_not_matter(upper, lower, spread, power_of_two, unit):
    expected = chances(upper, lower, spread)
    scaled = (power_of_two * value for value in (upper, lower, spread))
    assert chances(*scaled) == expected
    scaled = (unit * value for value in (upper, lower, spread))
    assert chances(*scaled) == pytest.approx(expected, abs=1e-14, rel=0)


@settings(max_examples=300, deadline=None)
@given(DISTANCE, DISTANCE, SPREAD, st.floats(1, 10))
def test_odds_move_one_way(upper, lower, spread, factor):
    dust = 5e-15
    up, none, down = chances(upper, lower, spread)
    farther = chances(factor * upper, lower, spread)
    assert farther[0] <= up + dust
    assert farther[1] >= none - dust
    assert farther[2] >= down - dust
    longer = chances(upper, lower, factor * spread)
    assert longer[0] >= up - dust
    assert longer[1] <= none + dust
    assert longer[2] >= down - dust
    # A second barrier takes from the first, at most as much as is met there.
    alone = math.erfc(upper / spread / math.sqrt(2)) if spread else 0.0
    assert alone - down - dust <= up <= alone + dust
    assert up <= lower / (upper + lower) + dust


def test_one_number_serves_all_paths():
    upper, lower = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 0.5])
    for found, expected in zip(
        first_passage(upper, lower, 1.5), first_passage(upper, lower, np.full(3, 1.5)), strict=True
    ):
        assert (found.shape, found.dtype) == ((3,), np.float64)
        np.testing.assert_array_equal(found, expected)
    assert [len(chance) for chance in first_passage(np.empty(0), np.empty(0), 1.5)] == [0, 0, 0]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(DISTANCE, DISTANCE, st.floats(0, 1e7)), min_size=1, max_size=8))
def test_plain_functions_are_the_compiled_ones(paths):
    columns = np.array(paths).T.copy()
    compiled = kernels.first_passages(*columns)
    with pytest.MonkeyPatch.context() as patch:
        for name in COMPILED:
            patch.setattr(kernels, name, getattr(kernels, name).py_func)
        # Floats, as compiled: numpy's own numbers warn where these overflow to infinity.
        plain = kernels.first_passages.py_func(*(column.tolist() for column in columns))
    # A compiler may join a product and a sum into one rounding.
    np.testing.assert_allclose(plain, compiled, rtol=1e-13, atol=1e-16)


# ---------------------------------------------------------------------------- events
def test_a_short_is_stopped_above():
    side, take, stop = np.array([1, -1]), np.array([3.0, 3.0]), np.array([1.0, 1.0])
    up, none, down = driftless_odds(side, take, stop, np.full(2, 9.0))
    spread = 3 / ATR_OF_SIGMA
    assert [up[0], none[0], down[0]] == chances(3, 1, spread)
    assert [up[1], none[1], down[1]] == chances(1, 3, spread)


def test_a_horizon_of_bars_is_what_the_study_says():
    close = np.arange(5) * 10**9
    assert bars_in_horizon(LabelsConfig(horizon_bars=7), close, close).tolist() == [7.0] * 5


def naive_bars(horizon_ns, open_ns, close_ns):
    """Durations one by one: from the close before, of the first bar from its open."""
    durations = [int(close_ns[0] - open_ns[0]), *(int(d) for d in np.diff(close_ns))]
    found = []
    for bar in range(len(close_ns)):
        recent = durations[max(0, bar + 1 - RECENT_BARS) : bar + 1]
        mean = sum(recent) / len(recent)
        found.append(horizon_ns / mean if mean else math.inf)
    return found


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.integers(0, 39), st.randoms())
def test_bars_by_the_clock_are_the_slow_ones_and_look_back_only(gaps, cut, random):
    """Also with fewer than fourteen bars, with bars of no duration, and with fourteen of those."""
    assume(cut < len(gaps))
    close = 1_700_000_000_000_000_000 + np.cumsum(gaps) * 10**9
    opened = close - np.array(gaps) * 10**9 // 2
    config = LabelsConfig(horizon_minutes=3)
    found = bars_in_horizon(config, opened, close)
    assert found.tolist() == pytest.approx(naive_bars(180 * 10**9, opened, close), rel=1e-14)
    later = np.cumsum([random.randrange(10**10) for _ in range(len(gaps) - cut)])
    tampered = np.append(close[:cut], later + (close[cut - 1] if cut else 0))
    again = bars_in_horizon(config, np.append(opened[:cut], tampered[cut:]), tampered)
    np.testing.assert_array_equal(again[:cut], found[:cut])
    shorter = bars_in_horizon(config, opened[: cut + 1], close[: cut + 1])
    np.testing.assert_array_equal(shorter, found[: cut + 1])


def test_bars_that_take_no_time_leave_no_time_out():
    close = np.full(RECENT_BARS + 3, 5)
    inside = bars_in_horizon(LabelsConfig(horizon_minutes=3), close, close)
    assert np.isinf(inside).all()
    up, none, down = driftless_odds(np.ones(1, int), np.full(1, 3.0), np.ones(1), inside[:1])
    assert (up.item(), none.item(), down.item()) == (0.25, 0, 0.75)
    assert len(bars_in_horizon(LabelsConfig(horizon_minutes=3), close[:0], close[:0])) == 0


@pytest.mark.parametrize("horizon", [{"horizon_bars": 12}, {"horizon_minutes": 36 * 60}])
def test_odds_of_an_event_do_not_know_what_comes_later(horizon):
    """On the bars of a market: changing or removing later bars changes nothing."""
    world = make_world(seed=4)
    first, month = world.months[:2]
    config = LabelsConfig(atr_period_bars=3, **horizon)

    def odds(bars):
        both = pd.concat([bars[first], bars[month]])
        times = (both[name].to_numpy() for name in ("open_time_ns", "close_time_ns"))
        inside = bars_in_horizon(config, *times)[len(bars[first]) :]
        atr = month_atr(bars, month, config.atr_period_bars)
        # As a policy in percent of the price has it: multiples that hold the ATR.
        with np.errstate(divide="ignore"):
            multiple = np.minimum(0.01 * bars[month]["close"].to_numpy() / atr, 1e6)
        return np.array(driftless_odds(np.ones(len(atr)), multiple, multiple, inside))

    bars = {m: world.bars[m] for m in (first, month)}
    expected = odds(bars)
    cut = len(bars[month]) // 2
    later = bars[month].copy()
    moved = later.index >= cut
    later.loc[moved, ["open", "high", "low", "close"]] *= 1.5
    later.loc[moved, ["open_time_ns", "close_time_ns"]] += 7 * 10**12
    for changed in (later, later[:cut]):
        found = odds({**bars, month: changed})
        np.testing.assert_array_equal(found[:, :cut], expected[:, :cut])
    assert np.ptp(expected[1]) > 0
