"""`price-physics doctor`: what is wrong with a project and its machine, and what mends it.

Nothing is changed. Every file of the store is read, so a large store takes a while.
"""

import argparse
import shlex
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from price_physics.errors import ConfigError, PricePhysicsError, StoreError
from price_physics.months import Month
from price_physics.orchestration import sqlite_files
from price_physics.orchestration.durations import home_of
from price_physics.orchestration.mlflow_database import NAME, damage_of
from price_physics.project import Project
from price_physics.store.partitions import MANIFEST, Key, Store
from price_physics.store.sealed_json import unseal
from price_physics.study.market import Market
from price_physics.study.reading import load_configs, load_market, load_study
from price_physics.study.study import Study
from price_physics.verbs.finding import Finding
from price_physics.verbs.known_files import KnownFiles
from price_physics.verbs.machine import card, machine, python
from price_physics.walk_forward.former_ledger import read_former_trials
from price_physics.walk_forward.ledger import read_entries

Configs = tuple[dict[str, Market], dict[str, Study]]


def run(project: Project, options: argparse.Namespace) -> int:
    """Print every finding as soon as it is made; 1 where something is wrong."""
    n_wrong = 0
    for finding in findings(project):
        n_wrong += bool(finding.remedy)
        print(f"{'WRONG' if finding.remedy else 'ok':<6} {finding.part:<14} {finding.text}")
        if finding.remedy:
            print(f"{'':<21} mend it:  {finding.remedy}", flush=True)
    print(f"\n{n_wrong} things to mend" if n_wrong else "\nnothing is wrong")
    return min(n_wrong, 1)


def findings(project: Project) -> Iterator[Finding]:
    """Look at every part, cheap ones first."""
    yield from machine(project)
    yield from python(project)
    yield from configuration(project)
    try:
        markets, studies = load_configs(project.configs)
    except ConfigError:  # said above; what does not need them goes on
        markets, studies = {}, {}
    for market in markets.values():
        yield data(project, market)
    yield from ledger(project, list(markets))
    yield mlflow(project, list(studies))
    yield from dagster(project)
    yield card(list(studies.values()))
    yield from store(project, markets.keys(), studies)


def configuration(project: Project) -> Iterator[Finding]:
    """Read every market and study, so that each broken one is named."""
    n_files, broken = 0, 0
    for place, load in (("markets", load_market), ("studies", load_study)):
        for path in sorted((project.configs / place).glob("*.y*ml")):
            n_files += 1
            try:
                if path.suffix != ".yaml":
                    raise ConfigError(f"{path} is not read: its name must end in .yaml")
                load(path)
            except ConfigError as error:
                broken += 1
                yield Finding("configuration", str(error), f"edit {_quoted(path)}")
    if not broken:
        try:
            load_configs(project.configs)
        except ConfigError as error:
            yield Finding("configuration", str(error), "edit the file that is named")
        else:
            yield Finding("configuration", f"{n_files} files under {project.configs}")


def data(project: Project, market: Market) -> Finding:
    """Look whether a market's files are there, and what the index knows of them."""
    part, index = f"data {market.name}", project.data / "index" / f"{market.name}.json"
    if index.is_file():
        try:
            unseal(index.read_bytes())
        except ValueError as error:
            return Finding(
                part, f"{index}: {error}", f"rm {_quoted(index)}  (the files are read again)"
            )
    files = KnownFiles.of(project, market)
    if files.fault:
        return Finding(part, files.fault, f"ls {' '.join(market.files)}")
    new = f", {len(files.unknown)} of them new: a backfill reads them" if files.unknown else ""
    return Finding(part, f"{len(files.entries) + len(files.unknown)} files{new}")


def store(
    project: Project, markets: Collection[str], studies: Mapping[str, Study]
) -> Iterator[Finding]:
    """Check every file of every partition against its checksum."""
    n_partitions, damaged = 0, dict[str, list[tuple[Month, str]]]()
    for path in sorted(project.store.glob(f"*/*/????-??/{MANIFEST}")):
        n_partitions += 1
        month = Month.parse(path.parent.name)
        key: Key = (path.parts[-4], path.parts[-3])
        try:
            Store(project.store).read(key, month).verify()
        except StoreError as error:
            damaged.setdefault(key[0], []).append((month, str(error).split("; run")[0]))
    for owner, found in damaged.items():
        months = [month for month, _ in found]
        unread = not (markets or studies)  # then any name may be a study's
        of = [owner] if owner in studies or unread else _studies_on(owner, studies)
        span = f"--from {min(months)} --to {max(months)}"
        remedy = "; ".join(f"price-physics backfill --study {study} {span}" for study in of)
        if not of and owner in markets:
            remedy = f"price-physics new-study {owner}  (no study trades it: a backfill needs one)"
        elif not of:
            remedy = "price-physics prune --yes  (no market or study is called that)"
        yield Finding("store", f"{len(found)} of {owner} damaged, such as {found[0][1]}", remedy)
    if not damaged:
        yield Finding("store", f"{n_partitions} partitions, every file as it was written")


def _studies_on(market: str, studies: Mapping[str, Study]) -> list[str]:
    """Any study on a market: a backfill of it builds the market's ticks."""
    return [name for name, study in studies.items() if study.market == market][:1]


def ledger(project: Project, markets: list[str]) -> Iterator[Finding]:
    """Follow the chain of trials."""
    try:
        entries = read_entries(project.ledger)
        for market in markets:
            read_former_trials(project.ledger, market, Month(2200, 12))
    except StoreError as error:
        yield Finding("ledger", str(error), f"bring {_quoted(project.ledger)} back from a backup")
    else:
        yield Finding("ledger", f"{len(entries)} entries, none missing")


def mlflow(project: Project, studies: list[str]) -> Finding:
    """Look whether MLflow's database is whole; the pipeline runs on without it."""
    path = project.data / "mlflow" / NAME
    if not path.exists():
        return Finding("mlflow", "no database yet: the first model makes one")
    try:
        damage = damage_of(path)
    except (PricePhysicsError, sqlite3.OperationalError) as error:
        return Finding("mlflow", f"{path}: {error}", "end what holds it, or wait a minute")
    track = "; ".join(f"price-physics track --study {study}" for study in studies)
    return Finding(
        "mlflow", f"{path}: {damage or 'whole'}", (track or "edit configs") if damage else ""
    )


def dagster(project: Project) -> Iterator[Finding]:
    """Look whether Dagster's databases are whole; they hold records of runs, no results."""
    home = home_of(project)
    names = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
    paths = [home / name for name in names if (home / name).is_file()]
    try:
        damaged = [
            f"{path}: {damage}" for path in paths if (damage := sqlite_files.damage_of(path))
        ]
    except sqlite3.OperationalError as error:  # another process is at it: no damage
        yield Finding("dagster", f"{home}: {error}", "end what holds it, or wait a minute")
        return
    if damaged:
        aside = f"mv {_quoted(home)} {_quoted(f'{home}.damaged')}"
        yield Finding("dagster", "; ".join(damaged), f"{aside}  (run records only)")
    elif paths:
        yield Finding("dagster", f"instance in {home}, databases whole")
    else:
        yield Finding("dagster", f"no instance in {home} yet: the first run makes one")


def _quoted(path: Path | str) -> str:
    """Write a path for a shell."""
    return shlex.quote(str(path))
