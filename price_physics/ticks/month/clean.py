"""Find duplicates and repeated ids among sorted trades, and infer missing sides.

A month passes by in slices; all that a slice needs to know of the others is a few ids. No file is
opened here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from price_physics.ticks.month import kernels
from price_physics.ticks.month.kernels import CONFLICT, DUPLICATE
from price_physics.ticks.reading.rows import NO_ID, ORDERED_ID, TEXT_ID, TradeRows

if TYPE_CHECKING:
    from price_physics.ticks.month.sort import Slice

Int64 = NDArray[np.int64]
Slices = Callable[[], Iterator["Slice"]]
_PAYLOAD = ("time_ns", "price", "qty", "sign")


@dataclass(frozen=True)
class Repeats:
    """Places of rows that repeat an id of another time, counted through all slices of a month.

    Attributes
    ----------
    dropped, conflicts : int64 array
        Sorted. Rows that repeat the payload too, and rows that do not.
    """

    dropped: Int64
    conflicts: Int64

    def verdict(self, rows: TradeRows, first: int) -> NDArray[np.int8]:
        """Say what becomes of the rows of a slice whose first row has place `first`.

        Each is `STAYS`, `DUPLICATE` or `CONFLICT`. The earliest row of an id stays, so that no row
        depends on a later one.
        """
        verdict = _at_one_time(rows, -1)[0]
        for value, places in ((DUPLICATE, self.dropped), (CONFLICT, self.conflicts)):
            low, high = np.searchsorted(places, [first, first + verdict.size])
            verdict[places[low:high] - first] = value
        return verdict


def find_repeats(slices: Slices) -> Repeats:
    """Compare all rows whose id may occur at two times.

    In time order ids mostly grow. One that does not may have been seen before; only such ids,
    and texts, which have no order, are compared over the month.
    """
    dropped, conflicts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for kind, suspects in _suspects(slices).items():
        if not suspects.size:
            continue
        rows, place = _matching(slices, kind, suspects)
        by_id = np.argsort(rows.trade_id, kind="stable")  # the first of a run is the earliest
        ids = rows.trade_id[by_id]
        starts = np.r_[True, ids[1:] != ids[:-1]][: ids.size]
        first = by_id[starts][np.cumsum(starts) - 1]
        columns = [getattr(rows, name) for name in _PAYLOAD]
        same = np.logical_and.reduce([column[by_id] == column[first] for column in columns])
        dropped.append(place[by_id[~starts & same]])
        conflicts.append(place[by_id[~starts & ~same]])
    return Repeats(np.sort(np.concatenate(dropped)), np.sort(np.concatenate(conflicts)))


def _at_one_time(rows: TradeRows, highest: int) -> tuple[NDArray[np.int8], Int64, int]:
    orders = rows.id_kind == ORDERED_ID
    return kernels.repeats(
        rows.time_ns, rows.trade_id, rows.price, rows.qty, rows.sign, orders, highest
    )


def _suspects(slices: Slices) -> dict[int, Int64]:
    """Ids that may occur at two times, by kind, sorted."""
    highest = -1
    ordered, texts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for part in slices():
        _, found, highest = _at_one_time(part.rows, highest)
        ordered.append(found)
        texts.append(part.rows.trade_id[part.rows.id_kind == TEXT_ID])
    every = np.concatenate(texts)
    every.sort()
    return {
        ORDERED_ID: np.unique(np.concatenate(ordered)),
        TEXT_ID: np.unique(every[1:][every[1:] == every[:-1]]),
    }


def _matching(slices: Slices, kind: int, ids: Int64) -> tuple[TradeRows, Int64]:
    """All rows with one of the ids, and their places in the month."""
    rows, places, first = [], [np.empty(0, np.int64)], 0
    for part in slices():
        own = np.flatnonzero(part.rows.id_kind == kind)
        near = np.minimum(np.searchsorted(ids, part.rows.trade_id[own]), ids.size - 1)
        own = own[ids[near] == part.rows.trade_id[own]]
        rows.append(part.rows.at(own))
        places.append(first + own)
        first += part.rows.time_ns.size
    return TradeRows.concatenate(rows), np.concatenate(places)


class TickRule:
    """Infer missing sides from price changes, looking back only.

    A side that a row lacks is +1 above the price before, -1 below it, the side before where the
    price did not change, and +1 for the month's first tick.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.1.

    Examples
    --------
    >>> TickRule()(np.array([5.0, 5.0, 6.0, 6.0, 4.0, 4.0]), np.zeros(6, np.int8))
    array([ 1,  1,  1,  1, -1, -1], dtype=int8)
    """

    def __init__(self) -> None:
        self._price, self._sign = np.nan, 1

    def __call__(self, price: NDArray[np.float64], sign: NDArray[np.int8]) -> NDArray[np.int8]:
        """Complete the sides of the ticks that follow those of the call before."""
        signs = kernels.tick_rule(price, sign, self._price, self._sign)
        if price.size:
            self._price, self._sign = float(price[-1]), int(signs[-1])
        return signs


def identical_without_id(rows: TradeRows) -> int:
    """Count rows without an id that equal an earlier one in time, price and quantity.

    The rows are sorted by time, and hold all of theirs.
    """
    same_time = np.r_[False, rows.time_ns[1:] == rows.time_ns[:-1]]
    tied = np.flatnonzero((same_time | np.r_[same_time[1:], False]) & (rows.id_kind == NO_ID))
    if not tied.size:
        return 0
    columns = [getattr(rows, name)[tied] for name in ("qty", "price", "time_ns")]
    order = np.lexsort(columns)
    same = np.logical_and.reduce([c[order][1:] == c[order][:-1] for c in columns])
    return int(same.sum())
