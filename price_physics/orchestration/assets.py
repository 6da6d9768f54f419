"""The assets: one body for every stage, except for four that need something of their own.

`ticks` reads vendor files and yields checks, `model` keeps checkpoints, `walk_forward` writes down
that somebody looks, `report` reads who did; MLflow tracks `model`, `report` and `motifs`.
`pipeline.dag` says what an asset reads, gives and obeys.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from price_physics.errors import TickDataError
from price_physics.machine_faults import machine_faults
from price_physics.months import Month
from price_physics.orchestration.checks import stopped, tick_check_results, tick_check_specs
from price_physics.orchestration.made import made_now
from price_physics.orchestration.partitions import month_of, window_mapping
from price_physics.orchestration.tracked import (
    environment,
    logged_of_fit,
    logged_of_motifs,
    logged_of_report,
)
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.past import Past
from price_physics.pipeline.dag import STAGES, owner_of, reads_of, tables_of
from price_physics.pipeline.inputs import open_index
from price_physics.pipeline.trials import look_of
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.progress import reading_bar, training_bar
from price_physics.project import Project
from price_physics.schemas.table import TableSchema
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.study import Study

Months = Mapping[Month, Partition]


@dataclass(frozen=True)
class StudyScope:
    """A study, its market and its project: what every asset of the study needs."""

    project: Project
    market: Market
    study: Study
    partitions: dg.MonthlyPartitionsDefinition

    def make(
        self, name: str, context: dg.AssetExecutionContext, inputs: dict[str, Months], **own: Any
    ) -> Artefact:
        """Run a stage on the months that Dagster hands over."""
        function = STAGES[name].function()
        with machine_faults():
            return function(self.study, self.market, month_of(context), Past(inputs), **own)


def build_study_assets(scope: StudyScope) -> list[dg.AssetsDefinition]:
    """Make every asset of a study, in the order of the pipeline."""
    own = {
        "model": _model_asset,
        "walk_forward": _walk_forward_asset,
        "report": _report_asset,
        "motifs": _motifs_asset,
    }
    return [own.get(name, _stage_asset)(scope, name) for name in STAGES if name != "ticks"]


def _stage_asset(scope: StudyScope, name: str) -> dg.AssetsDefinition:
    @dg.asset(**_arguments(name, scope.market, scope.study, scope.partitions))
    def stage(context: dg.AssetExecutionContext, **inputs: Any) -> Artefact:
        return scope.make(name, context, inputs)

    return stage


def _model_asset(scope: StudyScope, name: str) -> dg.AssetsDefinition:
    @dg.asset(**_arguments(name, scope.market, scope.study, scope.partitions))
    def model(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        **inputs: Any,
    ) -> Artefact:
        month, start_s = month_of(context), time.time()
        place = checkpoint_folder(scope.project, scope.study.name, month)
        with training_bar(f"training {scope.study.name} {month}") as progress:
            artefact = scope.make(name, context, inputs, progress=progress, checkpoints=place)
        logged = logged_of_fit(artefact, inputs["folds"][month], made_now(start_s, context))
        tracking.log_or_warn(scope.study, scope.market, month, logged)
        return artefact

    return model


def _walk_forward_asset(scope: StudyScope, name: str) -> dg.AssetsDefinition:
    @dg.asset(**_arguments(name, scope.market, scope.study, scope.partitions))
    def walk_forward(context: dg.AssetExecutionContext, **inputs: Any) -> Artefact:
        ticks = inputs["ticks"][month_of(context)]
        look = look_of(scope.project.ledger, scope.study, scope.market, ticks)
        return scope.make(name, context, inputs, look=look)

    return walk_forward


def _report_asset(scope: StudyScope, name: str) -> dg.AssetsDefinition:
    @dg.asset(**_arguments(name, scope.market, scope.study, scope.partitions))
    def report(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        **inputs: Any,
    ) -> Artefact:
        month, walked, start_s = month_of(context), inputs["walk_forward"], time.time()
        seen = environment(scope.study, scope.market, walked)
        ledger = scope.project.ledger
        artefact = scope.make(name, context, inputs, ledger=ledger, environment=seen)
        judged_on = {"ticks": inputs["ticks"][month], "evaluation": inputs["predictions"][month]}
        made = made_now(start_s, context)
        logged = logged_of_report(artefact.files, walked[month], made, judged_on)
        tracking.log_or_warn(scope.study, scope.market, month, logged)
        page = scope.project.outputs / scope.study.name / "reports" / f"{month}.html"
        context.add_output_metadata({"report": dg.MetadataValue.path(str(page))})
        return artefact

    return report


def _motifs_asset(scope: StudyScope, name: str) -> dg.AssetsDefinition:
    @dg.asset(**_arguments(name, scope.market, scope.study, scope.partitions))
    def motifs(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        **inputs: Any,
    ) -> Artefact:
        start_s = time.time()
        artefact = scope.make(name, context, inputs)
        logged = logged_of_motifs(artefact.files, made_now(start_s, context))
        tracking.log_or_warn(scope.study, scope.market, month_of(context), logged)
        return artefact

    return motifs


def build_ticks_asset(
    project: Project, market: Market, partitions: dg.MonthlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """Make the one asset that a market owns."""

    @dg.asset(
        **_arguments("ticks", market, None, partitions),
        check_specs=tick_check_specs(dg.AssetKey([market.name, "ticks"]), partitions),
    )
    def ticks(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.Output[Artefact]]:
        month = month_of(context)
        with machine_faults(), reading_bar(f"{market.name} {month}") as progress:
            project.data.mkdir(parents=True, exist_ok=True)  # for tables too long for memory
            try:
                artefact = STAGES["ticks"].function()(
                    market,
                    month,
                    project.root,
                    index=open_index(project, market),
                    scratch=project.data,
                    progress=progress,
                )
            except TickDataError as error:
                yield stopped(str(error))
                raise
        quality = artefact.document("quality")
        yield dg.Output(artefact, metadata={"quality": dg.MetadataValue.json(quality)})
        yield from tick_check_results(quality)

    return ticks


def checkpoint_folder(project: Project, study: str, month: Month) -> Path:
    """Where the fits of a month keep their state until its partition is written."""
    return project.data / "checkpoints" / study / str(month)


def _arguments(
    name: str,
    market: Market,
    study: Study | None,
    partitions: dg.MonthlyPartitionsDefinition,
) -> dict[str, Any]:
    """Arguments of ``@dg.asset``: key, edges, partitions, versions, and what the UI shows."""
    stage, study_name = STAGES[name], study.name if study else ""
    tables = tables_of(name, market)
    return {
        "name": name,
        "key_prefix": owner_of(name, study_name, market.name),
        "ins": {
            upstream: dg.AssetIn(
                key=[owner_of(upstream, study_name, market.name), upstream],
                partition_mapping=window_mapping(window),
            )
            for upstream, window in reads_of(name, study).items()
        },
        "partitions_def": partitions,
        "description": stage.gives,
        "group_name": stage.group,
        "kinds": set(stage.kinds),
        "io_manager_key": "store",
        "code_version": f"{code_version(name, study)}-{settings_hash(name, study, market)}",
        "metadata": {"dagster/column_schema": _column_schema(tables[0])} if tables else {},
    }


def _column_schema(schema: TableSchema) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=field.name,
                type=str(field.type),
                description=schema.descriptions[field.name],
                constraints=dg.TableColumnConstraints(nullable=field.nullable),
            )
            for field in schema.arrow
        ]
    )
