"""The stage: vendor files that hold any trade of a month -> that month's clean ticks.

The table of contents of this package: take the files in, sort, drop duplicates, set repeated ids
aside, infer sides, write, report.
"""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.schemas import QUARANTINE, TICKS
from price_physics.store.spool import SpooledTable, TableSpool
from price_physics.study import Market
from price_physics.ticks.clean import REPEATED_ID, TickRule, find_repeats
from price_physics.ticks.gaps import missing_days, refuse_gaps
from price_physics.ticks.index import (
    FileEntry,
    FileIndex,
    MonthExtent,
    inputs_of,
    last_before_ns,
    months_of,
)
from price_physics.ticks.intake import MOST_LISTED, Intake, Progress, take_in
from price_physics.ticks.quality import QualityCounts, score
from price_physics.ticks.read import ORDERED_ID, Fault, Rows, read_raw
from price_physics.ticks.sort import Slice, TickSorter

_FEW_CONFLICTS, _MOST_CONFLICTS = 1_000, 0.01


@dataclass(frozen=True)
class TicksResult:
    """One month of ticks.

    Attributes
    ----------
    ticks : SpooledTable
        TICKS.
    quarantine : DataFrame
        QUARANTINE: rows set aside, in file order, with their text as far as
        ``intake.MOST_LISTED`` goes.
    quality : dict
        JSON. ``rows_read == ticks + quarantined + duplicates_dropped``, always.
    inputs : dict of str to str
        The sha256 of every file that feeds the month, and what else it depends on.
    synthetic : bool
        Whether the market says so, or a generator marked any of those files.
    """

    ticks: SpooledTable
    quarantine: pd.DataFrame
    quality: dict[str, Any]
    inputs: dict[str, str]
    synthetic: bool


def build_ticks(
    market: Market,
    root: Path,
    month: Month,
    index: FileIndex | None = None,
    scratch: Path | None = None,
    progress: Progress | None = None,
) -> TicksResult:
    """Read, clean and report one month of a market.

    Parameters
    ----------
    market : Market
        Symbol, files and, where the files do not say it, their columns.
    root : Path
        Folder that the market's globs are relative to.
    month : Month
        Calendar month, UTC, by trade time.
    index : FileIndex, optional
        What is known of the files; it learns what it did not know.
    scratch : Path, optional
        Folder for what memory should not hold; the system's temporary folder by default.
    progress : callable (bytes done, bytes in all, file), optional

    Returns
    -------
    TicksResult
        Empty tables for a month without trades, if the files hold later ones.

    Raises
    ------
    TickDataError
        When there is no file, a file cannot be trusted, no file holds a single trade, none
        holds a trade of the month or later (its file has not arrived), or a strict market misses
        days or ids.
    """
    index = FileIndex(market) if index is None else index
    with closing(TickSorter(scratch)) as sorter, closing(TableSpool(TICKS, scratch)) as spool:
        intake = Intake(market, month, sorter)
        entries = take_in(market, root, index, intake, progress)
        extents = months_of(entries.values())
        _refuse_missing_month(market, month, entries, extents)
        return _clean(intake, entries, spool)


def _refuse_missing_month(
    market: Market,
    month: Month,
    entries: dict[str, FileEntry],
    extents: dict[Month, MonthExtent],
) -> None:
    config = f"configs/markets/{market.name}.yaml"
    last_ns = [e.last_ns for e in extents.values() if e.last_ns is not None]
    if not last_ns:
        raise TickDataError(
            f"market {market.name!r}: {len(entries)} files hold no trade at all; "
            f"{_why_nothing(entries)}; correct `files:` or `columns:` in {config}"
        )
    if max(last_ns) < month.start_ns:
        latest = pd.Timestamp(max(last_ns), tz="UTC")
        raise TickDataError(
            f"market {market.name!r}: no file holds a trade of {month} or later, the last is of "
            f"{latest:%Y-%m-%d %H:%M:%S} UTC; put the file of {month} there, or set last_month in "
            f"{config}"
        )


def _why_nothing(entries: dict[str, FileEntry]) -> str:
    for file, entry in entries.items():
        if entry.first_fault:
            return f"{file}, {entry.first_fault}"
    return f"{next(iter(entries))}, the first, has no row"


