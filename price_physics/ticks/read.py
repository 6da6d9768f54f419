"""One vendor file in, its rows out, block by block and in file order, whatever their months.

Rows that cannot be trusted come as faults with their line and text; a file that cannot be
trusted stops here. Rows are neither sorted nor compared with each other: that is ``sort`` and
``clean``.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.study import Market
from price_physics.ticks import kernels
from price_physics.ticks.files import (
    BLOCK_BYTES,
    FREE_BYTES,
    MOST_RATIO,
    LineBlock,
    read_blocks,
)
from price_physics.ticks.formats import recognise, recognise_table
from price_physics.ticks.formats.layout import Layout, split_line
from price_physics.ticks.lines import closes_quotes, read_lines, torn_reason
from price_physics.ticks.parse import FAULTS, SIGNS, UNITS, UNREADABLE, Parsed, parse_columns

NO_ID, ORDERED_ID, TEXT_ID = 0, 1, 2
"""Kinds of id: none; an integer that orders trades of one time; the hash of a text."""

_BATCH_ROWS = 1 << 17
_MOST_ODD = 1 << 12
_MOST_PASSES = 4
_MOST_THREADS = 8
_FIRST_LINES = 50
_TAIL_BYTES = 4096
_BLANKS = b" \t\r\n"
_MOST_ROWS_A_BYTE = 50
_LONGEST_TEXT = 256
_LONGEST_SHOWN = 300
_FEW = 2_000
_A_DAY_NS = 86_400 * 10**9

IN_THE_FUTURE = "time is in the future"
_READABLE = {reason for code, reason in enumerate(FAULTS) if code not in UNREADABLE}
"""Reasons that speak of a value; the others speak of a row that is none."""


class Rows(NamedTuple):
    """Good rows as arrays, all of shape (n_rows,).

    Attributes
    ----------
    time_ns, trade_id : int64
        UTC; the venue's id, or the hash of a text, 0 where there is none.
    price, qty : float64
        Quote currency; base currency.
    line : int64
        1-based line in the file, or row of a table.
    id_kind, sign : int8
        `NO_ID`, `ORDERED_ID` or `TEXT_ID`; +1, -1, or 0 where the row has no side.
    """

    time_ns: NDArray[np.int64]
    trade_id: NDArray[np.int64]
    price: NDArray[np.float64]
    qty: NDArray[np.float64]
    line: NDArray[np.int64]
    id_kind: NDArray[np.int8]
    sign: NDArray[np.int8]

    @classmethod
    def empty(cls, n_rows: int = 0) -> "Rows":
        """Allocate arrays of `n_rows`, not filled."""
        return cls(
            np.empty(n_rows, np.int64),
            np.empty(n_rows, np.int64),
            np.empty(n_rows, np.float64),
            np.empty(n_rows, np.float64),
            np.empty(n_rows, np.int64),
            np.empty(n_rows, np.int8),
            np.empty(n_rows, np.int8),
        )

    def at(self, places: slice | NDArray) -> "Rows":
        """Some of the rows: a view for a slice, else a copy."""
        return Rows._make(column[places] for column in self)

    @classmethod
    def concatenate(cls, parts: list["Rows"]) -> "Rows":
        if not parts:
            return cls.empty()
        return cls._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


@dataclass(frozen=True)
class Fault:
    """A row set aside.

    Where `own_time` is false its time could not be read, and `time_ns` is that of the nearest
    row before whose time could be, or of the next one.
    """

    line: int
    reason: str
    raw: str
    time_ns: int
    own_time: bool

    def __str__(self) -> str:
        return f"row {self.line}: {self.raw!r}: {self.reason}"


@dataclass(frozen=True)
class Block:
    """Consecutive rows of one file and the faults among them, in file order."""

    rows: Rows
    faults: list[Fault]


def read_file(
    market: Market, path: Path, file: str, block_bytes: int = BLOCK_BYTES
) -> Iterator[Block]:
    """Read one vendor file, block by block.

    Parameters
    ----------
    market : Market
        Its symbol and, for dumps that do not say it themselves, its columns.
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
    latest_ns = time.time_ns() + _A_DAY_NS
    unit, last_ns = 0, None
    n_rows = n_unreadable = 0
    waiting: list[Fault] = []  # faults before the first row that has a time
    for part in parts(market, path, file, block_bytes):
        part = _set_future_aside(part, latest_ns)
        n_rows += part.rows.line.size + len(part.faults)
        unreadable = [fault for fault in part.faults if fault.reason not in _READABLE]
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
    first = 1
    if path.suffix.lower() == ".parquet":
        for batch in _batches(path, file):
            places = lines[(lines >= first) & (lines < first + batch.num_rows)] - first
            raw += [_joined(batch, int(place)) for place in places]
            first += batch.num_rows
    for block in read_blocks(path, file) if first == 1 else ():
        text = block.data.tobytes().split(b"\n")
        places = lines[(lines >= first) & (lines < first + len(text) - 1)] - first
        raw += [_shown(_decoded(text[place])) for place in places]
        first += len(text) - 1
    if len(raw) != lines.size:
        raise TickDataError(f"{file}: changed while it was read; run again when it is complete")
    return raw


