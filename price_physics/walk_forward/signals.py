"""From probabilities to predictions: expected value, side and size of every event of a month.

Everything that decides was known when the month before ended (the model's out-of-fold
predictions, the barrier policy) or at the event's own bar close. What the signals then meet on
the market is in ``fills`` and ``book``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.errors import StoreError
from price_physics.frames import conform, rows_of, stack
from price_physics.labels.atr import month_atr
from price_physics.labels.driftless import driftless_odds, horizon_bars_of_events
from price_physics.labels.events import event_bars
from price_physics.labels.policy import multiples
from price_physics.labels.sides import barrier_levels, event_sides
from price_physics.months import Month
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.study.walk_forward import WalkForwardConfig
from price_physics.walk_forward.sizing import bet_size, book_scale

if TYPE_CHECKING:
    from price_physics.study.study import Study

THREE_CLASS, BINARY = "three_class", "binary_take_profit"


@dataclass(frozen=True)
class OutcomeMeans:
    """Mean gross outcomes in ATR, by how they came out.

    ``win`` is W, ``loss`` is L (a positive number is a loss), ``rest`` is R (0 with the binary
    head, whose L covers everything that is no take-profit), all of a long. A short mirrors them
    in its own prices: it takes its profit at the level below and is stopped at a tick above,
    where a long leaves at the level above and is stopped at a tick below. Mirrored in the long's
    prices it would keep every overshoot that the fills never give. Where a primary model chooses
    the sides, a long is whatever it says, and the others are not used.

    Without both a win and a loss in the sample nothing is known of the other side: ``tradable``
    is false and nothing trades.
    """

    win: float
    loss: float
    rest: float
    short_win: float
    short_loss: float
    short_rest: float
    tradable: bool


@dataclass(frozen=True)
class Decision:
    """Expected values as fractions of the notional, and what follows from them."""

    value_long: np.ndarray
    value_short: np.ndarray
    side: np.ndarray
    size: np.ndarray


def outcome_means(out_of_fold: pd.DataFrame, head: str) -> OutcomeMeans:
    """Average the gross outcomes of past events by realised class, unweighted.

    Parameters
    ----------
    out_of_fold : DataFrame
        OUT_OF_FOLD; `label`, `outcome_atr` and `outcome_short_atr` are read.
    head : str
        ``three_class`` or ``binary_take_profit``.

    Returns
    -------
    OutcomeMeans
        W the mean of +1. Three classes: L minus the mean of -1, R the mean of 0. Binary: L
        minus the mean of **all** other exits (forgetting time-outs turns a true break-even
        precision of 16 % into 27 %), R zero. An absent flat class counts 0. Of win and loss an
        absent one is given the size of the present one so that expected values stay
        finite, but nothing trades: the conservative choice.

    Raises
    ------
    ValueError
        For an unknown head.
    """
    if head not in (THREE_CLASS, BINARY):
        raise ValueError(f"head = {head!r}: choose {THREE_CLASS} or {BINARY}")
    label = out_of_fold["label"].to_numpy()
    outcome = out_of_fold["outcome_atr"].to_numpy(dtype=np.float64)
    won, flat = label == 1, label == 0
    lost = ~won if head == BINARY else label == -1
    short = out_of_fold["outcome_short_atr"].to_numpy(dtype=np.float64)
    win, loss = _mean(outcome[won]), _mean(-outcome[lost])
    short_win, short_loss = _mean(short[lost]), _mean(-short[won])
    three = head == THREE_CLASS
    return OutcomeMeans(
        win=win if win is not None else abs(loss or 0.0),
        loss=loss if loss is not None else abs(win or 0.0),
        rest=(_mean(outcome[flat]) or 0.0) if three else 0.0,
        short_win=short_win if short_win is not None else abs(short_loss or 0.0),
        short_loss=short_loss if short_loss is not None else abs(short_win or 0.0),
        short_rest=(_mean(short[flat]) or 0.0) if three else 0.0,
        tradable=win is not None and loss is not None,
    )


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None


def decide(
    config: WalkForwardConfig,
    head: str,
    means: OutcomeMeans,
    probabilities: pd.DataFrame,
    atr: np.ndarray,
    price: np.ndarray,
    primary: np.ndarray | int = 1,
) -> Decision:
    """Weigh a long against a short, event by event.

    A long is worth ``(p_up * W - p_down * L + p_flat * R) * atr / price - c`` with c the cost of
    two sides; a short is worth ``(p_down * W - p_up * L + p_flat * R) * atr / price - c`` in its
    own W, L and R. The larger one trades if it is positive and its own probability is at least
    ``min_confidence``. The binary head knows one side only, worth
    ``(p * W - (1 - p) * L) * atr / price - c``: that of the primary model, long without one.

    Parameters
    ----------
    config : WalkForwardConfig
    head : str
        ``three_class`` or ``binary_take_profit``.
    means : OutcomeMeans
    probabilities : DataFrame
        Columns `p_up`, and for three classes `p_flat` and `p_down`; n rows.
    atr, price : float64 array of shape (n,)
        The event's own.
    primary : int array of shape (n,), or int
        With the binary head, the side that ``p_up`` is about: +1 or -1.

    Returns
    -------
    Decision
        Arrays of shape (n,); with the binary head the value of the side that is not in question
        is NaN. A bet of size 0 is no trade: its side is 0.
    """
    p_up = probabilities["p_up"].to_numpy(dtype=np.float64)
    width, cost = atr / price, 2 * config.cost_a_side
    if head == BINARY:
        value = (p_up * means.win - (1 - p_up) * means.loss) * width - cost
        value_long = np.where(np.equal(primary, 1), value, np.nan)
        value_short = np.where(np.equal(primary, -1), value, np.nan)
        wanted, p_side = np.where(value > 0, primary, 0), p_up
    else:
        p_flat = probabilities["p_flat"].to_numpy(dtype=np.float64)
        p_down = probabilities["p_down"].to_numpy(dtype=np.float64)
        up = p_up * means.win - p_down * means.loss + p_flat * means.rest
        down = p_down * means.short_win - p_up * means.short_loss + p_flat * means.short_rest
        value_long, value_short = up * width - cost, down * width - cost
        better = np.where(value_long >= value_short, 1, -1)
        wanted = np.where(np.maximum(value_long, value_short) > 0, better, 0)
        p_side = np.where(better == 1, p_up, p_down)
    trades = (wanted != 0) & (p_side >= config.min_confidence) & means.tradable
    if config.sizing == "probability":
        size = bet_size(p_side, 2 if head == BINARY else 3)
    else:
        size = np.ones(len(p_up))
    size = np.where(trades, size, 0.0)
    side = np.where(size > 0, wanted, 0).astype(np.int8)
    return Decision(value_long, value_short, side, size)


def offered_events(
    study: Study,
    month: Month,
    event_time_ns: np.ndarray,
    policy: pd.DataFrame | None,
    bars: Mapping[Month, pd.DataFrame],
    features: pd.DataFrame,
) -> pd.DataFrame:
    """Everything about the events of a month that no model is needed for.

    Parameters
    ----------
    study : Study
    month : Month
    event_time_ns : int64 array of shape (n,)
        Of events of the month, in any order.
    policy : DataFrame or None
        BARRIER_POLICY of the month before (in-sample: of the month); None falls back to the
        study's multiples.
    bars : mapping of Month to DataFrame
        BARS of the month and, where there is one, of the month before.
    features : DataFrame
        REGIME_FEATURES of the month.

    Returns
    -------
    DataFrame
        The first columns of PREDICTIONS, up to the driftless odds; but `side` is that of the
        primary model, +1 where the study has none. By event time. Events whose ATR is not there
        yet, or is 0, are dropped, and those on which a primary model takes no side.

    Raises
    ------
    StoreError
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
            # of horizons that count bars, the latest end that they may have
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
    study: Study, events: pd.DataFrame, probabilities: pd.DataFrame, out_of_fold: pd.DataFrame
) -> pd.DataFrame:
    """Predict events out of sample: what their probabilities are worth.

    Parameters
    ----------
    study : Study
    events : DataFrame
        From `offered_events`.
    probabilities : DataFrame
        `p_up`, `p_flat`, `p_down` of the same events, by a model trained through the month before.
    out_of_fold : DataFrame
        OUT_OF_FOLD of the same model.

    Returns
    -------
    DataFrame
        PREDICTIONS, by event time.
    """
    if not len(probabilities):
        return PREDICTIONS.empty()
    head, config = study.model.head, study.walk_forward
    means = outcome_means(out_of_fold, head)
    columns = events.drop(columns="side").assign(
        **{name: probabilities[name].to_numpy() for name in ("p_up", "p_flat", "p_down")}
    )
    atr, price, side = (events[name].to_numpy() for name in ("atr", "price", "side"))
    decision = decide(config, head, means, columns, atr, price, side)
    return conform(
        PREDICTIONS,
        **columns,
        expected_value_long_bps=decision.value_long * 1e4,
        expected_value_short_bps=decision.value_short * 1e4,
        side=decision.side,
        size=decision.size,
        book_scale=np.full(len(events), _past_scale(config, head, means, out_of_fold)),
    )


