import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from price_physics.walk_forward.bets import bet_size, least_scale, outcome_spread


def two_outcomes(p, win, loss, cost):
    probability = np.array([[p, 1 - p]])
    value = p * win - (1 - p) * loss - cost
    return bet_size(np.array([value]), outcome_spread(probability, np.array([[win, -loss]])))[0]


@pytest.mark.parametrize(
    ("p", "win", "loss", "cost", "expected"),
    [
        (0.60, 25, 25, 0, 0.161744),
        (0.30, 50, 18, 0, 0.061391),
        (0.33, 50, 18, 3, 0.035921),
        (0.30, 50, 18, 3, 0.0),
        (0.76, 18, 50, 1, 0.018680),
    ],
)
def test_golden_sizes(p, win, loss, cost, expected):
    assert two_outcomes(p, win, loss, cost) == pytest.approx(expected, abs=5e-7)


@given(st.floats(0.01, 0.99), st.floats(1, 60), st.floats(1, 60), st.floats(0, 5))
def test_two_outcomes_follow_the_book_with_the_events_own_break_even(p, win, loss, cost):
    needed = (loss + cost) / (win + loss)
    ratio = (p - needed) / np.sqrt(p * (1 - p))
    naive = bet_size(np.array([ratio]), np.ones(1))[0]
    assert two_outcomes(p, win, loss, cost) == pytest.approx(naive, abs=1e-9)


@given(st.floats(1e-6, 1e3), st.floats(0, 1e3))
def test_a_positive_value_is_never_refused_and_no_size_is_above_one(value, spread):
    size = bet_size(np.array([value]), np.array([spread]))[0]
    assert 0 < size <= 1
    assert bet_size(np.array([-value]), np.array([spread]))[0] == 0


def test_certainty_and_nothing_at_all():
    assert bet_size(np.array([1.0, 0.0, -1.0]), np.zeros(3)).tolist() == [1.0, 0.0, 0.0]
    assert bet_size(np.array([1.0, 2.0]), 1.0).shape == (2,)


def test_spread_of_three_outcomes():
    p, x = np.array([0.5, 0.3, 0.2]), np.array([2.0, -1.0, 0.5])
    draws = np.random.default_rng(0).choice(x, 400_000, p=p)
    assert outcome_spread(p[None, :], x[None, :])[0] == pytest.approx(draws.std(), rel=5e-3)
    by_formula = np.sqrt(p @ x**2 - (p @ x) ** 2)
    assert outcome_spread(p[None, :], x[None, :])[0] == pytest.approx(by_formula)
    assert outcome_spread(p[None, :], x[None, :] - 7)[0] == pytest.approx(by_formula)


def test_the_scale_has_a_floor_until_a_hundred_trades_are_known():
    assert least_scale(0.05, 0) == least_scale(0.05, 99) == 1.0
    assert least_scale(0.05, 100) == 0.05
    assert least_scale(1.97, 10) == 1.97
