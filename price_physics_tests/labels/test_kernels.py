"""Kernels equal their plain selves, equal the slow references, and know the golden cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.labels import kernels
from price_physics.labels.kernels import (
    DROP,
    STOP_LOSS_FIRST,
    first_touch,
    first_touch_bars,
    path_extremes,
    wilder_atr,
)
from price_physics_tests.labels import naive

COMPILED = (
    "_touch",
    "_build",
    "_extend",
    "_first_outside",
    "_first_after",
    "_inside",
    "_scan",
)
# Around the ends of leaves of 16 to 128 ticks, and where the pyramid gets a level more.
SIZES = [n + d for n in (16, 32, 64, 96, 128, 256, 512) for d in (-1, 0, 1)]
# So many searches make the leaves of a path of 600 ticks 128, 64, 32 or 16 ticks wide.
N_SEARCHES = st.sampled_from([1, 12, 30, 60])


@pytest.fixture
def plain(monkeypatch):
    """Replace the compiled kernels by their plain functions."""
    for name in COMPILED:
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)


@st.composite
def tick_paths(draw):
    """Ticks with equal times and prices on a grid, events at any tick, barriers on the grid."""
    n = draw(st.integers(1, 40))
    gaps = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    steps = draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n))
    n_events = draw(st.integers(0, 8))
    event_tick = draw(st.lists(st.integers(0, n - 1), min_size=n_events, max_size=n_events))
    width = st.lists(st.integers(1, 4), min_size=n_events, max_size=n_events)
    horizon = draw(st.lists(st.integers(0, 20), min_size=n_events, max_size=n_events))
    price = 10 + 0.5 * np.cumsum(np.array(steps, dtype=np.float64))
    event_tick = np.array(event_tick, dtype=np.int64)
    at = price[event_tick]
    return (
        np.cumsum(np.array(gaps, dtype=np.int64)),
        price,
        event_tick,
        at + 0.5 * np.array(draw(width), dtype=np.float64),
        at - 0.5 * np.array(draw(width), dtype=np.float64),
        np.array(horizon, dtype=np.int64),
    )


def random_path(n, seed, n_events=12):
    """As `tick_paths`, of `n` ticks: events in any order, some barriers that nothing reaches."""
    rng = np.random.default_rng(seed)
    price = 50 + 0.5 * np.cumsum(rng.integers(-1, 2, n))
    event_tick = rng.integers(0, n, n_events)
    event_tick[0] = n - 1
    upper = price[event_tick] + 0.5 * rng.integers(1, 1 + rng.integers(1, 40), n_events)
    lower = price[event_tick] - 0.5 * rng.integers(1, 1 + rng.integers(1, 40), n_events)
    upper[rng.random(n_events) < 0.1], lower[rng.random(n_events) < 0.1] = np.inf, np.nan
    horizon = rng.integers(0, rng.choice([3, n, 3 * n]), n_events)
    return np.cumsum(rng.integers(0, 3, n)), price, event_tick, upper, lower, horizon


def assert_first_touch(found, expected):
    label, touch = found
    assert (label.dtype, touch.dtype) == (np.int8, np.int64)
    np.testing.assert_array_equal(label, expected[0])
    np.testing.assert_array_equal(touch, expected[1])


@settings(max_examples=150, deadline=None)
@given(tick_paths())
def test_first_touch_is_the_slow_one(path):
    assert_first_touch(first_touch(*path), naive.first_touch(*path))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SIZES) | st.integers(1, 600), N_SEARCHES, st.integers(0, 2**32))
def test_first_touch_is_the_slow_one_whatever_the_size(n, n_events, seed):
    path = random_path(n, seed, n_events)
    assert_first_touch(first_touch(*path), naive.first_touch(*path))


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 65, 257, 300])
def test_plain_functions_are_the_compiled_ones(n, plain):
    path = random_path(n, seed=n)
    assert_first_touch(first_touch(*path), naive.first_touch(*path))


def test_first_touch_is_the_scan_on_a_long_walk():
    """A fifth of a million ticks of a lattice, with many equal times; events out of order."""
    path = random_path(200_000, seed=3, n_events=5_000)
    time_ns, price, event_tick, upper, lower, _ = path
    rng = np.random.default_rng(4)
    for horizon in (rng.integers(0, 100_000, 5_000), np.full(5_000, 2_000)):
        case = (time_ns, price, event_tick, upper, lower, horizon)
        expected = naive.first_touch_scan(*case)
        assert_first_touch(first_touch(*case), expected)
        assert {-1, 0, 1} == set(expected[0])


class Counted(np.ndarray):
    """Counts what is read of it."""

    n_read = 0

    def __getitem__(self, key):
        Counted.n_read += 1
        return super().__getitem__(key)


@pytest.mark.slow
@pytest.mark.parametrize("n_leaves", [2**6, 2**12, 2**15])
@pytest.mark.parametrize(
    ("upper", "horizon", "n_scanned"),
    [
        (1.0, 2**40, 32),  # the last tick of all touches: the last leaf is scanned
        (1.0, 20, 0),  # too late: known before the descent
        (2.0, 2**40, 0),  # nothing touches
    ],
)
def test_a_search_reads_a_few_prices_however_long_the_path(
    n_leaves, upper, horizon, n_scanned, plain
):
    """One leaf, and a node a level up and three in two levels down; a time-out needs no scan."""
    n = 32 * n_leaves
    price, low, time_ns = np.zeros(n), np.ones(n), np.arange(n)
    price[-1] = 1.0
    nodes, bits = kernels._pyramid(price, low, n_leaves)
    columns = (time_ns, price.view(Counted), low.view(Counted))
    Counted.n_read = 0
    pyramid = nodes.view(Counted), np.uint64(bits)
    at = kernels._first_outside(*columns, *pyramid, np.uint64(5), 5 + horizon, upper, 0.0)
    assert (at == n - 1) if n_scanned else (at == n or time_ns[at] > 5 + horizon)
    assert 0 < Counted.n_read <= 2 * (n_scanned + 2.5 * np.log2(n_leaves) + 2)


def test_a_leaf_that_touches_before_the_path_only_is_scanned_and_left(plain):
    """The event's leaf reaches a barrier, but not from the event on; the next leaf does."""
    price = np.zeros(128)
    price[3] = price[70] = 9.0
    case = (np.arange(128), price, np.array([10, 40]), np.full(2, 9.0), np.full(2, -1.0))
    assert_first_touch(first_touch(*case, 100), ([1, 1], [70, 70]))
    assert_first_touch(first_touch(*case, 40), ([0, 1], [50, 70]))


