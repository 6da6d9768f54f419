"""The audit itself: a base run, then a run a moment with every later tick changed.

Everything happens in scratch projects beside the data, which are gone afterwards: neither the
store nor the ledger of trials is touched.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import filelock
import pandas as pd
import yaml

from price_physics.errors import ConfigError, PartitionLocked
from price_physics.months import Month
from price_physics.orchestration.audit.comparison import compare
from price_physics.orchestration.audit.findings import Audit, Coverage, Leak, utc
from price_physics.orchestration.audit.splits import split_leaks
from price_physics.orchestration.audit.tampering import read_dumps, tamper, write_dumps
from price_physics.orchestration.backfill import _months, _run_month, find_study
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.dag import STAGES, owner_of
from price_physics.orchestration.progress import asset_bar
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.project import Project
from price_physics.store.partitions import Key, Partition, Store
from price_physics.study import Market, Study

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

_READING = {"vendor", "columns", "header", "contract_size", "strict_gaps"}


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
        Both inclusive; the market's first and last complete month by default.
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

    Raises
    ------
    ConfigError
        When the study, a month, an asset or a moment is impossible.
    PricePhysicsError
        Whatever stopped a month.
    """
    study, market = find_study(project, study_name)
    months = _months(market, first, last)
    stages = _with_upstream(assets)
    dumps = read_dumps(market, project.root, months[0], months[-1])
    moments = list(moments_ns) or choose_moments(months, dumps, n_moments)
    ends = {t_ns: _last_month(t_ns, months, study) for t_ns in sorted(set(moments))}
    overrides = _overrides(study, caps)
    found = _Findings(study, market, stages)
    n_months = [end - months[0] + 1 for end in (max(ends.values()), *ends.values())]
    with _scratch(project, study) as folder, asset_bar("", sum(n_months) * len(stages)) as bar:

        def run(name: str, rows: Sequence[pd.DataFrame], end: Month) -> Store:
            scratch = _make_project(folder / name, project, study, market, months, overrides, rows)

            def on_written(partition: Partition) -> None:
                text = f"audit {name} {partition.month} {partition.key[1]}"
                bar.set_description(text, refresh=False)
                bar.update()

            _materialise(scratch, study.name, Month.span(months[0], end), stages, on_written)
            return Store(scratch.store)

        base = run("base", dumps, max(ends.values()))
        found.look_at_splits(base, Month.span(months[0], max(ends.values())))
        for t_ns, end in ends.items():
            name = f"after {utc(t_ns)}"
            tampered = run(name, tamper(dumps, t_ns, seed), end)
            found.look_at(base, tampered, Month.span(months[0], end), t_ns)
            shutil.rmtree(folder / name)
        bar.set_description(f"audit of {study.name}")
    span = str(months[0]), str(max(ends.values()))
    return found.audit(span, tuple(ends), overrides)


# ---------------------------------------------------------------------------- moments
def choose_moments(months: Sequence[Month], dumps: Sequence[pd.DataFrame], n: int) -> list[int]:
    """Choose moments in the later half of the months, where most is known: a tick amid a month,
    the end of one, and so on in turn.

    Raises
    ------
    ConfigError
        When there are too few months.
    """
    if len(months) < 2:
        raise ConfigError(
            f"an audit of {months[0]} alone proves little: give at least two months, with --from "
            "and --to, or more data"
        )
    chosen = []
    for k in range(n):
        place = round((len(months) - 1) * (1 - k / (2 * n)))
        if k % 2:
            chosen.append(months[max(place, 1) - 1].end_ns)
        else:
            chosen.append(_middle(months[place], dumps))
    return sorted(set(chosen))


