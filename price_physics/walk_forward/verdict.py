"""Edge, no edge or underpowered: the one sentence everything else leads up to.

The rule is fixed before anything is looked at; baselines, costs and paths qualify the sentence
elsewhere and do not enter here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.stats import kurtosis as pearson_kurtosis
from scipy.stats import skew as sample_skew

from price_physics.walk_forward.bootstrap import MeanTest, bootstrap_mean
from price_physics.walk_forward.shift import shift_test
from price_physics.walk_forward.statistics import (
    deflated_sharpe_ratio,
    minimum_track_record_length,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
)

DAYS_A_YEAR = 365
EDGE, NO_EDGE, UNDERPOWERED = "edge", "no edge", "underpowered"
NO_VERDICT = "no verdict"
IN_SAMPLE = (
    "No verdict: in-sample policy. The barriers of every month were chosen from the outcomes of "
    "that month's own events, which nobody knew when they traded."
)
P_BOOTSTRAP, P_SHIFT = 0.025, 0.025
DEFLATED, PROBABILISTIC = 0.95, 0.975
UPPER_SHARPE = 1.0
"""Below this net annual Sharpe at the upper 95 % bound there is nothing worth having."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One of the things that must hold for an edge."""

    name: str
    value: float | None
    threshold: float
    met: bool
    explanation: str


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The verdict, the sentence that says why, and every number behind it.

    `sharpe_daily` is per day, net; `deflated_sharpe` is None with a single trial. What was not
    computed is None, and without a judgement there are no conditions.
    """

    verdict: str
    sentence: str
    n_days: int
    n_trades: int
    sharpe_daily: float | None = None
    sharpe_annual: float | None = None
    sharpe_annual_upper_95: float | None = None
    bootstrap_p: float | None = None
    shift_p: float | None = None
    probabilistic_sharpe: float | None = None
    deflated_sharpe: float | None = None
    n_trials: int
    minimum_track_record_days: float | None = None
    conditions: list[Condition] = field(default_factory=list)


def judge(
    daily: pd.DataFrame,
    book: pd.DataFrame,
    equity: pd.DataFrame,
    n_trades: int,
    trial_sharpes: Sequence[float | None],
    seed: int,
    n_resamples: int = 2_000,
) -> Verdict:
    """Judge the days out of sample.

    An **edge** when (a) the bootstrap of the mean net daily return gives p <= 0.025, (b) the
    circular shift of the book gives p <= 0.025, and (c) the deflated Sharpe ratio over the
    trials is at least 0.95 (with one trial: the probabilistic one at least 0.975). **No edge**
    otherwise, when the upper 95 % bound of the net annual Sharpe is below 1. **Underpowered**
    otherwise, and whenever there is no trade, fewer than two days, or not a single return.

    Parameters
    ----------
    daily, book, equity : DataFrame
        DAILY, BOOK and EQUITY of all days out of sample, in order.
    n_trades : int
        Filled trades behind them.
    trial_sharpes : sequence of float or None
        Net daily Sharpe of every trial in the ledger, this one included; None where a trial
        has none. Every one counts as a trial, and those with a number give the variance.
    seed : int
        Of the bootstrap.
    n_resamples : int
        Of the bootstrap.

    Returns
    -------
    Verdict
    """
    returns = daily["net_return"].to_numpy(dtype=np.float64)
    n_days, n_trials = len(returns), max(len(trial_sharpes), 1)
    sharpe = sharpe_ratio(returns)
    if n_trades == 0 or n_days < 2 or sharpe is None:
        return _nothing_to_judge(n_days, n_trades, n_trials)
    mean_test = bootstrap_mean(returns, seed, n_resamples)
    shift_p = shift_test(daily, book, equity)
    skew, kurtosis = float(sample_skew(returns)), float(pearson_kurtosis(returns, fisher=False))
    probabilistic = probabilistic_sharpe_ratio(sharpe, n_days, skew, kurtosis)
    deflated = None
    if n_trials > 1:
        variance = _trial_variance(trial_sharpes, n_days)
        deflated = deflated_sharpe_ratio(sharpe, n_days, skew, kurtosis, variance, n_trials)
    conditions = _conditions(mean_test.p_value, shift_p, probabilistic, deflated, n_trials)
    upper = _annual_upper(mean_test, returns)
    verdict = _decide(conditions, upper)
    needed = minimum_track_record_length(sharpe, skew, kurtosis)
    annual = sharpe * math.sqrt(DAYS_A_YEAR)
    return Verdict(
        verdict=verdict,
        sentence=_sentence(verdict, annual, upper, n_days, n_trades, conditions),
        n_days=n_days,
        n_trades=n_trades,
        sharpe_daily=sharpe,
        sharpe_annual=annual,
        sharpe_annual_upper_95=upper,
        bootstrap_p=mean_test.p_value,
        shift_p=shift_p,
        probabilistic_sharpe=probabilistic,
        deflated_sharpe=deflated,
        n_trials=n_trials,
        minimum_track_record_days=needed if math.isfinite(needed) else None,
        conditions=conditions,
    )


def no_verdict(sentence: str, n_days: int, n_trades: int, n_trials: int) -> Verdict:
    """Refuse to judge: what there is to see is no evidence, whatever it looks like."""
    return Verdict(
        verdict=NO_VERDICT, sentence=sentence, n_days=n_days, n_trades=n_trades, n_trials=n_trials
    )


def _decide(conditions: list[Condition], upper: float | None) -> str:
    if all(condition.met for condition in conditions):
        return EDGE
    return NO_EDGE if upper is not None and upper < UPPER_SHARPE else UNDERPOWERED


def _conditions(
    bootstrap_p: float,
    shift_p: float,
    probabilistic: float,
    deflated: float | None,
    n_trials: int,
) -> list[Condition]:
    if deflated is None:
        name, value, threshold = "probabilistic Sharpe", probabilistic, PROBABILISTIC
        meaning = "probability that the true Sharpe ratio is above zero; this is the only trial"
    else:
        name, value, threshold = "deflated Sharpe", deflated, DEFLATED
        meaning = (
            f"probability that the Sharpe ratio is more than the luckiest of {n_trials} trials"
        )
    return [
        Condition(
            name="bootstrap p",
            value=bootstrap_p,
            threshold=P_BOOTSTRAP,
            met=bootstrap_p <= P_BOOTSTRAP,
            explanation="how often days like these, without an edge, would show as much net return",
        ),
        Condition(
            name="shift p",
            value=shift_p,
            threshold=P_SHIFT,
            met=shift_p <= P_SHIFT,
            explanation="how often the same book on other days would have timed the market as well",
        ),
        Condition(
            name=name,
            value=value,
            threshold=threshold,
            met=value >= threshold,
            explanation=meaning,
        ),
    ]


def _trial_variance(trial_sharpes: Sequence[float | None], n_days: int) -> float:
    """The smaller of the trials' variance and that of a Sharpe ratio nobody chose."""
    known = [s for s in trial_sharpes if s is not None and math.isfinite(s)]
    chance = 1 / (n_days - 1)
    return min(float(np.var(known, ddof=1)), chance) if len(known) > 1 else chance


