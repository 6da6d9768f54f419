"""Turn probabilities into bets: possible outcomes of each event, their chances, and the value.

Outcomes follow from an event's own barriers and from past events, known when the month before
ended. ``signals`` decides what trades.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from price_physics.labels.odds import class_odds

if TYPE_CHECKING:
    import pandas as pd

THREE_CLASS, BINARY = "three_class", "binary_take_profit"
_BARRIERS = ("take_profit", "stop_loss")


@dataclass(frozen=True)
class SideOutcomes:
    """What past events of one side say of outcomes beyond the barriers; in that side's own prices.

    A long leaves at the level above and is stopped at a tick below its stop; a short takes its
    profit at the level below and is stopped at a tick above. A short must not be the mirror image
    of a long: its take-profits would keep an overshoot that fills never give.

    Attributes
    ----------
    stop : float
        Losses of stops over the distances of their levels: 1 plus the mean overshoot.
    rest : float
        Mean gross outcome of time-outs, in ATR.
    driftless : float
        Gross value, in ATR, of an event whose probabilities are its driftless odds.
    """

    stop: float = 1.0
    rest: float = 0.0
    driftless: float = 0.0

    def outcomes(self, take_profit: np.ndarray, stop_loss: np.ndarray) -> np.ndarray:
        """Return the gross outcomes (n, 3) in ATR of a stop, a time-out and a take-profit."""
        rest = np.full(len(stop_loss), self.rest)
        return np.column_stack([-self.stop * stop_loss, rest, take_profit])


@dataclass(frozen=True)
class PastOutcomes:
    """Past gross outcomes, out of fold, relative to the events' own barriers; unweighted.

    Attributes
    ----------
    loss : float
        f of the binary head: losses of all exits but take-profits, over `fair_loss`.
    long, short : SideOutcomes
        For three classes.
    tradable : bool
        Whether the sample holds a win and a loss; otherwise nothing trades.
    """

    loss: float
    long: SideOutcomes
    short: SideOutcomes
    tradable: bool


@dataclass(frozen=True)
class Bet:
    """One side of every event: its possible outcomes, the take-profit last.

    `probability` and `outcome` are float64 arrays of shape (n, n_outcomes); outcomes are gross, in
    ATR.
    """

    probability: np.ndarray
    outcome: np.ndarray

    @property
    def gross(self) -> np.ndarray:
        """Expected value before costs, in ATR."""
        return np.asarray((self.probability * self.outcome).sum(axis=1))

    def margin(self, cost: np.ndarray) -> np.ndarray:
        """Return the share of the take-profit's probability p that is above break-even.

        It is ``1 - p_be / p`` with ``p_be = (L + c) / (W + L)``: c is `cost` in ATR, W the outcome
        of the take-profit, and L minus the mean of all other outcomes. It is positive where the
        value after costs is.

        It is at most 1. Where all others together are worth no less than the take-profit there is
        no break-even: it is 1 or -1, as the value after costs is positive or not.
        """
        p, win, gross = self.probability[:, -1], self.outcome[:, -1], self.gross
        others = np.divide(gross - p * win, 1 - p, out=self.outcome[:, 0].copy(), where=p < 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (gross - cost) / (win - others) / p
        return np.minimum(np.where(win > others, share, np.sign(gross - cost)), 1.0)


def fair_loss(take_profit: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Return the mean loss of all other exits that makes the take-profit of a driftless event fair.

    It is ``tp * p0 / (1 - p0)``, with tp the event's take-profit and p0 the driftless odds of
    reaching it: the event is then worth nothing.

    Examples
    --------
    >>> fair_loss(np.array([3.0]), np.array([0.25]))
    array([1.])
    """
    return np.asarray(take_profit * odds / (1 - odds))


