"""Turn lines of a CSV, or batches of a table, into trades."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, NoReturn, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute
from numpy.typing import NDArray

from price_physics.errors import TickDataError
from price_physics.ticks import kernels
from price_physics.ticks.reading.lines import fields_of, read_lines, torn_reason
from price_physics.ticks.reading.parquet import refuse_long_text, texts
from price_physics.ticks.reading.parse import SIGNS, Parsed, parse_columns
from price_physics.ticks.reading.reasons import Reason
from price_physics.ticks.reading.rows import (
    ORDERED_ID,
    TEXT_ID,
    Fault,
    Part,
    TradeRows,
    decoded,
    in_file_order,
    shown,
)

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.ticks.formats.layout import Layout
    from price_physics.ticks.reading.blocks import LineBlock

_ROLES = {
    "time": kernels.TIME,
    "price": kernels.PRICE,
    "qty": kernels.QTY,
    "trade_id": kernels.TRADE_ID,
    "is_buyer_maker": kernels.SIDE,
    "side": kernels.SIDE,
    "symbol": kernels.SYMBOL,
}
_SIGN_OF = {"buy": 1, "sell": -1, "unknown": 0}
_MOST_WORDS = 10
_MOST_ODD = 1 << 12
_MOST_PASSES = 4


class TradeScanner:
    """Reads one file of trades: the plain rows by the kernel, the odd ones with care."""

    ahead_ns = 86_400 * 10**9  # clocks differ, but not by a day

    def __init__(self, layout: Layout, market: Market, file: str) -> None:
        self.layout, self._market, self._file = layout, market, file
        role_of = np.full(layout.n_columns, kernels.UNUSED)
        for name, place in layout.used.items():
            role_of[place] = _ROLES[name]
        self._words = words_of(market)
        words = SIGNS["side" if layout.side is not None else "is_buyer_maker"] | self._words
        packed = {kernels.pack(_letters(w), 0, _letters(w).size): sign for w, sign in words.items()}
        packed.pop(-1, None)  # words too long to be packed make odd lines
        self._shape = kernels.RowShape(
            delimiter=ord(layout.delimiter),
            role_of=role_of,
            text_id=layout.trade_id_is_text,
            symbol=_letters(market.symbol.lower()),
            mixed=layout.mixes_symbols,
            sides=np.array(list(packed.items())),
        )

    def read(self, block: LineBlock, at: int) -> Iterator[Part]:
        """Read a block from byte `at`, the first of a line.

        What follows many odd lines is read when it is asked for: such a file may be refused first.
        """
        parts = self._passes(block, at)
        return chain(list(islice(parts, _MOST_PASSES)), parts)

    def _passes(self, block: LineBlock, at: int) -> Iterator[Part]:
        data = block.data
        line = block.first_line + int(np.count_nonzero(data[:at] == 10))
        ended = False  # a block without rows gives an empty part, which names the vendor
        while not ended:
            n_most = block.first_line + block.n_lines - line
            own, unit = TradeRows.empty(n_most), np.empty(n_most, np.int8)
            odd = np.empty((min(n_most, _MOST_ODD), 3), np.int64)
            columns = (own.time_ns, unit, own.price, own.qty, own.trade_id)
            n_rows, n_odd, n_lines, at = kernels.read_rows(
                data, at, self._shape, line, (*columns, own.id_kind, own.sign, own.line), odd
            )
            ended = at >= data.size
            rows, unit = own.at(slice(n_rows)), unit[:n_rows]
            faults: list[Fault] = []
            fault_units: list[int] = []
            if n_odd:
                last = block.first_line + block.n_lines - 1 if block.cut else 0
                more, more_unit, faults, fault_units = self._look_at(data, odd[:n_odd], last)
                if more.line.size:
                    order = np.concatenate([rows.line, more.line]).argsort(kind="stable")
                    rows = TradeRows.concatenate([rows, more]).at(order)
                    unit = np.concatenate([unit, more_unit])[order]
            _in_base(rows, self.layout)
            yield Part(rows, unit, faults, fault_units, block.texts, self.layout.vendor)
            line += n_lines

    def _look_at(
        self, data: NDArray[np.uint8], odd: NDArray[np.int64], cut: int
    ) -> tuple[TradeRows, NDArray, list[Fault], list[int]]:
        """Read odd lines: rows after all with their units, and faults with theirs.

        A line `cut` may end inside a word.
        """
        text = [decoded(data[begin:stop].tobytes()) for _, begin, stop in odd]
        reasons = [torn_reason(raw, self.layout) for raw in text]
        torn = [
            Fault(int(odd[place, 0]), reason, shown(text[place]), 0, False)
            for place, reason in enumerate(reasons)
            if reason
        ]
        whole = np.array([not reason for reason in reasons])
        lines = odd[whole, 0]
        raws = [raw for raw, is_whole in zip(text, whole, strict=True) if is_whole]
        parsed, symbols = read_lines(raws, self.layout, self._words)
        if self.layout.symbol is not None:
            wanted = self._market.symbol.lower()
            other = np.array([symbol.lower() != wanted for symbol in symbols], bool)
            if other.any() and not self.layout.mixes_symbols:
                row = int(other.argmax())
                raise other_symbol(
                    self._file, int(lines[row]), raws[row], symbols[row], self._market
                )
            lines, parsed = lines[~other], parsed.at(~other)
            raws = [raw for raw, is_other in zip(raws, other, strict=True) if not is_other]
        odd_side = np.flatnonzero(parsed.odd_side & (lines != cut))
        if odd_side.size:
            texts_of = {int(lines[row]): raws[row] for row in odd_side}
            fields = [fields_of(raw, self.layout) for raw in texts_of.values()]
            self._refuse_words(texts_of, [row[self._side] for row in fields])
        bad = [raws[row] for row in np.flatnonzero(parsed.reason)]
        faults, units = _faults(parsed, lines, bad)
        rows, row_units = _rows(parsed, lines, self.layout)
        return rows, row_units, *in_file_order(torn, faults, units)

    def read_table(self, batch: pa.RecordBatch, first: int) -> Part[TradeRows]:
        """Read a batch of a table whose first row is number `first`."""
        layout, market, file = self.layout, self._market, self._file
        columns = {name: batch.column(place) for name, place in layout.used.items()}
        refuse_long_text(columns, first, file)
        lines = np.arange(first, first + batch.num_rows)
        other = other_rows(columns.pop("symbol", None), market)
        if other.any() and not layout.mixes_symbols:
            row = int(other.argmax())
            line, symbol = int(lines[row]), str(batch.column(layout.used["symbol"])[row])
            raise other_symbol(file, line, texts(batch, first, [line])[0], symbol, market)
        parsed = parse_columns(columns, layout.trade_id_is_text, self._words)
        if other.any():
            lines, parsed = lines[~other], parsed.at(~other)
        if parsed.odd_side.any():
            odd = lines[parsed.odd_side].tolist()
            column = batch.column(self._side).to_pylist()
            shown_rows = dict(zip(odd[:1], texts(batch, first, odd[:1]), strict=True))
            self._refuse_words(shown_rows, [str(column[line - first]) for line in odd])
        bad = texts(batch, first, lines[parsed.reason > 0].tolist())
        faults, fault_units = _faults(parsed, lines, bad)
        rows, unit = _rows(parsed, lines, layout)
        _in_base(rows, layout)
        return Part(rows, unit, faults, fault_units, partial(texts, batch, first), layout.vendor)

    @property
    def _side(self) -> int:
        return cast(int, self.layout.used.get("side", self.layout.is_buyer_maker))

    def _refuse_words(self, rows: Mapping[int, str], words: Sequence[str]) -> NoReturn:
        """Stop at words for sides that are not known: to guess would turn sellers into buyers."""
        line, raw = next(iter(rows.items()))
        found = list(dict.fromkeys(word.lower() for word in words))[:_MOST_WORDS]
        mapped = ", ".join(f"{json.dumps(word, ensure_ascii=False)}: unknown" for word in found)
        raise TickDataError(
            f"{self._file}, row {line}: {shown(raw)!r}: the side is given as "
            f"{', '.join(map(repr, found))}, which says nothing of buyer or seller; in "
            f"configs/markets/{self._market.name}.yaml say what it means, buy, sell or unknown: "
            f"`side_words: {{{mapped}}}`"
        )


def words_of(market: Market) -> dict[str, int]:
    """Return the signs of the words for sides that the market itself explains."""
    words = market.side_words or {}
    return {word.strip().lower(): _SIGN_OF[meaning] for word, meaning in words.items()}


def _faults(
    parsed: Parsed, lines: NDArray[np.int64], raw: Sequence[str]
) -> tuple[list[Fault], list[int]]:
    """Return the faults among parsed rows with their units; `raw` is the text of those rows."""
    bad = np.flatnonzero(parsed.reason)
    faults = [
        Fault(
            int(lines[row]),
            Reason(parsed.reason[row]).words,
            shown(raw[place]),
            int(parsed.time_ns[row]),
            bool(parsed.unit[row]),
        )
        for place, row in enumerate(bad)
    ]
    return faults, [int(parsed.unit[row]) for row in bad]


def _rows(parsed: Parsed, lines: NDArray[np.int64], layout: Layout) -> tuple[TradeRows, NDArray]:
    """Return the good rows, and the units of their times."""
    good = parsed.reason == Reason.NONE
    kind = parsed.has_id * np.int8(TEXT_ID if layout.trade_id_is_text else ORDERED_ID)
    columns = (parsed.time_ns, parsed.trade_id, parsed.price, parsed.qty, lines, kind, parsed.sign)
    return TradeRows(*columns).at(good), parsed.unit[good]


def _in_base(rows: TradeRows, layout: Layout) -> None:
    """Turn quantities of contracts or of quote currency into base quantities, in place."""
    if layout.qty_scale != 1.0:
        np.multiply(rows.qty, layout.qty_scale, out=rows.qty)
    if layout.qty_is_quote:
        np.divide(rows.qty, rows.price, out=rows.qty)


def other_symbol(file: str, line: int, raw: str, symbol: str, market: Market) -> TickDataError:
    return TickDataError(
        f"{file}, row {line}: {shown(raw)!r} is of {symbol!r}, the market's symbol is "
        f"{market.symbol!r}; correct `symbol:` or `files:` in configs/markets/{market.name}.yaml"
    )


def other_rows(column: pa.Array | None, market: Market) -> NDArray[np.bool_]:
    """Find the rows of other instruments; none where the table does not say."""
    if column is None:
        return np.zeros(1, bool)
    symbols = pa.compute.utf8_lower(pa.compute.cast(column, pa.string()).fill_null(""))
    return ~np.array(pa.compute.equal(symbols, market.symbol.lower()), bool)


def _letters(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)
