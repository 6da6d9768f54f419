"""Recognise a vendor file, text or parquet, by its first rows, and scan it part by part.

A text file that ends inside its last row is refused here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from price_physics.errors import TickDataError
from price_physics.ticks.formats.layout import split_line
from price_physics.ticks.formats.match import count_preamble
from price_physics.ticks.formats.recognise import recognise, recognise_table
from price_physics.ticks.reading.archives import compression_of
from price_physics.ticks.reading.blocks import read_blocks
from price_physics.ticks.reading.lines import closes_quotes, read_lines
from price_physics.ticks.reading.parquet import read_batches
from price_physics.ticks.reading.reasons import Reason
from price_physics.ticks.reading.rows import decoded, shown
from price_physics.ticks.reading.trades import words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from price_physics.study.market import Market
    from price_physics.ticks.formats.layout import Layout
    from price_physics.ticks.reading.blocks import LineBlock
    from price_physics.ticks.reading.rows import Part

_MOST_THREADS = 8
_FIRST_LINES = 50
_TAIL_BYTES = 4096
_BLANKS = b" \t\r\n"
_NEWLINE = ord("\n")


class Scanner(Protocol):
    """Turns blocks or batches of one file into rows.

    Attributes
    ----------
    layout : Layout
    ahead_ns : int
        How long after now the time of a row may be.
    """

    layout: Layout
    ahead_ns: int

    def read(self, block: LineBlock, at: int) -> Iterator[Part]: ...

    def read_table(self, batch: pa.RecordBatch, first: int) -> Part: ...


MakeScanner = Callable[["Layout", "Market", str], Scanner]


def text_parts(
    make: MakeScanner, market: Market, path: Path, file: str, block_bytes: int
) -> Iterator[Part]:
    """Read blocks in several threads, and hand them over in order."""
    scanner: Scanner | None = None
    last: tuple[bytes, int] | None = None
    cut = False
    n_threads = min(_MOST_THREADS, os.cpu_count() or 1)
    waiting: deque[Future[Iterator[Part]]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        for block in read_blocks(path, file, block_bytes, market.encoding):
            at = 0
            if scanner is None:
                first, at = _first_lines(block.data, file)
                if not first:
                    continue
                row = block.first_line + int((block.data[:at] == _NEWLINE).sum())
                scanner = make(recognise(first, market, file, row), market, file)
                if scanner.layout.has_header:
                    at = _next_line(block.data, at)
            waiting.append(pool.submit(scanner.read, block, at))
            last, cut = _last_line(block) or last, block.cut
            if len(waiting) > n_threads:
                yield from waiting.popleft().result()
        for future in waiting:
            yield from future.result()
    if scanner is None or last is None:
        raise TickDataError(f"{file}: holds no row; download it again, or remove it")
    _refuse_cut_off(file, scanner.layout, *last, cut, words_of(market))
    if cut and compression_of(path) is None:  # what is compressed has an end of its own
        _refuse_cut_number(file, scanner.layout, *last)


def _first_lines(data: NDArray[np.uint8], file: str) -> tuple[list[str], int]:
    """Return the first lines that are not blank, without what stands above a header, and the byte
    at which they start.
    """
    head = data.tobytes()
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        if head.startswith(mark):
            raise TickDataError(
                f"{file}, row 1: starts with a byte order mark: some program saved it again, and "
                "those round long numbers; download it again, or if the vendor writes it so, set "
                "`encoding: utf-8-sig` in the market's YAML"
            )
    lines: list[str] = []
    starts: list[int] = []
    at = len(head) - len(head.lstrip(_BLANKS))
    for raw in head[at:].split(b"\n", 2 * _FIRST_LINES)[:-1]:
        if raw.strip(_BLANKS):
            lines.append(decoded(raw))
            starts.append(at)
        at += len(raw) + 1
    if not lines:
        return [], 0
    above = count_preamble(lines[:_FIRST_LINES])
    return lines[above:_FIRST_LINES], starts[above]


def _next_line(data: NDArray[np.uint8], at: int) -> int:
    return data.tobytes().index(b"\n", at) + 1


def _last_line(block: LineBlock) -> tuple[bytes, int] | None:
    """Return the last line that is not blank, and its number."""
    for n_bytes in (_TAIL_BYTES, block.data.size):
        tail = block.data[-n_bytes:].tobytes()
        stop = len(tail.rstrip(_BLANKS))
        start = tail.rfind(b"\n", 0, stop) + 1
        if start or (stop and len(tail) == block.data.size):
            after = tail.count(b"\n", stop)
            return tail[start : tail.index(b"\n", stop)], block.first_line + block.n_lines - after
    return None


def _refuse_cut_off(
    file: str, layout: Layout, last: bytes, line: int, cut: bool, words: dict[str, int]
) -> None:
    """Stop at a last row with too few fields, or unreadable and without its newline."""
    text = decoded(last)
    fields = split_line(text, layout.delimiter)
    torn = len(fields) < layout.n_columns
    if not torn and cut:
        parsed, _ = read_lines([text], layout, words)
        blank = any(fields[place] == "" for place in layout.used.values())
        readable = Reason(parsed.reason[0]).is_readable
        torn = blank or not readable or bool(parsed.odd_side[0])
        torn = torn or not closes_quotes(text, layout.delimiter)
    if torn:
        raise TickDataError(
            f"{file}, row {line}: {shown(text)!r} is cut off: the file ends inside its last row; "
            "download it again"
        )


def _refuse_cut_number(file: str, layout: Layout, last: bytes, line: int) -> None:
    """Stop where a number ends the file: it may be cut off, and would be another number."""
    places = layout.used
    numbers = places.keys() - {"trade_id", "is_buyer_maker", "side", "symbol"}
    if layout.n_columns - 1 in {places[name] for name in numbers}:
        raise TickDataError(
            f"{file}, row {line}: {shown(decoded(last))!r} ends the file without a newline: its "
            "last number may be cut off; download it again, or end it with a newline if it is whole"
        )


def table_parts(make: MakeScanner, market: Market, path: Path, file: str) -> Iterator[Part]:
    """Read batches, one after the other."""
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
