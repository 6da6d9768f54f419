"""Wilder's average true range: the width of the barriers."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.frames import FloatArray, stack
from price_physics.labels.kernels import wilder_atr
from price_physics.months import Month
from price_physics.schemas.bars import BARS

_LEAST = 1e-12
"""Of the price. Over flat bars Wilder's average never gets to 0, only below what a price can tell:
a barrier less than an ulp away is the price itself."""


def is_width(atr: FloatArray, price: FloatArray) -> npt.NDArray[np.bool_]:
    """Say where an ATR is known, and wide enough for a barrier to differ from the price.

    Examples
    --------
    >>> is_width(np.array([2.0, 0.0, 1e-13, np.nan]), np.full(4, 5.0))
    array([ True, False, False, False])
    """
    return np.isfinite(atr) & (atr > _LEAST * price)


def month_atr(bars: Mapping[Month, pd.DataFrame], month: Month, period: int) -> FloatArray:
    """Average true range of the bars of one month, warmed up on the month before.

    The recursion always starts with the first bar of the month before (of this one, where that is
    the market's first), so that every caller gets the same float for an event.

    Parameters
    ----------
    bars : mapping of Month to DataFrame
        BARS; only `month` and the month before are read.
    period : int
        Bars of the first mean and of the smoothing, at least 1.

    Returns
    -------
    float64 array of shape (number of bars of the month,)
        Price units; NaN while warming up.
    """
    high, low, close = stack(BARS, bars, (month - 1, month), "high", "low", "close")
    atr: FloatArray = wilder_atr(high, low, close, period)
    return atr[len(atr) - len(bars[month]) :]
