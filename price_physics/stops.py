"""Estimate where stops leave by candles or bars: where they would leave, on average, by ticks.

By ticks a stop leaves at a trade beyond its level. Candles do not show that trade. The only single
steps that they show are those from the last trade of a candle to the first trade of the next. After
a latency the touching trade's bounce is gone; what is left shows in how far highs and lows reach.
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
ERRORS = 2.0
"""Standard errors by which `expected_after_latency` leans to the harsh side."""


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
    total = _total_before(np.abs(opened[1:] - close[:-1]), len(opened))
    first = np.maximum(n_before - WINDOW, 0)
    mean: FloatArray = (total - total[first]) / np.maximum(n_before - first, 1)
    return OVERSTEP * mean


def expected_after_latency(
    opened: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray
) -> FloatArray:
    """Estimate how far beyond a level the price is, on average, soon after it was first reached.

    Parameters
    ----------
    opened, high, low, close : float64 array of shape (n,)
        Prices of candles or bars, in order.

    Returns
    -------
    float64 array of shape (n,)
        In price units, known at the open of each row: from 0 to `expected_overstep`, and the latter
        where rows cannot tell.

    Notes
    -----
    Let g be what is wanted. A walk then reaches a level as often as a continuous path would reach
    one that is farther by g: its highs and lows lie g inside of that path's. The continuous path
    has the mean of ``x = (C - O)^2 - (H - C)(H - O) - (L - C)(L - O)`` at 0, however volatility
    changes from candle to candle. Pulling H and L in by g raises it by ``2 g (H - L) + 2 g^2``. So
    g is the sum of x, plus `ERRORS` of its standard errors, over twice the sum of H - L, which is
    harsher for leaving out the square. All past rows are summed, as x is noisy; as some are old, g
    is taken relative to the mean step of their time.

    It is too kind where prices reverse over a whole candle, which looks like bounce, and too harsh
    where rows of an hour are too few to show it.

    References
    ----------
    Rogers and Satchell (1991), Estimating variance from high, low and closing prices: that the two
    variances are equal, and that prices of single trades pull the extremes in.

    Examples
    --------
    Nine candles from 10 to 11: without a wick nothing says that trades bounce; with wicks of 1, all
    of them bounce back.

    >>> opened, close = np.full(9, 10.0), np.full(9, 11.0)
    >>> float(expected_after_latency(opened, close, opened, close)[-1])
    0.73
    >>> float(expected_after_latency(opened, close + 1, opened - 1, close)[-1])
    0.0
    """
    away = (close - opened) * (close - opened)
    x = away - (high - close) * (high - opened) - (low - close) * (low - opened)
    n_before = np.maximum(np.arange(len(opened)), 1)
    mean_step = _total_before(np.abs(opened[1:] - close[:-1]), len(opened)) / n_before
    total = _total_before(x, len(x)) + ERRORS * np.sqrt(_total_before(x * x, len(x)))
    unit = 2 * _total_before(high - low, len(low)) * mean_step
    steps = np.divide(total, unit, out=np.full(len(x), OVERSTEP), where=unit > 0)
    return expected_overstep(opened, close) * np.clip(steps / OVERSTEP, 0, 1)


def _total_before(values: FloatArray, n: int) -> FloatArray:
    """Sum the values before each of the positions 0 to n - 1."""
    return np.concatenate([np.zeros(1), np.cumsum(values)])[:n]


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
