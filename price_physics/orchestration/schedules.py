"""One job and one monthly schedule a study."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from price_physics.months import Month
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.study.study import Study

STUDY_TAG = "price_physics/study"
"""Runs of one study's job share this tag."""

DAY, HOUR = 8, 6
"""When the schedule runs month m: on this day of m + 1, at this hour UTC."""


def job_name(study: str) -> str:
    """Name of the job that materialises one month of a study."""
    return f"{study}_month"


def build_study_job(study: Study) -> Any:
    """Make the job that materialises one month of a study, its ticks included."""
    return dg.define_asset_job(
        name=job_name(study.name),
        description=f"Every asset of {study.name} for one month, ticks first.",
        selection=dg.AssetSelection.assets(
            *([owner_of(asset, study.name, study.market), asset] for asset in STAGES)
        ),
        tags={STUDY_TAG: study.name},
    )


def build_schedule(job: Any) -> Any:
    """Run the job for month m on the eighth of m + 1, 06:00 UTC, when its files should be there.

    A month whose file has not arrived fails and says so; run it again from the UI.
    """
    return dg.build_schedule_from_partitioned_job(job, day_of_month=DAY, hour_of_day=HOUR)


def is_due(month: Month, now: datetime) -> bool:
    """Whether the schedule's time for a month is over.

    Examples
    --------
    >>> [is_due(Month(2012, 4), datetime(2012, 5, d, 7, tzinfo=UTC)) for d in (7, 8)]
    [False, True]
    """
    after = month + 1
    return now >= datetime(after.year, after.month, DAY, HOUR, tzinfo=UTC)
