"""The stage: vendor files that hold any trade of a month -> that month's clean ticks.

It reads every file of the market for every month, one at a time, and keeps that month's rows;
an index of which file holds which months can come later without touching ``read_file``.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.study import Market
from price_physics.ticks import quality
from price_physics.ticks.clean import (
    REPEATED_ID,
    MonthRows,
    join_files,
    sort_and_part,
    to_quarantine,
    to_ticks,
)
from price_physics.ticks.files import input_files
from price_physics.ticks.read import FileTicks, read_file, read_raw


@dataclass(frozen=True)
class TicksResult:
    """One month of ticks.

    Attributes
    ----------
    ticks : DataFrame
        TICKS.
    quarantine : DataFrame
        QUARANTINE: the rows set aside, in file order.
    quality : dict
        JSON. ``rows_read_in_month == ticks + quarantined + duplicates_dropped``, always.
    """

    ticks: pd.DataFrame
    quarantine: pd.DataFrame
    quality: dict[str, Any]


@dataclass
class _Extent:
    """What all files hold together, gathered while they pass."""

    n_rows: int = 0
    n_earlier: int = 0
    last_earlier_ns: int | None = None
    latest_ns: int = -1

    def add(self, time_ns: np.ndarray, month: Month) -> None:
        earlier = time_ns[time_ns < month.start_ns]
        self.n_rows += len(time_ns)
        self.n_earlier += len(earlier)
        if len(earlier):
            self.last_earlier_ns = max(int(earlier.max()), self.last_earlier_ns or 0)
        if len(time_ns):
            self.latest_ns = max(int(time_ns.max()), self.latest_ns)


def build_ticks(market: Market, root: Path, month: Month) -> TicksResult:
    """Read, clean and report one month of a market.

    Parameters
    ----------
    market : Market
        Vendor, files and columns.
    root : Path
        Folder that the market's globs are relative to.
    month : Month
        Calendar month, UTC, by trade time.

    Returns
    -------
    TicksResult
        Empty tables for a month without trades, if the files hold later ones.

    Raises
    ------
    TickDataError
        When there is no file, a file cannot be trusted, no file holds a single trade, or none
        holds a trade of the month or later: its file has not arrived.
    """
    files, extent = _read_month(market, root, month)
    if extent.n_rows == 0:
        raise TickDataError(
            f"market {market.name!r}: {len(files)} files, {files[0].file} the first, hold no trade "
            f"at all; correct `files:` or `columns:` in configs/markets/{market.name}.yaml"
        )
    if extent.latest_ns < month.start_ns:
        latest = pd.Timestamp(extent.latest_ns, tz="UTC")
        raise TickDataError(
            f"market {market.name!r}: no file holds a trade of {month} or later, the last is of "
            f"{latest:%Y-%m-%d %H:%M:%S} UTC; put the file of {month} there, or set last_month in "
            f"configs/markets/{market.name}.yaml"
        )
    selected = join_files(files)
    has_id = np.array([file.has_ids for file in files], bool)[selected.rows["file"].to_numpy()]
    kept, repeated, n_dropped = sort_and_part(selected.rows, has_id)
    faults = selected.faults
    if repeated.size:
        conflicts = _conflicts(market, files, selected.rows.iloc[repeated])
        faults = pd.concat([faults, conflicts], ignore_index=True)
    ticks = to_ticks(selected.rows.iloc[kept], has_id[kept])
    quarantine = to_quarantine(faults, [file.file for file in files], month)
    report = _report(market, month, files, extent, selected, ticks, quarantine)
    inferred = int((selected.rows["sign"].to_numpy()[kept] == 0).sum())
    report["duplicates_dropped"] = n_dropped
    report["sides_inferred"] = inferred
    report["sides_inferred_share"] = inferred / len(ticks) if len(ticks) else None
    return TicksResult(ticks, quarantine, report)


def _read_month(market: Market, root: Path, month: Month) -> tuple[list[FileTicks], _Extent]:
    """Read the files one at a time and keep what they hold of the month."""
    files, extent = [], _Extent()
    for path in input_files(market, root):
        file = read_file(market, path, root)
        extent.add(file.rows["time_ns"].to_numpy(), month)
        files.append(
            replace(file, rows=_inside(file.rows, month), faults=_inside(file.faults, month))
        )
    return files, extent


def _inside(frame: pd.DataFrame, month: Month) -> pd.DataFrame:
    return frame[frame["time_ns"].between(month.start_ns, month.end_ns)]


def _conflicts(market: Market, files: list[FileTicks], rows: pd.DataFrame) -> pd.DataFrame:
    """Shape rows that repeat an id as faults, fetching their text from the files again."""
    rows = rows.sort_values(["file", "row"])
    raw = []
    for number, part in rows.groupby("file"):
        source = files[int(number)]
        raw += read_raw(market, source.path, source.file, part["row"].to_numpy())
    return rows[["row", "time_ns", "file"]].assign(reason=REPEATED_ID, raw=raw, own_time=True)


def _report(
    market: Market,
    month: Month,
    files: list[FileTicks],
    extent: _Extent,
    selected: MonthRows,
    ticks: pd.DataFrame,
    quarantine: pd.DataFrame,
) -> dict[str, Any]:
    per_file = Counter(selected.rows["file"]) + Counter(selected.faults["file"])
    time_ns = ticks["time_ns"].to_numpy()
    last_before = [] if extent.last_earlier_ns is None else [extent.last_earlier_ns]
    report = {
        "market": market.name,
        "month": str(month),
        "vendor": market.vendor,
        "synthetic": market.synthetic,
        "empty": ticks.empty,
        "files": [{"file": files[n].file, "rows": per_file[n]} for n in sorted(per_file)],
        "rows_read_in_month": len(selected.rows) + len(selected.faults),
        "ticks": len(ticks),
        "quarantined": len(quarantine),
        "quarantine_reasons": dict(sorted(Counter(quarantine["reason"]).items())),
        "identical_rows_kept": quality.identical_without_id(ticks),
        "rows_out_of_order": quality.out_of_order(selected.rows),
        "missing_ids": quality.missing_ids(ticks),
        "first_tick_ns": int(time_ns[0]) if len(ticks) else None,
        "last_tick_ns": int(time_ns[-1]) if len(ticks) else None,
        "reverting_spikes": quality.reverting_spikes(ticks["price"].to_numpy()),
        **quality.gaps(np.append(np.array(last_before, np.int64), time_ns)),
    }
    if month == market.first_month:
        report["rows_before_first_month"] = extent.n_earlier
    return report
