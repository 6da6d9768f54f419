"""Bound the annual Sharpe ratio of daily results from above."""

import math

import numpy as np

from price_physics.walk_forward.bootstrap import newey_west_error
from price_physics.walk_forward.break_even import N_LAGS, TWO_SIDED

DAYS_A_YEAR = 365


def upper_annual_sharpe(daily: np.ndarray, squares: float) -> float | None:
    """Return the upper 97.5 % bound of the annual Sharpe ratio of daily results.

    It is ``(mean + 1.96 * e) / sd * sqrt(365)``, with e the larger of the mean's Newey-West error
    (5 lags) and ``sqrt(V) / n``. A position's risk is what the market moved while it was held, even
    if little came of it.

    Parameters
    ----------
    daily : float64 array of shape (n_days,)
        In time order, flat days included.
    squares : float
        V, the sum over steps of the squared result of the step.

    Returns
    -------
    float or None
        None with fewer than two days, or when all of them are equal.

    References
    ----------
    Newey and West (1987), A Simple, Positive Semi-definite, Heteroskedasticity and Autocorrelation
    Consistent Covariance Matrix, Econometrica 55.

    Examples
    --------
    >>> round(upper_annual_sharpe(np.array([0.01, -0.01, 0.01, -0.01]), 0.0004), 3)
    16.214
    """
    daily = np.asarray(daily, dtype=np.float64)
    if len(daily) < 2 or np.ptp(daily) == 0:
        return None
    error = float(newey_west_error(daily[None, :], N_LAGS)[0])
    error = max(error, math.sqrt(squares) / len(daily))
    return float((daily.mean() + TWO_SIDED * error) / daily.std(ddof=1) * math.sqrt(DAYS_A_YEAR))