def past_outcomes(out_of_fold: pd.DataFrame, head: str) -> PastOutcomes:
    """Compare the gross outcomes of past events with their own barriers, unweighted.

    Parameters
    ----------
    out_of_fold : DataFrame
        OUT_OF_FOLD; its probabilities are not read.
    head : str
        ``three_class`` or ``binary_take_profit``.

    Returns
    -------
    PastOutcomes
        Binary: f covers **all** exits but take-profits (forgetting time-outs turns a true
        break-even precision of 16 % into 27 %). Three classes: losses of stops over their levels,
        the mean of time-outs, and the mean driftless value of the same events.

    Raises
    ------
    ValueError
        For an unknown head.
    """
    if head not in (THREE_CLASS, BINARY):
        raise ValueError(f"head = {head!r}: choose {THREE_CLASS} or {BINARY}")
    names = ("outcome_atr", "outcome_short_atr", "take_profit_multiple", "stop_loss_multiple")
    outcome, of_short, take, stop = (out_of_fold[name].to_numpy(np.float64) for name in names)
    label = out_of_fold["label"].to_numpy()
    won, lost = label == 1, label == -1
    missed = ~won if head == BINARY else lost
    fair = fair_loss(take, class_odds(out_of_fold, 2)[:, 1])
    odds = class_odds(out_of_fold, 3)
    return PastOutcomes(
        loss=_times(-outcome[~won], fair[~won]),
        long=_side(outcome, lost, label == 0, odds, take, stop),
        short=_side(of_short, won, label == 0, odds[:, ::-1], stop, take),
        tradable=bool(won.any() and missed.any()),
    )


def _side(
    outcome: np.ndarray,
    stopped: np.ndarray,
    timed_out: np.ndarray,
    odds: np.ndarray,
    take_profit: np.ndarray,
    stop_loss: np.ndarray,
) -> SideOutcomes:
    """Measure a side; its driftless odds are of stop, time-out and take-profit, in this order."""
    side = SideOutcomes(
        stop=_times(-outcome[stopped], stop_loss[stopped]),
        rest=float(outcome[timed_out].mean()) if timed_out.any() else 0.0,
    )
    fair = (odds * side.outcomes(take_profit, stop_loss)).sum(axis=1)
    return replace(side, driftless=float(fair.mean()) if len(fair) else 0.0)


def _times(values: np.ndarray, unit: np.ndarray) -> float:
    """Return the sum of the first over the sum of the second; 1 without values."""
    return float(values.sum() / unit.sum()) if len(unit) else 1.0


def bets(head: str, past: PastOutcomes, events: pd.DataFrame) -> tuple[Bet, ...]:
    """Return the bets on the events: one on the side in question, or one on a long, one on a short.

    Parameters
    ----------
    head : str
        ``three_class`` or ``binary_take_profit``.
    past : PastOutcomes
    events : DataFrame
        Probabilities, `side`, barriers in ATR and driftless odds, as in OUT_OF_FOLD.

    Returns
    -------
    tuple of Bet
        Binary: with p the take-profit at its level, with the rest ``-f * tp * p0 / (1 - p0)``.
        Three classes: each side's own outcomes, all shifted by the same amount, so that every event
        has the driftless value of the past. What remains is what the probabilities add to the odds.
    """
    take, stop = (events[f"{name}_multiple"].to_numpy(np.float64) for name in _BARRIERS)
    p_up = events["p_up"].to_numpy(np.float64)
    if head == BINARY:
        loss = past.loss * fair_loss(take, class_odds(events, 2)[:, 1])
        return (Bet(np.column_stack([1 - p_up, p_up]), np.column_stack([-loss, take])),)
    p, odds = events[["p_down", "p_flat", "p_up"]].to_numpy(np.float64), class_odds(events, 3)
    found = []
    for side, chances, free, levels in (
        (past.long, p, odds, (take, stop)),
        (past.short, p[:, ::-1], odds[:, ::-1], (stop, take)),
    ):
        outcome = side.outcomes(*levels)
        shift = side.driftless - (free * outcome).sum(axis=1)
        found.append(Bet(chances, outcome + shift[:, None]))
    return tuple(found)
