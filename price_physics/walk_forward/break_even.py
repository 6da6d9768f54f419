"""Estimate the break-even cost of all signals, traded or not: the cost at which they earn nothing.

It depends neither on which signals trade nor on what trading costs.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from price_physics.walk_forward.bootstrap import newey_west_error

TWO_SIDED = 1.96
N_LAGS = 5


class BreakEven(NamedTuple):
    """Round-trip cost at which the signals earn nothing, and its 95 % interval."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Signals:
    """Every event out of sample, traded or not.

    Attributes
    ----------
    stated_gross : float64 array of shape (n,)
        v, gross expected value of the side that the model prefers, a fraction of the notional;
        without a threshold. An event with v at or below 0 promises nothing and has no weight.
    gross : float64 array of shape (n,)
        g, what that side then returned, before costs.
    day : int64 array of shape (n,)
        UTC day on which the event ended.
    """

    stated_gross: np.ndarray
    gross: np.ndarray
    day: np.ndarray

    @property
    def n_promising(self) -> int:
        """Number of events with a positive stated value before costs."""
        return int(np.count_nonzero(np.asarray(self.stated_gross) > 0))


def break_even(stated_gross: np.ndarray, gross: np.ndarray, day: np.ndarray) -> BreakEven:
    """Find the cost at which signals earn nothing, weighted by their stated values.

    ``B = sum(v * g) / sum(v)``, with the interval ``B - 1.96 * E`` to ``B + 1.96 * E``. E is the
    square root of the Newey-West sum of squares (5 lags) of ``v * (g - B)`` by day, over
    ``sum(v)``.

    Parameters
    ----------
    stated_gross, gross, day
        As in `Signals`; in any order.

    Returns
    -------
    BreakEven
        In the unit of `gross`. Without a positive stated value it is NaN, and its interval
        infinite.

    Notes
    -----
    The weights favour strong signals, those that a threshold would pick; the scale of the stated
    values does not matter. Days on which no event ended count as zeros.

    References
    ----------
    Newey and West (1987), A Simple, Positive Semi-definite, Heteroskedasticity and Autocorrelation
    Consistent Covariance Matrix, Econometrica 55.

    Examples
    --------
    >>> stated, came = np.array([1.0, 3.0]), np.array([8.0, 4.0])
    >>> break_even(stated, came, np.array([0, 1])).value
    5.0
    """
    v = np.maximum(np.asarray(stated_gross, dtype=np.float64), 0.0)
    g, day = np.asarray(gross, dtype=np.float64), np.asarray(day, dtype=np.int64)
    promised = float(v.sum())
    if promised == 0:
        return BreakEven(np.nan, -np.inf, np.inf)
    value = float(v @ g) / promised
    by_day = np.bincount(day - day.min(), v * (g - value))
    error = float(newey_west_error(by_day[None, :], N_LAGS)[0]) * len(by_day) / promised
    return BreakEven(value, value - TWO_SIDED * error, value + TWO_SIDED * error)
