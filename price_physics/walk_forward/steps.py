"""Read steps and signals, the input of the verdict, from the tables of the walk-forward.

A step is the interval between two marks (bar closes and changes of the book); a signal is an event
whose outcome is known, traded or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from price_physics.walk_forward.break_even import Signals
from price_physics.walk_forward.passive import Steps

if TYPE_CHECKING:
    import pandas as pd

DAY_NS = 86_400_000_000_000


def steps_of(book: pd.DataFrame, equity: pd.DataFrame, day: np.ndarray) -> Steps:
    """List the steps between consecutive marks.

    Parameters
    ----------
    book, equity : DataFrame
        BOOK and EQUITY of all months out of sample, in order. The book over a step is the one after
        the last change at or before its start.
    day : int64 array of shape (n_days,)
        Days that count, ascending, counted from 1970-01-01. A step belongs to the day on which it
        ends. If that day does not count, as may happen to a month's last mark, it belongs to the
        last one before it that does.

    Returns
    -------
    Steps
    """
    if book.empty or not len(day):
        nothing = np.empty(0)
        return Steps(nothing, nothing, nothing, np.empty(0, dtype=np.int64))
    changed = book["time_ns"].to_numpy(dtype=np.int64)
    time = np.concatenate([changed, equity["time_ns"].to_numpy(dtype=np.int64)])
    price = np.concatenate([book["price"], equity["price"]]).astype(np.float64)
    order = np.argsort(time, kind="stable")
    time, price = time[order], price[order]
    held = np.searchsorted(changed, time[:-1], side="right") - 1
    ended = np.searchsorted(day, time[1:] // DAY_NS, side="right") - 1
    return Steps(
        book=book["book"].to_numpy(dtype=np.float64)[np.maximum(held, 0)],
        market=price[1:] / price[:-1] - 1,
        duration=np.diff(time),
        day=np.asarray(day, dtype=np.int64)[np.maximum(ended, 0)],
    )


def signals_of(scored: pd.DataFrame) -> Signals:
    """Turn the rows of SCORED, events out of sample, traded or not, into signals."""
    return Signals(
        stated_gross=scored["stated_bps"].to_numpy(dtype=np.float64) * 1e-4,
        gross=scored["returned_bps"].to_numpy(dtype=np.float64) * 1e-4,
        day=scored["known_at"].to_numpy(dtype=np.int64) // DAY_NS,
    )
