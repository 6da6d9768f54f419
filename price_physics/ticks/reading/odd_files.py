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
    link = f"a link to {os.readlink(path)}, " if path.is_symlink() else ""
    try:
        kind = _KINDS.get(stat.S_IFMT(path.stat().st_mode))
    except OSError as error:
        if not link:
            raise
        kind = "a loop" if error.errno == errno.ELOOP else "which is not there"
    if kind:
        raise TickDataError(
            f"{file}: is {link}{kind}, and no dump; remove it, `rm {shlex.quote(file)}`, or leave "
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
        waiting, seen = [root / top], {os.path.realpath(root / top)}
        while waiting:
            folder = waiting.pop()
            above = (folder.resolve(), *folder.resolve().parents)
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if not path.is_dir():
                    continue
                real = path.resolve()
                if path.is_symlink() and real in above:
                    name = Path(os.path.relpath(path, root)).as_posix()
                    raise TickDataError(
                        f"{name}: is a link to {os.readlink(path)}, a folder above it: a loop; "
                        f"remove it, `rm {shlex.quote(name)}`"
                    )
                if str(real) not in seen:
                    seen.add(str(real))
                    waiting.append(path)
