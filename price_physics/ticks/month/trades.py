"""The trades of a month: sorted, duplicates dropped, repeated ids set aside, sides inferred.

Every row is in exactly one of ticks, quarantine and dropped duplicates. A month may be longer than
memory: it passes by in slices, into a table on disk.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from price_physics.errors import TickDataError
from price_physics.schemas.ticks import TICKS
from price_physics.store.spool import TableSpool
from price_physics.ticks.month.clean import TickRule, find_repeats
from price_physics.ticks.month.intake import MOST_LISTED, Place, places_of
from price_physics.ticks.month.kernels import CONFLICT, DUPLICATE, STAYS
from price_physics.ticks.month.overlap import Overlaps
from price_physics.ticks.month.report import Cleaned
from price_physics.ticks.month.sort import TickSorter
from price_physics.ticks.reading.reasons import Reason
from price_physics.ticks.reading.rows import ORDERED_ID

if TYPE_CHECKING:
    from pathlib import Path

    from price_physics.ticks.month.intake import Intake
    from price_physics.ticks.month.quality import QualityCounts
    from price_physics.ticks.reading.rows import TradeRows

_FEW_CONFLICTS, _MOST_CONFLICTS = 1_000, 0.01


class TradesOfMonth:
    """Collects the trades of a month, and makes TICKS of them.

    Parameters
    ----------
    scratch : Path, optional
        Folder for what memory should not hold; the system's temporary folder by default.
    """

    schema = TICKS

    def __init__(self, scratch: Path | None = None) -> None:
        self._sorter, self._scratch = TickSorter(scratch), scratch

    def add(self, rows: TradeRows, file: int) -> None:
        self._sorter.add(rows, file)

    def turn(self, file: int) -> None:
        self._sorter.turn(file)

    def close(self) -> None:
        self._sorter.close()

    def clean(self, intake: Intake, counts: QualityCounts) -> Cleaned:
        """Sort the trades, drop duplicates, set repeated ids aside, infer sides, and count.

        Raises
        ------
        TickDataError
            When so many rows repeat an id that ids do not tell trades apart, or a stretch of
            trades without ids is there twice.
        """
        repeats, complete = find_repeats(self._sorter.slices), TickRule()
        conflicts: list[Place] = []
        n_dropped = n_conflicts = first = 0
        overlaps = Overlaps()
        with closing(TableSpool(TICKS, self._scratch)) as spool:
            for part in self._sorter.slices():
                verdict = repeats.verdict(part.rows, first)
                first += verdict.size
                n_dropped += int((verdict == DUPLICATE).sum())
                n_conflicts += int((verdict == CONFLICT).sum())
                listed = np.flatnonzero(verdict == CONFLICT)[: MOST_LISTED - len(conflicts)]
                conflicts += places_of(part.rows.at(listed), part.file[listed])
                overlaps.add(part)
                rows = part.rows if not verdict.any() else part.rows.at(verdict == STAYS)
                counts.add(rows)
                spool.append(_table(rows, complete(rows.price, rows.sign)))
            _refuse_restarted_ids(intake, counts.n_ids, n_conflicts, conflicts)
            overlaps.refuse(intake, self._sorter.slices)
            intake.set_aside(conflicts, n_conflicts, Reason.REPEATED_ID)
            return Cleaned(spool.finish(), n_dropped)


def _refuse_restarted_ids(
    intake: Intake, n_ids: int, n_conflicts: int, conflicts: list[Place]
) -> None:
    """Stop where ids repeat too often to tell trades apart: most of the month would be lost."""
    if n_conflicts > max(_FEW_CONFLICTS, _MOST_CONFLICTS * (n_ids + n_conflicts)):
        number, line, _ = conflicts[0]
        market = intake.market
        raise TickDataError(
            f"market {market.name!r}, {intake.month}: {n_conflicts} rows repeat an id with "
            f"another payload, {intake.files[number][0]}, row {line} the first: the ids restart, "
            "or are another instrument's; set `vendor: generic` in configs/markets/"
            f"{market.name}.yaml and map the columns without `trade_id:`"
        )


def _table(rows: TradeRows, tick_sign: np.ndarray) -> pa.Table:
    """Shape rows as TICKS; an id that is a text, or none, is null."""
    columns = [
        pa.array(rows.time_ns),
        pa.array(rows.trade_id, mask=rows.id_kind != ORDERED_ID),
        pa.array(rows.price),
        pa.array(rows.qty),
        pa.array(tick_sign),
    ]
    return pa.Table.from_arrays(columns, schema=TICKS.arrow)
