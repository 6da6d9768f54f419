"""Small tables made by hand: ticks at whole hours, bars of a few ticks, predictions, a study."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from price_physics.frames import conform
from price_physics.labels.offers import offered_events
from price_physics.months import Month
from price_physics.prices import Prices
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.schemas.ticks import TICKS
from price_physics.study.reading import load_study
from price_physics.study.study import Study
from price_physics.walk_forward.signals import prediction_table

HOUR = 3_600_000_000_000
JAN, FEB, MAR = Month(2012, 1), Month(2012, 2), Month(2012, 3)
GOLDEN_SIZES = [
    (0.60, 25, 25, 0, 0.161744),
    (0.30, 50, 18, 0, 0.061391),
    (0.33, 50, 18, 3, 0.035921),
    (0.30, 50, 18, 3, 0.0),
    (0.76, 18, 50, 1, 0.018680),
]
"""Golden bets: probability, take-profit, loss, cost, and the size that follows."""
DEMO = Path(__file__).parents[2] / "configs" / "studies" / "demo.yaml"


@cache
def study(head: str = "three_class", horizon_minutes: float = 1440, **walk_forward: Any) -> Study:
    """The demo's study without costs, latency and minimum confidence unless given."""
    demo = load_study(DEMO)
    free = {"fee_bps": 0.0, "slippage_bps": 0.0, "min_confidence": 0.0} | walk_forward
    return demo.model_copy(
        update={
            "walk_forward": demo.walk_forward.model_copy(update=free),
            "model": demo.model.model_copy(update={"head": head}),
            "labels": demo.labels.model_copy(update={"horizon_minutes": horizon_minutes}),
        }
    )


def hours(month: Month, *offsets: float) -> np.ndarray:
    """Times in ns, hours after the start of a month."""
    return month.start_ns + (np.array(offsets) * HOUR).astype(np.int64)


def ticks(time_ns: Any, price: Any) -> pd.DataFrame:
    n = len(price)
    return conform(
        TICKS,
        time_ns=time_ns,
        trade_id=np.arange(n),
        price=price,
        qty=np.ones(n),
        tick_sign=np.ones(n),
    )


def prices(time_ns: Any, price: Any, high: Any = None, low: Any = None) -> Prices:
    """Ticks; with highs and lows, candles in turn."""
    time_ns, price = np.asarray(time_ns, dtype=np.int64), np.asarray(price, dtype=np.float64)
    high, low = price if high is None else high, price if low is None else low
    return Prices(time_ns, time_ns, price, high, low, price)


def bars(of: pd.DataFrame, month: Month, n_ticks: int = 2) -> pd.DataFrame:
    """Bars of `n_ticks` ticks; the last is partial where ticks are left over."""
    if of.empty:
        return BARS.empty()
    time, price, qty = (of[c].to_numpy() for c in ("time_ns", "price", "qty"))
    first = np.arange(0, len(of), n_ticks)
    last = np.minimum(first + n_ticks, len(of)) - 1
    partial = last - first + 1 < n_ticks
    volume, notional = np.add.reduceat(qty, first), np.add.reduceat(qty * price, first)
    return conform(
        BARS,
        open_time_ns=time[first],
        close_time_ns=time[last],
        open=price[first],
        high=np.maximum.reduceat(price, first),
        low=np.minimum.reduceat(price, first),
        close=price[last],
        volume=volume,
        notional=notional,
        buy_volume=volume,
        vwap=notional / volume,
        n_ticks=last - first + 1,
        partial=partial,
        known_at=np.where(partial, month.end_ns, time[last]),
    )


