"""Prices of consecutive months, whatever rows they come from: ticks, candles or bars.

Here alone it is decided what a row of each tells of price, and when. What is done with prices,
barriers that they touch or orders that they fill, is not here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from price_physics.errors import StoreError
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
"""The columns that are the fields of `Prices`, of every table that has any."""


@dataclass(frozen=True)
class Prices:
    """Prices in the order in which they are known.

    Attributes
    ----------
    open_time_ns : int64 array of shape (n,)
        From when the open is known: the time of a tick, the start of a candle.
    time_ns : int64 array of shape (n,)
        When all of it is known: the time of a tick, the end of a candle, the close of a bar, and
        of a bar that the end of the month closed, that end.
    open, high, low, close : float64 array of shape (n,)
        Of ticks all four are the same array, as the two times are.
    """

    open_time_ns: IntArray
    time_ns: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray

    @property
    def are_ticks(self) -> bool:
        """Whether these are all the prices there were: nothing happened between two of them."""
        return self.high is self.low

    def in_turn(self) -> Prices:
        """Ticks as they are, and every candle as two prices.

        Its open, from its start on, and its close at its end. Where between the two its high and
        low were, nobody knows: they stand at its end.
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
        """The last position known at each moment; -1 before the first."""
        return np.searchsorted(self.time_ns, moment_ns, side="right") - 1

    def last_at(self, event_time_ns: IntArray, by_clock: bool = False) -> IntArray:
        """The last position known at each event, which is the close of a bar of these prices.

        With `by_clock`, for bars that the clock closes, it may be an earlier one.

        Raises
        ------
        StoreError
            When there is no price at an event's time, or none before it: these are not those
            behind the bars.
        """
        last = self.last_by(event_time_ns)
        since = 0 if by_clock else np.searchsorted(self.time_ns, event_time_ns, side="left")
        stray = event_time_ns[last < since]
        if len(stray):
            raise StoreError(
                f"no tick at event_time_ns {stray[0]}, the close of a bar of "
                f"{Month.of(int(stray[0]))}: the ticks were built again and the bars were not; "
                "materialise bars of that month and of all later ones again"
            )
        return last


def prices_of(past: Past, months: Iterable[Month], rows: TableSchema | None = None) -> Prices:
    """Lay out the prices of consecutive months; absent ones count as empty.

    Parameters
    ----------
    months : iterable of Month
        In order.
    rows : TableSchema, optional
        BARS, or else what the market's rows are: TICKS or CANDLES. Only the columns that tell of
        price are read: ticks are long.
    """
    schema = rows or past.rows
    columns = dict.fromkeys(_COLUMNS[schema])
    arrays = stack(schema, past.table(schema, *columns), months, *columns)
    by_name = dict(zip(columns, arrays, strict=True))
    return Prices(*(by_name[name] for name in _COLUMNS[schema]))


def _in_turn(first: IntArray | FloatArray, second: IntArray | FloatArray) -> np.ndarray:
    return np.stack([first, second], axis=1).ravel()
