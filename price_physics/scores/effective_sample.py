"""How many independent observations overlapping labels are worth."""

import math

import numpy as np

_Z_TEST, _Z_POWER = 1.645, 0.842
"""Normal quantiles of a one-sided test at 5 % with a power of 80 %."""


def effective_sample_size(score: np.ndarray, label: np.ndarray, max_lag: int) -> float:
    """Number of independent pairs that tell as much as n dependent ones.

    ``n / (1 + 2 * sum over k <= H of (1 - k/n) * rho_score(k) * rho_label(k))``

    Parameters
    ----------
    score, label : float array of shape (n,)
        In order of time.
    max_lag : int
        H: how many events on two labels can still overlap.

    Returns
    -------
    float
        In (0, n]: negative dependence is not counted as a gain. n where a series is constant.

    Raises
    ------
    ValueError
        When the lengths differ or the lag is negative.
    """
    if len(score) != len(label) or max_lag < 0:
        raise ValueError(
            f"{len(score)} scores, {len(label)} labels, max_lag = {max_lag}: give one score a "
            "label, and a lag of 0 or more"
        )
    n = len(score)
    lags = np.arange(1, min(max_lag, n - 1) + 1)
    rho = _autocorrelation(score, lags) * _autocorrelation(label, lags)
    return n / max(1.0, 1 + 2 * float(((1 - lags / max(n, 1)) * rho).sum()))


def smallest_detectable_auc(n_effective: float, share_positive: float) -> float:
    """The smallest AUC that `n_effective` independent pairs could tell from 0.5.

    ``0.5 + (1.645 + 0.842) * SE``, with the standard error under no skill,
    ``sqrt((n1 + n0 + 1) / (12 * n1 * n0))``.

    Parameters
    ----------
    n_effective : float
    share_positive : float
        Share of the positive class, in (0, 1).

    Returns
    -------
    float
        At most 1: nothing is detectable.

    References
    ----------
    Hanley and McNeil (1982), Radiology 143(1).

    Examples
    --------
    >>> round(smallest_detectable_auc(400, 0.5), 3)
    0.572
    """
    positive, negative = n_effective * share_positive, n_effective * (1 - share_positive)
    if positive <= 0 or negative <= 0:
        return 1.0
    error = math.sqrt((positive + negative + 1) / (12 * positive * negative))
    return min(1.0, 0.5 + (_Z_TEST + _Z_POWER) * error)


def largest_overlap(start_ns: np.ndarray, end_ns: np.ndarray) -> int:
    """Largest number of later labels that start inside one label.

    Parameters
    ----------
    start_ns, end_ns : int64 array of shape (n,)
        Closed intervals, sorted by their starts.

    Examples
    --------
    >>> largest_overlap(np.array([0, 5, 9, 20]), np.array([9, 6, 30, 21]))
    2
    """
    last_inside = np.searchsorted(start_ns, end_ns, side="right") - 1
    return int((last_inside - np.arange(len(start_ns))).max(initial=0))


def _autocorrelation(values: np.ndarray, lags: np.ndarray) -> np.ndarray:
    centred = np.asarray(values, dtype=np.float64) - np.mean(values) if len(values) else values
    variance = float(centred @ centred)
    if variance == 0 or np.ptp(values) == 0:
        return np.zeros(len(lags))
    return np.array([centred[k:] @ centred[:-k] for k in lags]) / variance