def predictions(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a dict of `event`, `horizon` (ns after it), `side`, `upper`, `lower`, `weight`."""
    if not rows:
        return PREDICTIONS.empty()
    event = np.array([r["event"] for r in rows], dtype=np.int64)
    n = len(rows)
    return conform(
        PREDICTIONS,
        event_time_ns=event,
        horizon_end_ns=event + np.array([r["horizon"] for r in rows], dtype=np.int64),
        price=np.full(n, 100.0),
        atr=np.ones(n),
        take_profit_multiple=np.ones(n),
        stop_loss_multiple=np.ones(n),
        upper=[r["upper"] for r in rows],
        lower=[r["lower"] for r in rows],
        **even_odds(n),
        by_network=np.full(n, True),
        p_up=np.full(n, 0.5),
        p_flat=np.full(n, 0.2),
        p_down=np.full(n, 0.3),
        gross_value_long_bps=np.zeros(n),
        gross_value_short_bps=np.zeros(n),
        expected_value_long_bps=np.zeros(n),
        expected_value_short_bps=np.zeros(n),
        margin=np.zeros(n),
        side=[r["side"] for r in rows],
        size=[abs(r.get("weight", 1.0)) for r in rows],
        book_scale=np.ones(n),
    )


def out_of_fold(
    label: Any,
    outcome_atr: Any,
    p_up: Any = None,
    p_flat: Any = None,
    p_down: Any = None,
    hold: int = 0,
    outcome_short_atr: Any = None,
    take_profit: Any = 1.0,
    stop_loss: Any = 1.0,
    odds: Any = (1 / 3, 1 / 3, 1 / 3),
) -> pd.DataFrame:
    """Events an hour apart that end `hold` hours later; even odds where none are given.

    `odds` are p0: up, none, down; one triple for all, or a row an event.

    A short's outcome mirrors the long's exactly where none is given.
    """
    n = len(label)
    event = JAN.start_ns + np.arange(n) * HOUR
    if outcome_short_atr is None:
        outcome_short_atr = -np.asarray(outcome_atr)

    def third(p: Any) -> Any:
        return np.full(n, 1 / 3) if p is None else p

    return conform(
        OUT_OF_FOLD,
        event_time_ns=event,
        fold=np.zeros(n),
        p_up=third(p_up),
        p_flat=third(p_flat),
        p_down=third(p_down),
        side=np.ones(n),
        label=label,
        stands_for=np.ones(n),
        label_end_ns=event + hold * HOUR,
        price=np.full(n, 100.0),
        atr=np.ones(n),
        take_profit_multiple=np.broadcast_to(np.asarray(take_profit, float), n),
        stop_loss_multiple=np.broadcast_to(np.asarray(stop_loss, float), n),
        **dict(zip(ODDS, np.broadcast_to(odds, (n, 3)).T, strict=True)),
        outcome_atr=outcome_atr,
        outcome_short_atr=outcome_short_atr,
        known_at=np.full(n, JAN.end_ns),
    )


def predictions_of(
    study: Study,
    month: Month,
    probabilities: pd.DataFrame,
    past: pd.DataFrame,
    policy: pd.DataFrame | None,
    bars: dict[Month, pd.DataFrame],
    features: pd.DataFrame,
) -> pd.DataFrame:
    """PREDICTIONS of the events that have probabilities, given the past out of fold."""
    times = probabilities["event_time_ns"].to_numpy()
    offered = offered_events(study, month, times, policy, bars, features)
    own = probabilities.set_index("event_time_ns").loc[offered["event_time_ns"]]
    own = own[["p_up", "p_flat", "p_down"]].reset_index(drop=True)
    return prediction_table(study, offered.assign(by_network=True, **own), past)


def even_odds(n: int) -> dict[str, np.ndarray]:
    return {name: np.full(n, 1 / 3) for name in ODDS}


def features(event_time_ns: Any) -> pd.DataFrame:
    n = len(event_time_ns)
    zeros = {name: np.zeros(n) for name in REGIME_FEATURES.columns}
    return conform(REGIME_FEATURES, **(zeros | {"event_time_ns": event_time_ns}))


def labels(event_time_ns: Any, label: Any, outcome_atr: Any) -> pd.DataFrame:
    event, n = np.asarray(event_time_ns), len(event_time_ns)
    return conform(
        LABELS,
        event_time_ns=event,
        side=np.ones(n),
        label=label,
        label_end_ns=event + HOUR,
        horizon_end_ns=event + HOUR,
        price=np.full(n, 100.0),
        atr=np.full(n, 2.0),
        take_profit_multiple=np.ones(n),
        stop_loss_multiple=np.ones(n),
        upper=np.full(n, 102.0),
        lower=np.full(n, 98.0),
        **even_odds(n),
        exit_price=np.full(n, 100.0),
        outcome_atr=outcome_atr,
        outcome_short_atr=-np.asarray(outcome_atr),
        favourable_atr=np.zeros(n),
        adverse_atr=np.zeros(n),
        crosses_outage=np.zeros(n, dtype=bool),
        at_fallback=np.zeros(n, dtype=bool),
        known_at=event + HOUR,
    )
