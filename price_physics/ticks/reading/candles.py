"""Turn lines of a CSV, or batches of a table, into candles.

A dump stamps a candle with its start. Here its time is its end: all of it but the open is known
only then. Candles are few beside the trades in them, so pyarrow splits the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from price_physics.ticks.kernels import LEAST, MOST_PRICE, MOST_QTY
from price_physics.ticks.reading.parquet import refuse_long_text, texts
from price_physics.ticks.reading.parse import first_reason, parse_numbers, parse_times, plain
from price_physics.ticks.reading.reasons import Reason
from price_physics.ticks.reading.rows import CandleRows, Fault, Part, in_file_order
from price_physics.ticks.reading.trades import other_rows, other_symbol

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.ticks.formats.layout import Layout
    from price_physics.ticks.reading.blocks import LineBlock

_PRICES = ("open", "high", "low", "price")
_TIMES = ("time", "close_time")
_A_SECOND_NS = 10**9
_FARTHEST = 2.0
"""How far volumes that were rounded may put the mean price beyond low and high."""


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

    ahead_ns = 0  # a candle that is not over yet still changes

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
            Fault(line, Reason.N_FIELDS.words.format(n, self.layout.n_columns), text, 0, False)
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
        rows, reason = self._check(start_ns, unit, columns, line)
        bad = np.flatnonzero(reason)
        faults = [
            Fault(
                line=int(line[row]),
                reason=Reason(reason[row]).words,
                raw=text,
                time_ns=int(rows.time_ns[row]),
                own_time=bool(unit[row]),
            )
            for row, text in zip(bad, raw(line[bad].tolist()), strict=True)
        ]
        good = reason == Reason.NONE
        units = unit[bad].tolist()
        return Part(rows.at(good), unit[good], faults, units, raw, self.layout.vendor)

    @np.errstate(all="ignore")  # what is not finite is a fault, not a warning
    def _check(
        self,
        start_ns: NDArray[np.int64],
        unit: NDArray[np.int8],
        columns: dict[str, pa.Array],
        line: NDArray[np.int64],
    ) -> tuple[CandleRows, NDArray[np.int8]]:
        """Return every row, and the first `Reason` to set it aside."""
        length_ns = self._market.candle_ns
        numbers = {n: parse_numbers(c) for n, c in columns.items() if n not in _TIMES}
        opened, high, low, close = prices = [numbers[name] for name in _PRICES]
        lowest, highest = np.minimum.reduce(prices), np.maximum.reduce(prices)
        qty, bought = numbers["qty"], numbers.get("buy_qty", np.zeros(line.size))
        traded = ~(qty == 0)
        volumes = _volumes(numbers, self.layout)
        finite = np.isfinite(volumes[0]) & np.isfinite(volumes[1])
        mean = volumes[1] / volumes[0]
        doubtful = traded & ~((mean >= low / _FARTHEST) & (mean <= high * _FARTHEST))
        if doubtful.any():
            own = _volumes({n: v for n, v in numbers.items() if n != "other_qty"}, self.layout)
            volumes = [np.where(doubtful, o, v) for o, v in zip(own, volumes, strict=True)]
        volume, notional, buy_volume = volumes
        volume[~traded] = notional[~traded] = 0.0
        checks = {
            Reason.TIME: unit == 0,
            Reason.START: start_ns % length_ns != 0,
            Reason.END: ~_is_end(columns, start_ns, length_ns),
            Reason.VOLUME: ~np.isfinite(qty),
            Reason.VOLUME_SIGN: qty < 0,
            Reason.ANY_PRICE: traded & ~np.isfinite(sum(prices)),
            Reason.ANY_PRICE_SIGN: traded & (lowest <= 0),
            Reason.ANY_PRICE_RANGE: traded & ((lowest < LEAST) | (highest > MOST_PRICE)),
            Reason.VOLUME_RANGE: traded & ((qty < LEAST) | (qty > MOST_QTY)),
            Reason.RANGE: traded & ((highest > high) | (lowest < low)),
            Reason.OTHER_VOLUME: traded & ~finite,
            Reason.BUY_VOLUME: traded & ~((bought >= 0) & (bought <= qty)),
        }
        end_ns = np.where(unit > 0, start_ns + length_ns - 1, 0)
        rows = CandleRows(
            time_ns=end_ns,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            notional=notional,
            buy_volume=buy_volume,
            doubtful=doubtful,
            line=line.astype(np.int64),
        )
        return rows, first_reason(checks)


def _volumes(numbers: dict[str, NDArray[np.float64]], layout: Layout) -> list[NDArray[np.float64]]:
    """Return the volume in base and in quote currency, and the part that the aggressor bought."""
    qty = numbers["qty"]
    typical = (numbers["high"] + numbers["low"] + numbers["price"]) / 3
    own = qty * layout.qty_scale
    if layout.qty_is_quote:
        volume, notional = numbers.get("other_qty", own / typical), own
    else:
        volume, notional = own, numbers.get("other_qty", own * typical)
    bought = numbers.get("buy_qty", np.full(qty.size, np.nan))
    of_silence = 0.0 if "buy_qty" in numbers else np.nan
    return [volume, notional, volume * np.where(qty > 0, bought / qty, of_silence)]


def _is_end(
    columns: dict[str, pa.Array], start_ns: NDArray[np.int64], length_ns: int
) -> NDArray[np.bool_]:
    """Say whether the end that a dump gives is the candle's; True where it gives none.

    Dumps give the last second, millisecond or microsecond of the candle, or the start of the next.
    """
    if "close_time" not in columns:
        return np.ones(start_ns.size, bool)
    left_ns = start_ns + length_ns - _times(columns["close_time"])[0]
    return (left_ns >= 0) & (left_ns <= min(_A_SECOND_NS, length_ns // 2))


def _times(column: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
    """Read times; a date without a clock is midnight, a clock without seconds has second 0."""
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.timestamp("ns"))
    elif pa.types.is_string(column.type):
        for short, rest in (
            (r"^(\d{4})[-./]?(\d{2})[-./]?(\d{2})$", r"\1-\2-\3T00:00:00"),
            (r"^(\d{2})\.(\d{2})\.(\d{4})$", r"\3-\2-\1T00:00:00"),
            (r"^((?:\d{4}[-./]\d{2}[-./]\d{2}|\d{2}\.\d{2}\.\d{4})[T ]\d{2}:\d{2})$", r"\1:00"),
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
