"""MLflow damaged, held, read-only or gone: the partition stands, and its runs are logged later."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

import filelock

from price_physics.orchestration import mlflow_database, sqlite_files
from price_physics.project import Project
from price_physics_tests.benchmarks.faults import projects
from price_physics_tests.benchmarks.faults.places import read_only
from price_physics_tests.benchmarks.faults.processes import start
from price_physics_tests.benchmarks.faults.projects import Reference, must_succeed
from price_physics_tests.benchmarks.faults.rows import Case, Row

PROMISE = "the report stands with the same bytes, a warning, logged again later"
Fault = Callable[[Path], AbstractContextManager[None]]


def of_tracking(reference: Reference) -> Row:
    """Eight of them."""
    faults: dict[str, tuple[Fault, str]] = {
        "database corrupt": (corrupt, "is damaged"),
        "database half-migrated": (half_migrated, "is damaged"),
        "database that another process is making": (young, "another process may be making it"),
        "database locked": (locked, "database is locked"),
        "database missing": (missing, ""),
        "lock file held": (lock_held, "another process holds this lock"),
        "folder read-only": (not_writable, "is not in MLflow"),
        "artefact folder gone, a file in its place": (no_artifacts, "is not in MLflow"),
    }
    cases = [
        Case(name, partial(_tracking, reference, fault, words))
        for name, (fault, words) in faults.items()
    ]
    return Row("MLflow damaged, held, read-only or gone", PROMISE, cases, at_once=2)


def _tracking(reference: Reference, fault: Fault, words: str, folder: Path) -> None:
    project = reference.copy(folder / "project")
    must_succeed(start(folder / "before", *projects.track(project)))
    projects.make_report_stale(project)
    with fault(project.data / "mlflow"):
        child = must_succeed(projects.backfill(folder / "said", project, before=_impatient))
    assert words in child.text, f"no warning {words!r}: {child.text[-600:]}"
    assert "Traceback" not in child.text, child.text[-600:]
    projects.same_bytes(project, reference.bytes)
    must_succeed(start(folder / "after", *projects.track(project)))
    projects.all_logged(project)
    assert len(list((project.data / "mlflow").glob("mlflow.db.damaged-*"))) <= 1


def _impatient() -> None:
    """Wait a second for the lock, where a user would wait longer."""
    mlflow_database.LOCK_TIMEOUT_S = 1.0
    sqlite_files.BUSY_TIMEOUT_S = 0.5


def _lone_file(place: Path) -> Path:
    """The database without what its last connection left beside it."""
    path = place / mlflow_database.NAME
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@contextmanager
def corrupt(place: Path) -> Iterator[None]:
    path = _lone_file(place)
    content = bytearray(path.read_bytes())
    content[4_096:40_960] = bytes(36_864)
    path.write_bytes(content)
    yield


@contextmanager
def half_migrated(place: Path) -> Iterator[None]:
    path = _half(place)
    os.utime(path, (1, 1))
    yield


def _half(place: Path) -> Path:
    path = _lone_file(place)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE _alembic_tmp_experiments (x)")
    return path


@contextmanager
def young(place: Path) -> Iterator[None]:
    """Half made a moment ago; whoever made it is killed meanwhile."""
    path = _half(place)
    ahead = path.stat().st_mtime + 3_600
    os.utime(path, (ahead, ahead))
    yield
    os.utime(path, (1, 1))


@contextmanager
def locked(place: Path) -> Iterator[None]:
    with closing(sqlite3.connect(place / mlflow_database.NAME)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@contextmanager
def missing(place: Path) -> Iterator[None]:
    _lone_file(place).unlink()
    yield


@contextmanager
def lock_held(place: Path) -> Iterator[None]:
    with filelock.FileLock(place / "mlflow.lock"):
        yield


@contextmanager
def not_writable(place: Path) -> Iterator[None]:
    with read_only("data/mlflow", Project(place.parents[1])):
        yield


@contextmanager
def no_artifacts(place: Path) -> Iterator[None]:
    artifacts, aside = place / "artifacts", place / "aside"
    artifacts.replace(aside)
    artifacts.write_text("")
    yield
    artifacts.unlink()
