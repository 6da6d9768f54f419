"""Test the mean of dependent returns by a studentised stationary bootstrap."""

from dataclasses import dataclass

import numpy as np

_LEAST_ERROR = 1e-12
"""Relative to the sample's error: below it a resample varies by rounding errors only."""


@dataclass(frozen=True)
class MeanTest:
    """One-sided p-value of ``mean <= 0``, and the upper bound of the mean (None: undefined)."""

    p_value: float
    upper: float | None


def bootstrap_mean(
    returns: np.ndarray,
    seed: int,
    n_resamples: int = 2_000,
    mean_block: float = 5.0,
    confidence: float = 0.95,
) -> MeanTest:
    """Test whether the mean of dependent returns exceeds 0, by resampling blocks.

    The deviation of each resample's mean from the sample's is divided by the resample's own
    Newey-West error; the sample's ``mean / error`` is compared with these ratios. The upper bound
    is the bootstrap-t bound ``mean - q * error``, with q the ``1 - confidence`` quantile of the
    ratios.

    Parameters
    ----------
    returns : float64 array of shape (n,)
        In time order, equally spaced.
    seed : int
    n_resamples : int
        B.
    mean_block : float
        Mean length of the blocks, at least 1; also the bandwidth of the errors.
    confidence : float
        Of the upper bound, one-sided.

    Returns
    -------
    MeanTest
        ``p = (1 + #{resampled >= sample}) / (B + 1)``. Without variance, p is 1 and there is no
        bound. A resample without variance counts against an edge in p, and against a low bound.

    References
    ----------
    Politis and Romano (1994), The Stationary Bootstrap, JASA 89. Newey and West (1987),
    Econometrica 55.
    """
    returns = np.asarray(returns, dtype=np.float64)
    n = len(returns)
    if n < 2 or np.ptp(returns) == 0:
        return MeanTest(p_value=1.0, upper=None)
    n_lags = min(round(mean_block), n - 1)
    rows = returns[stationary_indices(n, n_resamples, mean_block, np.random.default_rng(seed))]
    error = float(newey_west_error(returns[None, :], n_lags)[0])
    errors = newey_west_error(rows, n_lags)
    off = rows.mean(axis=1) - returns.mean()
    sound = (errors > _LEAST_ERROR * error) & (errors > 0)
    if error == 0:
        return MeanTest(p_value=1.0, upper=None)
    ratio = np.divide(off, errors, out=np.zeros(n_resamples), where=sound)
    n_above = int(np.count_nonzero(np.where(sound, ratio, np.inf) >= returns.mean() / error))
    ordered = np.sort(np.where(sound, ratio, -np.inf))
    low = ordered[int((1 - confidence) * n_resamples)]
    return MeanTest(
        p_value=(1 + n_above) / (n_resamples + 1),
        upper=float(returns.mean() - low * error) if np.isfinite(low) else None,
    )


def stationary_indices(
    n: int, n_resamples: int, mean_block: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw positions of the stationary bootstrap: blocks of geometric length, wrapping around.

    Returns
    -------
    int64 array of shape (n_resamples, n)
    """
    starts = rng.integers(0, n, size=(n_resamples, n))
    restart = rng.random((n_resamples, n)) < 1 / mean_block
    restart[:, 0] = True
    here = np.arange(n)
    began = np.maximum.accumulate(np.where(restart, here, 0), axis=1)
    return (np.take_along_axis(starts, began, axis=1) + here - began) % n


def newey_west_error(rows: np.ndarray, n_lags: int) -> np.ndarray:
    """Standard error of the mean of each row, with Bartlett weights over `n_lags`.

    Parameters
    ----------
    rows : float64 array of shape (n_rows, n)
    n_lags : int
        Below n.

    Returns
    -------
    float64 array of shape (n_rows,)
    """
    n = rows.shape[1]
    centred = rows - rows.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred) / n
    for lag in range(1, n_lags + 1):
        product = np.einsum("ij,ij->i", centred[:, lag:], centred[:, :-lag]) / n
        variance += 2 * (1 - lag / (n_lags + 1)) * product
    return np.sqrt(np.maximum(variance, 0.0) / n)
