"""The assets: one body for every stage, except for four that need something of their own.

`ticks` reads vendor files, `model` keeps checkpoints, `walk_forward` writes down that somebody
looks, `report` reads who did; MLflow tracks `model`, `report` and `motifs`. `pipeline.dag` says
what an asset reads, gives and obeys; `step` what each of them does, `page` what its page shows.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from price_physics.errors import StaleInputs, TickDataError
from price_physics.machine_faults import machine_faults
from price_physics.months import Month
from price_physics.orchestration.checks.ticks import STOP
from price_physics.orchestration.made import Made
from price_physics.orchestration.memory import check_memory
from price_physics.orchestration.page import asset_arguments
from price_physics.orchestration.partitions import month_of
from price_physics.orchestration.step import Scope, run_step
from price_physics.orchestration.tracked import (
    environment,
    logged_of_fit,
    logged_of_motifs,
    logged_of_report,
)
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.past import Past
from price_physics.pipeline.dag import STAGES
from price_physics.pipeline.inputs import open_index
from price_physics.pipeline.trials import look_of
from price_physics.progress import reading_bar, said_in_log, training_bar
from price_physics.project import Project
from price_physics.store.artefact import Artefact
from price_physics.study.study import Study

Yields = Iterator[dg.AssetCheckResult | dg.Output[Any]]


def build_study_assets(scope: Scope, study: Study) -> list[dg.AssetsDefinition]:
    """Make every asset of a study, in the order of the pipeline."""
    own: dict[str, Callable[..., dg.AssetsDefinition]] = {
        "model": _model_asset,
        "walk_forward": _walk_forward_asset,
        "report": _report_asset,
        "motifs": _motifs_asset,
    }
    return [own.get(name, _stage_asset)(scope, study, name) for name in STAGES if name != "ticks"]


def _make(
    scope: Scope,
    study: Study,
    name: str,
    context: dg.AssetExecutionContext,
    inputs: dict[str, Any],
    **own: Any,
) -> Artefact:
    """Run a stage on the months that Dagster hands over."""
    function, month = STAGES[name].function(), month_of(context)
    try:
        with machine_faults():
            check_memory(name, study, scope.market, month, inputs)
            return function(study, scope.market, month, Past(inputs), **own)
    except StaleInputs as error:
        raise error.rebuilt_by(study.name, month) from error


def _stage_asset(scope: Scope, study: Study, name: str) -> dg.AssetsDefinition:
    @dg.asset(**asset_arguments(name, scope))
    def stage(context: dg.AssetExecutionContext, **inputs: Any) -> Yields:
        yield from run_step(
            scope, name, context, inputs, lambda: _make(scope, study, name, context, inputs)
        )

    return stage


def _model_asset(scope: Scope, study: Study, name: str) -> dg.AssetsDefinition:
    @dg.asset(**asset_arguments(name, scope))
    def model(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        **inputs: Any,
    ) -> Yields:
        month = month_of(context)

        def fit() -> Artefact:
            place = checkpoint_folder(scope.project, study.name, month)
            with training_bar(f"training {study.name} {month}") as bar:
                progress = said_in_log(bar, context.log.info, "epochs")
                return _make(
                    scope, study, name, context, inputs, progress=progress, checkpoints=place
                )

        def log(artefact: Artefact, made: Made) -> None:
            logged = logged_of_fit(artefact, inputs["folds"][month], made)
            tracking.log_or_warn(study, scope.market, month, logged)

        yield from run_step(scope, name, context, inputs, fit, then=log)

    return model


def _walk_forward_asset(scope: Scope, study: Study, name: str) -> dg.AssetsDefinition:
    @dg.asset(**asset_arguments(name, scope))
    def walk_forward(context: dg.AssetExecutionContext, **inputs: Any) -> Yields:
        def walk() -> Artefact:
            ticks = inputs["ticks"][month_of(context)]
            look = look_of(scope.project.ledger, study, scope.market, ticks)
            return _make(scope, study, name, context, inputs, look=look)

        yield from run_step(scope, name, context, inputs, walk)

    return walk_forward


def _report_asset(scope: Scope, study: Study, name: str) -> dg.AssetsDefinition:
    @dg.asset(**asset_arguments(name, scope))
    def report(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        **inputs: Any,
    ) -> Yields:
        month, walked = month_of(context), inputs["walk_forward"]

        def write() -> Artefact:
            seen = environment(study, scope.market, walked)
            ledger = scope.project.ledger
            return _make(scope, study, name, context, inputs, ledger=ledger, environment=seen)

        def log(artefact: Artefact, made: Made) -> None:
            judged_on = {
                "ticks": inputs["ticks"][month],
                "evaluation": inputs["predictions"][month],
            }
            logged = logged_of_report(artefact.files, walked[month], made, judged_on)
            tracking.log_or_warn(study, scope.market, month, logged)

        page = scope.project.outputs / study.name / "reports" / f"{month}.html"
        shown = {"report": dg.MetadataValue.path(str(page))}
        yield from run_step(scope, name, context, inputs, write, shown, log)

    return report


def _motifs_asset(scope: Scope, study: Study, name: str) -> dg.AssetsDefinition:
    @dg.asset(**asset_arguments(name, scope))
    def motifs(
        context: dg.AssetExecutionContext,
        tracking: dg.ResourceParam[MlflowTracking],
        **inputs: Any,
    ) -> Yields:
        def describe() -> Artefact:
            return _make(scope, study, name, context, inputs)

        def log(artefact: Artefact, made: Made) -> None:
            logged = logged_of_motifs(artefact.files, made)
            tracking.log_or_warn(study, scope.market, month_of(context), logged)

        yield from run_step(scope, name, context, inputs, describe, then=log)

    return motifs


def build_ticks_asset(scope: Scope) -> dg.AssetsDefinition:
    """Make the one asset that a market owns."""
    project, market = scope.project, scope.market

    @dg.asset(**asset_arguments("ticks", scope))
    def ticks(context: dg.AssetExecutionContext) -> Yields:
        month = month_of(context)

        def read() -> Artefact:
            project.data.mkdir(parents=True, exist_ok=True)  # for tables too long for memory
            index = open_index(project, market)
            with machine_faults(), reading_bar(f"{market.name} {month}") as bar:
                return STAGES["ticks"].function()(
                    market,
                    month,
                    project.root,
                    index=index,
                    scratch=project.data,
                    progress=said_in_log(bar, context.log.info, "bytes"),
                )

        try:
            yield from run_step(scope, "ticks", context, {}, read)
        except TickDataError as error:
            yield dg.AssetCheckResult(check_name=STOP, passed=False, description=str(error))
            raise

    return ticks


def checkpoint_folder(project: Project, study: str, month: Month) -> Path:
    """Where the fits of a month keep their state until its partition is written."""
    return project.data / "checkpoints" / study / str(month)
