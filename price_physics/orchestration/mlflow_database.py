"""MLflow's SQLite database: made whole or not at all, and set aside where it is damaged.

MLflow makes its tables and then migrates them in place, so a kill in between leaves a database that
every later run fails on. And it retries a database that it cannot open for hours. Both are kept
from it: what it is given is sound and can be written to.
"""

import secrets
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import filelock

from price_physics.errors import TrackingError
from price_physics.orchestration import sqlite_files
from price_physics.orchestration.sqlite_files import BESIDE, found_by_check, set_aside

NAME = "mlflow.db"
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
"""To set before mlflow is imported."""
SUPERSEDED = "price_physics.superseded_by"
"""Tag of a month's run that made way for that of another fit."""
MAKING_S = 60.0
"""Seconds for which a half-made database may be one that another process is making."""
LOCK_TIMEOUT_S = 30.0
_TABLES = {"alembic_version", "experiments", "metrics", "params", "runs", "tags"}

_LOGGED_AGAIN = "what it held is logged again from the store by the next backfill of each study"


_seen: dict[Path, list[int]] = {}
"""Marks of the databases that lay at a path in turn, as this process met them."""


def uri_of(path: Path) -> str:
    """Name a database for MLflow, in another way whenever another one lies there.

    MLflow keeps its connections by this name for as long as the process runs. Under the old one it
    would go on to read and write a file that has been set aside or deleted.
    """
    marks = _seen.setdefault(path, [])
    if path.exists():
        with closing(sqlite3.connect(path, timeout=sqlite_files.BUSY_TIMEOUT_S)) as database:
            (mark,) = database.execute("PRAGMA application_id").fetchone()
        if mark not in marks[-1:]:
            marks.append(mark)
    again = "./" * max(len(marks) - 1, 0)
    return f"sqlite:///{path.parent.as_posix()}/{again}{path.name}"


def locked(folder: Path) -> filelock.FileLock:
    """The lock under which the database is made and read together with what follows from it."""
    return filelock.FileLock(folder / "mlflow.lock", timeout=LOCK_TIMEOUT_S)


def prepare_database(folder: Path) -> None:
    """Make the database where there is none, and anew where it is damaged; the caller locks.

    Raises
    ------
    TrackingError
        When it cannot be written to: another process holds it, or the place is read-only or full.
    """
    path = folder / NAME
    try:
        for leftover in folder.glob(f"{NAME}.making-*"):  # of a kill: we hold the lock
            leftover.unlink(missing_ok=True)
        if path.exists() and (damage := damage_of(path)):
            set_aside(path, damage, _LOGGED_AGAIN)
        if not path.exists():
            for suffix in BESIDE:  # of a database that was deleted: a new one would read them
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            _make(path)
            with closing(sqlite3.connect(path, timeout=sqlite_files.BUSY_TIMEOUT_S)) as database:
                database.execute(f"PRAGMA application_id = {secrets.randbelow(2**31)}")
        with closing(sqlite3.connect(path, timeout=sqlite_files.BUSY_TIMEOUT_S)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
    except (OSError, sqlite3.OperationalError) as error:
        raise TrackingError(f"{path}: {error}") from error


def logged_digests(folder: Path, study: str, key: str) -> set[str]:
    """Values of a tag over the current runs of a study; none where the database is damaged.

    Raises
    ------
    TrackingError
        When another process holds the database.
    """
    path = folder / NAME
    if not path.exists():
        return set()
    query = (
        "SELECT tags.value FROM tags JOIN runs USING (run_uuid) "
        "JOIN experiments USING (experiment_id) "
        "WHERE experiments.name = ? AND tags.key = ? AND runs.lifecycle_stage = 'active' "
        "AND NOT EXISTS (SELECT 1 FROM tags AS later "
        "WHERE later.run_uuid = runs.run_uuid AND later.key = ?)"
    )
    try:
        with closing(sqlite3.connect(path, timeout=sqlite_files.BUSY_TIMEOUT_S)) as database:
            return {value for (value,) in database.execute(query, (study, key, SUPERSEDED))}
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TrackingError(f"{path}: {error}") from error
        return set()
    except sqlite3.DatabaseError:  # whoever logs then meets it, and says so
        return set()


def damage_of(path: Path) -> str:
    """What is wrong with a database that can be opened; "" where nothing is."""
    try:
        with closing(sqlite3.connect(path, timeout=sqlite_files.BUSY_TIMEOUT_S)) as database:
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            tables = {name for (name,) in rows}
            if _is_whole(database, tables):
                return found_by_check(database)
            if time.time() - path.stat().st_mtime < MAKING_S:
                raise TrackingError(
                    f"{path}: half made; another process may be making it, so it is left alone for "
                    f"{MAKING_S:.0f} s"
                )
            if half := sorted(name for name in tables if name.startswith("_alembic_tmp")):
                return f"a migration was killed: table {half[0]}"
            if not tables >= _TABLES:
                return f"tables are missing: {', '.join(sorted(_TABLES - tables))}"
            return "it has no version: its first migration was killed"
    except sqlite3.OperationalError:
        raise  # held by another process, or not to be opened: not damage
    except sqlite3.DatabaseError as error:
        return str(error)


def _is_whole(database: sqlite3.Connection, tables: set[str]) -> bool:
    if any(name.startswith("_alembic_tmp") for name in tables) or not tables >= _TABLES:
        return False
    return bool(database.execute("SELECT count(*) FROM alembic_version").fetchone()[0])


def _make(path: Path) -> None:
    """Let MLflow make a database under another name, and move a whole copy into place."""
    from mlflow import MlflowClient

    made = path.with_name(f"{path.name}.making-{secrets.token_hex(4)}")
    whole = made.with_name(f"{made.name}-whole")
    client = MlflowClient(tracking_uri=uri_of(made), registry_uri=uri_of(made))
    client.search_experiments(max_results=1)
    client.search_registered_models(max_results=1)
    with closing(sqlite3.connect(made)) as source, closing(sqlite3.connect(whole)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=WAL")
    whole.replace(path)
    for suffix in BESIDE:
        made.with_name(made.name + suffix).unlink(missing_ok=True)
