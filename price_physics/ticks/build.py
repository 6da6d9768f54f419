"""The stage: vendor files that hold any trade of a month -> that month's clean ticks.

It reads every file of the market for every month; an index of which file holds which months
can come later without touching ``read_file``.
"""

from collections import Counter
from dataclasses import dataclass
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
    select_month,
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
        Empty tables for a month without trades, if the files hold trades of other months.

    Raises
    ------
    TickDataError
        When there is no file, a file cannot be trusted, or no file holds a single trade.
    """
    files = [read_file(market, path, root) for path in input_files(market, root)]
    if not any(len(file.rows) for file in files):
        raise TickDataError(
            f"market {market.name!r}: {len(files)} files, {files[0].file} the first, hold no trade "
            f"at all; correct `files:` or `columns:` in configs/markets/{market.name}.yaml"
        )
    selected = select_month(files, month)
    has_id = np.array([file.has_ids for file in files], bool)[selected.rows["file"].to_numpy()]
    kept, repeated, n_dropped = sort_and_part(selected.rows, has_id)
    faults = selected.faults
    if repeated.size:
        conflicts = _conflicts(market, files, selected.rows.iloc[repeated])
        faults = pd.concat([faults, conflicts], ignore_index=True)
    ticks = to_ticks(selected.rows.iloc[kept], has_id[kept])
    quarantine = to_quarantine(faults, [file.file for file in files], month)
    report = _report(market, month, files, selected, ticks, quarantine)
    inferred = int((selected.rows["sign"].to_numpy()[kept] == 0).sum())
    report["duplicates_dropped"] = n_dropped
    report["sides_inferred"] = inferred
    report["sides_inferred_share"] = inferred / len(ticks) if len(ticks) else None
    return TicksResult(ticks, quarantine, report)


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
    selected: MonthRows,
    ticks: pd.DataFrame,
    quarantine: pd.DataFrame,
) -> dict[str, Any]:
    per_file = Counter(selected.rows["file"]) + Counter(selected.faults["file"])
    time_ns = ticks["time_ns"].to_numpy()
    all_times = np.concatenate([file.rows["time_ns"].to_numpy() for file in files])
    earlier = all_times[all_times < month.start_ns]
    last_before = [earlier.max()] if earlier.size else []
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
        report["rows_before_first_month"] = earlier.size
    return report
