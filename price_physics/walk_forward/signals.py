"""Turn probabilities into predictions: expected value, side and size of every event of a month.

Every input was known when the month before ended (out-of-fold predictions of the model, barrier
policy) or at the close of the event's own bar. ``fills`` and ``book`` take the signals to the
market.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.frames import conform
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.study.walk_forward import WalkForwardConfig
from price_physics.walk_forward.outcomes import BINARY, Bet, PastOutcomes, bets, past_outcomes
from price_physics.walk_forward.sizing import (
    bet_size,
    book_scale,
    least_scale,
    outcome_spread,
    with_neighbours,
)

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


def prediction_table(
    study: Study, probabilities: pd.DataFrame, out_of_fold: pd.DataFrame | None
) -> pd.DataFrame:
    """Build PREDICTIONS: what the probabilities of events out of sample are worth.

    Parameters
    ----------
    study : Study
    probabilities : DataFrame
        PROBABILITIES of the month, by a model trained through the month before.
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
    out_of_fold = OUT_OF_FOLD.empty() if out_of_fold is None else out_of_fold
    head, config = study.model.head, study.walk_forward
    past = past_outcomes(out_of_fold, head)
    decision = decide(config, head, past, probabilities)
    return conform(
        PREDICTIONS,
        **probabilities.drop(columns="side"),
        gross_value_long_bps=decision.gross_long * 1e4,
        gross_value_short_bps=decision.gross_short * 1e4,
        expected_value_long_bps=decision.value_long * 1e4,
        expected_value_short_bps=decision.value_short * 1e4,
        margin=decision.margin,
        side=decision.side,
        size=decision.size,
        book_scale=np.full(len(probabilities), _past_scale(config, head, past, out_of_fold)),
    )


def _past_scale(
    config: WalkForwardConfig, head: str, past: PastOutcomes, out_of_fold: pd.DataFrame
) -> float:
    """Return C, from what the same rule would have traded out of fold."""
    traded = decide(config, head, past, out_of_fold)
    bets = with_neighbours(
        out_of_fold["event_time_ns"].to_numpy(dtype=np.int64),
        out_of_fold["label_end_ns"].to_numpy(dtype=np.int64),
        traded.side * traded.size,
        out_of_fold["stands_for"].to_numpy(dtype=np.float64),
    )
    scale = book_scale(*bets)
    return least_scale(scale, int((traded.side != 0).sum()))
