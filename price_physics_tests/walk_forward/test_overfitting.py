"""What choosing among many trials does: golden values, and the definitions written out."""

from itertools import combinations

import numpy as np
import pytest

from price_physics.walk_forward.multiplicity import (
    effective_number_of_trials,
    minimum_backtest_length,
)
from price_physics.walk_forward.permutation import block_permutation_p
from price_physics.walk_forward.statistics import (
    expected_maximum,
    probability_of_backtest_overfitting,
)
from price_physics.walk_forward.superior import stepwise_superior, superior_predictive_ability


# ---------------------------------------------------------------------------- overfitting
def naive_overfitting(returns, n_blocks):
    """Bailey et al. (2017), section 2.3, one choice after the other."""
    blocks = np.split(returns, n_blocks)
    low = []
    for half in combinations(range(n_blocks), n_blocks // 2):
        inside = np.concatenate([blocks[i] for i in half])
        outside = np.concatenate([blocks[i] for i in range(n_blocks) if i not in half])
        ratio_in, ratio_out = (x.mean(axis=0) / x.std(axis=0, ddof=1) for x in (inside, outside))
        best = ratio_in.argmax()
        rank = 1 + np.sum(ratio_out < ratio_out[best])
        w = rank / (returns.shape[1] + 1)
        low.append(np.log(w / (1 - w)) <= 0)
    return np.mean(low)


@pytest.mark.parametrize("n_trials", [2, 3, 10])
def test_overfitting_is_what_its_definition_says(n_trials):
    for seed in range(5):
        returns = np.random.default_rng(seed).standard_t(4, (96, n_trials))
        returns[:, 0] += 0.1
        found = probability_of_backtest_overfitting(returns, 8)
        assert found == pytest.approx(naive_overfitting(returns, 8))


@pytest.mark.slow
def test_overfitting_of_trials_known_beforehand():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(160, 6))
    best = noise + np.array([1.0, 0, 0, 0, 0, 0])
    assert probability_of_backtest_overfitting(best, 16) == 0.0
    # Every trial sums to 0: whoever is above average in one half is below it in the other.
    block = rng.normal(size=(4, 6)).repeat(10, axis=0) + np.tile([1e-3, -1e-3], 20)[:, None]
    assert probability_of_backtest_overfitting(block - block.mean(axis=0), 4) == 1.0


def test_equal_trials_are_average_and_average_is_overfit():
    days = np.random.default_rng(1).normal(size=40)
    same = np.stack([days, days, days], axis=1)
    assert probability_of_backtest_overfitting(same, 4) == 1.0
    assert probability_of_backtest_overfitting(same * [1, 2, 3e-5], 4) == 1.0  # ratios are equal
    assert probability_of_backtest_overfitting(np.zeros((40, 3)), 4) == 1.0


def test_blocks_need_not_divide_the_days_and_impossible_ones_are_refused():
    returns = np.random.default_rng(2).normal(size=(41, 3))
    assert 0 <= probability_of_backtest_overfitting(returns, 6) <= 1
    for n_blocks in (0, 3, 42):
        with pytest.raises(ValueError, match=f"n_blocks = {n_blocks}"):
            probability_of_backtest_overfitting(returns, n_blocks)
    with pytest.raises(ValueError, match="at least two trials"):
        probability_of_backtest_overfitting(returns[:, :1], 2)


# ---------------------------------------------------------------------------- how many trials
def test_effective_trials_of_independent_and_equal_ones():
    hadamard = np.array([[1.0]])
    for _ in range(3):
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    independent = hadamard[:, 1:]  # seven columns, exactly uncorrelated
    assert effective_number_of_trials(independent) == 7
    assert effective_number_of_trials(np.repeat(independent[:, :1], 5, axis=1)) == 1
    twice = np.concatenate([independent, independent], axis=1)
    assert effective_number_of_trials(twice) == 7
    assert effective_number_of_trials(np.zeros((8, 2))) == 2
    assert effective_number_of_trials(np.column_stack([independent, np.ones(8)])) == 8


def test_golden_effective_trials_of_equally_correlated_ones():
    # Eigenvalues 1 + 19 * 0.9 = 18.1 once and 0.1 nineteen times: 1 + 0.1 + 19 * 0.1.
    wanted = np.full((20, 20), 0.9) + 0.1 * np.eye(20)
    raw = np.random.default_rng(3).normal(size=(200, 20))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(raw.T @ raw)).T
    returns = white @ np.linalg.cholesky(wanted).T
    assert effective_number_of_trials(returns) == pytest.approx(3.0)


def test_one_day_correlates_with_nothing():
    with pytest.raises(ValueError, match="1 row"):
        effective_number_of_trials(np.ones((1, 3)))


def test_golden_minimum_backtest_length():
    # Bailey et al. (2014), figure 2: with five years, no more than 45 configurations.
    assert minimum_backtest_length(45, 1.0) == pytest.approx(5.0, abs=0.005)
    assert minimum_backtest_length(46, 1.0) > 5
    for n in (10, 100, 1_000):
        assert minimum_backtest_length(n, 1.0) < 2 * np.log(n)  # their upper bound
        assert minimum_backtest_length(n, 0.5) == pytest.approx(4 * expected_maximum(n) ** 2)
    assert minimum_backtest_length(1, 2.0) == 0


@pytest.mark.parametrize("sharpe", [0.0, -1.0, np.nan, np.inf])
def test_no_length_bears_a_ratio_that_is_not_above_zero(sharpe):
    with pytest.raises(ValueError, match="sharpe"):
        minimum_backtest_length(10, sharpe)


