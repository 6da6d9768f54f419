"""The verdict as the report shows it: the outcome, its sentence, and every number behind it.

The rule stands in ``decision``. Sharpe ratios and what they are worth, the bootstrap and the track
record needed are descriptions beside it: none of them decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import kurtosis as pearson_kurtosis
from scipy.stats import skew as sample_skew

from price_physics.walk_forward.bootstrap import bootstrap_mean
from price_physics.walk_forward.break_even import break_even as break_even
from price_physics.walk_forward.decision import (
    DAYS_FOR_EDGE,
    EDGE,
    NO_EDGE,
    NOT_YET,
    SIGNALS_FOR_BREAK_EVEN,
    UNDERPOWERED,
    Contest,
    Decision,
)
from price_physics.walk_forward.passive import AVERAGE, CASH, INVESTORS, SO_FAR
from price_physics.walk_forward.sentences import sentence
from price_physics.walk_forward.statistics import (
    deflated_sharpe_ratio,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
)
from price_physics.walk_forward.tosses import flip_p as flip_p

DAYS_A_YEAR = 365
NO_VERDICT = "no verdict"
OUTCOMES = (EDGE, NO_EDGE, UNDERPOWERED, NOT_YET, NO_VERDICT)
IN_SAMPLE = (
    "No verdict: in-sample policy. The barriers of every month were chosen from the outcomes of "
    "that month's own events, which nobody knew when they traded."
)
DECLARED_LATE = (
    "It had been looked at before it declared the month in which it is to be judged, so it is "
    "judged every month."
)
NOTHING_YET = "Underpowered: no day is out of sample yet, so there is nothing to judge."
SHORTLY = {CASH: "cash", AVERAGE: "its average", SO_FAR: "its average so far"}
"""The passive investors, by what they hold."""
_WHOM = {
    CASH: "cash",
    AVERAGE: "whoever always holds its average position",
    SO_FAR: "whoever always holds its average position so far",
}


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One of the things that must hold for an edge."""

    name: str
    value: float
    threshold: float
    met: bool
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Description:
    """What else is said of the daily net returns; None where it is undefined.

    `sharpe_daily` is per day, net; `deflated_sharpe` needs another trial.
    """

    sharpe_daily: float | None = None
    sharpe_annual: float | None = None
    bootstrap_p: float | None = None
    probabilistic_sharpe: float | None = None
    deflated_sharpe: float | None = None
    minimum_track_record_days: float | None = None


