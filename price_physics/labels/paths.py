"""The path of the price after an event: where it starts, how far it goes.

`build` and `excursions` share it; it knows no barriers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from price_physics.frames import FloatArray, IntArray
from price_physics.labels.kernels import path_extremes
from price_physics.prices import Prices, prices_of
from price_physics.schemas.bars import BARS

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.study import Study


@dataclass(frozen=True)
class Paths:
    """The prices that touch barriers, and where the path of each event starts among them.

    Attributes
    ----------
    prices : Prices
        Prices of the month before and of the month.
    event : int64 array of shape (n_events,)
        The last position known at each event; its path starts with the next.
    """

    prices: Prices
    event: IntArray

    def excursions_in_atr(
        self, last: IntArray, price: FloatArray, atr: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Largest rise and fall after each event, in ATR and at least 0.

        Parameters
        ----------
        last : int64 array of shape (n_events,)
            The last position of each event's path.
        price, atr : float64 array of shape (n_events,)
            Price and ATR at the event.

        Returns
        -------
        rise, fall : float64 array of shape (n_events,)
        """
        highest, lowest = path_extremes(self.prices.high, self.event + 1, last)
        if not self.prices.are_ticks:
            _, lowest = path_extremes(self.prices.low, self.event + 1, last)
        return np.maximum((highest - price) / atr, 0.0), np.maximum((price - lowest) / atr, 0.0)


def paths_of(study: Study, month: Month, past: Past, event_time_ns: IntArray) -> Paths:
    """Find the paths of events of the month before and of the month.

    Parameters
    ----------
    past : Past
        TICKS or CANDLES of m-1 and m, or BARS where `labels.path` is "bars".
    event_time_ns : int64 array of shape (n_events,)
        Sorted.

    Raises
    ------
    StoreError
        When the bars were not built from these prices.
    """
    months = (month - 1, month)
    if study.labels.path == "bars":
        prices = prices_of(past, months, BARS)
        return Paths(prices, prices.last_by(event_time_ns))
    prices = prices_of(past, months)
    return Paths(prices, prices.last_at(event_time_ns, by_clock=study.bars.kind == "time"))
