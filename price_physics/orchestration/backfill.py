"""Run a study month by month, in one process, with real run records.

Partition m reads every earlier month, so months run in order. Current partitions are skipped, so
an interrupted backfill continues where it was.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg

from price_physics import errors
from price_physics.errors import ConfigError, PricePhysicsError, TrackingError
from price_physics.flags import said
from price_physics.months import Month
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.dead_runs import close_dead_runs
from price_physics.orchestration.instance import open_instance
from price_physics.orchestration.partitions import monthly_partitions
from price_physics.orchestration.schedules import STUDY_TAG, job_name
from price_physics.orchestration.step import UNCHECKED_TAG
from price_physics.orchestration.tracking import tracking_of
from price_physics.orchestration.untracked import log_missing
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.pipeline.freshness import stale_assets
from price_physics.pipeline.inputs import months_with_trades
from price_physics.pipeline.leftovers import sweep_leftovers
from price_physics.pipeline.publish import publish_missing
from price_physics.progress import asset_bar
from price_physics.project import Project
from price_physics.store.locks import held
from price_physics.store.partitions import Partition, Store
from price_physics.study.market import Market
from price_physics.study.reading import load_configs
from price_physics.study.study import Study

_log = logging.getLogger(__name__)

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Backfill:
    """What a backfill did."""

    study: Study
    market: Market
    months: list[Month]
    n_materialised: int
    n_current: int
    of_market: bool
    """Whether a market was named: then only its ticks were asked for."""
    left_out: str
    """Later months of the market that were not asked for, each with the reason; "" without any."""


def run_backfill(
    project: Project, name: str, first: Month | None = None, last: Month | None = None
) -> Backfill:
    """Materialise every stale asset of a study, or the ticks of a market, month by month.

    Parameters
    ----------
    name : str
        Of a study, or of a market that some study names.
    first, last : Month, optional
        Both inclusive; see `months_of_run`.

    Raises
    ------
    ConfigError
        When the study or the months do not exist.
    PricePhysicsError
        Whatever stopped a month; earlier months are kept.
    """
    study, market = find_owner(project, name)
    of_market = name != study.name
    assets = ["ticks"] if of_market else list(STAGES)
    months = months_of_run(project, market, first, last)
    total = len(months) * len(assets)
    written = 0
    with (
        _only_backfill(project, study.name),
        open_instance(project) as instance,
        asset_bar(name, total) as bar,
    ):
        _close_killed_runs(instance, study)
        close_dead_runs(instance)
        sweep_leftovers(project, study.name)

        def on_written(partition: Partition) -> None:
            nonlocal written
            written += 1
            bar.set_description(f"{study.name} {partition.month} {partition.key[1]}", refresh=False)
            bar.update()

        definitions = build_definitions(project, on_written)
        for month in months:
            stale = [a for a in stale_assets(project, market, study, month) if a in assets]
            before = written
            if stale:  # what turns out as it was leaves the rest current: it is found there
                run_month(definitions, instance, market, study, month, stale)
            bar.update(len(assets) - (written - before))
            for asset in assets:  # copies in outputs may have been deleted
                key = (owner_of(asset, study.name, market.name), asset)
                publish_missing(project.outputs, Store(project.store).read(key, month))
        bar.set_description(f"{name} {months[0]} to {months[-1]}")
    if not of_market:
        _log_missing(project, study, market, months)
    later = left_out(market, months[-1], last)
    return Backfill(study, market, months, written, total - written, of_market, later)


def _log_missing(project: Project, study: Study, market: Market, months: list[Month]) -> None:
    """Log what MLflow lacks; that it cannot be done is said, and stops nothing."""
    try:
        n = log_missing(project, tracking_of(project), study, market, months)
        if n:
            _log.warning("MLflow lacked %d models and reports of %s: now logged", n, study.name)
    except TrackingError as error:
        _log.warning(
            "MLflow lacks runs of %s: %s. Mend it, then run  price-physics track --study %s",
            study.name,
            error,
            study.name,
        )


@contextmanager
def _only_backfill(project: Project, study: str) -> Iterator[None]:
    """Hold the lock of a study's backfill: two at once would do the same work twice."""
    path = project.data / "locks" / f"backfill-{study}.lock"
    busy = f"another backfill of {study} is running (lock {path}); wait for it, or end it"
    with held(path, 0, busy):
        yield


def _tag(study: Study) -> str:
    """Value of the study's tag on our runs, by which a later backfill finds those of a killed one.

    They are not queued, but take the study's pool: runs that the UI asks for wait for them.
    """
    return f"{study.name}/backfill"


def _close_killed_runs(instance: dg.DagsterInstance, study: Study) -> None:
    """Mark runs of a killed backfill as failed; we hold the lock, so none is alive."""
    unfinished = dg.RunsFilter(
        tags={STUDY_TAG: _tag(study)},
        statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING],
    )
    for run in instance.get_runs(unfinished):
        instance.report_run_failed(run, "the backfill was killed; a later one continues it")


