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
from price_physics.schemas.ticks import TICKS
from price_physics.store.spool import SpooledTable, TableSpool
from price_physics.study.market import Market
from price_physics.ticks.clean import REPEATED_ID, TickRule, find_repeats
from price_physics.ticks.gaps import refuse_missing_month
from price_physics.ticks.index import FileEntry, FileIndex, last_before_ns
from price_physics.ticks.intake import MOST_LISTED, Intake, Progress, take_in
from price_physics.ticks.quality import QualityCounts
from price_physics.ticks.report import lines_of, set_aside, tell
from price_physics.ticks.rows import ORDERED_ID, Rows
from price_physics.ticks.sort import TickSorter

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
        refuse_missing_month(market, month, entries)
        return _clean(intake, sorter, entries, spool)


def _clean(
    intake: Intake,
    sorter: TickSorter,
    entries: dict[str, FileEntry],
    spool: TableSpool,
) -> TicksResult:
    """Sort what was taken in, part it into ticks, quarantine and duplicates, and report."""
    counts = QualityCounts(intake.month, last_before_ns(entries, intake.month))
    repeats, complete = find_repeats(sorter.slices), TickRule()
    conflicts: list[tuple[int, int, int]] = []
    n_dropped = n_conflicts = first = 0
    for part in sorter.slices():
        verdict = repeats.verdict(part.rows, first)
        first += verdict.size
        n_dropped += int((verdict == 1).sum())
        n_conflicts += int((verdict == 2).sum())
        listed = np.flatnonzero(verdict == 2)[: MOST_LISTED - len(conflicts)]
        conflicts += lines_of(part.rows.at(listed), part.file[listed])
        rows = part.rows if not verdict.any() else part.rows.at(verdict == 0)
        counts.add(rows)
        spool.append(_table(rows, complete(rows.price, rows.sign)))
    intake.n_set_aside[REPEATED_ID] += n_conflicts
    _refuse_restarted_ids(intake, counts.n_ids, conflicts)
    set_aside(intake, conflicts, REPEATED_ID)
    told = tell(intake, entries, counts, n_dropped)
    return TicksResult(spool.finish(), *told)


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
