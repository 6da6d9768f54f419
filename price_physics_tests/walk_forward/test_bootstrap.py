import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from price_physics.walk_forward.bootstrap import (
    bootstrap_mean,
    newey_west_error,
    stationary_indices,
)


def test_blocks_wrap_around_and_have_the_mean_length():
    index = stationary_indices(50, 4_000, 5.0, np.random.default_rng(1))
    assert index.shape == (4_000, 50)
    assert ((index >= 0) & (index < 50)).all()
    follows = (index[:, 1:] - index[:, :-1]) % 50 == 1
    # A block goes on with probability 4/5, and a new one follows on by luck in 1/50.
    assert follows.mean() == pytest.approx(0.8 + 0.2 / 50, abs=0.005)
    assert np.bincount(index.ravel()).std() / 4_000 < 0.05
    assert (follows & (index[:, :-1] == 49)).any()


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=30), st.integers(0, 2))
def test_newey_west_equals_the_double_sum(values, n_lags):
    x = np.array(values)
    d, n = x - x.mean(), len(x)
    total = sum(
        max(0.0, 1 - abs(i - j) / (n_lags + 1)) * d[i] * d[j] for i in range(n) for j in range(n)
    )
    expected = np.sqrt(max(total, 0.0)) / n
    assert newey_west_error(x[None, :], n_lags)[0] == pytest.approx(expected, abs=1e-9)


def test_p_value_is_a_count_of_resamples():
    rng = np.random.default_rng(2)
    good = bootstrap_mean(rng.normal(0.5, 1, 200), 0, n_resamples=99)
    assert good.p_value == 1 / 100
    bad = bootstrap_mean(rng.normal(-0.5, 1, 200), 0, n_resamples=99)
    assert bad.p_value == 1.0


def test_same_seed_same_answer():
    x = np.random.default_rng(3).normal(size=100)
    assert bootstrap_mean(x, 7) == bootstrap_mean(x, 7)
    assert bootstrap_mean(x, 7) != bootstrap_mean(x, 8)


def test_scale_does_not_matter_to_p_and_carries_over_to_the_bound():
    x = np.random.default_rng(4).normal(0.1, 1, 150)
    one, thousand = bootstrap_mean(x, 0), bootstrap_mean(x * 1e3, 0)
    assert one.p_value == thousand.p_value
    assert thousand.upper == pytest.approx(one.upper * 1e3)
    assert one.upper > x.mean()


@pytest.mark.parametrize("returns", [[], [0.1], [0.0] * 10, [0.01] * 10])
def test_without_variance_nothing_is_claimed(returns):
    test = bootstrap_mean(np.array(returns), 0)
    assert (test.p_value, test.upper) == (1.0, None)


def test_a_single_active_day_proves_nothing():
    returns = np.zeros(100)
    returns[50] = 0.5
    assert bootstrap_mean(returns, 0).p_value > 0.3


@pytest.mark.slow
def test_size_and_coverage_under_dependence():
    """Autocorrelated returns of mean zero: p is nearly uniform, the bound nearly 95 %."""
    n_runs, n_low, n_covered = 400, 0, 0
    for run in range(n_runs):
        noise = np.random.default_rng([6, run]).normal(size=201)
        x = noise[1:] + 0.3 * noise[:-1]
        test = bootstrap_mean(x, run, n_resamples=300)
        n_low += test.p_value <= 0.05
        n_covered += test.upper >= 0
    assert 0.02 <= n_low / n_runs <= 0.09
    assert 0.90 <= n_covered / n_runs <= 0.985
