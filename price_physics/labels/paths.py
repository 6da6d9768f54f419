"""What price did after an event, by ticks, candles or bars: where a path starts, how far it went.

Which barriers stand in its way is not known here; `build` and `excursions` share what is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from price_physics.errors import StoreError
from price_physics.frames import FloatArray, IntArray, stack
from price_physics.labels.kernels import path_extremes
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import CANDLES, TICKS
from price_physics.study.study import Study


@dataclass(frozen=True)
class PricePath:
    """The prices of two months, in the order in which they are known.

    Attributes
    ----------
    time_ns : int64 array of shape (n,)
        When each is known: the time of a tick, the end of a candle, the close of a bar, and of a
        bar that the end of the month closed, that end.
    open, high, low, close : float64 array of shape (n,)
        Of ticks all four are the same array.
    event : int64 array of shape (n_events,)
        The last position known at each event; its path starts with the next.
    """

    time_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    event: IntArray

    def last_by(self, moment_ns: IntArray) -> IntArray:
        """The last position known at each moment."""
        return np.searchsorted(self.time_ns, moment_ns, side="right") - 1

    def excursions_in_atr(
        self, last: IntArray, price: FloatArray, atr: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Largest rise and fall after each event, in ATR and at least 0.

        Parameters
        ----------
        last : int64 array of shape (n_events,)
            The last position of each event's path.
        price, atr : float64 array of shape (n_events,)
            Price and ATR at the event.

        Returns
        -------
        rise, fall : float64 array of shape (n_events,)
        """
        highest, lowest = path_extremes(self.high, self.event + 1, last)
        if self.low is not self.high:
            _, lowest = path_extremes(self.low, self.event + 1, last)
        return np.maximum((highest - price) / atr, 0.0), np.maximum((price - lowest) / atr, 0.0)


def price_path(
    study: Study,
    month: Month,
    bars: Mapping[Month, pd.DataFrame],
    ticks: Mapping[Month, pd.DataFrame],
    event_time_ns: IntArray,
    candles: bool = False,
) -> PricePath:
    """Lay out the ticks, or the bars, of the month before and the month.

    Parameters
    ----------
    bars, ticks : mapping of Month to DataFrame
        BARS and TICKS of m-1 and m; only those that the study's labels are touched by are read.
    event_time_ns : int64 array of shape (n_events,)
        Sorted.
    candles : bool
        Whether `ticks` are CANDLES.

    Raises
    ------
    StoreError
        When the bars were not built from these ticks.
    """
    months = (month - 1, month)
    if study.labels.path == "bars":
        time_ns, opened, high, low, close = stack(
            BARS, bars, months, "known_at", "open", "high", "low", "close"
        )
        event = np.searchsorted(time_ns, event_time_ns, side="right") - 1
        return PricePath(time_ns, opened, high, low, close, event)
    by_clock = study.bars.kind == "time"
    if candles:
        time_ns, opened, high, low, close = stack(
            CANDLES, ticks, months, "close_time_ns", "open", "high", "low", "close"
        )
        event = last_tick_at(time_ns, event_time_ns, by_clock)
        return PricePath(time_ns, opened, high, low, close, event)
    time_ns, price = stack(TICKS, ticks, months, "time_ns", "price")
    event = last_tick_at(time_ns, event_time_ns, by_clock)
    return PricePath(time_ns, price, price, price, price, event)


def last_tick_at(time_ns: IntArray, event_time_ns: IntArray, by_clock: bool = False) -> IntArray:
    """Position of the last tick at each event's time; the path starts with the next.

    With `by_clock`, for bars that the clock closes, it may be an earlier tick.

    Raises
    ------
    StoreError
        When no tick happened at an event's time, or none before it: these are not the ticks
        behind the bars.
    """
    stop = np.searchsorted(time_ns, event_time_ns, side="right")
    since = 0 if by_clock else np.searchsorted(time_ns, event_time_ns, side="left")
    stray = event_time_ns[stop == since]
    if len(stray):
        raise StoreError(
            f"no tick at event_time_ns {stray[0]}, the close of a bar of "
            f"{Month.of(int(stray[0]))}: the ticks were built again and the bars were not; "
            "materialise bars of that month and of all later ones again"
        )
    return stop - 1