# ---------------------------------------------------------------------------- parts
@dataclass(frozen=True)
class _Part:
    """What was read at once: rows, the unit of each row's time, faults, and any line's text."""

    rows: Rows
    unit: NDArray[np.int8]
    faults: list[Fault]
    fault_units: list[int]
    raw: Callable[[Sequence[int]], list[str]]


def _set_future_aside(part: _Part, latest_ns: int) -> _Part:
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


def _one_unit(file: str, unit: int, part: _Part) -> int:
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
    part: _Part, waiting: list[Fault], last_ns: int | None
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


def _faults(
    parsed: Parsed, lines: NDArray[np.int64], raw: Sequence[str]
) -> tuple[list[Fault], list[int]]:
    """The faults among parsed rows with their units; `raw` is the text of those rows."""
    bad = np.flatnonzero(parsed.fault)
    faults = [
        Fault(
            int(lines[row]),
            FAULTS[parsed.fault[row]],
            _shown(raw[place]),
            int(parsed.time_ns[row]),
            bool(parsed.unit[row]),
        )
        for place, row in enumerate(bad)
    ]
    return faults, [int(parsed.unit[row]) for row in bad]


def _rows(parsed: Parsed, lines: NDArray[np.int64], layout: Layout) -> tuple[Rows, NDArray]:
    """The good rows, and the units of their times."""
    good = parsed.fault == 0
    kind = parsed.has_id * np.int8(TEXT_ID if layout.trade_id_is_text else ORDERED_ID)
    columns = (parsed.time_ns, parsed.trade_id, parsed.price, parsed.qty, lines, kind, parsed.sign)
    return Rows(*columns).at(good), parsed.unit[good]


def _in_base(rows: Rows, layout: Layout) -> None:
    """Turn quantities of contracts or of quote currency into base quantities, in place."""
    if layout.qty_scale != 1.0:
        np.multiply(rows.qty, layout.qty_scale, out=rows.qty)
    if layout.qty_is_quote:
        np.divide(rows.qty, rows.price, out=rows.qty)


def _other_symbol(file: str, line: int, raw: str, symbol: str, market: Market) -> TickDataError:
    return TickDataError(
        f"{file}, row {line}: {_shown(raw)!r} is a trade of {symbol!r}, the market's symbol is "
        f"{market.symbol!r}; correct `symbol:` or `files:` in configs/markets/{market.name}.yaml"
    )


