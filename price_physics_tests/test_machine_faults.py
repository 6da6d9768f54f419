"""A fault of the machine is one sentence; a bug stays a bug."""

import errno
import os
import sqlite3
import tempfile
from contextlib import closing

import pytest

from price_physics import cli
from price_physics.errors import MachineError
from price_physics.machine_faults import machine_faults, sentence_of


def held():
    """What SQLite says of a database that another connection writes to."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/x.db"
        with (
            closing(sqlite3.connect(path)) as one,
            closing(sqlite3.connect(path, timeout=0)) as two,
        ):
            one.execute("BEGIN IMMEDIATE")
            try:
                two.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                return error


def wrong_query():
    try:
        sqlite3.connect(":memory:").execute("SELECT x FROM y")
    except sqlite3.OperationalError as error:
        return error


def fault(number):
    return OSError(number, os.strerror(number), "/data/x")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (fault(errno.ENOSPC), "/data/x: No space left on device; free some space there"),
        (fault(errno.EROFS), "/data/x: Read-only file system; make the place writable"),
        (fault(errno.EACCES), "/data/x: Permission denied; give this user the right"),
        (fault(errno.EFBIG), "/data/x: File too large; raise the limit"),
        (fault(errno.EMFILE), "Too many open files; raise the limit of open files (ulimit -n)"),
        (fault(errno.ENOTDIR), "/data/x: Not a directory; a file lies where a folder is needed"),
        (fault(errno.EEXIST), "/data/x: File exists; it lies where a folder is needed: move it"),
        (RuntimeError("can't start new thread"), "out of memory (can't start new thread); close"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "out of memory (Default"),
        (MemoryError("Unable to allocate 24 GiB"), "out of memory (Unable to allocate 24 GiB)"),
        (held(), "MLflow: database is locked; end what"),
    ],
)
def test_a_fault_names_the_place_and_what_to_do(error, words):
    with pytest.raises(MachineError) as raised, machine_faults():
        raise error
    assert words in str(raised.value)
    assert str(raised.value).endswith("then run it again: it continues")
    assert "\n" not in str(raised.value)


def test_the_fault_may_lie_behind_what_somebody_made_of_it():
    error = RuntimeError("(sqlite3.OperationalError) ...")
    error.__cause__ = held()
    with pytest.raises(MachineError, match="database is locked"), machine_faults():
        raise error


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(2, "No such file", "x"),
        FileExistsError(errno.EEXIST, "File exists", os.curdir),
        RuntimeError("can't do"),
        KeyError("x"),
        wrong_query(),
    ],
)
def test_a_bug_passes(error):
    assert sentence_of(error) is None
    with pytest.raises(type(error)), machine_faults():
        raise error


def test_a_bug_while_a_fault_is_handled_is_a_bug():
    bug = AttributeError("a bug in the handler")
    bug.__context__ = fault(errno.EACCES)
    with pytest.raises(AttributeError), machine_faults():
        raise bug


def test_the_command_line_prints_one_line(monkeypatch, capsys):
    def full(project, options):
        raise fault(errno.ENOSPC)

    monkeypatch.setattr(cli, "_lint", full)
    assert cli.main(["lint"]) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("error: /data/x: No space left on device; ")
    assert printed.count("\n") == 1
