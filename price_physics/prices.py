"""Prices of consecutive months, whatever rows they come from: ticks, candles or bars.

This module alone decides what a row of each kind tells of the price, and when. It knows neither
the barriers that prices touch nor the orders that they fill.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from price_physics.errors import StaleInputs
from price_physics.frames import FloatArray, IntArray, stack
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import CANDLES, TICKS

if TYPE_CHECKING:
    from price_physics.past import Past
    from price_physics.schemas.table import TableSchema

_COLUMNS = {
    TICKS: ("time_ns", "time_ns", "price", "price", "price", "price"),
    CANDLES: ("open_time_ns", "close_time_ns", "open", "high", "low", "close"),
    BARS: ("open_time_ns", "known_at", "open", "high", "low", "close"),
}
"""For each table with prices, the columns that fill the fields of `Prices`, in order."""


@dataclass(frozen=True)
class Prices:
    """Prices in the order in which they are known.

    Attributes
    ----------
    open_time_ns : int64 array of shape (n,)
        From when the open is known: the time of a tick, the start of a candle.
    time_ns : int64 array of shape (n,)
        When the whole row is known: the time of a tick, the end of a candle, the close of a bar
        (of a partial bar, the end of the month).
    open, high, low, close : float64 array of shape (n,)
        For ticks all four are the same array, and so are the two times.
    """

    open_time_ns: IntArray
    time_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray

    @property
    def are_ticks(self) -> bool:
        """Whether these are ticks: all the prices there were, with nothing between two of them."""
        return self.high is self.low

    def in_turn(self) -> Prices:
        """Return ticks as they are, and split every candle into two rows.

        The first is its open, known from its start on. The second holds its high, low and close,
        known at its end: nobody knows when in between the high and the low were.
        """
        if self.are_ticks:
            return self
        return Prices(
            _in_turn(self.open_time_ns, self.open_time_ns),
            _in_turn(self.open_time_ns, self.time_ns),
            _in_turn(self.open, self.open),
            _in_turn(self.open, self.high),
            _in_turn(self.open, self.low),
            _in_turn(self.open, self.close),
        )

    def last_by(self, moment_ns: IntArray) -> IntArray:
        """Return the last position known at each moment; -1 before the first."""
        return np.searchsorted(self.time_ns, moment_ns, side="right") - 1

    def last_at(self, event_time_ns: IntArray, by_clock: bool = False) -> IntArray:
        """Return the last position known at each event, the close of a bar of these prices.

        Its time is the event's own; with `by_clock`, for time bars, it may be earlier.

        Raises
        ------
        StaleInputs
            When there is no such price: the bars were built from others.
        """
        last = self.last_by(event_time_ns)
        since = 0 if by_clock else np.searchsorted(self.time_ns, event_time_ns, side="left")
        stray = event_time_ns[last < since]
        if len(stray):
            raise StaleInputs(
                f"no tick at event_time_ns {stray[0]}, the close of a bar of "
                f"{Month.of(int(stray[0]))}: the ticks were built again and the bars were not"
            )
        return last


def prices_of(past: Past, months: Iterable[Month], rows: TableSchema | None = None) -> Prices:
    """Join the prices of consecutive months; absent ones count as empty.

    Parameters
    ----------
    months : iterable of Month
        In order.
    rows : TableSchema, optional
        BARS; by default the market's rows, TICKS or CANDLES. Only the columns that `Prices` needs
        are read: ticks are long.
    """
    schema = rows or past.rows
    columns = dict.fromkeys(_COLUMNS[schema])
    arrays = stack(schema, past.table(schema, *columns), months, *columns)
    by_name = dict(zip(columns, arrays, strict=True))
    return Prices(*(by_name[name] for name in _COLUMNS[schema]))


def _in_turn(first: IntArray | FloatArray, second: IntArray | FloatArray) -> np.ndarray:
    return np.stack([first, second], axis=1).ravel()