@settings(max_examples=100, deadline=None)
@given(tick_paths(), st.data())
def test_ticks_after_the_touch_change_nothing(path, data):
    """A longer array has the same beginning: the look-ahead test of the kernel."""
    time_ns, price, event_tick, upper, lower, horizon = path
    label, touch = first_touch(*path)
    cut = data.draw(st.integers(1, len(time_ns)))
    known = (event_tick < cut) & (label != 0) & (touch < cut)
    again = first_touch(
        time_ns[:cut], price[:cut], event_tick[known], upper[known], lower[known], horizon[known]
    )
    np.testing.assert_array_equal(again[0], label[known])
    np.testing.assert_array_equal(again[1], touch[known])


def one_touch(time_ns, price, upper, lower, horizon, event_tick=0):
    label, touch = first_touch(
        np.array(time_ns),
        np.array(price, dtype=np.float64),
        np.array([event_tick]),
        np.array([float(upper)]),
        np.array([float(lower)]),
        horizon,
    )
    return int(label[0]), int(touch[0])


@pytest.mark.parametrize(
    ("time_ns", "price", "expected"),
    [
        ([0, 1, 2], [10, 12, 8], (1, 1)),  # exactly on the upper barrier
        ([0, 1, 2], [10, 8, 12], (-1, 1)),  # exactly on the lower one
        ([0, 1, 5], [10, 11, 12], (1, 2)),  # exactly at the vertical barrier
        ([0, 1, 6], [10, 11, 12], (0, 1)),  # one nanosecond too late
        ([0, 0, 1], [10, 12, 11], (0, 2)),  # same instant as the event: not in the path
        ([0, 6], [10, 99], (0, 0)),  # nothing in the horizon: the event's own
        ([0], [10], (0, 0)),  # nothing at all
        ([0, 1, 1], [10, 8, 12], (-1, 1)),  # both at one instant: the first row
    ],
)
def test_first_touch_at_the_edges(time_ns, price, expected):
    assert one_touch(time_ns, price, upper=12, lower=8, horizon=5) == expected


def test_the_event_may_be_any_of_the_ticks_of_its_instant():
    time_ns, price = [0, 0, 0, 1], [10, 12, 8, 11]
    for tick in range(3):
        assert one_touch(time_ns, price, 12, 8, 5, event_tick=tick) == (0, 3)


