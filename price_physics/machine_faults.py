"""Faults of the machine in a sentence: a full disk, a read-only place, a held database, no memory.

None of them is a bug, and none tears anything: what was written is whole, and a rerun goes on.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from price_physics.errors import MachineError

_AGAIN = "then run it again: it continues"
_REMEDIES = {
    errno.ENOSPC: f"free some space there, {_AGAIN}",
    errno.EDQUOT: f"free some space, or raise the quota, {_AGAIN}",
    errno.EFBIG: f"raise the limit of a file's size (ulimit -f), {_AGAIN}",
    errno.EROFS: f"make the place writable, {_AGAIN}",
    errno.EACCES: f"give this user the right to it, {_AGAIN}",
    errno.EPERM: f"give this user the right to it, {_AGAIN}",
    errno.EMFILE: f"raise the limit of open files (ulimit -n), {_AGAIN}",
    errno.ENFILE: f"close other programs, {_AGAIN}",
    errno.ENOMEM: f"close other programs, or take a machine with more memory, {_AGAIN}",
    errno.EIO: f"the disk fails: check it, {_AGAIN}",
    errno.ESTALE: f"mount the folder again, {_AGAIN}",
    errno.ENOTDIR: f"a file lies where a folder is needed: move it away, {_AGAIN}",
    errno.EEXIST: f"it lies where a folder is needed: move it away, {_AGAIN}",
}
_NO_MEMORY = ("can't start new thread", "can't allocate memory")
"""What Python and torch say, in a RuntimeError, where there is no memory for a thread or array."""


_SQLITE_FAULTS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


@contextmanager
def machine_faults() -> Iterator[None]:
    """Turn faults of the machine into one sentence with the place and what to do.

    Raises
    ------
    MachineError
        In place of the fault; everything else passes.
    """
    try:
        yield
    except Exception as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        raise MachineError(sentence) from error


def sentence_of(error: BaseException | None) -> str | None:
    """Say what the machine lacks; None where an error, and what caused it, is something else.

    Examples
    --------
    >>> sentence_of(OSError(errno.ENOSPC, "No space left on device", "/data/x"))
    '/data/x: No space left on device; free some space there, then run it again: it continues'
    """
    while error is not None:
        starved = isinstance(error, RuntimeError) and any(w in str(error) for w in _NO_MEMORY)
        if isinstance(error, MemoryError) or starved:
            return f"out of memory ({error or 'no size told'}); {_REMEDIES[errno.ENOMEM]}"
        if isinstance(error, OSError) and error.errno in _REMEDIES and not _is_a_folder(error):
            place = f"{error.filename}: " if error.filename else ""
            return f"{place}{error.strerror}; {_REMEDIES[error.errno]}"
        if isinstance(error, sqlite3.OperationalError) and _is_of_the_machine(error):
            return (
                f"a database of Dagster or MLflow: {error}; end what else uses it, or make its "
                f"place writable, {_AGAIN}"
            )
        error = error.__cause__
    return None


def _is_a_folder(error: OSError) -> bool:
    """Whether a folder was made twice, which is a bug."""
    return error.errno == errno.EEXIST and os.path.isdir(error.filename or "")


def _is_of_the_machine(error: sqlite3.OperationalError) -> bool:
    """Whether a database was held, full or not writable; a wrong query is a bug."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE_FAULTS
