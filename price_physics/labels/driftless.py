"""Compute driftless odds: the chances of each barrier first, for a path without any pattern.

A model has to improve on them. They contain most of what moves take-profit rates from month to
month: the distances of the barriers, and the number of bars per hour. Everything here is known at
the close of the event's bar. `policy` chooses the barriers; `build` finds what really happened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from price_physics.events.times import event_bars
from price_physics.frames import stack
from price_physics.labels.driftless_kernels import first_passages
from price_physics.schemas.bars import BARS
from price_physics.study.labels import LabelsConfig

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from price_physics.frames import FloatArray, IntArray
    from price_physics.labels.sides import SideArray
    from price_physics.months import Month

ATR_OF_SIGMA = 1.596
"""ATR of a bar over the standard deviation of its return.

The mean range (highest less lowest) of Brownian motion is ``sqrt(8 / pi) = 1.5958`` standard
deviations (Feller 1951, The asymptotic distribution of the range of sums of independent random
variables, Annals of Mathematical Statistics 22). Where prices do not jump between bars, the true
range is the range.
"""

RECENT_BARS = 14
"""Number of bars, the event's own last, that give the mean duration of a bar."""


def first_passage(
    upper: npt.ArrayLike, lower: npt.ArrayLike, spread: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the chances that a driftless Brownian path meets the upper barrier first, none, lower.

    Parameters
    ----------
    upper, lower : float array of shape (n,), or float
        Distances from the start of the path to its barriers, positive; an infinite one is never
        met.
    spread : float array of shape (n,), or float
        Standard deviation of the path at its horizon, in the unit of the distances. At 0 the path
        ends where it starts; at infinity it ends at a barrier.

    Returns
    -------
    up, none, down : float64 array of shape (n,)
        In [0, 1]; they add up to 1 within 1e-15.

    Raises
    ------
    ValueError
        When a distance is not positive, a spread is negative, or any of them is NaN.

    Notes
    -----
    With a and b the distances, s the spread and w = a + b, the chance of the upper barrier is, by
    images,

    ``sum over k >= 0 of erfc((a + 2 k w) / (sqrt(2) s)) - erfc((2 (k + 1) w - a) / (sqrt(2) s))``

    and, by eigenfunctions of the interval,

    ``b / w - (2 / pi) sum over n >= 1 of sin(n pi a / w) / n exp(-(n pi s / w)**2 / 2)``.

    For the lower barrier a and b change places, and

    ``none = (4 / pi) sum over odd n of sin(n pi a / w) / n exp(-(n pi s / w)**2 / 2)``.

    The first formula is used for s up to w / 4, with two images per barrier, the second for larger
    s, with up to eleven terms: both are then exact to 2e-15. A chance below 1e-308 is 0. So may be
    that of none where the start is right next to a barrier: take logarithms with a floor only.
    O(n), over ten million paths a second.

    With one barrier infinite this is the reflection principle, ``erfc(a / (sqrt(2) s))``; with s
    infinite it is the gambler's ruin, ``b / (a + b)``.

    References
    ----------
    Darling and Siegert (1953), The first passage problem for a continuous Markov process, Annals of
    Mathematical Statistics 24.
    Cox and Miller (1965), The Theory of Stochastic Processes, section 5.7.
    Feller (1971), An Introduction to Probability Theory and Its Applications, volume II, chapter X.

    Examples
    --------
    >>> up, none, down = first_passage([1, 1, 1], [1, 3, np.inf], [1, np.inf, 1])
    >>> np.round([up, none, down], 4).T.tolist()
    [[0.3146, 0.3708, 0.3146], [0.75, 0.0, 0.25], [0.3173, 0.6827, 0.0]]
    """
    given = np.broadcast_arrays(np.atleast_1d(upper), lower, spread)
    above, below, spreads = (np.array(values, dtype=np.float64, order="C") for values in given)
    is_path = (above > 0) & (below > 0) & (spreads >= 0)  # False for NaN too
    if not is_path.all():
        row = int(np.argmin(is_path))
        raise ValueError(
            f"path {row}: upper {above[row]}, lower {below[row]}, spread {spreads[row]}: distances "
            "must be positive and a spread at least 0; leave out events without an ATR"
        )
    up, none, down = first_passages(above, below, spreads)
    return up, none, down


def driftless_odds(
    side: SideArray | IntArray, take_profit: FloatArray, stop_loss: FloatArray, n_bars: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the chances of an event's upper barrier first, none, the lower one first: its p0.

    Parameters
    ----------
    side : int array of shape (n_events,)
        +1 or -1: the upper barrier is the take-profit of a long and the stop-loss of a short.
    take_profit, stop_loss : float64 array of shape (n_events,)
        Distances of the barriers, in the event's ATR.
    n_bars : float64 array of shape (n_events,)
        Bars in the horizon, see `bars_in_horizon`.

    Returns
    -------
    up, none, down : float64 array of shape (n_events,)
        By price, like `labels.upper` and `labels.lower`. With `side` 1 for all events they are the
        chances of the labels +1, 0 and -1, for longs and for shorts, because the path has no
        direction.

    Raises
    ------
    ValueError
        When a multiple is not positive, or NaN.

    Notes
    -----
    A bar's standard deviation is ``sigma = ATR / 1.596`` and the path's ``sigma * sqrt(n_bars)``.
    With distances in ATR, the ATR itself cancels out.

    Examples
    --------
    >>> two, one, bars = np.full(2, 2.0), np.ones(2), np.full(2, 5.0)
    >>> up, none, down = driftless_odds(np.array([1, -1]), two, one, bars)
    >>> np.round([up, none, down], 4).T.tolist()
    [[0.1491, 0.3758, 0.475], [0.475, 0.3758, 0.1491]]
    """
    upper = np.where(side > 0, take_profit, stop_loss)
    lower = np.where(side > 0, stop_loss, take_profit)
    return first_passage(upper, lower, np.sqrt(n_bars) / ATR_OF_SIGMA)


def bars_in_horizon(
    config: LabelsConfig, open_time_ns: IntArray, close_time_ns: IntArray
) -> FloatArray:
    """Estimate at the close of each bar how many bars a horizon that starts there holds.

    A horizon that counts bars holds the study's number. One by the clock is divided by the mean
    duration of the last `RECENT_BARS` bars, up to and including the one that closes: the time since
    the close before the first of them, over their number. Where there are fewer bars, it is the
    time since the first one opened, over their number.

    Parameters
    ----------
    config : LabelsConfig
        Gives the horizon.
    open_time_ns, close_time_ns : int64 array of shape (n,)
        Of the bars of the events' month and of the month before, in order, as for the ATR: with the
        same bars every caller gets the same float.

    Returns
    -------
    float64 array of shape (n,)
        One number per bar; callers pick those of events. Infinite where the recent bars took no
        time at all.

    Notes
    -----
    Element i depends on bars 0 to i only. A bar that was closed by the end of a month counts as a
    bar, as in the ATR.

    Examples
    --------
    >>> from price_physics.study.labels import LabelsConfig
    >>> open_time, close_time = np.array([0, 10, 40]) * 10**9, np.array([10, 40, 60]) * 10**9
    >>> bars_in_horizon(LabelsConfig(horizon_minutes=1), open_time, close_time)
    array([6., 3., 3.])
    >>> bars_in_horizon(LabelsConfig(horizon_bars=32), open_time, close_time)
    array([32., 32., 32.])
    """
    if config.horizon_bars is not None:
        return np.full(len(close_time_ns), float(config.horizon_bars))
    since_ns = np.concatenate([np.repeat(open_time_ns[:1], RECENT_BARS), close_time_ns])
    elapsed_ns = close_time_ns - since_ns[: len(close_time_ns)]
    n_recent = np.minimum(np.arange(1, len(close_time_ns) + 1), RECENT_BARS)
    with np.errstate(divide="ignore"):
        return config.longest_horizon_ns * n_recent / elapsed_ns


def horizon_bars_of_events(
    config: LabelsConfig, bars: Mapping[Month, pd.DataFrame], month: Month, event_time_ns: IntArray
) -> FloatArray:
    """Return `bars_in_horizon` for the events of a month.

    Parameters
    ----------
    config : LabelsConfig
    bars : mapping of Month to DataFrame
        BARS of the month and of the one before, where there is one; others are ignored.
    month : Month
    event_time_ns : int64 array of shape (n_events,)
        Each closes a bar of the month.

    Returns
    -------
    float64 array of shape (n_events,)
    """
    opened, closed = stack(BARS, bars, (month - 1, month), "open_time_ns", "close_time_ns")
    own = bars[month]
    position = event_bars(
        own["close_time_ns"].to_numpy(np.int64), own["partial"].to_numpy(np.bool_), event_time_ns
    )
    return bars_in_horizon(config, opened, closed)[len(closed) - len(own) + position]
