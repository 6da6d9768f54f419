"""Assemble the definitions of a project: markets, studies, resources, jobs, schedules, sensors.

Nothing is computed here.
"""

import shutil
from collections.abc import Callable
from typing import Any

import dagster as dg

from price_physics.orchestration.assets import (
    build_study_assets,
    build_ticks_asset,
    checkpoint_folder,
)
from price_physics.orchestration.io_manager import Expected, PartitionIOManager
from price_physics.orchestration.partitions import monthly_partitions
from price_physics.orchestration.schedules import build_schedule, build_study_job
from price_physics.orchestration.sensors import build_sensor
from price_physics.orchestration.step import Scope
from price_physics.orchestration.tracking import tracking_of
from price_physics.pipeline.dag import STAGES, tables_of
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.project import Project
from price_physics.store.partitions import Key, Partition, Store
from price_physics.study.market import Market
from price_physics.study.reading import load_configs
from price_physics.study.study import Study


def build_definitions(
    project: Project, on_written: Callable[[Partition], None] | None = None
) -> dg.Definitions:
    """Build everything Dagster needs to know about a project.

    Parameters
    ----------
    project : Project
    on_written : callable, optional
        Called with each partition once it is written, for progress bars.

    Raises
    ------
    ConfigError
        When a market or a study is impossible.
    """
    markets, studies = load_configs(project.configs)
    partitions = {name: monthly_partitions(market) for name, market in markets.items()}
    assets = [
        build_ticks_asset(Scope(project, market, None, partitions[market.name]))
        for market in markets.values()
    ]
    jobs: dict[str, Any] = {}
    for study in studies.values():
        scope = Scope(project, markets[study.market], study, partitions[study.market])
        assets += build_study_assets(scope, study)
        jobs[study.name] = build_study_job(study)
    sensors = []
    for market in markets.values():
        if on_market := [s for s in studies.values() if s.market == market.name]:
            own = [jobs[study.name] for study in on_market]
            sensors.append(build_sensor(project, market, on_market, own, partitions[market.name]))
    return dg.Definitions(
        assets=assets,
        jobs=list(jobs.values()),
        schedules=[build_schedule(job) for job in jobs.values()],
        sensors=sensors,
        # One process a month: 14 mostly sequential assets would spend longer starting than working.
        executor=dg.in_process_executor,
        resources={
            "store": PartitionIOManager(
                Store(project.store),
                project.outputs,
                _expected(markets, studies),
                _after_writing(project, on_written),
            ),
            "tracking": tracking_of(project),
        },
    )


def _after_writing(
    project: Project, on_written: Callable[[Partition], None] | None
) -> Callable[[Partition], None]:
    """Remove a model's checkpoints once its partition is written; then call `on_written`."""

    def written(partition: Partition) -> None:
        study, asset = partition.key
        if asset == "model":
            folder = checkpoint_folder(project, study, partition.month)
            shutil.rmtree(folder, ignore_errors=True)
        if on_written is not None:
            on_written(partition)

    return written


def _expected(markets: dict[str, Market], studies: dict[str, Study]) -> dict[Key, Expected]:
    """Today's settings hash, code version and tables of every asset."""
    pairs: list[tuple[Study | None, Market, str]] = [(None, m, "ticks") for m in markets.values()]
    for study in studies.values():
        pairs += [(study, markets[study.market], asset) for asset in STAGES if asset != "ticks"]
    return {
        (study.name if study else market.name, asset): Expected(
            settings_hash(asset, study, market),
            code_version(asset, study),
            tables_of(asset, market),
        )
        for study, market, asset in pairs
    }
