"""Compute Sharpe ratios, their significance in closed form, and the cost of choosing by them.

All ratios are per observation, never annualised; `kurtosis` is Pearson's (3 for a normal).
Resampling is in ``bootstrap``.
"""

import math
from itertools import combinations

import numpy as np
from scipy.stats import norm

_ROUNDING = 1e-6
"""Relative tolerance for rounded moments."""


def sharpe_ratio(returns: np.ndarray) -> float | None:
    """Return mean over standard deviation (n - 1) of the returns; None where it is undefined."""
    returns = np.asarray(returns, dtype=np.float64)
    if len(returns) < 2 or np.ptp(returns) == 0:
        return None
    return float(returns.mean() / returns.std(ddof=1))


def probabilistic_sharpe_ratio(
    sharpe: float, n_obs: int, skew: float, kurtosis: float, benchmark: float = 0.0
) -> float:
    """Probability that the true Sharpe ratio exceeds `benchmark`.

    ``Phi((SR - SR*) * sqrt(T - 1) / sqrt(1 - skew * SR + (kurtosis - 1) / 4 * SR**2))``

    Parameters
    ----------
    sharpe, benchmark : float
        Observed and hurdle ratio, per observation.
    n_obs : int
        T, at least 2.
    skew, kurtosis : float
        Of the returns.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        With fewer than two observations, or moments no distribution has.

    References
    ----------
    Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2).

    Examples
    --------
    >>> round(probabilistic_sharpe_ratio(0.458, 24, 0, 3), 4)
    0.9817
    >>> round(probabilistic_sharpe_ratio(0.458, 24, -2.448, 10.164), 4)
    0.9134
    """
    if n_obs < 2:
        raise ValueError(f"n_obs = {n_obs}: a Sharpe ratio needs at least two observations")
    spread = math.sqrt(_sharpe_variance(sharpe, skew, kurtosis))
    gap = (sharpe - benchmark) * math.sqrt(n_obs - 1)
    if spread == 0:  # two-valued returns at the limit of possible moments: the ratio is certain
        return 0.5 if gap == 0 else float(gap > 0)
    return float(norm.cdf(gap / spread))


def expected_maximum(n_trials: int) -> float:
    """Approximate the expected maximum of `n_trials` standard normals.

    ``(1 - g) * Phi^-1(1 - 1/N) + g * Phi^-1(1 - 1/(N e))`` with g the Euler-Mascheroni constant.

    Raises
    ------
    ValueError
        With fewer than one trial.

    References
    ----------
    Bailey and López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management.

    Examples
    --------
    >>> round(expected_maximum(10), 4), round(expected_maximum(100), 4), expected_maximum(1)
    (1.5746, 2.5306, 0.0)
    """
    if n_trials < 1:
        raise ValueError(f"n_trials = {n_trials}: at least the trial itself counts")
    if n_trials == 1:
        return 0.0  # nothing was chosen; the formula would give minus infinity
    first, second = norm.ppf(1 - 1 / n_trials), norm.ppf(1 - 1 / (n_trials * math.e))
    return float((1 - np.euler_gamma) * first + np.euler_gamma * second)


def deflated_sharpe_ratio(
    sharpe: float,
    n_obs: int,
    skew: float,
    kurtosis: float,
    sharpe_variance: float,
    n_trials: int,
) -> float:
    """Return the probability that the true ratio exceeds the best of `n_trials` worthless ones.

    It is the probabilistic Sharpe ratio with ``sqrt(sharpe_variance) * expected_maximum(n_trials)``
    as its benchmark.

    Parameters
    ----------
    sharpe, n_obs, skew, kurtosis
        As in ``probabilistic_sharpe_ratio``.
    sharpe_variance : float
        Variance of the trials' Sharpe ratios, per observation.
    n_trials : int
        At least 1.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ValueError
        For a negative variance, and as ``probabilistic_sharpe_ratio`` does.

    References
    ----------
    Bailey and López de Prado (2014), The Deflated Sharpe Ratio, Journal of Portfolio Management.

    Examples
    --------
    >>> round(deflated_sharpe_ratio(2.5 / 250**0.5, 1250, -3, 10, 0.5 / 250, 100), 6)
    0.900397
    """
    if sharpe_variance < 0:
        raise ValueError(f"sharpe_variance = {sharpe_variance} is negative")
    benchmark = math.sqrt(sharpe_variance) * expected_maximum(n_trials)
    return probabilistic_sharpe_ratio(sharpe, n_obs, skew, kurtosis, benchmark)


