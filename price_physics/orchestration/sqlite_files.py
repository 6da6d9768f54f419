"""SQLite databases on disk: what is wrong with one, and how it is set aside for a new one."""

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path

_log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0
BESIDE = ("", "-journal", "-wal", "-shm")
"""Suffixes of the files of a SQLite database."""


def found_by_check(database: sqlite3.Connection) -> str:
    """What SQLite finds wrong with a database; "" where that is nothing.

    Raises
    ------
    sqlite3.DatabaseError
        When it cannot even be looked at.
    """
    (found,) = database.execute("PRAGMA quick_check(1)").fetchone()
    return "" if found == "ok" else str(found)


def damage_of(path: Path) -> str:
    """Say what is wrong with a database; "" where nothing is.

    Raises
    ------
    sqlite3.OperationalError
        When another process holds it, or it cannot be opened: that is no damage.
    """
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT_S)) as database:
            return found_by_check(database)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        return str(error)


def set_aside(path: Path, damage: str, meaning: str) -> None:
    """Rename a damaged database, and what lies beside it; say so, and what that means."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in reversed(BESIDE):  # the database last: without it the others would be deleted
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    _log.warning(
        "%s is damaged (%s); it lies in %s now, and is made anew: %s", path, damage, aside, meaning
    )
