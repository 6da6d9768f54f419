"""Chain all out-of-sample months into curves: equity, buy and hold, drawdown.

Every month's equity starts at 1. Months are chained by their daily returns, on which the verdict is
based; within a month the curve follows the bar closes. Nothing is scored here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.walk_forward.trial import out_of_sample

if TYPE_CHECKING:
    from price_physics.walk_forward.month import MonthWalk


@dataclass(frozen=True)
class Curves:
    """Levels over time, 1 at the start; times are int64 UTC ns, ascending.

    `net` and `gross` belong to `time_ns`, `market` (buy and hold) to `day_ns`.
    """

    time_ns: np.ndarray
    net: np.ndarray
    gross: np.ndarray
    day_ns: np.ndarray
    market: np.ndarray

    @property
    def drawdown(self) -> np.ndarray:
        """Loss from the highest net equity so far, as a fraction, at most 0."""
        return drawdown(self.net)


def drawdown(equity: np.ndarray) -> np.ndarray:
    """Return equity over its running maximum, less 1.

    Examples
    --------
    >>> drawdown(np.array([1.0, 2.0, 1.5, 3.0]))
    array([ 0.  ,  0.  , -0.25,  0.  ])
    """
    return equity / np.maximum.accumulate(equity) - 1


def compound(returns: pd.Series) -> float:
    """Chain returns: the product of 1 + r, less 1.

    Examples
    --------
    >>> round(compound(pd.Series([0.1, -0.5])), 12)
    -0.45
    """
    return float((1 + returns).prod() - 1)


def chain_months(months: Mapping[Month, MonthWalk]) -> Curves:
    """Chain the out-of-sample months among `months`; warm-up months have no curve."""
    times: list[np.ndarray] = []
    levels: dict[str, list[np.ndarray]] = {"net": [], "gross": []}
    days: list[np.ndarray] = []
    market: list[np.ndarray] = []
    start = {"net": 1.0, "gross": 1.0, "market": 1.0}
    for month in out_of_sample(months):
        walk = months[month]
        times.append(np.r_[month.start_ns, walk.equity["time_ns"].to_numpy(), month.stop_ns])
        for name, column in (("net", "equity"), ("gross", "gross_equity")):
            inside = start[name] * walk.equity[column].to_numpy()
            stop = start[name] * (1 + compound(walk.daily[f"{name}_return"]))
            levels[name].append(np.r_[start[name], inside, stop])
            start[name] = stop
        path = start["market"] * (1 + walk.daily["market_return"].to_numpy()).cumprod()
        days.append(np.r_[month.start_ns, walk.daily["known_at"].to_numpy()])
        market.append(np.r_[start["market"], path])
        start["market"] = float(market[-1][-1])
    return Curves(
        time_ns=_joined(times, np.int64),
        net=_joined(levels["net"], np.float64),
        gross=_joined(levels["gross"], np.float64),
        day_ns=_joined(days, np.int64),
        market=_joined(market, np.float64),
    )


def _joined(parts: list[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.empty(0, dtype=dtype), *parts]).astype(dtype)
