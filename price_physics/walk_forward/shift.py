"""Circular shift of the book by whole days: was the timing better than any other timing?

The book keeps its shape and its habits (how long, how often, at what time of day); only the
days it meets change. The market's drift is taken out, so that being long is no timing.
"""

import numpy as np
import pandas as pd

from price_physics.errors import StoreError

DAY_NS = 86_400_000_000_000
_DUST = 1e-9
"""Of the largest statistic: ties must count, and floats would break them."""


def shift_test(daily: pd.DataFrame, book: pd.DataFrame, equity: pd.DataFrame) -> float:
    """Compare the gross return of the book with that of every shift of it by whole days.

    ``statistic(k) = sum of b_i * (x(t_{i+1} + k) - x(t_i + k))`` over the intervals on which the
    book is constant, exact in time of day, with x the log price of the last mark at or before,
    less a straight line such that x ends where it began and may be walked in circles.

    Parameters
    ----------
    daily : DataFrame
        DAILY, the days out of sample, in order. Where months are missing in between, the days
        are put together as if they were not.
    book, equity : DataFrame
        BOOK and EQUITY of the same days.

    Returns
    -------
    float
        ``p = (1 + #{k: statistic(k) >= statistic(0)}) / n_days`` over k = 1 .. n_days - 1;
        1 with a book that is always flat.

    Raises
    ------
    StoreError
        When the book or a mark stands on a day that `daily` lacks.
    """
    shifts = shift_statistics(daily, book, equity)
    if not len(shifts):
        return 1.0
    dust = _DUST * np.abs(shifts).max()
    return (1 + int(np.count_nonzero(shifts[1:] >= shifts[0] - dust))) / len(shifts)


def shift_statistics(daily: pd.DataFrame, book: pd.DataFrame, equity: pd.DataFrame) -> np.ndarray:
    """The statistic of every shift from 0 to ``n_days - 1`` days; see ``shift_test``.

    Returns
    -------
    float64 array of shape (n_days,)
        Log returns of the shifted book; empty without a day or a mark.
    """
    day_ns = daily["day_ns"].to_numpy(dtype=np.int64)
    mark_time, mark = _marks(day_ns, book, equity)
    if not len(mark):
        return np.empty(0)
    period = len(day_ns) * DAY_NS
    slope = (mark[-1] - mark[0]) / period

    exposure = book["book"].to_numpy(dtype=np.float64)
    start = _fold_time(book["time_ns"].to_numpy(dtype=np.int64), day_ns, "book")
    stop = np.append(start[1:], period)
    held = (exposure != 0) & (stop > start)
    exposure, start, stop = exposure[held], start[held], stop[held]

    def walked(time: np.ndarray) -> np.ndarray:
        time = time % period
        position = np.searchsorted(mark_time, time, side="right") - 1
        return mark[np.maximum(position, 0)] - slope * time

    shifts = np.arange(len(day_ns)) * DAY_NS
    return np.array([exposure @ (walked(stop + k) - walked(start + k)) for k in shifts])


def _marks(
    day_ns: np.ndarray, book: pd.DataFrame, equity: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Times and log prices of all marks: bar closes and changes of the book."""
    time = np.concatenate([book["time_ns"], equity["time_ns"]]).astype(np.int64)
    price = np.concatenate([book["price"], equity["price"]]).astype(np.float64)
    order = np.argsort(time, kind="stable")
    return _fold_time(time[order], day_ns, "equity"), np.log(price[order])


def _fold_time(time_ns: np.ndarray, day_ns: np.ndarray, table: str) -> np.ndarray:
    """Nanoseconds since the first day, counting only the days there are."""
    day = np.searchsorted(day_ns, time_ns, side="right") - 1
    strange = day < 0
    strange[~strange] = time_ns[~strange] >= day_ns[day[~strange]] + DAY_NS
    if strange.any():
        raise StoreError(
            f"{table} has a row at {time_ns[strange][0]}, a day that daily lacks; give the tables "
            "of the same months"
        )
    return day * DAY_NS + time_ns - day_ns[day]