def _annual_upper(mean_test: MeanTest, returns: np.ndarray) -> float | None:
    if mean_test.upper is None:
        return None
    return float(mean_test.upper / returns.std(ddof=1) * math.sqrt(DAYS_A_YEAR))


def _sentence(
    verdict: str,
    annual: float,
    upper: float | None,
    n_days: int,
    n_trades: int,
    conditions: list[Condition],
) -> str:
    seen = (
        f"Over {n_days} days and {n_trades} trades the net annual Sharpe ratio is {_signed(annual)}"
    )
    bound = "has no upper bound" if upper is None else f"could be up to {_signed(upper)}"
    if verdict == EDGE:
        reasons = ", ".join(f"{c.name} {c.value:.3f}" for c in conditions)
        return f"{seen}, and it holds against chance, timing and choice ({reasons})."
    failed = ", ".join(
        f"{c.name} {c.value:.3f} against {c.threshold}" for c in conditions if not c.met
    )
    if verdict == NO_EDGE:
        return f"{seen} and {bound}, below {UPPER_SHARPE:g}: nothing worth having ({failed})."
    return f"{seen} but {bound} at 95 %: too little to tell ({failed})."


def _signed(value: float) -> str:
    """Two decimals with a true minus sign, as everywhere in the report."""
    return f"{value:.2f}".replace("-", "\u2212")


def _nothing_to_judge(n_days: int, n_trades: int, n_trials: int) -> Verdict:
    if n_trades == 0:
        sentence = f"There is no trade in {n_days} days out of sample: nothing to judge."
    elif n_days < 2:
        sentence = f"{n_days} day(s) out of sample with {n_trades} trades are too few to judge."
    else:
        sentence = f"All {n_days} days returned the same: {n_trades} trades show nothing to judge."
    return Verdict(
        verdict=UNDERPOWERED, sentence=sentence, n_days=n_days, n_trades=n_trades, n_trials=n_trials
    )
