"""Name what lies among vendor dumps and is no file to read: pipes, devices, broken links, loops.

To pass them over would lose a month without a word, to open them might last for ever.
"""

from __future__ import annotations

import errno
import glob
import os
import shlex
import stat
from pathlib import Path

from price_physics.errors import TickDataError

_KINDS = {
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def refuse_odd_file(path: Path, file: str) -> None:
    """Stop at a path that is neither a file nor a folder, nor a link to one.

    Raises
    ------
    TickDataError
        Naming it, with the command that removes it.
    """
    link = f", through a link to {os.readlink(path)}," if path.is_symlink() else ""
    try:
        kind = _KINDS.get(stat.S_IFMT(path.stat().st_mode))
    except OSError as error:
        if not path.is_symlink():
            raise
        loops = error.errno == errno.ELOOP
        link = ""
        kind = f"a link to {os.readlink(path)}, " + ("a loop" if loops else "which is not there")
    if kind:
        raise TickDataError(
            f"{file}: is{link} {kind}, and no dump; remove it, `rm {shlex.quote(file)}`, or leave "
            "it out of `files:`"
        )


def refuse_loops(pattern: str, root: Path) -> None:
    """Stop at a link to a folder above it, below which ``**`` would never end.

    Raises
    ------
    TickDataError
        Naming it, with the command that removes it.
    """
    start, deep, _ = pattern.partition("**")
    if not deep:
        return
    for top in glob.glob(start or ".", root_dir=root):
        seen = {os.path.realpath(root / top)}
        waiting = [root / top]
        while waiting:
            folder = waiting.pop()
            for entry in os.scandir(folder) if folder.is_dir() else ():
                if not entry.is_dir():
                    continue
                real = os.path.realpath(entry.path)
                if entry.is_symlink() and Path(real) in (
                    folder.resolve(),
                    *folder.resolve().parents,
                ):
                    name = Path(os.path.relpath(entry.path, root)).as_posix()
                    raise TickDataError(
                        f"{name}: is a link to {os.readlink(entry.path)}, a folder above it: a "
                        f"loop; remove it, `rm {shlex.quote(name)}`"
                    )
                if real not in seen:
                    seen.add(real)
                    waiting.append(Path(entry.path))