def _clean(
    intake: Intake,
    entries: dict[str, FileEntry],
    spool: TableSpool,
) -> TicksResult:
    """Sort what was taken in, part it into ticks, quarantine and duplicates, and report."""
    market, month = intake.market, intake.month
    counts = QualityCounts(month, last_before_ns(entries, month))
    repeats, complete = find_repeats(intake.sorter.slices), TickRule()
    conflicts: list[tuple[int, int, int]] = []
    n_dropped = n_conflicts = first = 0
    for part in intake.sorter.slices():
        verdict = repeats.verdict(part.rows, first)
        first += verdict.size
        n_dropped += int((verdict == 1).sum())
        n_conflicts += int((verdict == 2).sum())
        conflicts += _lines_of(part, np.flatnonzero(verdict == 2)[: MOST_LISTED - len(conflicts)])
        rows = part.rows if not verdict.any() else part.rows.at(verdict == 0)
        counts.add(rows)
        spool.append(_table(rows, complete(rows.price, rows.sign)))
    intake.n_set_aside[REPEATED_ID] += n_conflicts
    _refuse_restarted_ids(intake, counts.n_ids, conflicts)
    _set_aside(intake, conflicts)
    report = _report(intake, counts, n_dropped)
    refuse_gaps(
        market,
        month,
        report["missing_days"],
        report["missing_ids"],
        report["missing_ids_share"],
    )
    feeding = [entries[file] for file, _ in intake.files.values()]
    synthetic = market.synthetic or any(entry.is_synthetic for entry in feeding)
    return TicksResult(
        spool.finish(),
        _quarantine(intake),
        report | {"synthetic": synthetic},
        inputs_of(entries, month),
        synthetic,
    )


def _lines_of(part: Slice, chosen: np.ndarray) -> list[tuple[int, int, int]]:
    """File, line and time of some rows of a slice."""
    rows = part.rows.at(chosen)
    columns = (part.file[chosen], rows.line, rows.time_ns)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def _refuse_restarted_ids(
    intake: Intake, n_ids: int, conflicts: list[tuple[int, int, int]]
) -> None:
    """Stop where ids repeat too often to tell trades apart: most of the month would be lost."""
    if len(conflicts) > max(_FEW_CONFLICTS, _MOST_CONFLICTS * (n_ids + len(conflicts))):
        number, line, _ = conflicts[0]
        market = intake.market
        raise TickDataError(
            f"market {market.name!r}, {intake.month}: {len(conflicts)} rows repeat an id with "
            f"another payload, {intake.files[number][0]}, row {line} the first: the ids restart, "
            "or are another instrument's; set `vendor: generic` in configs/markets/"
            f"{market.name}.yaml and map the columns without `trade_id:`"
        )


def _set_aside(intake: Intake, conflicts: list[tuple[int, int, int]]) -> None:
    """Add rows that repeat an id to the faults, fetching their text from the files again."""
    for number, (file, path) in intake.files.items():
        found = sorted((line, time_ns) for n, line, time_ns in conflicts if n == number)
        found = found[: max(0, MOST_LISTED - len(intake.faults))]
        text = read_raw(path, file, np.array([line for line, _ in found], np.int64))
        intake.faults += [
            (number, Fault(line, REPEATED_ID, raw, time_ns, True))
            for (line, time_ns), raw in zip(found, text, strict=True)
        ]


def _table(rows: Rows, tick_sign: np.ndarray) -> pa.Table:
    """Shape rows as TICKS; ids that do not order trades are no venue's number: null."""
    columns = [
        pa.array(rows.time_ns),
        pa.array(rows.trade_id, mask=rows.id_kind != ORDERED_ID),
        pa.array(rows.price),
        pa.array(rows.qty),
        pa.array(tick_sign),
    ]
    return pa.Table.from_arrays(columns, schema=TICKS.arrow)


def _quarantine(intake: Intake) -> pd.DataFrame:
    """Shape faults as QUARANTINE; one without a time of its own is known when the month ends."""
    faults = sorted(intake.faults, key=lambda found: (found[0], found[1].line))
    known_at = [f.time_ns if f.own_time else intake.month.end_ns for _, f in faults]
    return pd.DataFrame(
        {
            "file": np.array([intake.files[number][0] for number, _ in faults], object),
            "row": np.array([fault.line for _, fault in faults], np.int64),
            "reason": np.array([fault.reason for _, fault in faults], object),
            "raw": np.array([fault.raw for _, fault in faults], object),
            "known_at": np.array(known_at, np.int64),
        }
    )[QUARANTINE.columns]


def _report(intake: Intake, counts: QualityCounts, n_dropped: int) -> dict[str, Any]:
    market, month = intake.market, intake.month
    facts = counts.report()
    unexplained, explained = missing_days(
        market, month, counts.ticks_by_day, facts["first_tick_ns"]
    )
    report = {
        "market": market.name,
        "month": str(month),
        "empty": counts.n_ticks == 0,
        "files": [
            {"file": file, "rows": intake.n_rows[number]}
            for number, (file, _) in sorted(intake.files.items())
        ],
        "rows_read": sum(intake.n_rows.values()),
        "quarantined": sum(intake.n_set_aside.values()),
        "quarantine_listed": len(intake.faults),
        "quarantine_reasons": dict(sorted((+intake.n_set_aside).items())),
        "duplicates_dropped": n_dropped,
        "rows_out_of_order": intake.n_backwards,
        "days": len(counts.ticks_by_day),
        "missing_days": unexplained,
        "missing_days_in_outages": explained,
        **facts,
    }
    return report | {"score": score(report)}
