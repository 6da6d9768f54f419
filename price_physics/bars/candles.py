"""The stage where rows are candles: candles of a month -> its bars.

The rules are those of ticks, with a candle for a tick: at its mean price, of all its volume, at the
moment at which it ends. What a bar opened at and how far it reached, its candles say.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from price_physics.bars.build import bars_frame, close_bars
from price_physics.months import Month
from price_physics.schemas import CANDLES
from price_physics.study import BarsConfig


def build_bars_of_candles(
    config: BarsConfig, month: Month, candles: Mapping[Month, Iterable[pd.DataFrame]]
) -> pd.DataFrame:
    """Build the bars of one month: each of whole candles, and every candle in exactly one.

    Parameters
    ----------
    config : BarsConfig
        Kind and parameters; no kind that counts the sides of trades. Ticks are candles here.
    month : Month
        Its candles must be in `candles`.
    candles : mapping of Month to iterable of DataFrame
        CANDLES, as ticks in `build_bars`.

    Returns
    -------
    DataFrame
        BARS; empty for a month without candles.
    """
    rows = {m: _as_ticks(_whole(candles[m])) for m in (month - 1, month) if m in candles}
    times, values, is_partial = close_bars(config, month, {m: [rows[m]] for m in rows})
    whole = _whole(candles[month])
    if not len(whole):
        return bars_frame(month, times, values, is_partial)
    stop = np.cumsum(times[:, 2])
    start = np.r_[0, stop[:-1]]
    opened, high, low, close, bought = (
        whole[name].to_numpy(np.float64) for name in ("open", "high", "low", "close", "buy_volume")
    )
    times[:, 0] = whole["open_time_ns"].to_numpy(np.int64)[start]
    values[:, 0] = opened[start]
    values[:, 1] = np.maximum.reduceat(high, start)
    values[:, 2] = np.minimum.reduceat(low, start)
    values[:, 3] = close[stop - 1]
    values[:, 6] = np.add.reduceat(bought, start)
    return bars_frame(month, times, values, is_partial)


def _whole(chunks: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([CANDLES.empty(), *chunks], ignore_index=True)


def _as_ticks(candles: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "time_ns": candles["close_time_ns"],
            "price": candles["notional"] / candles["volume"],
            "qty": candles["volume"],
            "tick_sign": np.ones(len(candles), np.int8),
        }
    )
