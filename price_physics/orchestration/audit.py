"""The audit itself: a base run, then a run a moment with every later tick changed."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from price_physics.audit.candles import read_candle_dumps, tamper_candles
from price_physics.audit.comparison import compare_partitions
from price_physics.audit.findings import Audit, Coverage, Leak, utc
from price_physics.audit.moments import choose_moments, last_month
from price_physics.audit.scratch import make_project, scratch_folder
from price_physics.audit.splits import in_sample_leak, split_leaks
from price_physics.audit.tampering import read_dumps, tamper
from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.orchestration.backfill import find_study, months_of_run, run_month
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.progress import asset_bar
from price_physics.project import Project
from price_physics.store.artefact import canonical_json
from price_physics.store.atomic import write_atomically
from price_physics.store.partitions import Key, Partition, Store
from price_physics.study.market import Market
from price_physics.study.study import Study

CAPS: Mapping[str, float] = {
    "folds.n_splits": 3,
    "images.size_pixels": 24,
    "model.width": 6,
    "model.max_epochs": 2,
    "model.steps_per_epoch": 20,
    "motifs.max_events": 32,
    "walk_forward.min_confidence": 0.0,
    "walk_forward.fee_bps": 0.0,
    "walk_forward.slippage_bps": 0.0,
}
"""Settings and the most that the audit takes: small networks, trained for a moment, who would not
trade for much. None of them changes an arrow of the DAG."""


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
    """Change every tick after each of several moments, and look for what should not have noticed.

    Parameters
    ----------
    first, last : Month, optional
        Both inclusive; see `months_of_run`.
    moments_ns : sequence of int, optional
        UTC ns; `n_moments` of them are chosen by default, in turn amid a month and at the end of
        one.
    assets : sequence of str, optional
        Audit these and what they read; every asset by default.
    caps : mapping of "section.setting" to number
        Settings of the study that are lowered, for speed and for some trades to compare.
    seed : int
        Of the tampering.

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
    read = read_candle_dumps if market.candle_ns else read_dumps
    dumps = read(market, project.root, months[0], months[-1])
    moments = list(moments_ns) or choose_moments(months, dumps, n_moments, market.candle_ns)
    ends = {t_ns: last_month(t_ns, months, study) for t_ns in sorted(set(moments))}
    overrides = _overrides(study, caps)
    found = _Findings(study, market, stages)
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
        found.look_at_marks(base, Month.span(months[0], furthest))
        found.look_at_splits(base, Month.span(months[0], furthest))
        for t_ns, end in ends.items():
            name = f"after-{t_ns}"
            tampered = run(name, _tampered(market, dumps, t_ns, seed), end)
            found.look_at(base, tampered, Month.span(months[0], end), t_ns)
            shutil.rmtree(folder / name)
        bar.set_description(f"audit of {study.name}")
    audit = found.audit((str(months[0]), str(furthest)), tuple(ends), overrides)
    write_atomically(result_path(project, study.name), canonical_json(audit.document()))
    return audit


def result_path(project: Project, study_name: str) -> Path:
    """Where the last audit of a study is written down."""
    return project.outputs / study_name / "audit.json"


# ---------------------------------------------------------------------------- what is run
def _tampered(
    market: Market, dumps: Sequence[pd.DataFrame], t_ns: int, seed: int
) -> list[pd.DataFrame]:
    if market.candle_ns:
        return tamper_candles(dumps, t_ns, seed, market.candle_ns)
    return tamper(dumps, t_ns, seed)


def _overrides(study: Study, caps: Mapping[str, float]) -> dict[str, tuple[Any, Any]]:
    overrides = {}
    for key, most in caps.items():
        section, name = key.split(".")
        value = getattr(getattr(study, section), name)
        if value is None or value > most:
            overrides[key] = (value, most)
    return overrides


def with_upstream(assets: Sequence[str]) -> list[str]:
    """The assets and all they read, in the order of the pipeline; every asset for none."""
    unknown = [asset for asset in assets if asset not in STAGES]
    if unknown:
        raise ConfigError(f"no asset {unknown}; choose among {list(STAGES)}")
    wanted = set(assets or STAGES)
    while more := {name for asset in wanted for name in STAGES[asset].reads} - wanted:
        wanted |= more
    return [asset for asset in STAGES if asset in wanted]


# ---------------------------------------------------------------------------- findings
@dataclass
class _Findings:
    """What is gathered, moment by moment."""

    study: Study
    market: Market
    stages: Sequence[str]

    def __post_init__(self) -> None:
        self.leaks: list[Leak] = []
        self.coverage = {asset: Coverage() for asset in self.stages}
        self.gaps: list[str] = []

    def _key(self, asset: str) -> Key:
        return owner_of(asset, self.study.name, self.market.name), asset

    def look_at_marks(self, base: Store, months: Sequence[Month]) -> None:
        """Look for barriers chosen from what they are judged on.

        By the end of a month such a choice is known and no tampering shows it: the mark does.
        """
        for asset in self.stages:
            for month in months:
                partition = base.read(self._key(asset), month)
                if partition.in_sample:
                    self.leaks.append(in_sample_leak(partition))

    def look_at_splits(self, base: Store, months: Sequence[Month]) -> None:
        """Look for training labels that touch what they are tested on."""
        if "folds" in self.stages:
            for month in months:
                self.leaks += split_leaks(base.read(self._key("folds"), month))

    def look_at(self, base: Store, tampered: Store, months: Sequence[Month], t_ns: int) -> None:
        """Compare every partition of a run with the base's."""
        felt = dict.fromkeys(self.stages, False)
        for asset in self.stages:
            key, total = self._key(asset), Coverage()
            for month in months:
                pair = base.read(key, month), tampered.read(key, month)
                found = compare_partitions(*pair, t_ns)
                self.leaks += found.leaks
                total.add(found.coverage)
            felt[asset] = total.felt > 0
            total.felt = int(felt[asset])
            self.coverage[asset].add(total)
        others = [asset for asset in self.stages if asset != "ticks"]
        if not felt["ticks"] or (others and not any(felt[asset] for asset in others)):
            self.gaps.append(
                f"after {utc(t_ns)} no {'asset but the ticks' if felt['ticks'] else 'tick'} "
                f"changed through {months[-1]}: the tampering proves nothing; choose a moment with "
                "trades after it"
            )

    def audit(
        self,
        months: tuple[str, str],
        moments_ns: tuple[int, ...],
        overrides: Mapping[str, tuple[Any, Any]],
    ) -> Audit:
        """Close the books."""
        empty = [asset for asset, coverage in self.coverage.items() if coverage.is_empty]
        if empty:
            self.gaps.append(
                f"nothing of {', '.join(empty)} was compared: no month that was over had any (too "
                "little to train on yet); choose later moments or more months"
            )
        order = list(self.stages)
        leaks = sorted(self.leaks, key=lambda leak: order.index(leak.asset))
        return Audit(
            self.study.name, months, moments_ns, overrides, leaks, self.coverage, self.gaps
        )


# ---------------------------------------------------------------------------- running
class _NoTracking(MlflowTracking):
    """No asset reads what is tracked, and an audit is nothing to track."""

    def log_month(self, *_: Any, **__: Any) -> str:
        return ""


def materialise(
    project: Project,
    study_name: str,
    months: Sequence[Month],
    assets: Sequence[str],
    on_written: Callable[[Partition], None],
) -> None:
    """Run assets month by month, with run records that nobody keeps."""
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
            run_month(definitions, instance, market, study, month, list(assets))