@dataclass(frozen=True, kw_only=True)
class Worth:
    """Break-even cost of all signals, traded or not, its range, and the actual cost, in bps.

    None where fewer signals promised anything than it takes to tell.
    """

    n_signals: int
    cost_bps: float
    break_even_bps: float | None
    lower_bps: float | None
    upper_bps: float | None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict, the sentence that says why, and every number behind it.

    Attributes
    ----------
    verdict : str
        One of `OUTCOMES`.
    level : float or None
        What the largest p must not exceed; None in a month that is not judged.
    hardest : str or None
        The passive investor of the largest p.
    contests : dict of str to Contest
        By investor; empty without a judgement, as are conditions.
    """

    verdict: str
    sentence: str
    n_days: int
    n_trades: int
    n_trials: int
    level: float | None = None
    p: float | None = None
    hardest: str | None = None
    earned: float | None = None
    contests: Mapping[str, Contest] = field(default_factory=dict)
    worth: Worth | None = None
    conditions: Sequence[Condition] = ()
    description: Description = Description()


def verdict_of(decision: Decision, description: Description, remark: str = "") -> Verdict:
    """Put a decision into the words and numbers of the report.

    Parameters
    ----------
    decision : Decision
    description : Description
        From `describe`.
    remark : str
        What else the first paragraph says.
    """
    return Verdict(
        verdict=decision.outcome,
        sentence=" ".join(filter(None, (sentence(decision), remark))),
        n_days=decision.n_days,
        n_trades=decision.n_trades,
        n_trials=decision.n_trials,
        level=decision.level,
        p=decision.p,
        hardest=decision.hardest,
        earned=decision.earned,
        contests=decision.contests,
        worth=_worth(decision),
        conditions=_conditions(decision),
        description=description,
    )


def no_verdict(sentence: str, n_days: int, n_trades: int, n_trials: int) -> Verdict:
    """Refuse to judge: what there is to see is no evidence, whatever it looks like."""
    return Verdict(
        verdict=NO_VERDICT, sentence=sentence, n_days=n_days, n_trades=n_trades, n_trials=n_trials
    )


def describe(returns: np.ndarray, trial_sharpes: Sequence[float | None], seed: int) -> Description:
    """Describe daily net returns as others do.

    Parameters
    ----------
    returns : float64 array of shape (n_days,)
    trial_sharpes : sequence of float or None
        Net daily Sharpe of every trial in the ledger, this one included; None where a trial has
        none. Every one counts as a trial, and those with a number give the variance.
    seed : int
        Of the bootstrap.
    """
    returns = np.asarray(returns, dtype=np.float64)
    n_days, sharpe = len(returns), sharpe_ratio(returns)
    if sharpe is None:
        return Description()
    skew, kurtosis = float(sample_skew(returns)), float(pearson_kurtosis(returns, fisher=False))
    deflated = None
    if len(trial_sharpes) > 1:
        variance = _trial_variance(trial_sharpes, n_days)
        n_trials = len(trial_sharpes)
        deflated = deflated_sharpe_ratio(sharpe, n_days, skew, kurtosis, variance, n_trials)
    needed = minimum_track_record_length(sharpe, skew, kurtosis)
    return Description(
        sharpe_daily=sharpe,
        sharpe_annual=sharpe * math.sqrt(DAYS_A_YEAR),
        bootstrap_p=bootstrap_mean(returns, seed).p_value,
        probabilistic_sharpe=probabilistic_sharpe_ratio(sharpe, n_days, skew, kurtosis),
        deflated_sharpe=deflated,
        minimum_track_record_days=needed if math.isfinite(needed) else None,
    )


def _worth(decision: Decision) -> Worth:
    found = [1e4 * value for value in decision.break_even]
    told = decision.n_signals >= SIGNALS_FOR_BREAK_EVEN
    value, lower, upper = (x if told and math.isfinite(x) else None for x in found)
    return Worth(
        n_signals=decision.n_signals,
        cost_bps=1e4 * decision.cost,
        break_even_bps=value,
        lower_bps=lower,
        upper_bps=upper,
    )


def _conditions(decision: Decision) -> tuple[Condition, ...]:
    """What an edge needs; nothing in a month that is not judged."""
    level = decision.level
    if level is None:
        return ()
    against = [
        Condition(
            name=f"p against {SHORTLY[name]}",
            value=decision.contests[name].p,
            threshold=level,
            met=decision.contests[name].p <= level,
            explanation=f"how often tosses of its five-day blocks win as much against "
            f"{_WHOM[name]}" + _luckiest(decision.n_trials),
        )
        for name in INVESTORS
    ]
    return (
        *against,
        Condition(
            name="days out of sample",
            value=decision.n_days,
            threshold=DAYS_FOR_EDGE,
            met=decision.n_days >= DAYS_FOR_EDGE,
            explanation="an edge is called no earlier",
        ),
    )


def _luckiest(n_trials: int) -> str:
    return f", or the luckiest of {n_trials} trials does" if n_trials > 1 else ""


def _trial_variance(trial_sharpes: Sequence[float | None], n_days: int) -> float:
    """The smaller of the trials' variance and that of a Sharpe ratio nobody chose."""
    known = [s for s in trial_sharpes if s is not None and math.isfinite(s)]
    chance = 1 / (n_days - 1)
    return min(float(np.var(known, ddof=1)), chance) if len(known) > 1 else chance
