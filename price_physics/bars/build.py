"""The stage: ticks of a month -> its bars, the open one at the end closed and flagged partial."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from price_physics.bars.kernels import bar_prices, bar_sums, dollar_bars
from price_physics.months import Month
from price_physics.schemas import BARS
from price_physics.study import BarsConfig

_DAY_NS = 86_400 * 10**9


def build_bars(
    config: BarsConfig, month: Month, ticks: Mapping[Month, pd.DataFrame]
) -> pd.DataFrame:
    """Build the dollar bars of one month.

    Every tick of the month is in exactly one bar, and no bar crosses a month's end.

    Parameters
    ----------
    config : BarsConfig
        Threshold, in quote currency.
    month : Month
        Its ticks must be in `ticks`.
    ticks : mapping of Month to DataFrame
        TICKS, sorted by time. The month before is read for an adaptive threshold only.

    Returns
    -------
    DataFrame
        BARS; empty for a month without ticks.
    """
    frame = ticks[month]
    if frame.empty:
        return BARS.empty()
    time_ns = frame["time_ns"].to_numpy(np.int64)
    price, qty = frame["price"].to_numpy(np.float64), frame["qty"].to_numpy(np.float64)
    closed = dollar_bars(price, qty, dollar_threshold(config, month, ticks))
    is_open = not closed.size or closed[-1] != price.size - 1
    last_tick = np.append(closed, price.size - 1) if is_open else closed
    partial = np.arange(last_tick.size) >= closed.size

    first_tick = np.append(0, last_tick[:-1] + 1)
    opens, highs, lows, closes = bar_prices(price, last_tick)
    volume, notional, bought = bar_sums(price, qty, frame["tick_sign"].to_numpy(), last_tick)
    close_time_ns = time_ns[last_tick]
    bars = {
        "open_time_ns": time_ns[first_tick],
        "close_time_ns": close_time_ns,
        "open": opens,
        "high": highs,
        "low": lows,
        "close": closes,
        "volume": volume,
        "notional": notional,
        "buy_volume": bought,
        # rounding may push the quotient of two sums past the prices it averages
        "vwap": np.clip(notional / volume, lows, highs),
        "n_ticks": last_tick - first_tick + 1,
        "partial": partial,
        "known_at": np.where(partial, month.end_ns, close_time_ns),
    }
    return pd.DataFrame(bars)[BARS.columns]


def dollar_threshold(
    config: BarsConfig, month: Month, ticks: Mapping[Month, pd.DataFrame]
) -> float:
    """Return the notional at which a bar of the month closes, quote currency.

    With `target_bars_a_day` it is what would have given so many bars a calendar day in the
    month before, within a factor of `clip_factor` of `threshold_quote` either way. Without
    that, or when the month before is not there or has no ticks, it is `threshold_quote`.
    """
    if config.target_bars_a_day is None or month - 1 not in ticks:
        return config.threshold_quote
    before = ticks[month - 1]
    if before.empty:
        return config.threshold_quote
    price, qty = before["price"].to_numpy(np.float64), before["qty"].to_numpy(np.float64)
    whole_month = np.array([price.size - 1])
    notional = bar_sums(price, qty, before["tick_sign"].to_numpy(), whole_month)[1, 0]
    n_days = (month.start_ns - (month - 1).start_ns) / _DAY_NS
    raw = float(notional) / n_days / config.target_bars_a_day
    lowest = config.threshold_quote / config.clip_factor
    return min(max(raw, lowest), config.threshold_quote * config.clip_factor)
