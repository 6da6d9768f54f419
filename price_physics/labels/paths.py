"""The ticks after an event: where its path starts, and how far it went.

Barriers are not here; `build` and `excursions` share what is.
"""

import numpy as np

from price_physics.errors import StoreError
from price_physics.labels.frames import FloatArray, IntArray
from price_physics.labels.kernels import path_extremes
from price_physics.months import Month


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


def excursions_in_atr(
    tick_price: FloatArray,
    event_tick: IntArray,
    last_tick: IntArray,
    price: FloatArray,
    atr: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Largest rise and fall after each event, in ATR and at least 0.

    Parameters
    ----------
    tick_price : float64 array of shape (n_ticks,)
    event_tick, last_tick : int64 array of shape (n_events,)
        The path holds the ticks after the first, up to and including the second.
    price, atr : float64 array of shape (n_events,)
        Price and ATR at the event.

    Returns
    -------
    favourable, adverse : float64 array of shape (n_events,)
    """
    highest, lowest = path_extremes(tick_price, event_tick + 1, last_tick)
    return np.maximum((highest - price) / atr, 0.0), np.maximum((price - lowest) / atr, 0.0)
