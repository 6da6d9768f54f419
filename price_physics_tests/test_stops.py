"""Stops by candles: equal to a slow reference, from past rows only, and the number 0.73."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.stops import (
    OVERSTEP,
    WINDOW,
    expected_after_latency,
    expected_overstep,
    stop_price,
)
from price_physics_tests.labels.naive import after_latency, overstep

STEPS_OF_A_CANDLE = 100


def candles(seed, n):
    return np.random.default_rng(seed).integers(90, 110, (2, n)).astype(float)


def with_wicks(seed, n):
    """Opens, highs, lows and closes, and wicks of all lengths."""
    opened, close = candles(seed, n)
    up, down = np.random.default_rng(seed).integers(0, 1 + seed % 20, (2, n))
    return opened, np.maximum(opened, close) + up, np.minimum(opened, close) - down, close


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(0, 3 * WINDOW))
def test_the_overstep_equals_the_slow_one(seed, n):
    opened, close = candles(seed, n)
    assert expected_overstep(opened, close).tolist() == [
        overstep(opened, close, i) for i in range(n)
    ]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 2 * WINDOW))
def test_the_overstep_of_a_candle_is_known_at_its_open(seed, n):
    opened, close = candles(seed, 3 * WINDOW)
    other_opened, other_close = candles(seed + 1, 3 * WINDOW)
    other_opened[:n], other_close[: n - 1] = opened[:n], close[: n - 1]
    first, second = (
        expected_overstep(*pair)[:n] for pair in ((opened, close), (other_opened, other_close))
    )
    assert first.tolist() == second.tolist()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(0, WINDOW))
def test_what_a_latency_leaves_equals_the_slow_one(seed, n):
    rows = with_wicks(seed, n)
    slow = [after_latency(*rows, i) for i in range(n)]
    np.testing.assert_allclose(expected_after_latency(*rows), slow, rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32), st.integers(1, 2 * WINDOW))
def test_what_a_latency_leaves_of_a_candle_is_known_at_its_open(seed, n):
    rows, others = with_wicks(seed, 2 * WINDOW), with_wicks(seed + 1, 2 * WINDOW)
    others[0][:n] = rows[0][:n]
    for own, other in zip(rows[1:], others[1:], strict=True):
        other[: n - 1] = own[: n - 1]
    first, second = (expected_after_latency(*four)[:n] for four in (rows, others))
    assert first.tolist() == second.tolist()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32))
def test_a_latency_leaves_between_nothing_and_the_overstep(seed):
    opened, _, _, close = rows = with_wicks(seed, 2 * WINDOW)
    left = expected_after_latency(*rows)
    assert (left >= 0).all()
    assert (left <= expected_overstep(opened, close)).all()


@pytest.mark.parametrize("price", [[10.0, 10.0, 10.0], [10.0, 12.0, 11.0]])
def test_candles_of_one_price_or_without_steps_cannot_tell_and_leave_the_overstep(price):
    flat = np.array(price)
    assert (expected_after_latency(*[flat] * 4) == expected_overstep(flat, flat)).all()


@pytest.mark.parametrize(
    ("bounce", "least", "most"), [(0.0, 0.58, 0.59), (0.5, 0.37, 0.55), (4.0, -0.01, 0.01)]
)
def test_a_latency_leaves_the_overstep_of_a_walk_less_its_bounce(bounce, least, most):
    """In steps of the price. Beyond a level are by then 0.583 of a walk's, 0.38 where its trades
    bounce by half a step up or down, and none where they bounce by four: stops leave before it."""
    rng = np.random.default_rng(3)
    path = np.cumsum(rng.standard_normal((20_000, STEPS_OF_A_CANDLE))).reshape(20_000, -1)
    path += bounce * rng.choice([-1, 1], path.shape)
    left = expected_after_latency(path[:, 0], path.max(1), path.min(1), path[:, -1])
    assert least < left[len(left) // 2 :].mean() < most


def test_steps_of_more_than_a_hundred_candles_ago_are_forgotten():
    opened, close = np.full((2, 2 * WINDOW), 100.0)
    opened[5] = 150.0
    found = expected_overstep(opened, close)
    assert found[4] == 0
    assert found[5] == OVERSTEP * 50 / 5
    assert found[5 + WINDOW - 1] == OVERSTEP * 50 / WINDOW
    assert found[5 + WINDOW :].tolist() == [0.0] * (WINDOW - 5)


@pytest.mark.parametrize("side", [1, -1])
def test_a_stop_leaves_at_the_open_beyond_it_or_beyond_its_level_by_the_overstep(side):
    level = np.full(4, 100.0)
    opened = 100 + side * np.array([5.0, 0.1, 0.0, -3.0])
    left = stop_price(side, level, opened, 2.0)
    assert (side * (left - 100)).tolist() == [-2, -2, 0, -3]


def test_a_walk_of_normal_steps_oversteps_a_level_by_073_of_its_mean_step():
    rng = np.random.default_rng(0)
    level, n = 8.0, 8_000
    price, over = np.zeros(n), np.empty(0)
    while len(price) > n / 10:  # it takes for ever to see the last ones across
        price += rng.standard_normal(len(price))
        over = np.append(over, price[price >= level] - level)
        price = price[price < level]
    mean_step = np.sqrt(2 / np.pi)
    error = over.std() / np.sqrt(len(over)) / mean_step
    assert error < 0.01
    assert abs(over.mean() / mean_step - OVERSTEP) < 3 * error
