"""Looking at a study out of sample: write down the trial, then judge it among all of them.

What this module does not do is decide: the rule stands in `verdict`, the memory in `ledger`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from price_physics.months import Month
from price_physics.study.trial import config_hash
from price_physics.walk_forward.exit_reasons import filled
from price_physics.walk_forward.ledger import read_trials, record_trial
from price_physics.walk_forward.statistics import sharpe_ratio
from price_physics.walk_forward.verdict import IN_SAMPLE, Verdict, judge, no_verdict

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.study.study import Study
    from price_physics.walk_forward.month import MonthWalk


def out_of_sample(months: Mapping[Month, MonthWalk]) -> list[Month]:
    """List the months from the first that a trained model served; whatever follows counts.

    A later month without a model still carries positions and has flat days.
    """
    served = [m for m in sorted(months) if months[m].warm_up is None]
    return [m for m in sorted(months) if served and m >= served[0]]


def trial_name(study: Study, market: Market, first: Month) -> str:
    """Name a trial by its configuration and its first month out of sample: both make it another."""
    return f"{config_hash(study, market)}-from-{first}"


def judge_months(
    months: Mapping[Month, MonthWalk],
    *,
    ledger: Path,
    study: Study,
    market: Market,
    month: Month,
    synthetic: bool,
    in_sample: bool = False,
) -> Verdict:
    """Record that a study was looked at through `month`, and judge it.

    One with an in-sample policy is not judged. Whoever looked at it has tried something on these
    months, so it counts among the trials of the others, without a Sharpe ratio: that is no
    evidence of how trials scatter either.

    Parameters
    ----------
    months : mapping
        The walk-forward of every month up to `month`.
    ledger : Path
        Folder of the trial ledger. A synthetic market is no trial and is not recorded.
    in_sample : bool
        Whether any barrier behind the months was chosen from what it is judged on.

    Returns
    -------
    Verdict
    """
    seen = out_of_sample(months)
    if not seen and in_sample:
        return no_verdict(IN_SAMPLE, n_days=0, n_trades=0, n_trials=1)
    if not seen:
        walk = months[month]
        no_days = walk.daily.iloc[:0]
        return judge(no_days, walk.book, walk.equity, n_trades=0, trial_sharpes=[], seed=study.seed)
    daily, book, equity = (
        pd.concat([getattr(months[m], name) for m in seen], ignore_index=True)
        for name in ("daily", "book", "equity")
    )
    n_trades = sum(len(filled(months[m].trades)) for m in seen)
    sharpe = None if in_sample else sharpe_ratio(daily["net_return"].to_numpy())
    sharpes = [sharpe]
    if not synthetic:
        record = {
            "study": study.name,
            "first_month": str(seen[0]),
            "n_days": len(daily),
            "sharpe_daily": sharpe,
            **({"in_sample": True} if in_sample else {}),
        }
        record_trial(ledger, market.name, trial_name(study, market, seen[0]), month, record)
        sharpes = [trial["sharpe_daily"] for trial in read_trials(ledger, market.name, month)]
    if in_sample:
        return no_verdict(IN_SAMPLE, n_days=len(daily), n_trades=n_trades, n_trials=len(sharpes))
    return judge(daily, book, equity, n_trades=n_trades, trial_sharpes=sharpes, seed=study.seed)
