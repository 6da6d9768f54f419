"""The assets: one body for every stage, except for four that need something of their own.

`ticks` reads vendor files and yields checks, `model` keeps checkpoints, `walk_forward` writes down
that somebody looks, `report` reads who did; MLflow tracks `model` and `report`. `pipeline.dag` says
what an asset reads, gives and obeys.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg

from price_physics.errors import StaleInputs, TickDataError
from price_physics.machine_faults import machine_faults
from price_physics.months import Month
from price_physics.orchestration.checks import stopped, tick_check_results, tick_check_specs
from price_physics.orchestration.memory import check_memory
from price_physics.orchestration.partitions import month_of, window_mapping
from price_physics.orchestration.tracked import (
    TRACKED,
    environment,
    logged_digest,
    logged_of_fit,
    logged_of_report,
)
from price_physics.orchestration.tracking import MlflowTracking, run_tags
from price_physics.past import Past
from price_physics.pipeline.dag import STAGES, owner_of, reads_of, tables_of
from price_physics.pipeline.inputs import open_index
from price_physics.pipeline.trials import look_of
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.progress import reading_bar, training_bar
from price_physics.project import Project
from price_physics.schemas.table import TableSchema
from price_physics.store.artefact import Artefact, canonical_json
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
        function, month = STAGES[name].function(), month_of(context)
        try:
            with machine_faults():
                check_memory(name, self.study, self.market, month, inputs)
                return function(self.study, self.market, month, Past(inputs), **own)
        except StaleInputs as error:
            raise error.rebuilt_by(self.study.name, month) from error


def build_study_assets(scope: StudyScope) -> list[dg.AssetsDefinition]:
    """Make every asset of a study, in the order of the pipeline."""
    own = {
        "model": _model_asset,
        "walk_forward": _walk_forward_asset,
        "report": _report_asset,
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
        month = month_of(context)
        place = checkpoint_folder(scope.project, scope.study.name, month)
        with training_bar(f"training {scope.study.name} {month}") as progress:
            artefact = scope.make(name, context, inputs, progress=progress, checkpoints=place)
        tags = run_tags(inputs["folds"][month], artefact.warm_up, _dagster_tags(context))
        digest = logged_digest(
            *(canonical_json(artefact.document(Path(name).stem)) for name in TRACKED["model"])
        )
        tracking.log_or_warn(
            scope.study,
            scope.market,
            month,
            tags=tags,
            logged=("model", digest),
            **logged_of_fit(artefact),
        )
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
        month, walked = month_of(context), inputs["walk_forward"]
        seen = environment(scope.study, scope.market, walked)
        ledger = scope.project.ledger
        artefact = scope.make(name, context, inputs, ledger=ledger, environment=seen)
        logged = logged_of_report(artefact.files)
        entry = {"price_physics.ledger_entry": walked[month].document("look")["entry"] or ""}
        tags = run_tags(walked[month], artefact.warm_up, _dagster_tags(context))
        tags |= logged.pop("tags") | entry
        digest = logged_digest(*(artefact.files[name] for name in TRACKED["report"]))
        tracking.log_or_warn(
            scope.study, scope.market, month, tags=tags, logged=("report", digest), **logged
        )
        page = scope.project.outputs / scope.study.name / "reports" / f"{month}.html"
        context.add_output_metadata({"report": dg.MetadataValue.path(str(page))})
        return artefact

    return report


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


def _dagster_tags(context: dg.AssetExecutionContext) -> dict[str, str]:
    return {"dagster.run_id": context.run.run_id, "dagster.partition": context.partition_key}


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