def test_a_barrier_of_nan_or_below_zero_is_never_touched():
    assert one_touch([0, 1], [10, 99], upper=np.nan, lower=-3, horizon=5) == (0, 1)


def test_horizons_of_another_number_than_events_are_refused():
    time_ns, one = np.arange(3), np.ones(3)
    with pytest.raises(ValueError, match="broadcast"):
        first_touch(time_ns, one, time_ns, one, one, np.array([1, 2]))


def test_one_horizon_is_that_horizon_for_every_event():
    time_ns = np.arange(50)
    price = 10 + np.sin(np.arange(50.0))
    events, upper, lower = np.arange(40), np.full(40, 10.9), np.full(40, 9.1)
    one = first_touch(time_ns, price, events, upper, lower, 2)
    each = first_touch(time_ns, price, events, upper, lower, np.full(40, 2))
    np.testing.assert_array_equal(one[0], each[0])
    np.testing.assert_array_equal(one[1], each[1])
    assert {-1, 0, 1} == set(one[0])


def test_without_drift_the_nearer_barrier_wins_as_theory_says():
    """From 0, +2 before -1 has probability 1/3 on a fair walk: gambler's ruin."""
    rng = np.random.default_rng(5)
    price = np.cumsum(rng.choice([-1.0, 1.0], 200_000))
    events = np.arange(0, 190_000, 50)
    at = price[events]
    label, _ = first_touch(np.arange(200_000), price, events, at + 2, at - 1, 100_000)
    assert (label != 0).all()
    assert np.mean(label == 1) == pytest.approx(1 / 3, abs=4 * np.sqrt(2 / 9 / len(events)))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 20), st.integers(0, 5), st.integers(0, 5)),
        min_size=0,
        max_size=30,
    ),
    st.integers(1, 8),
)
def test_wilder_atr_is_the_slow_one(bars, period):
    low = np.array([float(b[0]) for b in bars])
    high = low + np.array([float(b[1]) for b in bars])
    close = np.minimum(low + np.array([float(b[2]) for b in bars]), high)
    fast = wilder_atr(high, low, close, period)
    np.testing.assert_array_equal(fast, wilder_atr.py_func(high, low, close, period))
    np.testing.assert_allclose(fast, naive.wilder_atr(high, low, close, period), rtol=1e-12)


def test_wilder_atr_by_hand():
    """True ranges 2, 3 (gap up from 10 to 13), 2, 6 (gap down from 12 to 6); period 3."""
    high = np.array([11.0, 13.0, 13.0, 8.0])
    low = np.array([9.0, 12.0, 11.0, 6.0])
    close = np.array([10.0, 12.0, 12.0, 7.0])
    np.testing.assert_allclose(
        wilder_atr(high, low, close, 3), [np.nan, np.nan, 7 / 3, (2 * 7 / 3 + 6) / 3]
    )


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SIZES) | st.integers(1, 600), N_SEARCHES, st.integers(0, 2**32))
def test_path_extremes_are_those_of_the_slice(n, n_paths, seed):
    rng = np.random.default_rng(seed)
    price = rng.normal(size=n)
    first = rng.integers(0, n, n_paths)
    last = np.minimum(first + rng.integers(-1, rng.choice([3, n + 1]), n_paths), n - 1)
    highest, lowest = path_extremes(price, first, last)
    for p in range(n_paths):
        path = price[first[p] : last[p] + 1]
        assert highest[p] == path.max(initial=-np.inf)
        assert lowest[p] == path.min(initial=np.inf)


@pytest.mark.parametrize("n", [1, 32, 33, 300])
def test_plain_path_extremes_are_the_compiled_ones(n, monkeypatch):
    rng = np.random.default_rng(n)
    price, (first, last) = rng.normal(size=n), rng.integers(0, n, (2, 50))
    compiled = path_extremes(price, first, last)
    for name in COMPILED:
        monkeypatch.setattr(kernels, name, getattr(kernels, name).py_func)
    np.testing.assert_array_equal(path_extremes(price, first, last), compiled)


