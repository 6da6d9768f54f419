"""Hold a file's lock, or say in one sentence who else may hold it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from price_physics.errors import PartitionLocked


@contextmanager
def held(path: Path, timeout_s: float, busy: str) -> Iterator[None]:
    """Hold the lock while the block runs. A lock that the block itself waits for is not meant.

    Parameters
    ----------
    path : Path
        The lock's file; its folder is made.
    timeout_s : float
        Seconds to wait for another process.
    busy : str
        What to say where it holds the lock for longer, and what to do.

    Raises
    ------
    PartitionLocked
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path, timeout=timeout_s)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise PartitionLocked(busy) from None
    try:
        yield
    finally:
        lock.release()
