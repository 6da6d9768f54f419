"""When the horizon of an event ends, and which events end in a month.

Which bars are events says `price_physics.events`; images and models need no more than that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.events.times import event_bars, event_closes, event_times
from price_physics.frames import FloatArray, IntArray, stack
from price_physics.labels.atr import is_width, month_atr
from price_physics.months import Month
from price_physics.schemas.bars import BARS

if TYPE_CHECKING:
    from price_physics.study.study import Study

NOT_ENDED = np.iinfo(np.int64).max
"""The end of a horizon of bars that has not ended yet, or not within 28 days."""


def vertical_barriers(
    study: Study, month: Month, event_time_ns: IntArray, bars: Mapping[Month, pd.DataFrame]
) -> IntArray:
    """Find when each event's horizon ends, as far as that is known when the month is over.

    By the clock it is known at once. A horizon of bars ends with the close of the n-th whole bar
    after the event's own; `NOT_ENDED` where there is none yet, or it comes after 28 days.

    Parameters
    ----------
    bars : mapping of Month to DataFrame
        BARS from the events' first month on; those after `month` are ignored.
    """
    if study.labels.horizon_bars is None:
        return event_time_ns + study.labels.longest_horizon_ns
    months = [m for m in sorted(bars) if m <= month]
    close_time_ns, partial = stack(BARS, bars, months, "close_time_ns", "partial")
    closes = close_time_ns[~partial]
    last = np.searchsorted(closes, event_time_ns, side="right") - 1 + study.labels.horizon_bars
    ends_ns = np.append(closes, NOT_ENDED)[np.minimum(last, len(closes))]
    in_time = ends_ns <= event_time_ns + study.labels.longest_horizon_ns
    return np.where(in_time, ends_ns, NOT_ENDED)


def count_endless(study: Study, month: Month, bars: Mapping[Month, pd.DataFrame]) -> int:
    """Count the events whose horizon of bars outlasts the 28 days that end in the month."""
    n_endless = 0
    for event_month in (month - 1, month) if month - 1 in bars else (month,):
        time_ns = event_times(bars[event_month], study.events)
        over_ns = time_ns + study.labels.longest_horizon_ns
        time_ns = time_ns[(over_ns >= month.start_ns) & (over_ns < month.stop_ns)]
        n_endless += int((vertical_barriers(study, month, time_ns, bars) == NOT_ENDED).sum())
    return n_endless


def count_merged(study: Study, month: Month, bars: Mapping[Month, pd.DataFrame]) -> int:
    """Count the chosen bars that are no event of their own, of events that end in the month.

    Bars that close at one moment give one event: trades of one time can fill several bars.
    """
    n_merged = 0
    for event_month in (month - 1, month) if month - 1 in bars else (month,):
        closes = event_closes(bars[event_month], study.events)
        again = closes[1:][closes[1:] == closes[:-1]]
        ends_ns = vertical_barriers(study, month, again, bars)
        n_merged += int(((ends_ns >= month.start_ns) & (ends_ns < month.stop_ns)).sum())
    return n_merged


def events_ending_in(
    study: Study, month: Month, bars: Mapping[Month, pd.DataFrame]
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Find the events of m-1 and m whose horizon ends in m, and whose ATR is known.

    Parameters
    ----------
    bars : mapping of Month to DataFrame
        BARS of m-2 to m; the first only warms up the ATR. Months before the market's first are
        absent.

    Returns
    -------
    event_time_ns : int64 array (n,)
        Sorted, unique.
    horizon_end_ns : int64 array (n,)
        Vertical barriers.
    price : float64 array (n,)
        Close of the event's bar.
    atr : float64 array (n,)
        Positive. Where Wilder's ATR is still warming up, or next to zero, there is no event.
    """
    times, ends, prices, widths = [], [], [], []
    for event_month in (month - 1, month) if month - 1 in bars else (month,):
        frame = bars[event_month]
        time_ns = event_times(frame, study.events)
        ends_ns = vertical_barriers(study, month, time_ns, bars)
        inside = (ends_ns >= month.start_ns) & (ends_ns < month.stop_ns)
        time_ns, ends_ns = time_ns[inside], ends_ns[inside]
        position = event_bars(
            frame["close_time_ns"].to_numpy(np.int64), frame["partial"].to_numpy(np.bool_), time_ns
        )
        atr = month_atr(bars, event_month, study.labels.atr_period_bars)[position]
        price = frame["close"].to_numpy(np.float64)[position]
        known = is_width(atr, price)
        times.append(time_ns[known])
        ends.append(ends_ns[known])
        prices.append(price[known])
        widths.append(atr[known])
    return (
        np.concatenate(times),
        np.concatenate(ends),
        np.concatenate(prices),
        np.concatenate(widths),
    )
