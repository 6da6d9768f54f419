"""Run the audit: a base run, then for each moment a run with every later tick changed."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from price_physics.audit.caps import CAPS, lowered
from price_physics.audit.dumps import read_dumps, tampered_dumps
from price_physics.audit.findings import Audit
from price_physics.audit.gathering import GatheredFindings
from price_physics.audit.moments import choose_moments, last_month
from price_physics.audit.scratch import make_project, scratch_folder
from price_physics.months import Month
from price_physics.orchestration.backfill import find_study, months_of_run, run_month
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.pipeline.dag import with_upstream
from price_physics.progress import asset_bar
from price_physics.project import Project
from price_physics.store.artefact import canonical_json
from price_physics.store.atomic import write_atomically
from price_physics.store.partitions import Partition, Store


def run_audit(
    project: Project,
    study_name: str,
    *,
    first: Month | None = None,
    last: Month | None = None,
    moments_ns: Sequence[int] = (),
    n_moments: int = 4,
    assets: Sequence[str] = (),
    caps: Mapping[str, float] = CAPS,
    seed: int = 0,
) -> Audit:
    """Change every tick after each of several moments, and look for earlier results that changed.

    Parameters
    ----------
    first, last : Month, optional
        Both inclusive; see `months_of_run`.
    moments_ns : sequence of int, optional
        UTC ns; by default `n_moments` are chosen, in turn in the middle of a month and at the end
        of one.
    assets : sequence of str, optional
        Audit these and all that they read; every asset by default.
    caps : mapping of "section.setting" to number
        Settings of the study that are lowered, for speed and to have trades to compare.
    seed : int
        Seed of the tampering.

    Returns
    -------
    Audit
        Written to `result_path` too.

    Raises
    ------
    ConfigError
        When the study, a month, an asset or a moment is impossible.
    PricePhysicsError
        Whatever stopped a month.
    """
    study, market = find_study(project, study_name)
    months = months_of_run(project, market, first, last)
    stages = with_upstream(assets)
    dumps = read_dumps(market, project.root, months[0], months[-1])
    moments = list(moments_ns) or choose_moments(months, dumps, n_moments, market.candle_ns)
    ends = {t_ns: last_month(t_ns, months, study) for t_ns in sorted(set(moments))}
    overrides = lowered(study, caps)
    gathered = GatheredFindings(study, market, stages)
    furthest = max(ends.values())
    n_runs = sum(end - months[0] + 1 for end in (furthest, *ends.values())) * len(stages)
    with scratch_folder(project, study) as folder, asset_bar("", n_runs) as bar:

        def run(name: str, rows: Sequence[pd.DataFrame], end: Month) -> Store:
            scratch = make_project(folder / name, project, study, market, months, overrides, rows)

            def on_written(partition: Partition) -> None:
                text = f"audit {name} {partition.month} {partition.key[1]}"
                bar.set_description(text, refresh=False)
                bar.update()

            materialise(scratch, study.name, Month.span(months[0], end), stages, on_written)
            return Store(scratch.store)

        base = run("base", dumps, furthest)
        gathered.check_marks(base, Month.span(months[0], furthest))
        gathered.check_splits(base, Month.span(months[0], furthest))
        for t_ns, end in ends.items():
            name = f"after-{t_ns}"
            after = run(name, tampered_dumps(market, dumps, t_ns, seed), end)
            gathered.compare_stores(base, after, Month.span(months[0], end), t_ns)
            shutil.rmtree(folder / name)
        bar.set_description(f"audit of {study.name}")
    audit = gathered.audit((str(months[0]), str(furthest)), tuple(ends), overrides)
    write_atomically(result_path(project, study.name), canonical_json(audit.document()))
    return audit


def result_path(project: Project, study_name: str) -> Path:
    """Where the result of a study's last audit is kept."""
    return project.outputs / study_name / "audit.json"


class _NoTracking(MlflowTracking):
    """Tracks nothing: no asset reads what is tracked, and an audit is no result of the study."""

    def log_month(self, *_: Any, **__: Any) -> str:
        return ""


def materialise(
    project: Project,
    study_name: str,
    months: Sequence[Month],
    assets: Sequence[str],
    on_written: Callable[[Partition], None],
) -> None:
    """Materialise assets month by month; the run records are not kept."""
    study, market = find_study(project, study_name)
    built = build_definitions(project, on_written)
    tracking = _NoTracking(folder=str(project.data / "mlflow"))
    definitions = dg.Definitions(
        assets=built.assets,
        jobs=built.jobs,
        executor=built.executor,
        resources={**(built.resources or {}), "tracking": tracking},
    )
    with dg.DagsterInstance.ephemeral() as instance:
        for month in months:
            run_month(definitions, instance, market, study, month, list(assets), checked=False)
