"""One vendor file in, one frame of its rows out, whatever their months.

Blocks of lines (or parquet batches) are parsed one after the other. Rows that cannot be
trusted come back as faults with their line and text; a file that cannot be trusted stops here.
Rows are neither sorted nor compared with each other: that is ``clean``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.study import Market
from price_physics.ticks.files import BLOCK_BYTES, display_name, read_blocks, verify_checksum
from price_physics.ticks.formats import FORMATS, Layout
from price_physics.ticks.formats.layout import split_line
from price_physics.ticks.lines import closes_quotes, split_lines
from price_physics.ticks.parse import FAULTS, UNITS, UNREADABLE, Parsed, parse_columns

_BATCH_ROWS = 1 << 18
_LONGEST_FIRST_LINE = 4096
_ROWS: dict[str, type] = {
    "time_ns": np.int64,
    "trade_id": np.int64,
    "price": np.float64,
    "qty": np.float64,
    "sign": np.int8,
    "row": np.int64,
}
_FAULTS: dict[str, type] = {
    "row": np.int64,
    "reason": object,
    "raw": object,
    "time_ns": np.int64,
    "own_time": bool,
}


@dataclass(frozen=True)
class FileTicks:
    """All rows of one file.

    Attributes
    ----------
    path : Path
    file : str
        The name for tables and messages.
    has_ids : bool
        Whether `trade_id` is the venue's.
    rows : DataFrame
        Good rows in file order: time_ns, trade_id, price, qty, sign (0 where the row has no
        side), row (1-based line).
    faults : DataFrame
        The others in file order: row, reason, raw, time_ns, own_time. Where `own_time` is
        false the time could not be read and `time_ns` is that of the nearest row before whose
        time could be, or of the next one.
    """

    path: Path
    file: str
    has_ids: bool
    rows: pd.DataFrame
    faults: pd.DataFrame


@dataclass(frozen=True)
class _Block:
    """Some rows of a file: `columns` and `lines` are in step; `torn` lines are no rows."""

    first_line: int
    source: bytes | pa.Table
    columns: dict[str, pa.Array]
    lines: NDArray[np.int64]
    torn: dict[int, str]

    def raw(self, lines: NDArray[np.int64]) -> list[str]:
        """The text of some lines; a parquet row's values, joined by commas."""
        places = [int(line) - self.first_line for line in lines]
        if isinstance(self.source, bytes):
            text = self.source.split(b"\n")
            return [text[place].rstrip(b"\r").decode("utf-8", "replace") for place in places]
        rows = self.source.take(pa.array(places, pa.int64())).to_pylist()
        return [",".join(str(value) for value in row.values()) for row in rows]


def read_file(market: Market, path: Path, root: Path, block_bytes: int = BLOCK_BYTES) -> FileTicks:
    """Read one vendor file.

    Parameters
    ----------
    market : Market
        Its vendor and columns.
    path, root : Path
        The file, and the folder that its name in messages is relative to.
    block_bytes : int
        Text that is parsed at once; the result does not depend on it.

    Returns
    -------
    FileTicks

    Raises
    ------
    TickDataError
        When the file is damaged, cut off, empty, of another schema, or mixes units of time.
    """
    file = display_name(path, root)
    verify_checksum(path, file)
    has_ids, unit = False, 0
    rows, faults = [_frame(_ROWS)], [_frame(_FAULTS)]
    for layout, block in _blocks(market, path, file, block_bytes):
        has_ids = layout.trade_id is not None
        try:
            parsed = parse_columns(block.columns)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise TickDataError(
                f"{file}, from row {block.first_line}: {error}; correct `columns:` in "
                f"configs/markets/{market.name}.yaml"
            ) from error
        unit = _one_unit(file, unit, parsed, block)
        rows.append(_good_rows(parsed, block))
        faults.append(_faults(parsed, block))
    good = pd.concat(rows, ignore_index=True)
    return FileTicks(path, file, has_ids, good, _attribute(file, good, pd.concat(faults)))


def read_raw(market: Market, path: Path, file: str, lines: NDArray[np.int64]) -> list[str]:
    """Read the text of some good rows again, given their sorted 1-based lines."""
    raw: list[str] = []
    for _, block in _blocks(market, path, file, BLOCK_BYTES):
        raw += block.raw(lines[np.isin(lines, block.lines)])
    return raw


# ---------------------------------------------------------------------------- rows
def _good_rows(parsed: Parsed, block: _Block) -> pd.DataFrame:
    columns = (parsed.time_ns, parsed.trade_id, parsed.price, parsed.qty, parsed.sign, block.lines)
    return pd.DataFrame(dict(zip(_ROWS, columns, strict=True)))[parsed.fault == 0]


def _faults(parsed: Parsed, block: _Block) -> pd.DataFrame:
    bad = parsed.fault > 0
    lines = np.concatenate([block.lines[bad], np.array(list(block.torn), np.int64)])
    if not lines.size:
        return _frame(_FAULTS)
    no_time = np.zeros(len(block.torn), np.int64)
    columns = (
        lines,
        [FAULTS[code] for code in parsed.fault[bad]] + list(block.torn.values()),
        block.raw(lines),
        np.concatenate([parsed.time_ns[bad], no_time]),
        np.concatenate([parsed.unit[bad] > 0, no_time > 0]),
    )
    faults = pd.DataFrame(dict(zip(_FAULTS, columns, strict=True))).astype(_FAULTS)
    return faults.sort_values("row", ignore_index=True)


