"""A sensor a market: new or changed files request the months that they touch, once a change.

What is cheap follows the files at once, up to the folds. A network is trained by the schedule; only
a month whose time on the schedule is over is requested whole, as nothing else would train it.
"""

import hashlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.orchestration.schedules import is_due, job_name
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.pipeline.inputs import file_entries
from price_physics.project import Project
from price_physics.store.partitions import Store
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.ticks.index import FileEntry, inputs_of, months_of
from price_physics.ticks.reading.files import input_files

SETTLED_S = 5.0
"""Seconds without a change after which a file counts as complete."""

_EVERY_S = 20


def cheap_assets() -> list[str]:
    """Assets that need no network, in the order of the pipeline."""
    dear = {"model"}
    for asset, stage in STAGES.items():
        if dear & stage.reads.keys():
            dear.add(asset)
    return [asset for asset in STAGES if asset not in dear]


def build_sensor(
    project: Project,
    market: Market,
    studies: list[Study],
    jobs: list[Any],
    partitions: dg.MonthlyPartitionsDefinition,
) -> dg.SensorDefinition:
    """Make the sensor of a market; it is off until somebody turns it on."""

    @dg.sensor(
        name=f"{market.name}_files",
        jobs=jobs,
        minimum_interval_seconds=_EVERY_S,
        description=f"New or changed files of {market.name} request the months that they touch: "
        "ticks to folds at once, the whole month where the schedule's time for it is over.",
    )
    def files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        keys = partitions.get_partition_keys()
        seen = _seen(project, market, keys)
        if seen == context.cursor:
            return dg.SkipReason(f"no file of {market.name} is new or changed")
        if youngest_s(project, market) < SETTLED_S:
            return dg.SkipReason(f"a file of {market.name} is still being written")
        months = [Month.parse(key) for key in keys]
        touched = touched_months(project, market, months)
        # A month whose run failed, or whose files came back, is asked for by the next change.
        change = f"{time.time_ns()}"
        requests = [
            _request(study, month, f"{digest} {change}")
            for month, digest in sorted(touched.items())
            for study in studies
        ]
        said = ", ".join(str(m) for m in sorted(touched))
        context.log.info(f"{market.name}: files touch {said or 'no month'}")
        return dg.SensorResult(run_requests=requests, cursor=seen)

    return files


def _seen(project: Project, market: Market, keys: list[str] | Any) -> str:
    """What tells of a change, without reading: sizes and times of files, the last month."""
    files = [
        (str(path), entry.size, entry.mtime_ns, entry.sidecars)
        for path in input_files(market, project.root)
        for entry in [FileEntry.of(path)]
    ]
    told = json.dumps([files, list(keys)[-1:]])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def youngest_s(project: Project, market: Market) -> float:
    """Age of the file that changed last."""
    newest_ns = max(FileEntry.of(path).mtime_ns for path in input_files(market, project.root))
    return time.time() - newest_ns / 1e9


def touched_months(project: Project, market: Market, months: list[Month]) -> dict[Month, str]:
    """Find the months whose ticks are missing, or were made from other files.

    Parameters
    ----------
    months : list of Month
        Months that are over; others are left alone.

    Returns
    -------
    dict of Month to str
        Identifies what each is to be made from.

    Raises
    ------
    TickDataError
        When a file that is read cannot be trusted.
    """
    entries, store = file_entries(project, market), Store(project.store)
    touched = {}
    for month in sorted(months_of(entries.values()).keys() & set(months)):
        inputs = inputs_of(entries, month)
        try:
            stands = store.read((market.name, "ticks"), month).manifest["inputs"] == inputs
        except StoreError:  # missing or damaged: it is made anew
            stands = False
        if not stands:
            told = json.dumps(inputs, sort_keys=True)
            touched[month] = hashlib.sha256(told.encode()).hexdigest()[:16]
    return touched


def _request(study: Study, month: Month, cause: str) -> dg.RunRequest:
    assets = list(STAGES) if is_due(month, datetime.now(UTC)) else cheap_assets()
    return dg.RunRequest(
        run_key=f"{study.name} {month} {cause}",
        job_name=job_name(study.name),
        partition_key=month.key,
        asset_selection=[
            dg.AssetKey([owner_of(asset, study.name, study.market), asset]) for asset in assets
        ],
        tags={"price_physics/files_of": str(month)},
    )
