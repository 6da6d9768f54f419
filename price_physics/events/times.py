"""Which bars are events, and which bar an event belongs to: a moment and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.events.kernels import cusum_filter
from price_physics.frames import IntArray
from price_physics.study.events import EveryBarEvents

if TYPE_CHECKING:
    from price_physics.study.events import EventsConfig


def event_times(bars: pd.DataFrame, config: EventsConfig) -> IntArray:
    """Times of the events among the bars of one month.

    Parameters
    ----------
    bars : DataFrame
        BARS of one month, in order.
    config : EventsConfig
        Every `every_n_bars`-th bar, from `offset_bars`, or the CUSUM filter's; both restart each
        month.

    Returns
    -------
    int64 array
        Closes of the events' bars, UTC ns: sorted, unique, never of a partial bar.

    Examples
    --------
    >>> bars = pd.DataFrame({"close_time_ns": [5, 7, 7, 9, 12], "partial": [False] * 4 + [True]})
    >>> event_times(bars, EveryBarEvents(every_n_bars=2))
    array([5, 7])
    """
    return np.unique(event_closes(bars, config))


def event_closes(bars: pd.DataFrame, config: EventsConfig) -> IntArray:
    """Closes of the bars that are chosen, in order, UTC ns; several may close at one moment."""
    whole = bars[~bars["partial"].to_numpy(np.bool_)]
    close_time = whole["close_time_ns"].to_numpy(np.int64)
    if isinstance(config, EveryBarEvents):
        return close_time[config.offset_bars :: config.every_n_bars]
    log_price = np.log(whole["close"].to_numpy(np.float64))
    return close_time[cusum_filter(log_price, config.cusum_bps * 1e-4)]


def event_bars(close_time_ns: IntArray, partial: np.ndarray, event_time_ns: IntArray) -> IntArray:
    """Positions of the events' bars: the last whole bar that closes at each event's time.

    A partial bar can close at the very instant of an event. It is not the event's bar: at that
    moment nobody could know that no trade would follow.

    Examples
    --------
    >>> close_time = np.array([5, 7, 7, 7])
    >>> event_bars(close_time, np.array([False, False, False, True]), np.array([5, 7]))
    array([0, 2])
    """
    position = np.searchsorted(close_time_ns, event_time_ns, side="right") - 1
    return position - partial[position]