def _frame(types: Mapping[str, type]) -> pd.DataFrame:
    return pd.DataFrame({name: np.empty(0, kind) for name, kind in types.items()})


def _one_unit(file: str, unit: int, parsed: Parsed, block: _Block) -> int:
    """Return the file's unit of time, refusing a row in another."""
    known = parsed.unit[parsed.unit > 0]
    if not known.size:
        return unit
    unit = unit or int(known[0])
    other = np.flatnonzero((parsed.unit > 0) & (parsed.unit != unit))
    if other.size:
        line = block.lines[other[:1]]
        raise TickDataError(
            f"{file}, row {line[0]}: {block.raw(line)[0]!r} has its time in "
            f"{UNITS[parsed.unit[other[0]]]}, the rows before it in {UNITS[unit]}; split the file"
        )
    return unit


def _attribute(file: str, rows: pd.DataFrame, faults: pd.DataFrame) -> pd.DataFrame:
    """Give faults without a time that of the nearest timed row before, else of the next."""
    faults = faults.reset_index(drop=True)
    lost = ~faults["own_time"].to_numpy()
    if not lost.any():
        return faults
    timed = pd.concat([rows[["row", "time_ns"]], faults.loc[~lost, ["row", "time_ns"]]])
    timed = timed.sort_values("row")
    if timed.empty:
        raise TickDataError(
            f"{file}, row {faults['row'][0]}: {faults['raw'][0]!r}: {faults['reason'][0]}, and no "
            "other row of the file has a time either; correct the market's `columns:` or `header:`"
        )
    before = np.searchsorted(timed["row"], faults.loc[lost, "row"]) - 1
    faults.loc[lost, "time_ns"] = timed["time_ns"].to_numpy()[np.maximum(before, 0)]
    return faults


# ---------------------------------------------------------------------------- blocks
def _blocks(
    market: Market, path: Path, file: str, block_bytes: int
) -> Iterator[tuple[Layout, _Block]]:
    if path.suffix == ".parquet":
        return _parquet_blocks(market, path, file)
    return _text_blocks(market, path, file, block_bytes)


def _text_blocks(
    market: Market, path: Path, file: str, block_bytes: int
) -> Iterator[tuple[Layout, _Block]]:
    layout: Layout | None = None
    line, last_line, last = 1, 1, b""
    for data in read_blocks(path, file, block_bytes):
        if line == 1:
            data = data.removeprefix(b"\xef\xbb\xbf")
        if layout is None and data.strip():
            text = data.lstrip(b"\r\n")
            first, newline, rest = text.partition(b"\n")
            shown = first.decode("utf-8", "replace").rstrip("\r")[:_LONGEST_FIRST_LINE]
            layout = FORMATS[market.vendor].of_text(shown, market, file)
            if layout.has_header:  # its line stays, blank, so that rows keep their numbers
                data = data[: len(data) - len(text)] + newline + rest
        if layout is not None and data.strip():
            last_line, last = line, data
            try:
                columns, places, torn = split_lines(data, layout)
            except ValueError as error:
                raise TickDataError(f"{file}, from row {line}: {error}; mend the file") from error
            torn = {place + line: reason for place, reason in torn.items()}
            yield layout, _Block(line, data, columns, places + line, torn)
        line += data.count(b"\n")
    if layout is None:
        raise TickDataError(f"{file}: holds no row; download it again, or remove it")
    _refuse_cut_off(file, layout, last, last_line)


def _refuse_cut_off(file: str, layout: Layout, data: bytes, first_line: int) -> None:
    """Stop at a last row with too few fields, or unreadable and without its newline."""
    raw = data.rstrip().rpartition(b"\n")[2]
    text = raw.decode("utf-8", "replace")
    fields = split_line(text, layout.delimiter)
    cut = bool(text) and len(fields) < layout.n_columns
    if text and not cut and not data.endswith(b"\n"):
        columns = {name: pa.array([fields[place]]) for name, place in layout.used.items()}
        blank = any(fields[place] == "" for place in layout.used.values())
        unreadable = int(parse_columns(columns).fault[0]) in UNREADABLE
        cut = blank or unreadable or not closes_quotes(raw, layout.delimiter)
    if cut:
        row = first_line + data.rstrip().count(b"\n")
        raise TickDataError(
            f"{file}, row {row}: {text!r} is cut off: the file ends inside its last row; download "
            "it again"
        )


def _parquet_blocks(market: Market, path: Path, file: str) -> Iterator[tuple[Layout, _Block]]:
    of_names = FORMATS[market.vendor].of_names
    if of_names is None:
        raise TickDataError(
            f"{file}: {market.vendor} dumps are text, this is parquet; set `vendor: generic` in "
            f"configs/markets/{market.name}.yaml"
        )
    line = 1
    try:
        with pa.parquet.ParquetFile(path) as dump:
            layout = of_names(dump.schema_arrow.names, market, file)
            for batch in dump.iter_batches(_BATCH_ROWS, use_threads=False):
                columns = {name: batch.column(place) for name, place in layout.used.items()}
                lines = np.arange(line, line + batch.num_rows)
                yield layout, _Block(line, pa.Table.from_batches([batch]), columns, lines, {})
                line += batch.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise TickDataError(
            f"{file}, after row {line - 1}: damaged: {error}; download it again"
        ) from error
