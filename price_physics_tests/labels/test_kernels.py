"""Kernels equal their plain selves, equal the slow references, and know the golden cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.labels.kernels import first_touch, path_extremes, wilder_atr
from price_physics_tests.labels import naive


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


@settings(max_examples=150, deadline=None)
@given(tick_paths())
def test_first_touch_is_the_slow_one(path):
    expected = naive.first_touch(*path)
    for kernel in (first_touch, first_touch.py_func):
        label, touch = kernel(*path)
        assert (label.dtype, touch.dtype) == (np.int8, np.int64)
        np.testing.assert_array_equal(label, expected[0])
        np.testing.assert_array_equal(touch, expected[1])


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


def test_path_extremes_are_those_of_the_slice():
    rng = np.random.default_rng(1)
    price = rng.normal(size=100)
    first = rng.integers(0, 90, 30)
    last = first + rng.integers(-1, 10, 30)
    for kernel in (path_extremes, path_extremes.py_func):
        highest, lowest = kernel(price, first, last)
        for p in range(30):
            path = price[first[p] : last[p] + 1]
            assert highest[p] == path.max(initial=-np.inf)
            assert lowest[p] == path.min(initial=np.inf)
