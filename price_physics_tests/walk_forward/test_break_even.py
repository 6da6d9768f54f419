import numpy as np
import pytest

from price_physics.walk_forward.break_even import Signals, break_even
from price_physics.walk_forward.sharpe_bound import upper_annual_sharpe

K = np.arange(200)
STATED = 1 + np.abs(np.sin(K))
GROSS = 10 * np.sin(1.3 * K) + 2 * STATED
DAY = 19_000 + K // 4


def test_golden_break_even():
    found = break_even(STATED, GROSS, DAY)
    assert found == pytest.approx((3.436151, 3.293641, 3.57866), abs=5e-7)


def test_neither_order_nor_the_scale_of_what_was_stated_matters():
    order = np.random.default_rng(0).permutation(200)
    shuffled = break_even(100 * STATED[order], GROSS[order], DAY[order])
    assert shuffled == pytest.approx(break_even(STATED, GROSS, DAY))


def test_signals_that_promise_nothing_count_nothing():
    stated = np.append(STATED, [0.0, -3.0])
    gross, day = np.append(GROSS, [50.0, 60.0]), np.append(DAY, [19_010, 19_020])
    assert break_even(stated, gross, day) == break_even(STATED, GROSS, DAY)
    assert Signals(stated, gross, day).n_promising == 200


def test_days_between_are_zeros():
    # Two days, nine apart: beyond five lags they do not know of each other.
    v, g = np.array([1.0, 1.0]), np.array([1.0, 3.0])
    far = break_even(v, g, np.array([0, 9]))
    assert (far.upper - far.value) / 1.96 == pytest.approx(np.sqrt(1 + 1) / 2)
    near = break_even(v, g, np.array([0, 1]))
    assert (near.upper - near.value) / 1.96 == pytest.approx(np.sqrt(2 - 2 * 5 / 6) / 2)


def test_without_any_promise_nothing_is_known():
    value, lower, upper = break_even(np.array([-1.0]), np.array([2.0]), np.array([5]))
    assert np.isnan(value)
    assert (lower, upper) == (-np.inf, np.inf)
    assert np.isnan(break_even(*(np.empty(0),) * 2, np.empty(0, dtype=np.int64)).value)


def test_what_the_market_moved_widens_the_bound():
    daily = np.array([0.01, -0.01] * 10)
    narrow, wide = (upper_annual_sharpe(daily, squares) for squares in (0.0, 0.04))
    assert wide == pytest.approx(1.96 * 0.2 / 20 / daily.std(ddof=1) * np.sqrt(365))
    assert narrow < wide


def test_days_that_are_all_the_same_have_no_bound():
    assert upper_annual_sharpe(np.full(9, 0.1), 1.0) is None
    assert upper_annual_sharpe(np.array([0.1]), 1.0) is None
