"""Candles of a month -> its bars.

The rules are those of ticks: a candle counts as one tick at its end, with all its volume or
notional. A bar takes its open, high, low, close and sums from its candles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.bars.ticks import bars_frame, close_bars
from price_physics.schemas.ticks import CANDLES

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.study.bars import BarsConfig


def bars_of_candles(
    config: BarsConfig, month: Month, candles: Mapping[Month, Iterable[pd.DataFrame]]
) -> pd.DataFrame:
    """Build the bars of one month; every candle is in exactly one bar.

    Parameters
    ----------
    config : BarsConfig
        Kind and parameters; not of imbalance or run bars. Tick bars count candles.
    month : Month
        Its candles must be in `candles`.
    candles : mapping of Month to iterable of DataFrame
        CANDLES in chunks, as `bars_of_ticks` takes TICKS.

    Returns
    -------
    DataFrame
        BARS; empty for a month without candles.
    """
    # Chunks may come from a file that can be read only once.
    whole = {m: _joined(candles[m]) for m in (month - 1, month) if m in candles}
    ticks = {m: [_as_ticks(frame, config.unit)] for m, frame in whole.items()}
    times, values, is_partial = close_bars(config, month, ticks)
    if not len(times):
        return bars_frame(month, times, values, is_partial)
    columns = (column.to_numpy() for _, column in whole[month][CANDLES.columns].items())
    open_ns, _, opened, high, low, close, *sums = columns
    n_candles = times[:, 2]
    stop = np.cumsum(n_candles)
    start = stop - n_candles
    times[:, 0] = open_ns[start]
    values[:, 0] = opened[start]
    values[:, 1] = np.maximum.reduceat(high, start)
    values[:, 2] = np.minimum.reduceat(low, start)
    values[:, 3] = close[stop - 1]
    bar = np.repeat(np.arange(len(times)), n_candles)
    for place, column in zip((4, 5, 6), sums, strict=True):  # volume, notional, buy_volume
        # `np.bincount` adds in the order of the candles, `np.add.reduceat` does not
        values[:, place] = np.bincount(bar, column)
    return bars_frame(month, times, values, is_partial)


def _joined(chunks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([CANDLES.empty(), *chunks], ignore_index=True)


def _as_ticks(candles: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Disguise candles as ticks for `close_bars`: only the amount in the bars' unit is right.

    The price is 1 and the amount is the quantity. Price times quantity would round, and a notional
    that reaches the threshold exactly would often miss it.
    """
    amount = candles["notional"] if unit == "dollar" else candles["volume"]
    return pd.DataFrame(
        {"time_ns": candles["close_time_ns"], "price": 1.0, "qty": amount, "tick_sign": np.int8(1)}
    )
