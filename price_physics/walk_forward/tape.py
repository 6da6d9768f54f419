"""Put the prices that a month's book meets in turn, with the end of the month after them.

Orders, fills and marks refer to places on this tape.
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
    """Prices of the month before and of the month, then one place at which nothing trades.

    That place is the end of the month, at the last trade's price. The final mark is there, and so
    are the exits that no tick allowed.

    Attributes
    ----------
    prices : Prices
        In turn: a candle is two of them, its open and its close.
    first : int
        Place of the month's first price.
    end_ns : int
        The end of the month.
    prices_a_tick : int
        2 where candles replace ticks, else 1.
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
        """Return when the prices at some places are known."""
        return look_up(self.prices.time_ns, place, self.end_ns)

    def price_at(self, place: IntArray | int) -> FloatArray:
        """Return the prices at some places; at the end of the month the last price, NaN if none."""
        close = self.prices.close
        return look_up(close, place, close[-1] if self.last else np.nan)


def look_up(values: np.ndarray, place: IntArray | int, beyond: float) -> np.ndarray:
    """Return the values at some places; `beyond` for places after the last."""
    place = np.asarray(place)
    held = place < len(values)
    found = np.full(place.shape, beyond, dtype=values.dtype)
    found[held] = values[place[held]]
    return found
