"""Shapes of what is read of a file: rows as arrays, the faults among them, both in blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from price_physics.study.market import Market

RowKind = Literal["trades", "candles"]

NO_ID, ORDERED_ID, TEXT_ID = 0, 1, 2
"""Kinds of id: none; an integer that orders trades of one time; the hash of a text."""

_LONGEST_SHOWN = 300


def kind_of_rows(market: Market) -> RowKind:
    """Say what the rows of a market's files are."""
    return "candles" if market.candle_ns else "trades"


class AnyRows(Protocol):
    """What rows of trades and of candles have in common."""

    @property
    def time_ns(self) -> NDArray[np.int64]: ...

    @property
    def line(self) -> NDArray[np.int64]: ...

    def at(self, places: slice | NDArray) -> Self: ...


RowsT = TypeVar("RowsT", bound=AnyRows)


class TradeRows(NamedTuple):
    """Good rows of trades as arrays, all of shape (n_rows,).

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
    def empty(cls, n_rows: int = 0) -> TradeRows:
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

    def at(self, places: slice | NDArray) -> TradeRows:
        """Some of the rows: a view for a slice, else a copy."""
        return TradeRows._make(column[places] for column in self)

    @classmethod
    def concatenate(cls, parts: list[TradeRows]) -> TradeRows:
        if not parts:
            return cls.empty()
        return cls._make(np.concatenate(columns) for columns in zip(*parts, strict=True))


class CandleRows(NamedTuple):
    """Good rows of candles as arrays, all of shape (n_rows,).

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
    doubtful : bool
        The dump's volumes in both currencies give no price of the candle: the one that is not
        mapped as its volume is not believed, and made of the other and the typical price.
    line : int64
        1-based line in the file, or row of a table.
    """

    time_ns: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    notional: NDArray[np.float64]
    buy_volume: NDArray[np.float64]
    doubtful: NDArray[np.bool_]
    line: NDArray[np.int64]

    @classmethod
    def empty(cls) -> CandleRows:
        whole, real = np.empty(0, np.int64), np.empty(0, np.float64)
        return cls(whole, real, real, real, real, real, real, real, np.empty(0, bool), whole)

    def at(self, places: slice | NDArray) -> CandleRows:
        """Some of the rows: a view for a slice, else a copy."""
        return CandleRows._make(column[places] for column in self)

    @classmethod
    def concatenate(cls, parts: Sequence[CandleRows]) -> CandleRows:
        columns = zip(cls.empty(), *parts, strict=True)
        return cls._make(np.concatenate(column) for column in columns)


@dataclass(frozen=True)
class Fault:
    """A row set aside.

    Attributes
    ----------
    line : int
        1-based line in the file, or row of a table.
    reason : str
        The words of a `Reason`.
    raw : str
        The row as it was read, as far as it is shown.
    time_ns : int
        Its time, UTC. Where that could not be read, the time of the nearest row before whose time
        could be, or else of the next one.
    own_time : bool
        Whether the time is its own.
    """

    line: int
    reason: str
    raw: str
    time_ns: int
    own_time: bool

    def __str__(self) -> str:
        return f"row {self.line}: {self.raw!r}: {self.reason}"


@dataclass(frozen=True)
class Block(Generic[RowsT]):
    """Consecutive rows of one file and the faults among them, in file order.

    Attributes
    ----------
    rows : TradeRows or CandleRows
    faults : list of Fault
    vendor : str
        The format that the file is of.
    """

    rows: RowsT
    faults: list[Fault]
    vendor: str


@dataclass(frozen=True)
class Part(Generic[RowsT]):
    """What is read at once.

    Attributes
    ----------
    rows : TradeRows or CandleRows
    unit : int8 array of shape (n_rows,)
        The unit of each row's time, a position in ``parse.UNITS``.
    faults : list of Fault
    fault_units : list of int
        The unit of each fault's time.
    raw : callable
        Gives the texts of lines.
    vendor : str
        The format that the file is of.
    """

    rows: RowsT
    unit: NDArray[np.int8]
    faults: list[Fault]
    fault_units: list[int]
    raw: Callable[[Sequence[int]], list[str]]
    vendor: str


def in_file_order(
    torn: list[Fault], faults: list[Fault], units: list[int]
) -> tuple[list[Fault], list[int]]:
    """Merge the faults of lines that are no rows, which have no unit, with those of rows."""
    both, both_units = torn + faults, [0] * len(torn) + units
    order = sorted(range(len(both)), key=lambda place: both[place].line)
    return [both[place] for place in order], [both_units[place] for place in order]


def shown(text: str) -> str:
    """Return as much of a row as tables and messages hold."""
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " ..."


def decoded(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "replace")
