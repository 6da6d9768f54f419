"""Describe many trials: how many independent ones they equal, how long a backtest they ask for.

Descriptions only. The verdict needs neither: it tosses the trials themselves (``tosses``).
"""

import math

import numpy as np

from price_physics.walk_forward.statistics import expected_maximum


def effective_number_of_trials(returns: np.ndarray) -> float:
    """Count how many independent trials a set of correlated ones equals.

    It is ``sum of I(x >= 1) + (x - floor(x))`` over the eigenvalues x of their correlation matrix:
    1 for n identical trials, n for n independent ones.

    Parameters
    ----------
    returns : float64 array of shape (n_obs, n_trials)
        One column per trial, over the same days. A trial that never moved counts as one of its own.

    Returns
    -------
    float
        Between 1 and `n_trials`; 0 without a trial.

    Raises
    ------
    ValueError
        With fewer than two rows: no correlation is defined.

    References
    ----------
    Li and Ji (2005), Adjusting multiple testing in multilocus analyses using the eigenvalues of a
    correlation matrix, Heredity 95.

    Examples
    --------
    >>> one, other = np.array([1.0, -1.0, 1.0, -1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    >>> effective_number_of_trials(np.stack([one, other, 2 * one], axis=1))
    2.0
    """
    returns = np.asarray(returns, dtype=np.float64)
    if len(returns) < 2:
        raise ValueError(f"returns have {len(returns)} row(s): a correlation needs at least two")
    moved = np.ptp(returns, axis=0) > 0
    n_still = int(np.count_nonzero(~moved))
    if n_still == returns.shape[1]:
        return float(n_still)
    correlation = np.atleast_2d(np.corrcoef(returns[:, moved], rowvar=False))
    # rounded: just below a whole number the formula would lose almost one trial
    value = np.maximum(np.round(np.linalg.eigvalsh(correlation), 9), 0.0)
    return float(np.sum((value >= 1) + value - np.floor(value)) + n_still)


def minimum_backtest_length(n_trials: int, sharpe: float) -> float:
    """Return the length below which the best of `n_trials` worthless backtests shows `sharpe`.

    ``(expected_maximum(n_trials) / sharpe)**2``

    Parameters
    ----------
    n_trials : int
        Independent trials, at least 1.
    sharpe : float
        Above 0, per unit of time: an annual ratio gives years, a daily one days.

    Returns
    -------
    float
        In that unit; 0 for a single trial, because nothing was chosen.

    Raises
    ------
    ValueError
        For a ratio that is not above 0, or fewer than one trial.

    References
    ----------
    Bailey, Borwein, López de Prado and Zhu (2014), Pseudo-Mathematics and Financial Charlatanism,
    Notices of the AMS 61(5).

    Examples
    --------
    Five years suffice for 45 trials at an annual ratio of 1, and for no more:

    >>> round(minimum_backtest_length(45, 1.0), 2), round(minimum_backtest_length(46, 1.0), 2)
    (5.0, 5.04)
    """
    if not (sharpe > 0 and math.isfinite(sharpe)):
        raise ValueError(f"sharpe = {sharpe}: ask for the length that a ratio above 0 needs")
    return (expected_maximum(n_trials) / sharpe) ** 2
