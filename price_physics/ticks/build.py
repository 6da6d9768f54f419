"""The stage: vendor files that hold any row of a month -> that month's clean ticks or candles.

It is the table of contents of this package: files are read, their rows gathered and cleaned, and
a report says what became of every row.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from price_physics.schemas.ticks import QUARANTINE
from price_physics.store.artefact import Artefact
from price_physics.ticks.index import FileIndex, inputs_of, last_before_ns
from price_physics.ticks.look import look_at_files
from price_physics.ticks.month.candles import CandlesOfMonth
from price_physics.ticks.month.gaps import refuse_missing_month
from price_physics.ticks.month.intake import Intake
from price_physics.ticks.month.quality import QualityCounts
from price_physics.ticks.month.report import quality_of, quarantine_of
from price_physics.ticks.month.trades import TradesOfMonth

if TYPE_CHECKING:
    from pathlib import Path

    from price_physics.months import Month
    from price_physics.progress import Progress
    from price_physics.study.market import Market


def build_ticks(
    market: Market,
    month: Month,
    root: Path,
    *,
    index: FileIndex | None = None,
    scratch: Path | None = None,
    progress: Progress | None = None,
) -> Artefact:
    """Read, clean and report one month of a market.

    Parameters
    ----------
    market : Market
        Symbol, files and, where the files do not say it, their columns.
    month : Month
        Calendar month, UTC, by trade time; a candle is of the month in which it ends.
    root : Path
        Folder that the market's globs are relative to.
    index : FileIndex, optional
        What is known of the files; it learns what it did not know.
    scratch : Path, optional
        Folder for what memory should not hold; the system's temporary folder by default.
    progress : callable (bytes done, bytes in all, file), optional

    Returns
    -------
    Artefact
        TICKS, or CANDLES where the market's rows are candles; QUARANTINE, the rows set aside in
        file order; and the document ``quality``: every row read is in the table, in quarantine, a
        dropped duplicate, or a candle without a trade. Inputs are the sha256 of every file that
        feeds the month, the versions of their formats, and what else the month depends on. Tables
        are empty for a month without trades, if the files hold later ones.

    Raises
    ------
    TickDataError
        When there is no file, a file cannot be trusted, no file holds a single row, none holds a
        row of the month or later (its file has not arrived), more rows would be set aside than the
        market's `quarantine_limit`, a strict market misses days or ids, ids or candles repeat too
        often, a stretch of trades without ids is there twice, or candles are of another length than
        the market says.
    """
    index = FileIndex(market) if index is None else index
    with closing(CandlesOfMonth() if market.candle_ns else TradesOfMonth(scratch)) as rows:
        intake = Intake(market, month, rows)
        entries = look_at_files(market, root, index, progress, intake)
        refuse_missing_month(market, month, entries)
        counts = QualityCounts(month, last_before_ns(entries, month))
        cleaned = rows.clean(intake, counts)
    feeding = [entries[file] for file, _ in intake.files.values()]
    generated = any(entry.is_synthetic for entry in feeding)
    synthetic = market.synthetic or generated
    quality = quality_of(intake, counts, cleaned)
    return Artefact(
        tables=((rows.schema, cleaned.table), (QUARANTINE, quarantine_of(intake))),
        documents={"quality": quality | {"synthetic": synthetic, "generated": generated}},
        synthetic=synthetic,
        inputs=inputs_of(entries, month),
    )