def minimum_track_record_length(
    sharpe: float, skew: float, kurtosis: float, benchmark: float = 0.0, confidence: float = 0.95
) -> float:
    """Return the observations needed to be `confidence` sure that the ratio exceeds `benchmark`.

    ``1 + (1 - skew * SR + (kurtosis - 1) / 4 * SR**2) * (z / (SR - SR*))**2``

    Returns
    -------
    float
        Number of observations; infinite where the ratio does not exceed the benchmark.

    Raises
    ------
    ValueError
        For a confidence outside (0.5, 1), or moments no distribution has.

    References
    ----------
    Bailey and López de Prado (2012), The Sharpe Ratio Efficient Frontier, Journal of Risk 15(2).

    Examples
    --------
    >>> n = minimum_track_record_length(2 / 250**0.5, 0, 3, benchmark=1 / 250**0.5)
    >>> round(n / 250, 3)
    2.731
    """
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence = {confidence} lies outside (0.5, 1)")
    variance = _sharpe_variance(sharpe, skew, kurtosis)
    if sharpe <= benchmark:
        return math.inf
    return float(1 + variance * (norm.ppf(confidence) / (sharpe - benchmark)) ** 2)


def _sharpe_variance(sharpe: float, skew: float, kurtosis: float) -> float:
    """Return T times the asymptotic variance of the estimated ratio; at least 0."""
    if kurtosis < (1 - _ROUNDING) * (skew**2 + 1):
        raise ValueError(
            f"kurtosis = {kurtosis} with skew = {skew}: kurtosis is Pearson's (3 for a normal) and "
            "at least skew**2 + 1"
        )
    return max(1 - skew * sharpe + (kurtosis - 1) / 4 * sharpe**2, 0.0)


def probability_of_backtest_overfitting(returns: np.ndarray, n_blocks: int) -> float:
    """Return how often the best trial of one half of the days is at or below average in the other.

    Combinatorially symmetric cross-validation: the days are cut into blocks. For every choice of
    half of the blocks, the trial with the highest Sharpe ratio in that half is ranked among all
    trials in the other half. With relative rank w the logit is ``lambda = ln(w / (1 - w))``, and
    the probability is the share of choices with ``lambda <= 0``.

    Parameters
    ----------
    returns : float64 array of shape (n_obs, n_trials)
        One column per trial, rows in time order, over the same days.
    n_blocks : int
        S, even, at least 2 and at most `n_obs`; blocks differ by one row at most. 16 give 12,870
        choices.

    Returns
    -------
    float
        In [0, 1]. Equal ratios share their mean rank: among identical trials the chosen one is
        average, ``lambda`` is 0, and the probability is 1.

    Raises
    ------
    ValueError
        With fewer than two trials, or a number of blocks that is odd or out of range.

    References
    ----------
    Bailey, Borwein, López de Prado and Zhu (2017), The Probability of Backtest Overfitting,
    Journal of Computational Finance 20(4).

    Examples
    --------
    One trial earns in the first half, the other in the second, so the better one gets worse:

    >>> days = np.array([0.02, 0.03, 0.02, -0.02, -0.03, -0.02])
    >>> probability_of_backtest_overfitting(np.stack([days, days[::-1]], axis=1), 2)
    1.0
    """
    returns = np.asarray(returns, dtype=np.float64)
    n_obs, n_trials = returns.shape
    if n_trials < 2:
        raise ValueError(f"returns have {n_trials} column(s): choosing needs at least two trials")
    if n_blocks % 2 or not 2 <= n_blocks <= n_obs:
        raise ValueError(
            f"n_blocks = {n_blocks} must be even, at least 2, and at most the {n_obs} rows"
        )
    edges = np.linspace(0, n_obs, n_blocks + 1).astype(np.int64)
    sizes = np.diff(edges).astype(np.float64)
    sums = np.add.reduceat(returns, edges[:-1])
    squares = np.add.reduceat(returns**2, edges[:-1])
    n_average = 0
    halves = list(combinations(range(n_blocks), n_blocks // 2))
    for half in halves:
        inside = np.isin(np.arange(n_blocks), half)
        chosen = np.argmax(_pooled_sharpe(sizes[inside], sums[inside], squares[inside]))
        ratio = _pooled_sharpe(sizes[~inside], sums[~inside], squares[~inside])
        below, equal = np.sum(ratio < ratio[chosen]), np.sum(ratio == ratio[chosen])
        rank = below + (equal + 1) / 2
        n_average += bool(rank / (n_trials + 1) <= 0.5)
    return n_average / len(halves)


def _pooled_sharpe(sizes: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the Sharpe ratio of each trial over some blocks; 0 for one that never moved.

    It is rounded, so that trials that differ by rounding errors are equal.
    """
    n, mean, square = sizes.sum(), sums.sum(axis=0), squares.sum(axis=0)
    mean = mean / n
    variance = square / n - mean**2
    moved = variance > 1e-12 * square / n
    spread = np.sqrt(np.where(moved, variance, 1.0))
    return np.round(np.where(moved, mean / spread, 0.0), 12)
