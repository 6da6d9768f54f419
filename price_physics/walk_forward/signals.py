"""Turn probabilities into predictions: expected value, side and size of every event of a month.

Every input was known when the month before ended (out-of-fold predictions of the model, barrier
policy) or at the close of the event's own bar. ``fills`` and ``book`` take the signals to the
market.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.errors import StaleInputs
from price_physics.events.times import event_bars
from price_physics.frames import conform, rows_of, stack
from price_physics.labels.atr import month_atr
from price_physics.labels.driftless import driftless_odds, horizon_bars_of_events
from price_physics.labels.policy import multiples
from price_physics.labels.sides import barrier_levels, event_sides
from price_physics.months import Month
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.study.walk_forward import WalkForwardConfig
from price_physics.walk_forward.outcomes import BINARY, Bet, PastOutcomes, bets, past_outcomes
from price_physics.walk_forward.sizing import bet_size, book_scale, least_scale, outcome_spread

if TYPE_CHECKING:
    from price_physics.study.study import Study


@dataclass(frozen=True)
class Decision:
    """Expected values as fractions of the notional, and the side and size that follow from them.

    `gross` is before costs, `value` after them. With the binary head they are NaN for the side that
    is not in question. `margin` is that of the side with the higher value: see `Bet.margin`. A size
    of 0 means no trade, and the side is then 0.
    """

    gross_long: np.ndarray
    gross_short: np.ndarray
    value_long: np.ndarray
    value_short: np.ndarray
    margin: np.ndarray
    side: np.ndarray
    size: np.ndarray


def decide(
    config: WalkForwardConfig, head: str, past: PastOutcomes, events: pd.DataFrame
) -> Decision:
    """Compare a long with a short, event by event.

    The side with the higher value after a round trip's cost trades if that value is positive and
    its margin is at least `min_confidence`. The binary head knows one side only: that of the
    primary model, or long without a model. With sizing by probability, a trade is the larger the
    surer its value is, given the event's own outcomes.

    Parameters
    ----------
    config : WalkForwardConfig
    head : str
        ``three_class`` or ``binary_take_profit``.
    past : PastOutcomes
    events : DataFrame
        As in `bets`, with `atr` and `price`.
    """
    atr, price = (events[name].to_numpy(np.float64) for name in ("atr", "price"))
    width, cost = atr / price, 2 * config.cost_a_side
    weighed = [_weigh(bet, config, cost / width) for bet in bets(head, past, events)]
    if head == BINARY:
        is_long = events["side"].to_numpy() > 0
        (only,) = weighed
        long, short = (np.where(of, only, np.nan) for of in (is_long, ~is_long))
        better, side = only, np.where(is_long, 1, -1)
    else:
        long, short = weighed
        is_long = long[1] >= short[1]
        better, side = np.where(is_long, long, short), np.where(is_long, 1, -1)
    margin, size = better[2], better[3] * past.tradable
    return Decision(
        gross_long=long[0] * width,
        gross_short=short[0] * width,
        value_long=long[1] * width,
        value_short=short[1] * width,
        margin=margin,
        side=np.where(size > 0, side, 0).astype(np.int8),
        size=size,
    )


def _weigh(bet: Bet, config: WalkForwardConfig, cost: np.ndarray) -> np.ndarray:
    """Return gross and net value in ATR, margin and size (4, n) of a bet; `cost` is in ATR."""
    net, margin = bet.gross - cost, bet.margin(cost)
    size = np.ones(len(net))
    if config.sizing == "probability":
        size = bet_size(net, outcome_spread(bet.probability, bet.outcome))
    trades = (net > 0) & (margin >= config.min_confidence)
    return np.stack([bet.gross, net, margin, np.where(trades, size, 0.0)])


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
        The first columns of PREDICTIONS, up to the driftless odds, by event time. `side` is that of
        the primary model, or +1 where the study has none. Events are dropped if their ATR is
        undefined or 0, or if the primary model takes no side.

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
    usable = np.isfinite(atr) & (atr > 0) & (side != 0)
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


def prediction_table(
    study: Study,
    events: pd.DataFrame,
    probabilities: pd.DataFrame,
    out_of_fold: pd.DataFrame | None,
) -> pd.DataFrame:
    """Build PREDICTIONS: what the probabilities of events out of sample are worth.

    Parameters
    ----------
    study : Study
    events : DataFrame
        From `offered_events`.
    probabilities : DataFrame
        `p_up`, `p_flat`, `p_down` of the same events, by a model trained through the month before.
    out_of_fold : DataFrame or None
        OUT_OF_FOLD of the same model; None where no network gave the probabilities (in warm-up),
        and then nothing trades.

    Returns
    -------
    DataFrame
        PREDICTIONS, by event time.
    """
    if not len(probabilities):
        return PREDICTIONS.empty()
    by_network = out_of_fold is not None
    out_of_fold = OUT_OF_FOLD.empty() if out_of_fold is None else out_of_fold
    head, config = study.model.head, study.walk_forward
    past = past_outcomes(out_of_fold, head)
    names = ("p_up", "p_flat", "p_down")
    predicted = events.assign(**{name: probabilities[name].to_numpy() for name in names})
    decision = decide(config, head, past, predicted)
    return conform(
        PREDICTIONS,
        **predicted.drop(columns="side"),
        by_network=np.full(len(events), by_network),
        gross_value_long_bps=decision.gross_long * 1e4,
        gross_value_short_bps=decision.gross_short * 1e4,
        expected_value_long_bps=decision.value_long * 1e4,
        expected_value_short_bps=decision.value_short * 1e4,
        margin=decision.margin,
        side=decision.side,
        size=decision.size,
        book_scale=np.full(len(events), _past_scale(config, head, past, out_of_fold)),
    )


def _past_scale(
    config: WalkForwardConfig, head: str, past: PastOutcomes, out_of_fold: pd.DataFrame
) -> float:
    """Return C, from what the same rule would have traded out of fold."""
    traded = decide(config, head, past, out_of_fold)
    scale = book_scale(
        out_of_fold["event_time_ns"].to_numpy(dtype=np.int64),
        out_of_fold["label_end_ns"].to_numpy(dtype=np.int64),
        traded.side * traded.size * out_of_fold["stands_for"].to_numpy(dtype=np.float64),
    )
    return least_scale(scale, int((traded.side != 0).sum()))


def _event_bars(event_time_ns: np.ndarray, bars: pd.DataFrame, month: Month) -> np.ndarray:
    """Return the position of each event's bar; check that it closes at the event's time."""
    close = bars["close_time_ns"].to_numpy(dtype=np.int64)
    partial = bars["partial"].to_numpy(dtype=np.bool_)
    found = np.isin(event_time_ns, close[~partial])
    if not found.all():
        raise StaleInputs(
            f"predictions of {month}: event {event_time_ns[~found][0]} closes no bar of it: "
            "the bars were built again and the predictions were not"
        )
    return event_bars(close, partial, event_time_ns)
