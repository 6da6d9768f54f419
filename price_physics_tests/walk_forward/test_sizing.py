import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from price_physics.walk_forward.sizing import (
    bet_size,
    book_scale,
    least_scale,
    outcome_spread,
    with_neighbours,
)
from price_physics_tests.walk_forward import make


def two_outcomes(p, win, loss, cost):
    probability = np.array([[p, 1 - p]])
    value = p * win - (1 - p) * loss - cost
    return bet_size(np.array([value]), outcome_spread(probability, np.array([[win, -loss]])))[0]


@pytest.mark.parametrize(("p", "win", "loss", "cost", "expected"), make.GOLDEN_SIZES)
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


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_size_grows_with_probability(p):
    sizes = [two_outcomes(x, 25, 25, 0) for x in sorted(p)]
    assert (np.diff(sizes) >= -1e-15).all()
    assert all(0 <= size <= 1 for size in sizes)


def test_break_even_and_less_get_nothing_and_certainty_everything():
    """With outcomes of 2 and -1 the break-even probability is a third."""
    assert [two_outcomes(p, 2, 1, 0) for p in (0.0, 0.2, 1.0)] == [0, 0, 1]
    assert two_outcomes(1 / 3, 2, 1, 0) == pytest.approx(0, abs=1e-15)
    assert two_outcomes(0.5, 2, 1, 0) == pytest.approx(0.2611, abs=5e-5)


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


def test_scale_counts_trades_that_end_at_the_instant_as_live():
    event, end = np.array([0, 10, 20]), np.array([10, 15, 30])
    # At 0: .5; at 10 the first is still live: .5 + .25; at 20: .5 alone.
    scale = book_scale(event, end, np.array([0.5, 0.25, 0.5]))
    assert scale == pytest.approx(np.quantile([0.5, 0.75, 0.5], 0.95))


def test_scale_skips_instants_where_the_book_is_flat():
    event, end = np.array([0, 10]), np.array([10, 15])
    assert book_scale(event, end, np.array([0.3, -0.3])) == pytest.approx(0.3)


def test_scale_without_trades_is_one():
    assert book_scale(np.array([0, 1]), np.array([5, 5]), np.zeros(2)) == 1.0
    empty = np.empty(0, dtype=np.int64)
    assert book_scale(empty, empty, np.empty(0)) == 1.0


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 20), st.sampled_from([-1, -0.5, 0, 0.25, 1])),
        max_size=25,
        unique_by=lambda row: row[0],
    )
)
def test_scale_equals_the_obvious_one(rows):
    event = np.array([r[0] for r in rows], dtype=np.int64)
    end = event + np.array([r[1] for r in rows], dtype=np.int64)
    size = np.array([r[2] for r in rows], dtype=np.float64)
    sums = [
        abs(sum(s for e, f, s in zip(event, end, size, strict=True) if e <= t <= f))
        for t, traded in zip(event, size, strict=True)
        if traded
    ]
    sums = [s for s in sums if s]
    expected = np.quantile(sums, 0.95) if sums else 1.0
    assert book_scale(event, end, size) == pytest.approx(expected)


@pytest.mark.parametrize("n_live", [1, 3, 10, 60])
@pytest.mark.parametrize("spacing", [2, 10, 50])
def test_thinned_bets_have_the_scale_of_all_where_neighbours_are_alike(n_live, spacing):
    """Sizes that move slowly, as those of windows that are a bar apart."""
    rng = np.random.default_rng(2)
    n = 20_000
    size = np.repeat(rng.uniform(-1, 1, n // 400), 400)
    event = np.arange(n) * 10
    end = event + 10 * n_live - 1
    whole = book_scale(event, end, size)
    some = slice(None, None, spacing)
    stands_for = np.full(n // spacing, float(spacing))
    thinned = book_scale(*with_neighbours(event[some], end[some], size[some], stands_for))
    assert thinned == pytest.approx(whole, rel=0.02)


def test_thinned_bets_are_scaled_to_the_safe_side_where_neighbours_differ():
    rng = np.random.default_rng(3)
    n, spacing = 20_000, 10
    event, size = np.arange(n) * 10, rng.choice([-1.0, 1.0], n)
    end = event + 99
    thinned = with_neighbours(event[::10], end[::10], size[::10], np.full(n // 10, float(spacing)))
    assert book_scale(*thinned) >= book_scale(event, end, size)


def test_bets_that_were_all_tested_stay_as_they_are():
    event, size = np.array([3, 5]), np.array([0.5, -0.5])
    bets = with_neighbours(event, event + 1, size, np.ones(2))
    assert [of.tolist() for of in bets] == [[3, 5], [4, 6], [0.5, -0.5]]
    empty = np.empty(0, np.int64)
    assert all(len(of) == 0 for of in with_neighbours(empty, empty, empty, np.empty(0)))
