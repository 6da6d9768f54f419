"""Estimate where stops leave by candles or bars: where they would leave, on average, by ticks.

By ticks a stop leaves at a trade beyond its level. Candles do not show that trade. The only single
steps that they show are those from the last trade of a candle to the first trade of the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from price_physics.frames import FloatArray, IntArray

OVERSTEP = 0.73
"""Mean overstep of a level by a random walk, over the mean size of its steps.

For normal steps the overstep is 0.583 and the mean size 0.798 standard deviations. Where trades
bounce between bid and ask the overstep is smaller.
"""
WINDOW = 100
"""Number of steps that are averaged."""


def expected_overstep(opened: FloatArray, close: FloatArray) -> FloatArray:
    """Estimate how far beyond a level the trade that first reaches it is, on average.

    Parameters
    ----------
    opened, close : float64 array of shape (n,)
        Opens and closes of candles or bars, in order.

    Returns
    -------
    float64 array of shape (n,)
        In price units, known at the open of each row: `OVERSTEP` times the mean step from the close
        of one row to the open of the next, over the last `WINDOW` steps. 0 for the first row.

    Notes
    -----
    It is 0 where a vendor writes the last close as the open. It is too small where steps have
    heavier tails than normal ones and bounce little; it is too large where trades bounce by several
    times the price's own steps.

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
    """Return where stops leave: at the open if that is beyond their level, else at the overstep.

    Parameters
    ----------
    side : int array of shape (n,)
        +1 for longs, whose stop is below, or -1 for shorts.
    level, opened : float64 array of shape (n,)
        The stop's level, and the open of the row that touched it.
    overstep : float64 array of shape (n,)
        How far beyond its level a stop leaves where the open is not beyond it.

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
