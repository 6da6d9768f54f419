"""What is read of a file: rows as arrays, the faults among them, and both together in blocks.

Shapes only. How text becomes rows is in ``trades`` and ``candles``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

NO_ID, ORDERED_ID, TEXT_ID = 0, 1, 2
"""Kinds of id: none; an integer that orders trades of one time; the hash of a text."""

_LONGEST_SHOWN = 300


class AnyRows(Protocol):
    """What rows of trades and of candles have in common."""

    @property
    def time_ns(self) -> NDArray[np.int64]: ...

    @property
    def line(self) -> NDArray[np.int64]: ...

    def at(self, places: slice | NDArray) -> Self: ...


RowsT = TypeVar("RowsT", bound=AnyRows)


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
class Block(Generic[RowsT]):
    """Consecutive rows of one file and the faults among them, in file order."""

    rows: RowsT
    faults: list[Fault]


@dataclass(frozen=True)
class Part(Generic[RowsT]):
    """What was read at once: rows, the unit of each row's time, faults, and any line's text."""

    rows: RowsT
    unit: NDArray[np.int8]
    faults: list[Fault]
    fault_units: list[int]
    raw: Callable[[Sequence[int]], list[str]]


def in_file_order(
    torn: list[Fault], faults: list[Fault], units: list[int]
) -> tuple[list[Fault], list[int]]:
    """Faults of lines that are no rows among those of rows; and the units, none of the former."""
    both, both_units = torn + faults, [0] * len(torn) + units
    order = sorted(range(len(both)), key=lambda place: both[place].line)
    return [both[place] for place in order], [both_units[place] for place in order]


def shown(text: str) -> str:
    """As much of a row as tables and messages hold."""
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + " ..."


def decoded(line: bytes) -> str:
    return line.rstrip(b"\r\n").decode("utf-8", "replace")
