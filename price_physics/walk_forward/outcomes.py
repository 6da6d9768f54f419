"""What an event may come to, by its own barriers: outcomes, chances, and the value of a bet on it.

What past events add to what barriers say was known when the month before ended. What is traded is
decided in ``signals``.
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
    """What past events of one side tell of its outcomes that their barriers do not; in its prices.

    A long leaves at the level above and is stopped at a tick below; a short takes its profit at
    the level below and is stopped at a tick above. Mirrored in the long's prices it would keep
    every overshoot that the fills never give.

    Attributes
    ----------
    stop : float
        What stops lost, over what their levels say: 1 and the overshoot.
    rest : float
        Mean gross outcome of time-outs, in ATR.
    driftless : float
        Gross value in ATR of an event whose chances are its driftless odds.
    """

    stop: float = 1.0
    rest: float = 0.0
    driftless: float = 0.0

    def outcomes(self, take_profit: np.ndarray, stop_loss: np.ndarray) -> np.ndarray:
        """Gross outcomes (n, 3) in ATR of a stop, a time-out and a take-profit."""
        rest = np.full(len(stop_loss), self.rest)
        return np.column_stack([-self.stop * stop_loss, rest, take_profit])


@dataclass(frozen=True)
class PastOutcomes:
    """Gross outcomes out of fold against the events' own barriers, unweighted.

    Attributes
    ----------
    loss : float
        f of the binary head: what all exits but take-profits lost, over `fair_loss`.
    long, short : SideOutcomes
        Of three classes.
    tradable : bool
        Without both a win and a loss in the sample nothing is known of the other side: nothing
        trades.
    """

    loss: float
    long: SideOutcomes
    short: SideOutcomes
    tradable: bool


@dataclass(frozen=True)
class Bet:
    """One side of every event: how it may come out, the take-profit last.

    `probability` and `outcome` are float64 arrays of shape (n, n_outcomes), the latter gross and in
    ATR.
    """

    probability: np.ndarray
    outcome: np.ndarray

    @property
    def gross(self) -> np.ndarray:
        """Expected value before costs, in ATR."""
        return np.asarray((self.probability * self.outcome).sum(axis=1))

    def margin(self, cost: np.ndarray) -> np.ndarray:
        """Share of the take-profit's probability p that lies above break-even, after `cost` in ATR.

        ``1 - p_be / p`` with ``p_be = (L + c) / (W + L)``, W the outcome of the take-profit and L
        minus the mean of all others. It is positive where the value after costs is.
        """
        p, win, gross = self.probability[:, -1], self.outcome[:, -1], self.gross
        others = np.divide(gross - p * win, 1 - p, out=self.outcome[:, 0].copy(), where=p < 1)
        with np.errstate(divide="ignore"):
            return np.asarray((gross - cost) / (win - others) / p)


def fair_loss(take_profit: np.ndarray, odds: np.ndarray) -> np.ndarray:
    """Mean loss of all exits but the take-profit that makes a driftless event worth nothing.

    ``tp * p0 / (1 - p0)``, with tp the event's take-profit and p0 its driftless odds of reaching
    it.

    Examples
    --------
    >>> fair_loss(np.array([3.0]), np.array([0.25]))
    array([1.])
    """
    return np.asarray(take_profit * odds / (1 - odds))


def past_outcomes(out_of_fold: pd.DataFrame, head: str) -> PastOutcomes:
    """Hold the gross outcomes of past events against their own barriers, unweighted.

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
        break-even precision of 16 % into 27 %). Three classes: stops over their levels, time-outs
        as they were, and the mean driftless value of the very events.

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
    """Outcomes of a side whose driftless odds are those of stop, time-out and take-profit."""
    side = SideOutcomes(
        stop=_times(-outcome[stopped], stop_loss[stopped]),
        rest=float(outcome[timed_out].mean()) if timed_out.any() else 0.0,
    )
    fair = (odds * side.outcomes(take_profit, stop_loss)).sum(axis=1)
    return replace(side, driftless=float(fair.mean()) if len(fair) else 0.0)


def _times(values: np.ndarray, unit: np.ndarray) -> float:
    """How many times the sum of the second the first is; 1 of nothing."""
    return float(values.sum() / unit.sum()) if len(unit) else 1.0


def bets(head: str, past: PastOutcomes, events: pd.DataFrame) -> tuple[Bet, ...]:
    """What may come of the events: a bet on the side in question, or on a long and on a short.

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
        Binary: the take-profit at its level with p, ``-f * tp * p0 / (1 - p0)`` with the rest.
        Three classes: each side's own outcomes, all shifted alike so that the driftless value of
        every event is the one of the past: what is over is what the probabilities add to it.
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
