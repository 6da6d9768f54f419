"""Say what became of a month's rows, trades or candles: the quality report and quarantine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from price_physics.errors import TickDataError
from price_physics.schemas.ticks import QUARANTINE
from price_physics.ticks.month.gaps import missing_days, refuse_gaps
from price_physics.ticks.month.quality import completeness, score

if TYPE_CHECKING:
    from price_physics.store.spool import SpooledTable
    from price_physics.ticks.month.intake import Intake
    from price_physics.ticks.month.quality import QualityCounts


@dataclass(frozen=True)
class Cleaned:
    """What cleaning leaves of a month's rows.

    Attributes
    ----------
    table : SpooledTable or DataFrame
    n_dropped : int
        Duplicates, dropped.
    facts : dict of str to int
        What the report says of this kind of rows alone.
    """

    table: SpooledTable | pd.DataFrame
    n_dropped: int
    facts: dict[str, int] = field(default_factory=dict)


def quality_of(intake: Intake, counts: QualityCounts, cleaned: Cleaned) -> dict[str, Any]:
    """Report a month, as JSON: what was read, what became of it, and a score.

    Raises
    ------
    TickDataError
        When more rows are set aside than the market allows, or a strict one misses days or ids.
    """
    market, month = intake.market, intake.month
    facts = counts.report()
    unexplained, explained = missing_days(
        market, month, counts.ticks_by_day, facts["first_tick_ns"]
    )
    report = {
        "market": market.name,
        "month": str(month),
        "empty": counts.n_ticks == 0,
        "files": [
            {"file": file, "rows": intake.n_rows[number]}
            for number, (file, _) in sorted(intake.files.items())
        ],
        "rows_read": sum(intake.n_rows.values()),
        "quarantined": sum(intake.n_set_aside.values()),
        "quarantine_listed": len(intake.faults),
        "quarantine_reasons": dict(sorted((+intake.n_set_aside).items())),
        "duplicates_dropped": cleaned.n_dropped,
        "rows_out_of_order": intake.n_backwards,
        "rows_before_first_month": intake.n_outside,
        "days": len(counts.ticks_by_day),
        "missing_days": unexplained,
        "missing_days_in_outages": explained,
        **facts,
    }
    _refuse_dirt(intake, report["rows_read"])
    refuse_gaps(
        market, month, report["missing_days"], report["missing_ids"], report["missing_ids_share"]
    )
    if market.candle_ns:
        # where nobody traded a candle may be left out: then its absence is no fault
        report["candles_absent"] = report.pop("missing_ids")
        report["candles_absent_share"] = report.pop("missing_ids_share")
        lost = cleaned.facts["candles_without_trade"] > 0
        report |= {"missing_ids": None, "missing_ids_share": None}
        rated = report | {"missing_ids_share": report["candles_absent_share"] if lost else None}
    else:
        rated = report
    return report | {"score": score(rated), "completeness": completeness(rated)} | cleaned.facts


def _refuse_dirt(intake: Intake, n_rows: int) -> None:
    """Stop where more rows would be set aside than the market allows."""
    market, n_bad = intake.market, sum(intake.n_set_aside.values())
    if n_bad <= market.quarantine_limit * n_rows:
        return
    reason, n_most = intake.n_set_aside.most_common(1)[0]
    number, fault = next(found for found in intake.faults if found[1].reason == reason)
    raised = min(1.0, math.ceil(100 * n_bad / n_rows) / 100)
    raise TickDataError(
        f"market {market.name!r}, {intake.month}: {n_bad} of {n_rows} rows would be set aside, "
        f"{n_bad / n_rows:.2%} of them, over {market.quarantine_limit:.2%}; {n_most} because "
        f"{reason}, such as {intake.files[number][0]}, row {fault.line}: {fault.raw!r}; download "
        f"the files again, or correct `columns:` in configs/markets/{market.name}.yaml, or if the "
        f"other rows can be trusted set `quarantine_limit: {raised:g}` there"
    )


def quarantine_of(intake: Intake) -> pd.DataFrame:
    """Shape faults as QUARANTINE; one without a time of its own is known when the month ends."""
    faults = sorted(intake.faults, key=lambda found: (found[0], found[1].line))
    known_at = [f.time_ns if f.own_time else intake.month.end_ns for _, f in faults]
    return pd.DataFrame(
        {
            "file": np.array([intake.files[number][0] for number, _ in faults], object),
            "row": np.array([fault.line for _, fault in faults], np.int64),
            "reason": np.array([fault.reason for _, fault in faults], object),
            "raw": np.array([fault.raw for _, fault in faults], object),
            "known_at": np.array(known_at, np.int64),
        }
    )[QUARANTINE.columns]
