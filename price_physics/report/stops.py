"""Report how far beyond their level stops left: the number, and the sentence with the rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from price_physics.report.format import bps, count
from price_physics.stops import OVERSTEP
from price_physics.walk_forward.exit_reasons import STOP_LOSS

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.study.study import Study

_OPEN = "each left at the open of a candle that opened beyond its level, or else "
_STEPS = f"{OVERSTEP:g} of the mean step from one candle's close to the next one's open"
_RULES = {
    ("ticks", False): "each left at the trade that touched its level",
    ("ticks", True): "each left at the first trade at least the latency after the one that touched",
    ("candles", True): f"{_OPEN}beyond its level by what highs and lows tell, up to {_STEPS}",
    ("candles", False): f"{_OPEN}beyond its level by {_STEPS}",
}
"""The rule by which stops leave: by kind of prices, and whether there is a latency."""


def stop_numbers(
    study: Study, market: Market, trades: pd.DataFrame, predictions: Iterable[pd.DataFrame]
) -> dict[str, Any]:
    """Count the stops, and average how far beyond their level they left.

    Parameters
    ----------
    trades : DataFrame
        TRADES out of sample.
    predictions : iterable of DataFrame
        PREDICTIONS that hold the signals of these trades.

    Returns
    -------
    dict
        `n_stops`; `mean_bps`, basis points of the level, None without a stop; `by`, the kind of
        prices, "ticks" or "candles"; `with_latency`, whether the study has one.
    """
    barriers = [p[["event_time_ns", "upper", "lower"]] for p in predictions if len(p)]
    stopped = trades[trades["exit_reason"] == STOP_LOSS]
    stopped = stopped.merge(pd.concat(barriers), on="event_time_ns") if barriers else stopped[:0]
    given_up = np.empty(0)
    if len(stopped):
        side = stopped["side"].to_numpy(dtype=np.int64)
        level = np.where(side > 0, stopped["lower"], stopped["upper"])
        given_up = side * (level - stopped["exit_price"].to_numpy(dtype=np.float64)) / level * 1e4
    return {
        "n_stops": len(given_up),
        "mean_bps": float(given_up.mean()) if len(given_up) else None,
        "by": "candles" if market.candle_ns else "ticks",
        "with_latency": study.walk_forward.latency_ns > 0,
    }


def stop_sentences(numbers: dict[str, Any]) -> list[str]:
    """Put `stop_numbers` into one sentence; return none where nothing was stopped."""
    if numbers["mean_bps"] is None:
        return []
    rule = _RULES[numbers["by"], numbers["with_latency"]]
    stops = count(numbers["n_stops"])
    return [
        f"Stops gave up {bps(numbers['mean_bps'], sign=False)} bps beyond their level, the mean of "
        f"{stops}: {rule}."
    ]
