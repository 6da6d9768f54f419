"""How much is traded in a market's files, and which bars of value that makes."""

from __future__ import annotations

from functools import cached_property
from math import floor, log10
from typing import TYPE_CHECKING

import numpy as np

from price_physics.bars.kernels import dollar_bars
from price_physics.ticks.reading.rows import CandleRows

if TYPE_CHECKING:
    from pathlib import Path

    from price_physics.ticks.index import FileEntry
    from price_physics.ticks.reading.rows import Block

BARS_A_DAY = 200.0
"""What ten million a bar gave on Binance's BTCUSDT, as in the example of candles."""
ROWS_A_BAR = 4.0
"""Least rows that a bar is made of on average, as in the demo."""
KEPT_ROWS, PIECES = 10_000, 10
"""Rows of a block whose values are kept, and the pieces of neighbours that they are kept in."""
DAY_NS = 86_400 * 10**9


class Activity:
    """Counts rows and days while files are read, and keeps values (see `ticks.look.Taker`)."""

    def __init__(self) -> None:
        self.n_rows = 0
        self._days: set[int] = set()
        self._kept: list[np.ndarray] = []

    def wants(self, entry: FileEntry) -> bool:
        """Want every file: the index holds no values."""
        return True

    def take(self, block: Block, number: int) -> None:
        """Note the days of a block's rows, and the values of some of them."""
        rows = block.rows
        self.n_rows += rows.time_ns.size
        self._days.update(np.unique(rows.time_ns // DAY_NS).tolist())
        value = rows.notional if isinstance(rows, CandleRows) else rows.price * rows.qty
        pieces = np.array_split(np.nan_to_num(value), PIECES)
        self._kept += [piece[: KEPT_ROWS // PIECES].copy() for piece in pieces]

    def end_file(self, number: int, file: str, path: Path, entry: FileEntry) -> None:
        """Settle nothing."""

    @property
    def n_days(self) -> int:
        """Days with a row."""
        return len(self._days)

    @property
    def is_traded(self) -> bool:
        """Whether any value is known: candles may come without a volume."""
        return any((kept > 0).any() for kept in self._kept)

    @property
    def bars_a_day(self) -> float:
        """Bars a day to aim at."""
        return max(1.0, min(BARS_A_DAY, self.n_rows / self.n_days / ROWS_A_BAR))

    @cached_property
    def threshold(self) -> float:
        """Value in quote currency at which so many bars close, in two digits.

        Counted, not divided: where few trades make a bar, each overshoots by much of itself.
        """
        value = np.concatenate(self._kept)
        ones = np.ones_like(value)
        wanted = self.bars_a_day * self.n_days * value.size / self.n_rows
        low, high = float(value[value > 0].min()), float(value.sum())
        for _ in range(40):
            middle = (low * high) ** 0.5
            if dollar_bars(value, ones, middle).size > wanted:
                low = middle
            else:
                high = middle
        return two_digits(high)


def two_digits(value: float) -> float:
    """Round to two digits.

    Examples
    --------
    >>> two_digits(12345.6), two_digits(0.0678)
    (12000.0, 0.068)
    """
    return round(value, 1 - floor(log10(value)))
