"""What a stop leaves at that candles or bars touched: on average what it leaves at by ticks.

By ticks a stop leaves at a trade beyond its level. Candles do not show that trade. What they show
of single trades is the step from the last one of a candle to the first one of the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from price_physics.frames import FloatArray, IntArray

OVERSTEP = 0.73
"""How far a random walk oversteps a level, 0.583 standard deviations of its normal steps, over
their mean size, 0.798 of them. Where trades bounce between bid and ask it is less."""
WINDOW = 100
"""Rows over which the mean step is taken."""


def expected_overstep(opened: FloatArray, close: FloatArray) -> FloatArray:
    """Tell how far beyond a level the trade lies, on average, that first reaches it.

    Parameters
    ----------
    opened, close : float64 array of shape (n,)
        Of candles or bars, in order.

    Returns
    -------
    float64 array of shape (n,)
        Price units, known at the open of each row: `OVERSTEP` times the mean step from the close of
        one row to the open of the next, over the last `WINDOW` of them. 0 for the first row.

    Notes
    -----
    Where a vendor writes the last close for the open, this is 0. Where steps are heavier in the
    tail than normal ones and little bounces, it is too little; where trades bounce by several of
    the steps of the price between them, too much.

    References
    ----------
    Siegmund (1985), Sequential Analysis, chapter 10: the overshoot of 0.583.

    Examples
    --------
    >>> expected_overstep(np.array([10.0, 11.0, 12.0]), np.array([12.0, 11.0, 12.0]))
    array([0.  , 0.73, 0.73])
    """
    n_before = np.arange(len(opened))
    total = np.concatenate([np.zeros(1), np.cumsum(np.abs(opened[1:] - close[:-1]))])[: len(opened)]
    first = np.maximum(n_before - WINDOW, 0)
    mean: FloatArray = (total - total[first]) / np.maximum(n_before - first, 1)
    return OVERSTEP * mean


def stop_price(
    side: IntArray | int, level: FloatArray, opened: FloatArray, overstep: FloatArray | float
) -> FloatArray:
    """Return what stops leave at: the open if it is beyond their level, or else the overstep is.

    Parameters
    ----------
    side : int array of shape (n,)
        +1 for longs, whose stop is below, -1 for shorts.
    level, opened : float64 array of shape (n,)
        The stop's level, and the open of the row that touched it.
    overstep : float64 array of shape (n,)
        How far beyond its level a stop leaves where no open is known to be beyond.

    Returns
    -------
    float64 array of shape (n,)

    Examples
    --------
    >>> stop_price(1, np.array([97.0, 97.0]), np.array([99.0, 95.0]), 0.5)
    array([96.5, 95. ])
    """
    price: FloatArray = np.where(side * (opened - level) <= 0, opened, level - side * overstep)
    return price
