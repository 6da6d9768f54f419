"""Explain why a study did not trade: what refused its signals, with the numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

_READ = ["p_up", "p_down", "expected_value_long_bps", "expected_value_short_bps", "margin", "side"]


@dataclass(frozen=True)
class Refusal:
    """Counts and best values of the events that could have traded.

    Attributes
    ----------
    n_events : int
        Events that a network predicted, out of sample.
    highest_probability : float or None
        Of the side with the higher value, over all events.
    highest_value_bps : float or None
        Expected value after costs, of the same side.
    highest_margin : float or None
        Share of the same side's probability above break-even after costs.
    n_positive : int
        Events whose better side had a positive value after costs.
    n_signals : int
        Events with a side and a size above 0.
    min_confidence : float
        As the study sets it.
    """

    n_events: int
    highest_probability: float | None
    highest_value_bps: float | None
    highest_margin: float | None
    n_positive: int
    n_signals: int
    min_confidence: float


def refusal_of(predictions: Iterable[pd.DataFrame], min_confidence: float) -> Refusal:
    """Count the events of PREDICTIONS over all months, by what became of them."""
    probability, value, margin, n_signals = [np.empty(0)], [np.empty(0)], [np.empty(0)], 0
    for table in predictions:
        frame = table[table["by_network"].to_numpy(dtype=bool)]
        p_up, p_down, long, short, over, side = (frame[c].to_numpy(np.float64) for c in _READ)
        is_long = np.isnan(short) | (long >= short)
        binary = np.isnan(p_down)  # p_up then belongs to the side in question
        probability.append(np.where(is_long | binary, p_up, p_down))
        value.append(np.where(is_long, long, short))
        margin.append(over)
        n_signals += int(np.count_nonzero(side))
    probabilities, values = np.concatenate(probability), np.concatenate(value)
    n = len(values)
    return Refusal(
        n_events=n,
        highest_probability=float(probabilities.max()) if n else None,
        highest_value_bps=float(values.max()) if n else None,
        highest_margin=float(np.concatenate(margin).max()) if n else None,
        n_positive=int(np.count_nonzero(values > 0)),
        n_signals=n_signals,
        min_confidence=min_confidence,
    )


def refused(refusal: Refusal) -> str:
    """Say in a sentence or two what refused the signals, for a study without a trade.

    Examples
    --------
    >>> refused(Refusal(1_200, 0.294, -3.21, -0.04, 0, 0, 0.0))
    'Of 1,200 events none was worth its cost: the highest probability of the better side was 0.294,\
 the highest value after costs \u22123.2 bps.'
    """
    if refusal.highest_probability is None or refusal.highest_value_bps is None:
        return "No event was predicted."
    highest = (
        f"the highest probability of the better side was {refusal.highest_probability:.3f}, the "
        f"highest value after costs {refusal.highest_value_bps:.1f} bps".replace("-", "\u2212")
    )
    events = f"Of {refusal.n_events:,} event{'' if refusal.n_events == 1 else 's'}"
    if refusal.n_signals:
        return (
            f"{events} {refusal.n_signals:,} gave a signal, and none was filled: a barrier was "
            f"touched before, or there was no trade to fill it; {highest}."
        )
    if not refusal.n_positive:
        return f"{events} none was worth its cost: {highest}."
    worth = f"{events} {refusal.n_positive:,} had a positive value after costs, and"
    if refusal.min_confidence > 0 and refusal.highest_margin is not None:
        return (
            f"{worth} min_confidence refused every one: it asks for {refusal.min_confidence:.1%} "
            "of the probability above break-even, and the most was "
            f"{refusal.highest_margin:.1%}; {highest}."
        )
    return f"{worth} the rule for sizes gave none of them a size: {highest}."