# ---------------------------------------------------------------------------- text
def _text_parts(market: Market, path: Path, file: str, block_bytes: int) -> Iterator[_Part]:
    """Read blocks in several threads, and hand them over in order."""
    scanner: _Scanner | None = None
    last: tuple[bytes, int] | None = None
    cut = False
    n_threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Iterator[_Part]]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for block in read_blocks(path, file, block_bytes):
            at = 0
            if scanner is None:
                first = _first_lines(block.data, file)
                if not first:
                    continue
                scanner = _Scanner(recognise(first, market, file), market, file)
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


class _Scanner:
    """Reads blocks of one file: the plain rows by the kernel, the odd ones with care."""

    def __init__(self, layout: Layout, market: Market, file: str) -> None:
        self.layout, self._market, self._file = layout, market, file
        roles = {
            "time": kernels.TIME,
            "price": kernels.PRICE,
            "qty": kernels.QTY,
            "trade_id": kernels.TRADE_ID,
            "is_buyer_maker": kernels.SIDE,
            "side": kernels.SIDE,
            "symbol": kernels.SYMBOL,
        }
        self._role_of = np.full(layout.n_columns, kernels.UNUSED)
        for name, place in layout.used.items():
            self._role_of[place] = roles[name]
        self._symbol = _letters(market.symbol.lower())
        words = SIGNS["side" if layout.side is not None else "is_buyer_maker"]
        packed = [kernels.pack(_letters(word), 0, len(word)) for word in words]
        self._sides = np.array(list(zip(packed, words.values(), strict=True)))

    def read(self, block: LineBlock, at: int) -> Iterator[_Part]:
        """Read a block from byte `at`, the first of a line.

        What follows many odd lines is read when it is asked for: such a file may be refused first.
        """
        parts = self._passes(block, at)
        return chain(list(islice(parts, _MOST_PASSES)), parts)

    def _passes(self, block: LineBlock, at: int) -> Iterator[_Part]:
        data = block.data
        line = block.first_line + int(np.count_nonzero(data[:at] == 10))
        delimiter, text_id = ord(self.layout.delimiter), self.layout.trade_id_is_text

        def raw(wanted: Sequence[int]) -> list[str]:
            text = data.tobytes().split(b"\n")
            return [_shown(_decoded(text[line - block.first_line])) for line in wanted]

        while at < data.size:
            n_most = block.first_line + block.n_lines - line
            own, unit = Rows.empty(n_most), np.empty(n_most, np.int8)
            odd = np.empty((min(n_most, _MOST_ODD), 3), np.int64)
            columns = (own.time_ns, unit, own.price, own.qty, own.trade_id)
            n_rows, n_odd, n_lines, at = kernels.read_rows(
                data, at, delimiter, self._role_of, text_id, self._symbol,
                self.layout.mixes_symbols, self._sides, line,
                (*columns, own.id_kind, own.sign, own.line), odd,
            )  # fmt: skip
            rows, unit = own.at(slice(n_rows)), unit[:n_rows]
            faults: list[Fault] = []
            fault_units: list[int] = []
            if n_odd:
                more, more_unit, faults, fault_units = self._look_at(data, odd[:n_odd])
                if more.line.size:
                    order = np.concatenate([rows.line, more.line]).argsort(kind="stable")
                    rows = Rows.concatenate([rows, more]).at(order)
                    unit = np.concatenate([unit, more_unit])[order]
            _in_base(rows, self.layout)
            yield _Part(rows, unit, faults, fault_units, raw)
            line += n_lines

    def _look_at(
        self, data: NDArray[np.uint8], odd: NDArray[np.int64]
    ) -> tuple[Rows, NDArray, list[Fault], list[int]]:
        """Read odd lines: rows after all with their units, and faults with theirs."""
        text = [_decoded(data[begin:stop].tobytes()) for _, begin, stop in odd]
        reasons = [torn_reason(raw, self.layout) for raw in text]
        torn = [
            Fault(int(odd[place, 0]), reason, _shown(text[place]), 0, False)
            for place, reason in enumerate(reasons)
            if reason
        ]
        whole = np.array([not reason for reason in reasons])
        lines = odd[whole, 0]
        raws = [raw for raw, is_whole in zip(text, whole, strict=True) if is_whole]
        parsed, symbols = read_lines(raws, self.layout)
        if self.layout.symbol is not None:
            wanted = self._market.symbol.lower()
            other = np.array([symbol.lower() != wanted for symbol in symbols], bool)
            if other.any() and not self.layout.mixes_symbols:
                row = int(other.argmax())
                raise _other_symbol(
                    self._file, int(lines[row]), raws[row], symbols[row], self._market
                )
            lines, parsed = lines[~other], parsed.at(~other)
            raws = [raw for raw, is_other in zip(raws, other, strict=True) if not is_other]
        bad = [raws[row] for row in np.flatnonzero(parsed.fault)]
        faults, units = _faults(parsed, lines, bad)
        rows, row_units = _rows(parsed, lines, self.layout)
        order = np.argsort([f.line for f in torn + faults], kind="stable")
        both, both_units = torn + faults, [0] * len(torn) + units
        return rows, row_units, [both[i] for i in order], [both_units[i] for i in order]


