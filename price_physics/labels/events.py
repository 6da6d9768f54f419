"""Which bars are events, and which bar an event belongs to.

Widths and barriers are not here: an event is a moment and nothing else.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from price_physics.labels.atr import month_atr
from price_physics.labels.frames import FloatArray, IntArray
from price_physics.months import Month
from price_physics.study import EventsConfig, Study


def event_times(bars: pd.DataFrame, config: EventsConfig) -> IntArray:
    """Times of the events among the bars of one month.

    Parameters
    ----------
    bars : DataFrame
        BARS of one month, in order.
    config : EventsConfig
        Every `every_n_bars`-th bar, from `offset_bars`; the count restarts each month.

    Returns
    -------
    int64 array
        Closes of the events' bars, UTC ns: sorted, unique, never of a partial bar.

    Examples
    --------
    >>> bars = pd.DataFrame({"close_time_ns": [5, 7, 7, 9, 12], "partial": [False] * 4 + [True]})
    >>> event_times(bars, EventsConfig(every_n_bars=2))
    array([5, 7])
    """
    close_time = bars["close_time_ns"].to_numpy(np.int64)[config.offset_bars :: config.every_n_bars]
    partial = bars["partial"].to_numpy(np.bool_)[config.offset_bars :: config.every_n_bars]
    return np.unique(close_time[~partial])


def event_bars(close_time_ns: IntArray, partial: np.ndarray, event_time_ns: IntArray) -> IntArray:
    """Positions of the events' bars: the last whole bar that closes at each event's time.

    A partial bar can close at the very instant of an event. It is not the event's bar, as
    nobody could know at that moment that no trade would follow.

    Examples
    --------
    >>> close_time = np.array([5, 7, 7, 7])
    >>> event_bars(close_time, np.array([False, False, False, True]), np.array([5, 7]))
    array([0, 2])
    """
    position = np.searchsorted(close_time_ns, event_time_ns, side="right") - 1
    return position - partial[position]


def events_ending_in(
    study: Study, month: Month, bars: Mapping[Month, pd.DataFrame]
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Events of m-1 and m whose horizon ends in m, by the clock, and whose ATR is known.

    Parameters
    ----------
    bars : mapping of Month to DataFrame
        BARS of m-2 to m; the first only warms up the ATR. Months before the market's first are
        absent.

    Returns
    -------
    event_time_ns : int64 array (n,)
        Sorted, unique.
    price : float64 array (n,)
        Close of the event's bar.
    atr : float64 array (n,)
        Positive. Where Wilder's ATR is still warming up, or zero, there is no event.
    """
    horizon_ns = study.labels.horizon_ns
    times, prices, widths = [], [], []
    for event_month in (month - 1, month) if month - 1 in bars else (month,):
        frame = bars[event_month]
        time_ns = event_times(frame, study.events)
        ends_ns = time_ns + horizon_ns
        time_ns = time_ns[(ends_ns >= month.start_ns) & (ends_ns < month.stop_ns)]
        position = event_bars(
            frame["close_time_ns"].to_numpy(np.int64), frame["partial"].to_numpy(np.bool_), time_ns
        )
        atr = month_atr(bars, event_month, study.labels.atr_period_bars)[position]
        known = atr > 0  # False for NaN too
        times.append(time_ns[known])
        prices.append(frame["close"].to_numpy(np.float64)[position][known])
        widths.append(atr[known])
    return np.concatenate(times), np.concatenate(prices), np.concatenate(widths)
