"""What is known of an event when its bar closes, without a model: barriers, driftless odds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.errors import StaleInputs
from price_physics.events.times import event_bars
from price_physics.frames import rows_of, stack
from price_physics.labels.atr import is_width, month_atr
from price_physics.labels.driftless import driftless_odds, horizon_bars_of_events
from price_physics.labels.policy import multiples
from price_physics.labels.sides import barrier_levels, event_sides
from price_physics.months import Month
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS

if TYPE_CHECKING:
    from price_physics.study.study import Study


def offered_events(
    study: Study,
    month: Month,
    event_time_ns: np.ndarray,
    policy: pd.DataFrame | None,
    bars: Mapping[Month, pd.DataFrame],
    features: pd.DataFrame,
) -> pd.DataFrame:
    """Compute everything about the events of a month that needs no model.

    Parameters
    ----------
    study : Study
    month : Month
    event_time_ns : int64 array of shape (n,)
        Of events of the month, in any order.
    policy : DataFrame or None
        BARRIER_POLICY of the month before (in-sample: of the month); with None the study's fallback
        multiples are used.
    bars : mapping of Month to DataFrame
        BARS of the month and, where there is one, of the month before.
    features : DataFrame
        REGIME_FEATURES of the month.

    Returns
    -------
    DataFrame
        The first columns of PROBABILITIES, up to `side`, by event time. `side` is that of the
        primary model, or +1 where the study has none. Events are dropped if their ATR is
        undefined or next to 0, or if the primary model takes no side.

    Raises
    ------
    StaleInputs
        When an event closes no bar of the month, or has no regime features.
    """
    times = np.sort(np.asarray(event_time_ns, dtype=np.int64))
    position = _event_bars(times, bars[month], month)
    atr = month_atr(bars, month, study.labels.atr_period_bars)[position]
    price = bars[month]["close"].to_numpy(dtype=np.float64)[position]
    known, regime, trailing_return = stack(
        REGIME_FEATURES, {month: features}, [month], "event_time_ns", "regime", "trailing_return"
    )
    row = rows_of(times, known, "regime_features")
    regime, side = regime[row], event_sides(study.labels, trailing_return[row])
    usable = is_width(atr, price) & (side != 0)
    times, atr, price, regime, side = (of[usable] for of in (times, atr, price, regime, side))
    take_profit, stop_loss = multiples(study, policy, regime, price, atr)
    upper, lower = barrier_levels(side, price, atr, take_profit, stop_loss)
    n_bars = horizon_bars_of_events(study.labels, bars, month, times)
    odds = driftless_odds(side, take_profit, stop_loss, n_bars)
    return pd.DataFrame(
        {
            "event_time_ns": times,
            # the latest possible end, where a horizon counts bars
            "horizon_end_ns": times + study.labels.longest_horizon_ns,
            "price": price,
            "atr": atr,
            "take_profit_multiple": take_profit,
            "stop_loss_multiple": stop_loss,
            "upper": upper,
            "lower": lower,
            **dict(zip(ODDS, odds, strict=True)),
            "side": side,
        }
    )


def _event_bars(event_time_ns: np.ndarray, bars: pd.DataFrame, month: Month) -> np.ndarray:
    """Return the position of each event's bar; check that it closes at the event's time."""
    close = bars["close_time_ns"].to_numpy(dtype=np.int64)
    partial = bars["partial"].to_numpy(dtype=np.bool_)
    found = np.isin(event_time_ns, close[~partial])
    if not found.all():
        raise StaleInputs(
            f"probabilities of {month}: event {event_time_ns[~found][0]} closes no bar of it: "
            "the bars were built again and the images were not"
        )
    return event_bars(close, partial, event_time_ns)
