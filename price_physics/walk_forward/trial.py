"""Judge a study by all of its months out of sample, among all other trials.

The rule is in `decision`, the ledger of trials in `ledger`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.walk_forward.decision import UNDERPOWERED, decide, level_of
from price_physics.walk_forward.exit_reasons import filled
from price_physics.walk_forward.passive import CASH, Against, against_passive
from price_physics.walk_forward.refusal import refusal_of, refused
from price_physics.walk_forward.statistics import sharpe_ratio
from price_physics.walk_forward.steps import DAY_NS, signals_of, steps_of
from price_physics.walk_forward.tosses import BlockSums
from price_physics.walk_forward.verdict import (
    DECLARED_LATE,
    IN_SAMPLE,
    NOTHING_YET,
    Verdict,
    describe,
    no_verdict,
    verdict_of,
)

if TYPE_CHECKING:
    from price_physics.study.study import Study
    from price_physics.walk_forward.month import MonthWalk


def out_of_sample(months: Mapping[Month, MonthWalk]) -> list[Month]:
    """List the months from the first that a trained model served; all later months count.

    A later month without a model still carries positions and has flat days.
    """
    served = [m for m in sorted(months) if months[m].warm_up is None]
    return [m for m in sorted(months) if served and m >= served[0]]


@dataclass(frozen=True)
class Seen:
    """All months out of sample, joined; only covered days.

    Attributes
    ----------
    against : dict of str to Against
        By passive investor.
    n_trades : int
        Filled trades.
    scored : DataFrame
        SCORED of the same months.
    """

    against: Mapping[str, Against]
    n_trades: int
    scored: pd.DataFrame

    @property
    def net(self) -> np.ndarray:
        """Net return by day."""
        return self.against[CASH].won


def put_together(months: Mapping[Month, MonthWalk]) -> Seen:
    """Join the months out of sample; there must be at least one."""
    walks = [months[m] for m in out_of_sample(months)]
    daily, book, equity, scored = (
        pd.concat([getattr(walk, name) for walk in walks], ignore_index=True)
        for name in ("daily", "book", "equity", "scored")
    )
    daily = daily[daily["covered"].to_numpy(dtype=bool)]
    day = daily["day_ns"].to_numpy(dtype=np.int64) // DAY_NS
    steps = steps_of(book, equity, day)
    against = against_passive(steps, day, daily["net_return"].to_numpy(dtype=np.float64))
    return Seen(against, sum(len(filled(walk.trades)) for walk in walks), scored)


def judge_months(
    months: Mapping[Month, MonthWalk],
    predictions: Mapping[Month, pd.DataFrame],
    study: Study,
    month: Month,
    others: Sequence[Mapping[str, Any]] = (),
    in_sample: bool = False,
    declared_late: bool = False,
) -> Verdict:
    """Judge a study by everything that it did out of sample through `month`.

    Parameters
    ----------
    months, predictions : mapping
        The walk-forward, and PREDICTIONS, of every month up to `month`.
    others : sequence of mapping
        The other trials of the market up to `month`, from the ledger.
    in_sample : bool
        Whether any barrier behind the months was chosen from the outcomes that are judged: then
        there is no verdict.
    declared_late : bool
        Whether somebody looked before the study declared its month: then it is judged every month.

    Returns
    -------
    Verdict
    """
    served = out_of_sample(months)
    if not served and in_sample:
        return no_verdict(IN_SAMPLE, n_days=0, n_trades=0, n_trials=1)
    if not served:
        return Verdict(verdict=UNDERPOWERED, sentence=NOTHING_YET, n_days=0, n_trades=0, n_trials=1)
    seen = put_together(months)
    if in_sample:
        return no_verdict(IN_SAMPLE, len(seen.net), seen.n_trades, n_trials=1 + len(others))
    decision = decide(
        seen.against,
        seen.n_trades,
        signals_of(seen.scored),
        2 * study.walk_forward.cost_a_side,
        level_of(month, None if declared_late else study.walk_forward.judged_in),
        map(results_of, others),
    )
    sharpes = [sharpe_ratio(seen.net), *(trial.get("sharpe_daily") for trial in others)]
    description = describe(seen.net, sharpes, study.seed)
    is_open = any((months[m].positions["carried"] == "out").any() for m in served)
    remarks = [] if seen.n_trades or is_open else [_refused(predictions, served, study)]
    if declared_late:
        remarks.append(DECLARED_LATE)
    return verdict_of(decision, description, " ".join(remarks))


def results_of(trial: Mapping[str, Any]) -> BlockSums | int:
    """Return a trial's winnings by block of five days, or a hash where the ledger lacks them."""
    if "block_sums" in trial:
        return {int(block): won for block, won in trial["block_sums"].items()}
    return int(hashlib.sha256(trial["trial"].encode()).hexdigest()[:16], 16)


def _refused(predictions: Mapping[Month, pd.DataFrame], served: list[Month], study: Study) -> str:
    frames = (predictions[m] for m in served if m in predictions)
    return refused(refusal_of(frames, study.walk_forward.min_confidence))