# ---------------------------------------------------------------------------- superior ability
def naive_superiority(excess, seed, mean_block=5, n_resamples=2_000):
    """Hansen (2005), with a loop over resamples and a kernel estimate of the variance."""
    n = len(excess)
    mean, centred = excess.mean(axis=0), excess - excess.mean(axis=0)
    q = 1 / mean_block
    variance = (centred**2).mean(axis=0)
    for lag in range(1, n):
        kernel = (n - lag) / n * (1 - q) ** lag + lag / n * (1 - q) ** (n - lag)
        variance += 2 * kernel * (centred[lag:] * centred[:-lag]).sum(axis=0) / n
    spread = np.sqrt(variance)
    observed = max((np.sqrt(n) * mean / spread).max(), 0)
    kept = mean >= -spread * np.sqrt(2 * np.log(np.log(n)) / n)
    rng = np.random.default_rng(seed)
    count = np.zeros(3)
    for _ in range(n_resamples):
        index = np.empty(n, dtype=np.int64)
        for i in range(n):
            new = i == 0 or rng.random() < q
            index[i] = rng.integers(n) if new else (index[i - 1] + 1) % n
        drawn = excess[index].mean(axis=0)
        for j, centre in enumerate((np.maximum(mean, 0), mean * kept, mean)):
            count[j] += (np.sqrt(n) * (drawn - centre) / spread).max() > observed
    return count / n_resamples


@pytest.mark.slow
@pytest.mark.parametrize("edge", [0.0, 0.14, 0.4])
def test_superior_ability_is_what_its_definition_says(edge):
    rng = np.random.default_rng(4)
    benchmark = rng.normal(size=200)
    excess = rng.standard_t(5, (200, 4)) - [0.0, 0.1, 0.5, 0.0]
    excess[:, 3] += edge
    returns = benchmark[:, None] + excess * [1.0, 3.0, 1.0, 0.2]  # trials of unequal risk
    found = superior_predictive_ability(returns, benchmark, seed=5)
    expected = naive_superiority(returns - benchmark[:, None], seed=6)
    p = (found.lower, found.consistent, found.upper)
    assert p == pytest.approx(expected, abs=4 * np.sqrt(2 * 0.25 / 2_000))
    assert list(p) == sorted(p)
    assert superior_predictive_ability(returns, benchmark, seed=5) == found


def test_stepwise_names_those_that_are_better():
    rng = np.random.default_rng(7)
    returns = rng.normal([0.0, 0.5, 0.0, 0.0, 0.3, -0.5], 1.0, (400, 6))
    assert stepwise_superior(returns, np.zeros(400), seed=8) == [1, 4]
    assert stepwise_superior(returns * [1, 10, 0.1, 9, 0.1, 1], np.zeros(400), seed=8) == [1, 4]
    assert stepwise_superior(returns[:, [0, 2, 3]], np.zeros(400), seed=8) == []


def test_stepwise_can_name_every_trial_round_by_round():
    noise = np.random.default_rng(10).normal(size=(300, 2))
    noise = (noise - noise.mean(axis=0)) / noise.std(axis=0)
    returns = noise + np.array([3.0, 0.11])
    named = stepwise_superior(returns, np.zeros(300), seed=11, n_resamples=500)
    assert named == [0, 1]  # the second only in the second round, where arch alone fails
    assert stepwise_superior(noise + np.array([3.0, 3.0]), np.zeros(300), seed=11) == [0, 1]


def test_a_trial_that_is_the_benchmark_is_not_better():
    benchmark = np.random.default_rng(12).normal(size=100)
    returns = np.column_stack([benchmark, benchmark])
    for worse in (0.0, 0.1):
        assert superior_predictive_ability(returns - worse, benchmark, seed=1).lower == 1.0
        assert stepwise_superior(returns - worse, benchmark, seed=1) == []


# ---------------------------------------------------------------------------- block permutation
def test_block_permutation_counts_the_orders():
    # Three blocks of two; the book is long in the second, which earned most. Of six orders two
    # put the best block there.
    market = np.array([0.01, 0.0, 0.03, 0.02, -0.01, -0.02])
    book = np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    p = block_permutation_p(book, market, 2, seed=0, n_permutations=20_000)
    assert p == pytest.approx(1 / 3, abs=0.015)
    assert block_permutation_p(-book, market, 2, seed=0) == 1.0


def test_block_permutation_of_a_book_that_times_and_of_one_that_does_not():
    rng = np.random.default_rng(9)
    market = rng.normal(0.01, 0.01, 600)
    assert block_permutation_p(np.sign(market), market, 5, seed=1) < 0.01
    assert block_permutation_p(np.full(600, 0.7), market, 5, seed=1) == 1.0  # long is no timing
    p = [
        block_permutation_p(rng.choice([0.0, 1.0], 100), market[:100], 5, seed, n_permutations=200)
        for seed in range(200)
    ]
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.065)


def test_what_cannot_be_permuted_is_refused():
    with pytest.raises(ValueError, match="same steps"):
        block_permutation_p(np.ones(3), np.ones(4), 2, seed=0)
    with pytest.raises(ValueError, match="block_length = 0"):
        block_permutation_p(np.ones(3), np.ones(3), 0, seed=0)
    assert block_permutation_p(np.empty(0), np.empty(0), 2, seed=0) == 1.0
