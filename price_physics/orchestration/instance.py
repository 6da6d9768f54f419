"""Dagster's home: one folder in the project, made before anything runs.

Without a home the command line keeps its records in a temporary folder. On a new home, several
first runs at once would race to create its databases.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import filelock

from price_physics.orchestration.sqlite_files import damage_of, set_aside
from price_physics.project import Project
from price_physics.store.atomic import write_atomically

_DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
"""Of a home whose ``dagster.yaml`` names no other storage."""

_WITHOUT_RECORDS = "Dagster no longer shows earlier runs, the store has what they made"


def prepare_home(project: Project) -> Path:
    """Create DAGSTER_HOME with the project's ``dagster.yaml``, and set the variable.

    A home that the user named stays theirs; only a missing ``dagster.yaml`` is added.
    """
    named = os.environ.get("DAGSTER_HOME")
    home = Path(named).resolve() if named else project.data / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    ours, theirs = project.root / "dagster.yaml", home / "dagster.yaml"
    if ours.exists() and (named is None or not theirs.exists()):
        write_atomically(theirs, ours.read_bytes())
    os.environ["DAGSTER_HOME"] = str(home)
    return home


@contextmanager
def open_instance(project: Project) -> Iterator[dg.DagsterInstance]:
    """Open the instance; whoever is first creates its databases, under a lock.

    A damaged database is set aside and made anew: it holds records of runs, and the store does not
    need them.
    """
    home = prepare_home(project)
    with filelock.FileLock(home / "home.lock", timeout=120):
        for name in _DATABASES:
            path = home / name
            if path.exists() and (damage := damage_of(path)):
                set_aside(path, damage, _WITHOUT_RECORDS)
        instance = dg.DagsterInstance.get()
        instance.get_runs(limit=1)
    with instance:
        yield instance
