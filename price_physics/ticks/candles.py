"""Candles: lines of a CSV, or batches of a table, to rows of open, high, low, close and volume.

A dump stamps a candle with its start; all of it but its open is known at its end, which is where
it stands in time here. Candles are few beside the trades in them: pyarrow splits the lines.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from price_physics.study.market import Market
from price_physics.ticks.files import LineBlock
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.parquet import refuse_long_text, texts
from price_physics.ticks.parse import parse_numbers, parse_times, plain
from price_physics.ticks.rows import Fault, Part, in_file_order
from price_physics.ticks.trades import other_rows, other_symbol

Float64 = NDArray[np.float64]

_PRICES = ("open", "high", "low", "price")
_A_SECOND_NS = 10**9
_FARTHEST = 2.0
"""How far volumes that were rounded may put the mean price beyond low and high."""


class CandleRows(NamedTuple):
    """Good rows as arrays, all of shape (n_rows,).

    A candle in which nothing traded has no volume, and prices that nobody paid, or NaN.

    Attributes
    ----------
    time_ns : int64
        Last instant of the candle, UTC.
    open, high, low, close : float64
        Quote currency.
    volume, notional : float64
        Base and quote quantity.
    buy_volume : float64
        Base quantity that the aggressor bought; NaN where the dump does not say.
    line : int64
        1-based line in the file, or row of a table.
    """

    time_ns: NDArray[np.int64]
    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64
    notional: Float64
    buy_volume: Float64
    line: NDArray[np.int64]

    @classmethod
    def empty(cls) -> "CandleRows":
        whole, real = np.empty(0, np.int64), np.empty(0, np.float64)
        return cls(whole, real, real, real, real, real, real, real, whole)

    def at(self, places: slice | NDArray) -> "CandleRows":
        """Some of the rows: a view for a slice, else a copy."""
        return CandleRows._make(column[places] for column in self)

    @classmethod
    def concatenate(cls, parts: Sequence["CandleRows"]) -> "CandleRows":
        columns = zip(cls.empty(), *parts, strict=True)
        return cls._make(np.concatenate(column) for column in columns)


NOT_A_START = "time is not the start, in UTC, of a candle of the market's candle_minutes"
NOT_AN_END = "close time is not the end of a candle of the market's candle_minutes"
_FAULTS = (
    "",
    "time is not a time",
    NOT_A_START,
    "volume is not a finite number",
    "volume is below zero",
    "a price is not a finite number",
    "a price is not above zero",
    "high is not the highest, or low the lowest price",
    "the volume in the other currency is not a finite number",
    "the volumes in both currencies give no price of the candle",
    "buy volume is not a number from zero to the volume",
    NOT_AN_END,
)
_VALUES = {2, 4, 6, 7, 10, 11}


class CandleScanner:
    """Reads one file of candles.

    Parameters
    ----------
    layout : Layout
    market : Market
        Its symbol and the length of a candle.
    file : str
        The name for messages.
    """

    readable = frozenset(_FAULTS[code] for code in _VALUES)

    def __init__(self, layout: Layout, market: Market, file: str) -> None:
        self.layout, self._market, self._file = layout, market, file

    def read(self, block: LineBlock, at: int) -> Iterator[Part[CandleRows]]:
        """Read a block from byte `at`, the first of a line."""
        return iter([self._read(block, at)])

    def _read(self, block: LineBlock, at: int) -> Part[CandleRows]:
        first = block.first_line + int(np.count_nonzero(block.data[:at] == 10))
        table, places, torn = _split(block.data[at:].tobytes(), self.layout)
        columns = {name: table[place] for name, place in self.layout.used.items()}

        lines = [first + place for place, _ in torn]
        faults = [
            Fault(line, f"row has {n} fields, not {self.layout.n_columns}", text, 0, False)
            for line, (_, n), text in zip(lines, torn, block.texts(lines), strict=True)
        ]
        part = self._part(columns, first + places, block.texts)
        faults, units = in_file_order(faults, part.faults, part.fault_units)
        return replace(part, faults=faults, fault_units=units)

    def read_table(self, batch: pa.RecordBatch, first: int) -> Part[CandleRows]:
        """Read a batch of a table whose first row is number `first`."""
        columns = {name: batch.column(place) for name, place in self.layout.used.items()}
        refuse_long_text(columns, first, self._file)
        lines = np.arange(first, first + batch.num_rows)
        return self._part(columns, lines, partial(texts, batch, first))

    def _part(
        self,
        columns: dict[str, pa.Array],
        line: NDArray[np.int64],
        raw: Callable[[Sequence[int]], list[str]],
    ) -> Part[CandleRows]:
        symbol = columns.pop("symbol", None)
        if symbol is not None and (other := other_rows(symbol, self._market)).any():
            row = int(other.argmax())
            place = int(line[row])
            raise other_symbol(self._file, place, raw([place])[0], str(symbol[row]), self._market)
        columns = {name: plain(column) for name, column in columns.items()}
        start_ns, unit = _times(columns["time"])
        rows, fault = self._check(start_ns, unit, columns, line)
        bad = np.flatnonzero(fault)
        faults = [
            Fault(
                int(line[row]), _FAULTS[fault[row]], text, int(rows.time_ns[row]), bool(unit[row])
            )
            for row, text in zip(bad, raw(line[bad].tolist()), strict=True)
        ]
        good = fault == 0
        return Part(rows.at(good), unit[good], faults, unit[bad].tolist(), raw)

    @np.errstate(all="ignore")  # what is not finite is a fault, not a warning
    def _check(
        self,
        start_ns: NDArray[np.int64],
        unit: NDArray[np.int8],
        columns: dict[str, pa.Array],
        line: NDArray[np.int64],
    ) -> tuple[CandleRows, NDArray[np.int8]]:
        """Every row, and a position in ``_FAULTS``: 0 for a good one."""
        layout, length_ns = self.layout, self._market.candle_ns
        times = {"time", "close_time"}
        numbers = {n: parse_numbers(column) for n, column in columns.items() if n not in times}
        is_end = np.ones(line.size, bool)
        if "close_time" in columns:
            # the last unit of the candle, be it seconds, ms or µs, or the start of the next one
            left_ns = start_ns + length_ns - _times(columns["close_time"])[0]
            is_end = (left_ns >= 0) & (left_ns <= min(_A_SECOND_NS, length_ns // 2))
        opened, high, low, close = prices = [numbers[name] for name in _PRICES]
        qty = numbers["qty"]
        typical = (high + low + close) / 3
        own = qty * layout.qty_scale
        if layout.qty_is_quote:
            volume, notional = numbers.get("other_qty", own / typical), own
        else:
            volume, notional = own, numbers.get("other_qty", own * typical)
        bought = numbers.get("buy_qty", np.full(qty.size, np.nan))
        of_silence = 0.0 if "buy_qty" in numbers else np.nan
        buy_volume = volume * np.where(qty > 0, bought / qty, of_silence)
        mean = notional / volume
        traded = ~(qty == 0)
        volume[~traded] = notional[~traded] = 0.0
        checks = {  # in the order in which a row's first fault is named
            1: unit == 0,
            2: start_ns % length_ns != 0,
            11: ~is_end,
            3: ~np.isfinite(qty),
            4: qty < 0,
            5: traded & ~np.isfinite(sum(prices)),
            6: traded & (np.minimum.reduce(prices) <= 0),
            7: traded & ((np.maximum.reduce(prices) > high) | (np.minimum.reduce(prices) < low)),
            8: traded & ~(np.isfinite(volume) & np.isfinite(notional)),
            9: traded & ~((mean >= low / _FARTHEST) & (mean <= high * _FARTHEST)),
            10: traded & ("buy_qty" in numbers) & ~((bought >= 0) & (bought <= qty)),
        }
        fault = np.select(list(checks.values()), list(checks), 0).astype(np.int8)
        end_ns = np.where(unit > 0, start_ns + length_ns - 1, 0)
        rows = CandleRows(
            end_ns, opened, high, low, close, volume, notional, buy_volume, line.astype(np.int64)
        )
        return rows, fault


def _times(column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Read times; days and minutes, as candles have them, are those of midnight and second 0."""
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.timestamp("ns"))
    elif pa.types.is_string(column.type):
        for short, rest in (
            (r"^(\d{4}-\d{2}-\d{2})$", r"\1T00:00:00"),
            (r"^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})$", r"\1:00"),
        ):
            column = pc.replace_substring_regex(pc.utf8_trim_whitespace(column), short, rest)
    return parse_times(column)


