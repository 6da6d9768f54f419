"""The prices that a month's book meets, one after the other, and the end of the month after them.

Positions of orders, fills and marks are places on this tape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from price_physics.frames import FloatArray, IntArray
    from price_physics.months import Month
    from price_physics.prices import Prices


@dataclass(frozen=True)
class Tape:
    """Prices of the month before and of the month, and then one that never traded.

    That last one is the end of the month at the last trade's price. It carries the final mark and
    exits for want of a tick.

    Attributes
    ----------
    prices : Prices
        In turn: a candle is two of them, its open and its close.
    first : int
        Place of the month's first price.
    end_ns : int
        The end of the month.
    prices_a_tick : int
        2 where a candle stands for a tick.
    """

    prices: Prices
    first: int
    end_ns: int
    prices_a_tick: int

    @classmethod
    def of(cls, prices: Prices, month: Month) -> Tape:
        """Put the prices of the month before and of the month in turn."""
        in_turn = prices.in_turn()
        first = int(np.searchsorted(in_turn.time_ns, month.start_ns, side="left"))
        return cls(in_turn, first, month.end_ns, 1 if prices.are_ticks else 2)

    @property
    def last(self) -> int:
        """Place of the end of the month; 0 where nothing has ever traded."""
        return len(self.prices.time_ns)

    def time_at(self, place: IntArray) -> IntArray:
        """When the prices at some places are known."""
        return look_up(self.prices.time_ns, place, self.end_ns)

    def price_at(self, place: IntArray | int) -> FloatArray:
        """The prices at some places; at the end of the month the last there was, NaN if none."""
        close = self.prices.close
        return look_up(close, place, close[-1] if self.last else np.nan)


def look_up(values: np.ndarray, place: IntArray | int, beyond: float) -> np.ndarray:
    """Values at some places, and `beyond` behind the last of them."""
    place = np.asarray(place)
    held = place < len(values)
    found = np.full(place.shape, beyond, dtype=values.dtype)
    found[held] = values[place[held]]
    return found