def _past_scale(
    config: WalkForwardConfig, head: str, means: OutcomeMeans, out_of_fold: pd.DataFrame
) -> float:
    """C, from what the same rule would have traded out of fold."""
    past = decide(
        config,
        head,
        means,
        out_of_fold,
        out_of_fold["atr"].to_numpy(dtype=np.float64),
        out_of_fold["price"].to_numpy(dtype=np.float64),
        out_of_fold["side"].to_numpy(dtype=np.int8),
    )
    return book_scale(
        out_of_fold["event_time_ns"].to_numpy(dtype=np.int64),
        out_of_fold["label_end_ns"].to_numpy(dtype=np.int64),
        past.side * past.size,
    )


def _event_bars(event_time_ns: np.ndarray, bars: pd.DataFrame, month: Month) -> np.ndarray:
    """Position of each event's bar, checked: it closes at the event's time."""
    close = bars["close_time_ns"].to_numpy(dtype=np.int64)
    partial = bars["partial"].to_numpy(dtype=np.bool_)
    found = np.isin(event_time_ns, close[~partial])
    if not found.all():
        raise StoreError(
            f"predictions of {month}: event {event_time_ns[~found][0]} closes no bar of it; "
            f"materialise bars and images of {month} and all later months again"
        )
    return event_bars(close, partial, event_time_ns)