def _split(
    data: bytes, layout: Layout
) -> tuple[list[pa.Array], NDArray[np.int64], list[tuple[int, int]]]:
    """Split lines into columns of text.

    Returns
    -------
    columns : list of string arrays
        One a field of the layout, of the lines that have as many fields.
    places : int64 array
        Of those lines, from 0.
    torn : list of (int, int)
        Places of other lines that are not blank, and how many fields they have.
    """
    text = data.replace(b"\r", b" ")
    if not text.isascii():
        # pyarrow would drop a byte order mark that begins a block, and keep any other
        text = text.decode("utf-8", "replace").replace("\ufeff", "\ufffd").encode()
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n"))
    if not ends.size:
        return [pa.array([], pa.string())] * layout.n_columns, np.empty(0, np.int64), []
    odd: list[tuple[int, int, bool]] = []

    def set_aside(row: pyarrow.csv.InvalidRow) -> str:
        odd.append((row.number - 1, row.actual_columns, not row.text.strip()))
        return "skip"

    names = [str(place) for place in range(layout.n_columns)]
    table = pyarrow.csv.read_csv(
        pa.BufferReader(text),
        pyarrow.csv.ReadOptions(
            column_names=names, use_threads=False, block_size=max(len(text), 1)
        ),
        pyarrow.csv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char=False,
            ignore_empty_lines=False,
            invalid_row_handler=set_aside,
        ),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    is_whole = np.ones(ends.size, bool)
    is_whole[[place for place, _, _ in odd]] = False
    is_blank = np.diff(ends, prepend=-1) == 1  # pyarrow makes a row of empty texts of it
    kept = pa.array(~is_blank[is_whole])
    columns = [
        pc.utf8_trim(column.combine_chunks().filter(kept), '" \t') for column in table.columns
    ]
    torn = [(place, n_fields) for place, n_fields, only_spaces in odd if not only_spaces]
    return columns, np.flatnonzero(is_whole & ~is_blank), torn
