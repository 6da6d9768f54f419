"""One vendor file in, its rows out, block by block and in file order, whatever their months.

Rows that cannot be trusted come as faults with their line and text; a file that cannot be
trusted stops here. What a row is, a trade or a candle, the market says. Rows are neither sorted
nor compared with each other: that is ``sort`` and ``clean``.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.study.market import Market
from price_physics.ticks.candles import CandleScanner
from price_physics.ticks.files import BLOCK_BYTES, LineBlock, read_blocks
from price_physics.ticks.formats import recognise, recognise_table
from price_physics.ticks.formats.layout import Layout, split_line
from price_physics.ticks.lines import closes_quotes, read_lines
from price_physics.ticks.parquet import read_batches, texts
from price_physics.ticks.parse import UNITS, UNREADABLE
from price_physics.ticks.rows import Block, Fault, Part, decoded, shown
from price_physics.ticks.trades import TradeScanner

_MOST_THREADS = 8
_FIRST_LINES = 50
_TAIL_BYTES = 4096
_BLANKS = b" \t\r\n"
_FEW = 2_000
_A_DAY_NS = 86_400 * 10**9

IN_THE_FUTURE = "time is in the future"


class Scanner(Protocol):
    """What turns blocks or batches of one file into rows."""

    layout: Layout
    readable: frozenset[str]
    """Reasons that speak of a value; the others speak of a row that is none."""

    def read(self, block: LineBlock, at: int) -> Iterator[Part]: ...

    def read_table(self, batch: pa.RecordBatch, first: int) -> Part: ...


_MakeScanner = Callable[[Layout, Market, str], Scanner]


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
        When the file is damaged, cut off, empty, of no known schema, mixes units of time, or
        holds another instrument.
    """
    parts = _table_parts if path.suffix.lower() == ".parquet" else _text_parts
    make: type[TradeScanner] | type[CandleScanner] = TradeScanner
    latest_ns = time.time_ns() + _A_DAY_NS
    if market.candle_ns:  # a candle that is not over yet will be another one
        make, latest_ns = CandleScanner, time.time_ns()
    unit, last_ns = 0, None
    n_rows = n_unreadable = 0
    waiting: list[Fault] = []  # faults before the first row that has a time
    for part in parts(make, market, path, file, block_bytes):
        part = _set_future_aside(part, latest_ns)
        n_rows += part.rows.line.size + len(part.faults)
        unreadable = [fault for fault in part.faults if fault.reason not in make.readable]
        n_unreadable += len(unreadable)
        if n_unreadable > max(_FEW, n_rows // 2):
            raise TickDataError(
                f"{file}, {unreadable[-1]}, and {n_unreadable} of {n_rows} rows are like that; "
                "download it again, or remove it"
            )
        unit = _one_unit(file, unit, part)
        faults, last_ns = _attribute(part, waiting, last_ns)
        waiting = [] if last_ns is not None else waiting + part.faults
        yield Block(part.rows, faults)
    if waiting:
        raise TickDataError(
            f"{file}, {waiting[0]}, and no other row of the file has a time either; correct the "
            "market's `columns:` or `header:`"
        )


def read_raw(path: Path, file: str, lines: NDArray[np.int64]) -> list[str]:
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
        for block in read_blocks(path, file):
            raw += block.texts(_within(lines, block.first_line, block.n_lines))
    if len(raw) != lines.size:
        raise TickDataError(f"{file}: changed while it was read; run again when it is complete")
    return raw


def _within(lines: NDArray[np.int64], first: int, n_lines: int) -> list[int]:
    return lines[(lines >= first) & (lines < first + n_lines)].tolist()


# ---------------------------------------------------------------------------- parts
def _set_future_aside(part: Part, latest_ns: int) -> Part:
    """Make faults of rows later than now: one would hide that a month has not arrived."""
    late = part.rows.time_ns > latest_ns
    if not late.any():
        return part
    lines = part.rows.line[late].tolist()
    faults = [
        Fault(line, IN_THE_FUTURE, raw, 0, False)
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


# ---------------------------------------------------------------------------- text
def _text_parts(
    make: _MakeScanner, market: Market, path: Path, file: str, block_bytes: int
) -> Iterator[Part]:
    """Read blocks in several threads, and hand them over in order."""
    scanner: Scanner | None = None
    last: tuple[bytes, int] | None = None
    cut = False
    n_threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Iterator[Part]]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for block in read_blocks(path, file, block_bytes):
            at = 0
            if scanner is None:
                first = _first_lines(block.data, file)
                if not first:
                    continue
                scanner = make(recognise(first, market, file), market, file)
                if scanner.layout.has_header:
                    at = _stop_of_header(block.data)
            waiting.append(pool.submit(scanner.read, block, at))
            last, cut = _last_line(block) or last, block.cut
            if len(waiting) > n_threads:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()
    if scanner is None or last is None:
        raise TickDataError(f"{file}: holds no row; download it again, or remove it")
    _refuse_cut_off(file, scanner.layout, *last, cut)
    if cut and path.suffix.lower() not in (".gz", ".zip"):  # those have a length and a CRC
        _refuse_cut_number(file, scanner.layout, *last)


def _first_lines(data: NDArray[np.uint8], file: str) -> list[str]:
    head = data.tobytes()
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        if head.startswith(mark):
            raise TickDataError(
                f"{file}, row 1: starts with a byte order mark: some program saved it again, and "
                "those round long numbers; download it again"
            )
    lines = map(decoded, head.lstrip(_BLANKS).split(b"\n", 2 * _FIRST_LINES)[:-1])
    return [line for line in lines if line.strip()][:_FIRST_LINES]


def _stop_of_header(data: NDArray[np.uint8]) -> int:
    """The byte after the first line that is not blank."""
    head = data.tobytes()
    return head.index(b"\n", len(head) - len(head.lstrip(_BLANKS))) + 1


def _last_line(block: LineBlock) -> tuple[bytes, int] | None:
    """The last line that is not blank, and its number."""
    for n_bytes in (_TAIL_BYTES, block.data.size):
        tail = block.data[-n_bytes:].tobytes()
        stop = len(tail.rstrip(_BLANKS))
        start = tail.rfind(b"\n", 0, stop) + 1
        if start or (stop and len(tail) == block.data.size):
            after = tail.count(b"\n", stop)
            return tail[start : tail.index(b"\n", stop)], block.first_line + block.n_lines - after
    return None


def _refuse_cut_off(file: str, layout: Layout, last: bytes, line: int, cut: bool) -> None:
    """Stop at a last row with too few fields, or unreadable and without its newline."""
    text = decoded(last)
    fields = split_line(text, layout.delimiter)
    torn = len(fields) < layout.n_columns
    if not torn and cut:
        parsed, _ = read_lines([text], layout)
        blank = any(fields[place] == "" for place in layout.used.values())
        unreadable = int(parsed.fault[0]) in UNREADABLE
        torn = blank or unreadable or not closes_quotes(text, layout.delimiter)
    if torn:
        raise TickDataError(
            f"{file}, row {line}: {shown(text)!r} is cut off: the file ends inside its last row; "
            "download it again"
        )


def _refuse_cut_number(file: str, layout: Layout, last: bytes, line: int) -> None:
    """Stop where a number ends the file: cut off, it is another number."""
    places = layout.used
    numbers = places.keys() - {"trade_id", "is_buyer_maker", "side", "symbol"}
    if layout.n_columns - 1 in {places[name] for name in numbers}:
        raise TickDataError(
            f"{file}, row {line}: {shown(decoded(last))!r} ends the file without a newline: its "
            "last number may be cut off; download it again, or end it with a newline if it is whole"
        )


# ---------------------------------------------------------------------------- parquet
def _table_parts(
    make: _MakeScanner, market: Market, path: Path, file: str, block_bytes: int
) -> Iterator[Part]:
    scanner: Scanner | None = None
    line = 1
    for batch in read_batches(path, file):
        try:
            if scanner is None:
                rows = batch.slice(0, _FIRST_LINES).to_pylist()
                text = [["" if v is None else str(v) for v in row.values()] for row in rows]
                layout = recognise_table(batch.schema.names, text, market, file)
                scanner = make(layout, market, file)
            part = scanner.read_table(batch, line)
        except (pa.ArrowException, OverflowError) as error:
            raise TickDataError(
                f"{file}, from row {line}: {error}; correct `columns:` in "
                f"configs/markets/{market.name}.yaml"
            ) from error
        yield part
        line += batch.num_rows
