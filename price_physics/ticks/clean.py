"""The rows of one month, from all files: sorted, without duplicates, with sides.

What is doubtful goes to quarantine with a reason; every row that was read is in exactly one of
ticks, quarantine and dropped duplicates. No file is opened here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from price_physics.months import Month
from price_physics.schemas import QUARANTINE, TICKS
from price_physics.ticks.read import FileTicks

REPEATED_ID = "trade_id repeated with another payload"

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class MonthRows:
    """What the files hold of one month, files one after the other, each in its own order.

    Attributes
    ----------
    rows : DataFrame
        Columns of :attr:`FileTicks.rows`, and `file`, a position in the sequence of files.
    faults : DataFrame
        Columns of :attr:`FileTicks.faults`, and `file`.
    """

    rows: pd.DataFrame
    faults: pd.DataFrame


def join_files(files: Sequence[FileTicks]) -> MonthRows:
    """Join what the files hold of one month."""

    def join(frames: list[pd.DataFrame]) -> pd.DataFrame:
        parts = [frame.assign(file=number) for number, frame in enumerate(frames)]
        return pd.concat(parts, ignore_index=True)

    return MonthRows(join([f.rows for f in files]), join([f.faults for f in files]))


def sort_and_part(rows: pd.DataFrame, has_id: NDArray[np.bool_]) -> tuple[Int64, Int64, int]:
    """Order one month's rows, and part those whose id was seen before.

    Parameters
    ----------
    rows : DataFrame
        time_ns, trade_id, price, qty, sign; in the order of the files.
    has_id : bool array of shape (n_rows,)
        Whether `trade_id` is the venue's; rows without one sort after those of equal time.

    Returns
    -------
    ticks : int64 array
        Positions of the rows that stay, sorted by time, then id, then file order.
    repeated : int64 array
        Positions of the rows that repeat an id with another payload, in file order. The
        earliest row of an id stays: its fate must not hang on a later trade.
    n_dropped : int
        Rows that repeat an id and its payload exactly.
    """
    order = np.lexsort((rows["trade_id"], ~has_id, rows["time_ns"]))
    candidates = order[has_id[order]]
    ids = rows["trade_id"].to_numpy()[candidates]
    # a stable sort by id keeps each id's rows in their order: the first of a run is the earliest
    by_id = candidates[np.argsort(ids, kind="stable")]
    ids = rows["trade_id"].to_numpy()[by_id]
    starts = np.r_[True, ids[1:] != ids[:-1]][: ids.size]
    first = by_id[starts][np.cumsum(starts) - 1] if ids.size else by_id
    payload = [rows[name].to_numpy() for name in ("time_ns", "price", "qty", "sign")]
    same = np.logical_and.reduce([column[by_id] == column[first] for column in payload])
    stays = np.ones(len(rows), bool)
    stays[by_id[~starts]] = False
    repeated = np.sort(by_id[~starts & ~same])
    return order[stays[order]], repeated, int((~starts & same).sum())


def tick_rule(price: NDArray[np.float64], sign: NDArray[np.int8]) -> NDArray[np.int8]:
    """Infer missing sides from price changes, looking back only.

    Parameters
    ----------
    price : float64 array of shape (n_ticks,)
        Prices of one month in order.
    sign : int8 array of shape (n_ticks,)
        +1, -1, or 0 where the dump has no side.

    Returns
    -------
    int8 array of shape (n_ticks,)
        `sign` with every 0 replaced: +1 above the price before, -1 below it, the sign before
        where the price did not change, +1 for the month's first tick.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.1.

    Examples
    --------
    >>> tick_rule(np.array([5.0, 5.0, 6.0, 6.0, 4.0, 4.0]), np.zeros(6, np.int8))
    array([ 1,  1,  1,  1, -1, -1], dtype=int8)
    """
    change = np.sign(np.diff(price, prepend=price[:1])).astype(np.int8)
    known = np.where(sign != 0, sign, change)
    if known.size and known[0] == 0:
        known[0] = 1
    last_known = np.maximum.accumulate(np.where(known != 0, np.arange(known.size), 0))
    return known[last_known]


def to_ticks(rows: pd.DataFrame, has_id: NDArray[np.bool_]) -> pd.DataFrame:
    """Shape sorted rows as TICKS: ids that are none become null, missing sides are inferred."""
    ids = pd.arrays.IntegerArray(rows["trade_id"].to_numpy(np.int64, copy=True), ~has_id)
    ticks = {
        "time_ns": rows["time_ns"].to_numpy(),
        "trade_id": ids,
        "price": rows["price"].to_numpy(),
        "qty": rows["qty"].to_numpy(),
        "tick_sign": tick_rule(rows["price"].to_numpy(), rows["sign"].to_numpy()),
    }
    return pd.DataFrame(ticks)[TICKS.columns]


def to_quarantine(faults: pd.DataFrame, names: Sequence[str], month: Month) -> pd.DataFrame:
    """Shape faults as QUARANTINE; one without a time of its own is known when the month ends."""
    faults = faults.sort_values(["file", "row"], ignore_index=True)
    own_time = faults["own_time"].to_numpy(bool)
    quarantine = {
        "file": np.array(names, object)[faults["file"].to_numpy(np.int64)],
        "row": faults["row"].to_numpy(np.int64),
        "reason": faults["reason"].to_numpy(object),
        "raw": faults["raw"].to_numpy(object),
        "known_at": np.where(own_time, faults["time_ns"].to_numpy(np.int64), month.end_ns),
    }
    return pd.DataFrame(quarantine)[QUARANTINE.columns]
