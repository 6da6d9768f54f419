"""The series that windows are cut from, and the positions in it at which they end.

Nothing but positions is found here: `build` decides which events have a window, the renderer
gathers the prices.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.events.times import event_bars
from price_physics.frames import stack
from price_physics.months import Month
from price_physics.schemas.bars import BARS


def window_ends(
    bars: Mapping[Month, pd.DataFrame], event_time_ns: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Locate events in the concatenated bars of all given months.

    Parameters
    ----------
    bars : mapping of month to BARS
        Consecutive months; partial bars stay in the sequence.
    event_time_ns : int64 array of shape (n_events,)
        Closes of the events' bars.

    Returns
    -------
    series : float64 array of shape (2, n_bars)
        Closes and volumes of all bars, in order.
    positions : int64 array of shape (n_events,)
        Each event's own bar: of the whole ones that close at its instant, the last.

    Raises
    ------
    ValueError
        When no whole bar closes at the time of an event.

    Examples
    --------
    >>> frame = pd.DataFrame({"close_time_ns": [10, 20, 20, 30], "close": [1.0, 2.0, 3.0, 4.0]})
    >>> frame = frame.assign(volume=1.0, partial=False)
    >>> series, positions = window_ends({Month(2012, 1): frame}, np.array([20, 30]))
    >>> positions
    array([2, 3])
    """
    months = sorted(bars)
    columns = stack(BARS, bars, months, "close_time_ns", "close", "volume", "partial")
    close_time, *drawn, partial = columns
    events = np.asarray(event_time_ns, dtype=np.int64)
    whole = np.append(close_time[~partial], np.iinfo(np.int64).max)  # in order: no need to hash
    found = whole[np.searchsorted(whole, events)] == events
    if not found.all():
        missing = events[~found][0]
        raise ValueError(
            f"no whole bar closes at event_time_ns = {missing} ({Month.of(int(missing))}) in the "
            f"bars of {[str(m) for m in months]}; rebuild the images after the bars"
        )
    positions = event_bars(close_time, partial, events) if len(events) else events
    return np.stack(drawn), positions
