"""Lay out dumps as vendors do: names of files, headers, columns. Values come from ``exchange``.

Numbers are written as exact decimals. Vendors' daily files are daily here too. A writer is not
part of its vendor's module in ``ticks/formats``, so that a change to it makes no ticks stale.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from price_physics.months import Month
from price_physics.truth.exchange import PRICE_DECIMALS, QTY_DECIMALS, Ticks
from price_physics.truth.kernels import BYTES, TEXT, format_rows

_QUOTE_DECIMALS = PRICE_DECIMALS + QTY_DECIMALS
_MICROSECONDS_FROM_US = Month(2025, 1).start_ns // 1_000  # Binance's spot files
_TICK_DIRECTIONS = ["ZeroMinusTick", "MinusTick", "PlusTick", "ZeroPlusTick"]
_TARDIS_LATENCY_US = 4_000
_ROWS_A_BLOCK = 1 << 17


@dataclass(frozen=True)
class Number:
    """The decimal ``values / 10**n_decimals``; values are int64, none negative."""

    values: NDArray[np.int64]
    n_decimals: int = 0


@dataclass(frozen=True)
class Words:
    """In each row, one of a few words."""

    which: NDArray[np.integer] | NDArray[np.bool_]
    words: list[str]


@dataclass(frozen=True)
class Raw:
    """Bytes of one width: uint8 array of shape (n_rows, width). A file has at most one."""

    content: NDArray[np.uint8]


Column = Number | Words | Raw


@dataclass(frozen=True)
class DumpFormat:
    """One vendor's files.

    Attributes
    ----------
    name : str
        Name of a file, with {symbol} and {period}. Its ending says how the file is packed.
    columns : callable
        Maps ticks, symbol and seed to the columns of their rows.
    header : str
        First line without its end; empty if there is none.
    period : {"month", "day"}
        What one file holds.
    """

    name: str
    columns: Callable[[Ticks, str, int], list[Column]]
    header: str = ""
    period: Literal["month", "day"] = "month"


def csv_blocks(columns: list[Column]) -> Iterator[memoryview]:
    """Write columns as lines of CSV, some hundred thousand lines at a time."""
    words = [word for c in columns if isinstance(c, Words) for word in c.words]
    stop = np.cumsum([0, *(len(word) for word in words)])
    text = np.frombuffer("".join(words).encode("ascii"), np.uint8)
    values, kinds, longest, n_words = [], [], len(columns), 0
    raw = np.empty((0, 0), np.uint8)
    for column in columns:
        if isinstance(column, Number):
            values.append(column.values)
            kinds.append(column.n_decimals)
            longest += 21 + column.n_decimals
        elif isinstance(column, Words):
            values.append(column.which.astype(np.int64) + n_words)
            kinds.append(TEXT)
            n_words += len(column.words)
            longest += max(map(len, column.words))
        else:
            raw = column.content
            values.append(np.zeros(len(raw), np.int64))
            kinds.append(BYTES)
            longest += raw.shape[1]
    matrix = np.stack(values)
    for at in range(0, matrix.shape[1], _ROWS_A_BLOCK):
        part = matrix[:, at : at + _ROWS_A_BLOCK]
        out = np.empty(part.shape[1] * longest, np.uint8)  # a new one: the last is still in use
        n_bytes = format_rows(part, np.array(kinds), text, stop, raw[at : at + _ROWS_A_BLOCK], out)
        yield out[:n_bytes].data


def random_uuids(trade_id: NDArray[np.int64], seed: int) -> NDArray[np.uint8]:
    """Version-4 uuids that depend on seed and trade id only: uint8 array of shape (n, 36)."""
    key = np.array([seed % 2**64], np.uint64)
    high = _mix(trade_id.astype(np.uint64) + _mix(key))
    bits = np.stack([high, _mix(high + _mix(key + np.uint64(1)))], axis=1).astype(">u8")
    octets = bits.view(np.uint8)
    octets[:, 6] = octets[:, 6] & 0x0F | 0x40
    octets[:, 8] = octets[:, 8] & 0x3F | 0x80
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    text = np.full((len(octets), 36), ord("-"), np.uint8)
    places = [i for i in range(36) if i not in (8, 13, 18, 23)]
    text[:, places[0::2]] = digits[octets >> 4]
    text[:, places[1::2]] = digits[octets & 15]
    return text


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64 bits, one to one (SplitMix64; Steele, Lea and Flood 2014)."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


# ---------------------------------------------------------------------------- layouts
def _price(ticks: Ticks) -> Number:
    return Number(ticks.price_ticks, PRICE_DECIMALS)


def _qty(ticks: Ticks) -> Number:
    return Number(ticks.qty_lots, QTY_DECIMALS)


def _quote(ticks: Ticks) -> Number:
    return Number(ticks.price_ticks * ticks.qty_lots, _QUOTE_DECIMALS)


def _eight_decimals(number: Number) -> Number:
    return Number(number.values * 10 ** (8 - number.n_decimals), 8)


def _constant(word: str, ticks: Ticks) -> Words:
    return Words(np.zeros(len(ticks.trade_id), np.int64), [word])


def _binance_spot(ticks: Ticks, symbol: str, seed: int) -> list[Column]:
    unit = 1 if ticks.hour_start_us >= _MICROSECONDS_FROM_US else 1_000
    return [
        Number(ticks.trade_id),
        *map(_eight_decimals, (_price(ticks), _qty(ticks), _quote(ticks))),
        Number(ticks.time_us // unit),
        Words(ticks.is_buyer_maker, ["False", "True"]),
        _constant("True", ticks),
    ]


def _binance_futures(ticks: Ticks, symbol: str, seed: int) -> list[Column]:
    return [
        Number(ticks.trade_id),
        _price(ticks),
        _qty(ticks),
        _quote(ticks),
        Number(ticks.time_us // 1_000),
        Words(ticks.is_buyer_maker, ["false", "true"]),
    ]


def _bybit(ticks: Ticks, symbol: str, seed: int) -> list[Column]:
    changed = np.diff(ticks.price_ticks, prepend=ticks.price_before) != 0
    quote = _quote(ticks)
    return [
        Number(ticks.time_us // 100, 4),
        _constant(symbol, ticks),
        Words(ticks.is_buyer_maker, ["Buy", "Sell"]),
        _qty(ticks),
        _price(ticks),
        Words(np.where(ticks.move < 0, changed, 3 - changed), _TICK_DIRECTIONS),
        Raw(random_uuids(ticks.trade_id, seed)),
        Number(quote.values * 10 ** (8 - _QUOTE_DECIMALS)),  # grossValue: 1e-8 of a unit
        _qty(ticks),
        quote,
    ]


def _tardis(ticks: Ticks, symbol: str, seed: int) -> list[Column]:
    return [
        _constant("synthetic", ticks),
        _constant(symbol, ticks),
        Number(ticks.time_us),
        Number(ticks.time_us + _TARDIS_LATENCY_US),
        Number(ticks.trade_id),
        Words(ticks.is_buyer_maker, ["buy", "sell"]),
        _price(ticks),
        _qty(ticks),
    ]


def _bitcoincharts(ticks: Ticks, symbol: str, seed: int) -> list[Column]:
    price, qty = (
        Number(n.values * 10 ** (12 - n.n_decimals), 12) for n in (_price(ticks), _qty(ticks))
    )
    return [Number(ticks.time_us // 1_000_000), price, qty]


def _generic(ticks: Ticks, symbol: str, seed: int) -> list[Column]:
    return [
        Number(ticks.time_us),
        _price(ticks),
        _qty(ticks),
        Number(ticks.trade_id),
        Words(ticks.is_buyer_maker, ["false", "true"]),
    ]


_GENERIC_HEADER = "timestamp,price,qty,trade_id,is_buyer_maker"

DUMP_FORMATS = {
    "binance_futures_trades": DumpFormat(
        "{symbol}-trades-{period}.zip",
        _binance_futures,
        "id,price,qty,quote_qty,time,is_buyer_maker",
    ),
    "binance_spot_trades": DumpFormat("{symbol}-trades-{period}.zip", _binance_spot),
    "bitcoincharts": DumpFormat("{symbol}-{period}.csv", _bitcoincharts),
    "bybit_derivatives": DumpFormat(
        "{symbol}{period}.csv.gz",
        _bybit,
        "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,"
        "foreignNotional",
        period="day",
    ),
    "generic": DumpFormat("{symbol}-{period}.csv", _generic, _GENERIC_HEADER),
    "generic_parquet": DumpFormat("{symbol}-{period}.parquet", _generic, _GENERIC_HEADER),
    "tardis": DumpFormat(
        "synthetic_trades_{period}_{symbol}.csv.gz",
        _tardis,
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
        period="day",
    ),
}
"""The formats that can be written."""