def _shown(text: str) -> str:
    """As much of a row as tables and messages hold."""
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " ..."


def _letters(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _decoded(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "replace")


def _first_lines(data: NDArray[np.uint8], file: str) -> list[str]:
    head = data.tobytes()
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        if head.startswith(mark):
            raise TickDataError(
                f"{file}, row 1: starts with a byte order mark: some program saved it again, and "
                "those round long numbers; download it again"
            )
    lines = map(_decoded, head.lstrip(_BLANKS).split(b"\n", 2 * _FIRST_LINES)[:-1])
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
    text = _decoded(last)
    fields = split_line(text, layout.delimiter)
    torn = len(fields) < layout.n_columns
    if not torn and cut:
        parsed, _ = read_lines([text], layout)
        blank = any(fields[place] == "" for place in layout.used.values())
        unreadable = int(parsed.fault[0]) in UNREADABLE
        torn = blank or unreadable or not closes_quotes(text, layout.delimiter)
    if torn:
        raise TickDataError(
            f"{file}, row {line}: {_shown(text)!r} is cut off: the file ends inside its last row; "
            "download it again"
        )


def _refuse_cut_number(file: str, layout: Layout, last: bytes, line: int) -> None:
    """Stop where a number ends the file: cut off, it is another number."""
    if layout.n_columns - 1 in (layout.time, layout.price, layout.qty):
        raise TickDataError(
            f"{file}, row {line}: {_shown(_decoded(last))!r} ends the file without a newline: its "
            "last number may be cut off; download it again, or end it with a newline if it is whole"
        )


# ---------------------------------------------------------------------------- parquet
def _table_parts(market: Market, path: Path, file: str, block_bytes: int) -> Iterator[_Part]:
    layout: Layout | None = None
    line = 1
    for batch in _batches(path, file):
        try:
            if layout is None:
                shown = batch.slice(0, _FIRST_LINES).to_pylist()
                text = [["" if v is None else str(v) for v in row.values()] for row in shown]
                layout = recognise_table(batch.schema.names, text, market, file)
            part = _table_part(batch, line, layout, market, file)
        except (pa.ArrowException, OverflowError) as error:
            raise TickDataError(
                f"{file}, from row {line}: {error}; correct `columns:` in "
                f"configs/markets/{market.name}.yaml"
            ) from error
        yield part
        line += batch.num_rows


def _table_part(
    batch: pa.RecordBatch, first: int, layout: Layout, market: Market, file: str
) -> _Part:
    columns = {name: batch.column(place) for name, place in layout.used.items()}
    _refuse_long_text(columns, first, file)
    lines = np.arange(first, first + batch.num_rows)
    other = _other_rows(columns.pop("symbol", None), market)
    if other.any() and not layout.mixes_symbols:
        row = int(other.argmax())
        symbol = str(batch.column(layout.used["symbol"])[row])
        raise _other_symbol(file, int(lines[row]), _joined(batch, row), symbol, market)
    parsed = parse_columns(columns, layout.trade_id_is_text)
    if other.any():
        lines, parsed = lines[~other], parsed.at(~other)
    bad = [_joined(batch, int(row) - first) for row in lines[parsed.fault > 0]]
    faults, fault_units = _faults(parsed, lines, bad)
    rows, unit = _rows(parsed, lines, layout)
    _in_base(rows, layout)

    def raw(wanted: Sequence[int]) -> list[str]:
        return [_joined(batch, line - first) for line in wanted]

    return _Part(rows, unit, faults, fault_units, raw)


def _batches(path: Path, file: str) -> Iterator[pa.RecordBatch]:
    """Stream a parquet file's rows, its page checksums verified where it has any."""
    n_rows = 0
    try:
        flat, texts = _flat_columns(pa.parquet.read_schema(path))
        options = {"page_checksum_verification": True, "read_dictionary": texts}
        with pa.parquet.ParquetFile(path, **options) as dump:
            _refuse_bomb(dump.metadata, path, file)
            for batch in dump.iter_batches(_BATCH_ROWS, columns=flat, use_threads=False):
                batch.validate(full=True)
                yield batch
                n_rows += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise TickDataError(
            f"{file}, after row {n_rows}: damaged: {error}; download it again"
        ) from error
    if n_rows == 0:
        raise TickDataError(f"{file}: holds no row; download it again, or remove it")


def _flat_columns(schema: pa.Schema) -> tuple[list[str], list[str]]:
    """Names of the columns whose rows are of a few bytes, or texts; and of the texts among them.

    A text is kept once, however many rows repeat it; lists are not read at all. Both could be
    gigabytes that stand in a few bytes of a file.
    """
    texts = [field.name for field in schema if _is_text(field.type)]
    flat = [
        field.name
        for field in schema
        if field.name in texts
        or pa.types.is_primitive(field.type)
        or pa.types.is_decimal(field.type)
        or pa.types.is_dictionary(field.type)
    ]
    return flat, texts


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def _refuse_long_text(columns: dict[str, pa.Array], first: int, file: str) -> None:
    """Refuse texts too long for a field: every row would hold one."""
    for column in columns.values():
        if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
            longest = pa.compute.max(pa.compute.binary_length(column.dictionary)).as_py() or 0
            if longest > _LONGEST_TEXT:
                raise TickDataError(
                    f"{file}, from row {first}: a text of {longest} bytes where a value should be; "
                    "refused"
                )


def _refuse_bomb(metadata: pa.parquet.FileMetaData, path: Path, file: str) -> None:
    size = path.stat().st_size
    if metadata.num_rows > _MOST_ROWS_A_BYTE * size:
        raise TickDataError(f"{file}: {metadata.num_rows} rows in {size} bytes; refused as a bomb")
    # sizes of single columns are not asked for: on some damages pyarrow then aborts the process
    n_groups = metadata.num_row_groups
    n_bytes = sum(metadata.row_group(group).total_byte_size for group in range(n_groups))
    if n_bytes > max(FREE_BYTES, MOST_RATIO * size):
        raise TickDataError(
            f"{file}: decompresses to {n_bytes} bytes, over {MOST_RATIO} times its {size}; refused "
            "as a bomb"
        )


def _other_rows(column: pa.Array | None, market: Market) -> NDArray[np.bool_]:
    """Which rows are another instrument's; none where the table does not say."""
    if column is None:
        return np.zeros(1, bool)
    symbols = pa.compute.utf8_lower(pa.compute.cast(column, pa.string()).fill_null(""))
    return ~np.array(pa.compute.equal(symbols, market.symbol.lower()), bool)


def _joined(batch: pa.RecordBatch, row: int) -> str:
    """A row's values, joined by commas."""
    values = batch.slice(row, 1).to_pylist()[0].values()
    return _shown(",".join(str(value) for value in values))
