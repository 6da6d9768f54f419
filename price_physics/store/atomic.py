"""Write a file so that a crash leaves the old one or the new one, never half of either."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

TEMPORARY = ".tmp-"
"""Begin of the name that a file has while it is written."""


def write_atomically(path: Path, content: bytes | Callable[[BinaryIO], None]) -> None:
    """Write `path` under a temporary name, fsync, rename; readers see all of it or none.

    Parameters
    ----------
    path : Path
        Destination; its folder is created.
    content : bytes or callable
        The bytes, or a function that writes them to an open binary file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)  # mkstemp makes it private; outputs are for people to open
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)  # a write that has no room names no file
        raise
    _fsync_folder(path.parent)


def _fsync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows cannot open a folder and needs no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