def find_owner(project: Project, name: str) -> tuple[Study, Market]:
    """Return a study and its market, or a market and the first study that names it.

    Raises
    ------
    ConfigError
        Naming the studies that there are.
    """
    markets, studies = load_configs(project.configs)
    of_market = [studies[study] for study in sorted(studies) if studies[study].market == name]
    if name in studies or not of_market:
        return find_study(project, name)
    return of_market[0], markets[name]


def find_study(project: Project, name: str) -> tuple[Study, Market]:
    """Return a study and its market. Raises ConfigError naming those there are."""
    markets, studies = load_configs(project.configs)
    if name not in studies:
        raise ConfigError(
            f"no study {name!r}: {project.configs / 'studies' / name}.yaml does not exist; "
            f"there are {sorted(studies) or 'none'}"
        )
    return studies[name], markets[studies[name].market]


def months_of_run(
    project: Project, market: Market, first: Month | None, last: Month | None
) -> list[Month]:
    """List the months of a market that are over, from `first` to `last`.

    By default the first is the market's. The last is the market's `last_month`, or else the last
    month of which a file holds a trade: of later ones nobody knows whether the market was silent or
    the files have not arrived.

    Raises
    ------
    ConfigError
        When there is no such month.
    TickDataError
        When the files are looked at, and there are none or one cannot be trusted.
    """
    known = _months_over(market)
    if not known:
        raise ConfigError(f"market {market.name}: no month since {market.first_month} is over yet")
    for flag, month in (("--from", first), ("--to", last)):
        if month is not None and not known[0] <= month <= known[-1]:
            raise ConfigError(
                f"{said(flag, month)}: market {market.name} has months {known[0]} to {known[-1]}"
            )
    first = first or known[0]
    if last is None and market.last_month is None:
        traded = [m for m in months_with_trades(project, market) if first <= m <= known[-1]]
        if not traded:
            raise ConfigError(
                f"market {market.name}: no file holds a trade from {first} to {known[-1]}, the "
                f"last month that is over; add files, or set {said('--from')} and {said('--to')}"
            )
        last = traded[-1]
    last = last or known[-1]
    if last < first:
        raise ConfigError(f"{said('--from', first)} is after {said('--to', last)}")
    return Month.span(first, last)


def left_out(market: Market, done: Month, asked: Month | None) -> str:
    """Name the months of a market after the last one that was done, each with the reason.

    Parameters
    ----------
    market : Market
    done : Month
        The last month of a backfill.
    asked : Month, optional
        The last month that was asked for.
    """
    over = _months_over(market)[-1]
    to_come = market.last_month or over + 1  # by default the market goes on
    parts = []
    if done < over:
        why = f"TO={asked}" if asked else "no file holds a trade of it"
        parts.append(f"{_span(done + 1, over)} ({why})")
    if over < to_come:
        parts.append(f"{over + 1} (still running)")
    if over + 1 < to_come:
        parts.append(f"{_span(over + 2, to_come)} (not begun)")
    return ", ".join(parts)


def _span(first: Month, last: Month) -> str:
    return str(first) if first == last else f"{first} to {last}"


def _months_over(market: Market) -> list[Month]:
    return [Month.parse(key) for key in monthly_partitions(market).get_partition_keys()]


def run_month(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    market: Market,
    study: Study,
    month: Month,
    assets: list[str],
    checked: bool = True,
) -> None:
    """Materialise assets of one month in this process; raises what stopped one of them."""
    result = definitions.resolve_job_def(job_name(study.name)).execute_in_process(
        partition_key=month.key,
        instance=instance,
        asset_selection=[
            dg.AssetKey([owner_of(asset, study.name, market.name), asset]) for asset in assets
        ],
        run_config=_QUIET,
        tags={STUDY_TAG: _tag(study)} | ({} if checked else {UNCHECKED_TAG: "audit"}),
        raise_on_error=False,
    )
    if not result.success:
        raise _cause(result, study, month)


def _cause(result: dg.ExecuteInProcessResult, study: Study, month: Month) -> BaseException:
    """Unwrap the error that stopped a run: our own message, or else Dagster's whole trace."""
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            if error is not None and error.cls_name == "DagsterExecutionInterruptedError":
                return KeyboardInterrupt()
            while error is not None:
                if hasattr(errors, error.cls_name or ""):
                    message = error.message.split(": ", 1)[-1].strip()
                    return PricePhysicsError(f"{study.name} {month}, {event.step_key}: {message}")
                last, error = error, error.cause
            return RuntimeError(
                f"{study.name} {month}, {event.step_key} failed:\n{last.to_string()}"
            )
    return RuntimeError(f"{study.name} {month} failed without a failing step; see the Dagster UI")