def _middle(month: Month, dumps: Sequence[pd.DataFrame]) -> int:
    """Time of the middle tick of a month, or its middle by the clock."""
    times = pd.concat([dump["time_ns"] for dump in dumps])
    times = times[times.between(month.start_ns, month.end_ns)].sort_values()
    if not len(times):
        return (month.start_ns + month.end_ns) // 2
    return int(times.iloc[len(times) // 2])


def parse_moment(text: str) -> int:
    """Read a moment: a month is its end, anything else ISO 8601, UTC where it has no offset.

    Raises
    ------
    ValueError
        When it is neither.

    Examples
    --------
    >>> parse_moment("2012-03") == parse_moment("2012-04-01T00:00:00") - 1
    True
    """
    try:
        return Month.parse(text).end_ns
    except ValueError:
        moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def _last_month(t_ns: int, months: Sequence[Month], study: Study) -> Month:
    """The last month that can hold a row known by t, or feel what comes right after it.

    The label of an event at t is stored where its horizon ends.
    """
    if not months[0].start_ns <= t_ns < months[-1].end_ns:
        raise ConfigError(
            f"moment {utc(t_ns)}: something must come before it and after it, and the months are "
            f"{months[0]} to {months[-1]}; choose one inside, or other months"
        )
    return min(Month.of(t_ns + max(study.labels.longest_horizon_ns, 1)), months[-1])


# ---------------------------------------------------------------------------- scratch projects
@contextmanager
def _scratch(project: Project, study: Study) -> Iterator[Path]:
    """A folder beside the data, empty now and gone afterwards."""
    folder = project.data / "audit" / study.name
    lock = project.data / "locks" / f"audit-{study.name}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(lock, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)  # of an audit that was killed
            folder.mkdir(parents=True)
            try:
                yield folder
            finally:
                shutil.rmtree(folder)
    except filelock.Timeout:
        raise PartitionLocked(
            f"another audit of {study.name} is running (lock {lock}); wait for it, or end it"
        ) from None


def _overrides(study: Study, caps: Mapping[str, float]) -> dict[str, tuple[Any, Any]]:
    overrides = {}
    for key, most in caps.items():
        section, name = key.split(".")
        value = getattr(getattr(study, section), name)
        if value is None or value > most:
            overrides[key] = (value, most)
    return overrides


def _make_project(
    folder: Path,
    project: Project,
    study: Study,
    market: Market,
    months: Sequence[Month],
    overrides: Mapping[str, tuple[Any, Any]],
    dumps: Sequence[pd.DataFrame],
) -> Project:
    """Write a project with the study, less costly, on a market that reads the dumps."""
    settings = _read_yaml(project.configs / "studies" / f"{study.name}.yaml")
    for key, (_, value) in overrides.items():
        section, name = key.split(".")
        settings[section] = {**settings.get(section, {}), name: value}
    kept = _read_yaml(project.configs / "markets" / f"{market.name}.yaml")
    site = {key: value for key, value in kept.items() if key not in _READING} | {
        "vendor": "generic",
        "files": write_dumps(dumps, folder),
        "first_month": str(months[0]),
        "last_month": str(months[-1]),
    }
    for kind, name, data in (("markets", market.name, site), ("studies", study.name, settings)):
        path = folder / "configs" / kind / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return Project(folder)


def _read_yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# ---------------------------------------------------------------------------- running
class _NoTracking(MlflowTracking):
    """No asset reads what is tracked, and an audit is nothing to track."""

    def log_month(self, *_: Any, **__: Any) -> str:
        return ""


def _with_upstream(assets: Sequence[str]) -> list[str]:
    """The assets and all they read, in the order of the pipeline; every asset for none."""
    unknown = [asset for asset in assets if asset not in STAGES]
    if unknown:
        raise ConfigError(f"no asset {unknown}; choose among {list(STAGES)}")
    wanted = set(assets or STAGES)
    while more := {name for asset in wanted for name in STAGES[asset].reads} - wanted:
        wanted |= more
    return [asset for asset in STAGES if asset in wanted]


def _materialise(
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
            _run_month(definitions, instance, market, study, month, list(assets))


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
                found = compare(base.read(key, month), tampered.read(key, month), t_ns)
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
