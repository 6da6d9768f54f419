"""Read one vendor file block by block, in file order, whatever the months of its rows.

Rows that cannot be trusted come as faults with their line and text; a file that cannot be
trusted stops here. The market says whether a row is a trade or a candle. Rows are neither sorted
nor compared with each other: ``ticks/month`` does that.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.ticks.reading.blocks import BLOCK_BYTES, read_blocks
from price_physics.ticks.reading.candles import CandleScanner
from price_physics.ticks.reading.compact_times import refuse_compact_times
from price_physics.ticks.reading.parquet import read_batches, texts
from price_physics.ticks.reading.parse import UNITS
from price_physics.ticks.reading.parts import table_parts, text_parts
from price_physics.ticks.reading.reasons import READABLE, Reason
from price_physics.ticks.reading.rows import Block, Fault, Part, kind_of_rows
from price_physics.ticks.reading.trades import TradeScanner

if TYPE_CHECKING:
    from price_physics.study.market import Market

_SCANNERS: dict[str, type[TradeScanner] | type[CandleScanner]] = {
    "trades": TradeScanner,
    "candles": CandleScanner,
}
_FEW = 2_000


def read_file(
    market: Market, path: Path, file: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Read one vendor file, block by block.

    Parameters
    ----------
    market : Market
        Its symbol, whether rows are candles and, for dumps that do not say it themselves, its
        columns.
    path : Path
    file : str
        The name for messages.
    block_bytes : int
        Text that is read at once, more than the longest line; the rows do not depend on it.

    Yields
    ------
    Block

    Raises
    ------
    TickDataError
        When the file is damaged, cut off, empty, of no known schema, mixes units of time, has
        times that can be read in two ways, or holds another instrument.
    """
    make = _SCANNERS[kind_of_rows(market)]
    if path.suffix.lower() == ".parquet":
        parts = table_parts(make, market, path, file)
    else:
        parts = text_parts(make, market, path, file, block_bytes)
    latest_ns = time.time_ns() + make.ahead_ns
    unit, last_ns = 0, None
    n_rows = n_unreadable = 0
    waiting: list[Fault] = []  # faults before the first row that has a time
    for whole in parts:
        if not n_rows:
            refuse_compact_times(whole, file, market.candle_ns)
        part = _set_future_aside(whole, latest_ns)
        n_rows += part.rows.line.size + len(part.faults)
        unreadable = [fault for fault in part.faults if fault.reason not in READABLE]
        n_unreadable += len(unreadable)
        if n_unreadable > max(_FEW, n_rows // 2):
            raise TickDataError(
                f"{file}, {unreadable[-1]}, and {n_unreadable} of {n_rows} rows are like that; "
                "download it again, or remove it"
            )
        unit = _one_unit(file, unit, part)
        faults, last_ns = _attribute(part, waiting, last_ns)
        waiting = [] if last_ns is not None else waiting + part.faults
        yield Block(part.rows, faults, part.vendor)
    if waiting:
        raise TickDataError(
            f"{file}, {waiting[0]}, and no other row of the file has a time either; correct the "
            "market's `columns:` or `header:`"
        )


def read_raw(
    path: Path, file: str, lines: NDArray[np.int64], encoding: str | None = None
) -> list[str]:
    """Read the text of some rows again, given their sorted 1-based lines."""
    raw: list[str] = []
    if not lines.size:
        return raw
    if path.suffix.lower() == ".parquet":
        first = 1
        for batch in read_batches(path, file):
            raw += texts(batch, first, _within(lines, first, batch.num_rows))
            first += batch.num_rows
    else:
        for block in read_blocks(path, file, encoding=encoding):
            raw += block.texts(_within(lines, block.first_line, block.n_lines))
    if len(raw) != lines.size:
        raise TickDataError(f"{file}: changed while it was read; run again when it is complete")
    return raw


def _within(lines: NDArray[np.int64], first: int, n_lines: int) -> list[int]:
    return lines[(lines >= first) & (lines < first + n_lines)].tolist()


def _set_future_aside(part: Part, latest_ns: int) -> Part:
    """Make faults of rows later than now: one would hide that a month's file is missing."""
    late = part.rows.time_ns > latest_ns
    if not late.any():
        return part
    lines = part.rows.line[late].tolist()
    faults = [
        Fault(line, Reason.FUTURE.words, raw, 0, False)
        for line, raw in zip(lines, part.raw(lines), strict=True)
    ]
    return replace(
        part,
        rows=part.rows.at(~late),
        unit=part.unit[~late],
        faults=sorted(part.faults + faults, key=lambda fault: fault.line),
        fault_units=[0] * (len(part.faults) + len(faults)),
    )


def _one_unit(file: str, unit: int, part: Part) -> int:
    """Return the file's unit of time, refusing a row in another."""
    seen = [(f.line, u) for f, u in zip(part.faults, part.fault_units, strict=True) if u]
    if part.unit.size:
        unit = unit or int(part.unit[0])
        other = int((part.unit != unit).argmax())
        if part.unit[other] != unit:
            seen.append((int(part.rows.line[other]), int(part.unit[other])))
    for line, found in seen:
        unit = unit or found
        if found != unit:
            raise TickDataError(
                f"{file}, row {line}: {part.raw([line])[0]!r} has its time in {UNITS[found]}, "
                f"others have it in {UNITS[unit]}; split the file"
            )
    return unit


def _attribute(
    part: Part, waiting: list[Fault], last_ns: int | None
) -> tuple[list[Fault], int | None]:
    """Give faults without a time that of the nearest timed row before, else of the next.

    Returns the faults that have a time now, and the time of the part's last row that has one.
    """
    timed = {f.line: f.time_ns for f in part.faults if f.own_time}
    line = np.concatenate([part.rows.line, np.array(list(timed), np.int64)])
    time_ns = np.concatenate([part.rows.time_ns, np.array(list(timed.values()), np.int64)])
    if not line.size:
        given = [] if last_ns is None else [replace(f, time_ns=last_ns) for f in part.faults]
        return given, last_ns
    if not part.faults and not waiting:
        return [], int(time_ns[-1])
    if timed:
        order = line.argsort(kind="stable")
        line, time_ns = line[order], time_ns[order]
    before_all = int(time_ns[0]) if last_ns is None else last_ns
    faults = waiting + part.faults
    places = np.searchsorted(line, [fault.line for fault in faults]) - 1
    near = np.where(places >= 0, time_ns[places], before_all).tolist()
    given = [
        fault if fault.own_time else replace(fault, time_ns=time)
        for fault, time in zip(faults, near, strict=True)
    ]
    return given, int(time_ns[-1])