# ---------------------------------------------------------------------------- bars
def random_bars(n, seed, n_events=12):
    """Bars on a grid, some wide enough to touch both sides, and events at any of them."""
    time_ns, close, event_bar, upper, lower, horizon = random_path(n, seed, n_events)
    rng = np.random.default_rng(seed)
    high = close + 0.5 * rng.integers(0, rng.choice([2, 12]), n)
    low = close - 0.5 * rng.integers(0, rng.choice([2, 12]), n)
    return time_ns, high, low, event_bar, upper, lower, horizon


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(SIZES) | st.integers(1, 300),
    st.integers(0, 2**32),
    st.sampled_from([DROP, STOP_LOSS_FIRST]),
)
def test_touches_of_bars_are_the_slow_ones(n, seed, both):
    case = (*random_bars(n, seed), both)
    label, touch, n_undecidable = first_touch_bars(*case)
    expected = naive.first_touch_bars(*case)
    assert_first_touch((label, touch), expected)
    assert n_undecidable == expected[2]


def test_plain_touches_of_bars_are_the_compiled_ones(plain):
    case = (*random_bars(200, seed=1, n_events=200), DROP)
    label, touch, n_undecidable = first_touch_bars(*case)
    expected = naive.first_touch_bars(*case)
    assert_first_touch((label, touch), expected)
    assert n_undecidable == expected[2] > 0


def test_the_rule_decides_bars_that_touch_both_sides_and_nothing_else():
    bars = random_bars(2_000, seed=2, n_events=5_000)
    dropped, touch, n_dropped = first_touch_bars(*bars, DROP)
    stopped, same_touch, n_stopped = first_touch_bars(*bars, STOP_LOSS_FIRST)
    np.testing.assert_array_equal(touch, same_touch)
    undecidable = dropped == DROP
    assert n_dropped == n_stopped == undecidable.sum() > 20
    assert (stopped[undecidable] == -1).all()
    np.testing.assert_array_equal(stopped[~undecidable], dropped[~undecidable])
    # A short's stop-loss is the upper barrier: the rule may differ from event to event.
    side = np.where(np.arange(5_000) % 2, 1, -1)
    by_side, _, _ = first_touch_bars(*bars, -side)
    np.testing.assert_array_equal(by_side[undecidable], -side[undecidable])


def test_bars_decide_as_their_ticks_do_or_not_at_all():
    """Four ticks a bar, horizons that end with a bar: what bars can decide they decide right."""
    rng = np.random.default_rng(6)
    n_bars = 3_000
    price = 100 + 0.5 * np.cumsum(rng.integers(-2, 3, 4 * n_bars))
    high, low = price.reshape(-1, 4).max(axis=1), price.reshape(-1, 4).min(axis=1)
    close_time = 4 * np.arange(n_bars) + 3
    event = rng.integers(0, n_bars, 2_000)
    at, width = price[4 * event + 3], 0.5 * rng.integers(1, 8, (2, 2_000))
    barriers = at + width[0], at - width[1], 4 * rng.integers(0, 30, 2_000)
    by_tick, touch_tick = first_touch(np.arange(4 * n_bars), price, 4 * event + 3, *barriers)
    by_bar, touch_bar, n_undecidable = first_touch_bars(
        close_time, high, low, event, *barriers, DROP
    )
    decided = by_bar != DROP
    np.testing.assert_array_equal(by_bar[decided], by_tick[decided])
    np.testing.assert_array_equal(touch_bar, touch_tick // 4)
    assert (by_tick[~decided] != 0).all()
    assert 0 < n_undecidable == (~decided).sum() < 1_000


@pytest.mark.parametrize(
    ("time_ns", "high", "low", "expected"),
    [
        ([0, 5, 9], [12, 12, 9], [8, 9, 9], (1, 1)),  # the event's own range is not in the path
        ([0, 5, 9], [10, 12, 9], [10, 8, 9], (DROP, 1)),  # both, exactly
        ([0, 6, 9], [10, 99, 9], [10, 1, 9], (0, 0)),  # closes after the horizon
        ([0, 0, 5], [10, 99, 11], [10, 1, 8], (-1, 2)),  # closes with the event
        ([0, 4, 5], [10, 11, 11], [10, 9, 9], (0, 2)),
        ([0], [10], [10], (0, 0)),
    ],
)
def test_touches_of_bars_at_the_edges(time_ns, high, low, expected):
    one = np.ones(1)
    columns = (np.array(values, dtype=np.float64) for values in (high, low))
    label, touch, n_undecidable = first_touch_bars(
        np.array(time_ns), *columns, np.array([0]), 12 * one, 8 * one, 5, DROP
    )
    assert (label[0], touch[0]) == expected
    assert n_undecidable == (expected[0] == DROP)
