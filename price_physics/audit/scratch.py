"""Temporary projects: the study with lowered settings, on the audit's own dumps.

They lie beside the data and are deleted afterwards: neither the store nor the ledger of trials is
touched, and nothing is tracked.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from price_physics.audit.dumps import write_dumps
from price_physics.months import Month
from price_physics.project import Project
from price_physics.store.locks import held
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.ticks.index import FileEntry
from price_physics.ticks.reading.files import input_files

_READING = {
    *("vendor", "columns", "header", "encoding", "side_words"),
    *("contract_size", "contract_is_inverse", "strict_gaps"),
}


@contextmanager
def scratch_folder(project: Project, study: Study) -> Iterator[Path]:
    """Give a folder beside the data, empty at first and deleted afterwards."""
    folder = project.data / "audit" / study.name
    lock = project.data / "locks" / f"audit-{study.name}.lock"
    busy = f"another audit of {study.name} is running (lock {lock}); wait for it, or end it"
    with held(lock, 0, busy):
        shutil.rmtree(folder, ignore_errors=True)  # of an audit that was killed
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def make_project(
    folder: Path,
    project: Project,
    study: Study,
    market: Market,
    months: Sequence[Month],
    overrides: Mapping[str, tuple[Any, Any]],
    dumps: Sequence[pd.DataFrame],
) -> Project:
    """Write a project with the study and its overrides, on a market that reads the dumps."""
    settings = _read_yaml(project.configs / "studies" / f"{study.name}.yaml")
    for key, (_, value) in overrides.items():
        section, name = key.split(".")
        settings[section] = {**settings.get(section, {}), name: value}
    kept = _read_yaml(project.configs / "markets" / f"{market.name}.yaml")
    on_dumps = {key: value for key, value in kept.items() if key not in _READING} | {
        "vendor": "generic",
        "files": write_dumps(market, dumps, folder),
        "quarantine_limit": 1.0,  # rows are broken on purpose
        "first_month": str(months[0]),
        "last_month": str(months[-1]),
        "synthetic": market.synthetic
        or any(FileEntry.of(path).is_synthetic for path in input_files(market, project.root)),
    }
    for place, name, data in (
        ("markets", market.name, on_dumps),
        ("studies", study.name, settings),
    ):
        path = folder / "configs" / place / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return Project(folder)


def _read_yaml(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
