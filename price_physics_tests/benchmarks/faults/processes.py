"""Processes that are killed, limited or left without a place, and what they said.

They are forked from a server that has imported everything, so that a whole run takes seconds.
"""

import multiprocessing
import os
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([f"{__package__}.warm"])

MOST_SECONDS = 180.0
"""For which any process may run; one that hangs has not held."""
_CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.chmod", "os.rmdir", "sqlite3.connect"}
"""Events of Python's audit hooks before which a process may be killed; `open` to write is one."""


@dataclass(frozen=True)
class Child:
    """A process, and the file to which it writes what it says."""

    process: ForkServerProcess
    said: Path

    def kill(self) -> None:
        """Kill it as the machine does: it has no moment to tidy up."""
        self.process.kill()
        self.process.join()

    def ended(self, seconds: float = MOST_SECONDS) -> int:
        """Wait for its exit status; one that does not end is killed, and has not held."""
        self.process.join(seconds)
        if self.process.exitcode is None:
            self.kill()
            raise AssertionError(f"it still runs after {seconds:.0f} s")
        return self.process.exitcode

    @property
    def text(self) -> str:
        return self.said.read_text(encoding="utf-8", errors="replace")

    @property
    def lines(self) -> list[str]:
        """What it said, line by line, without progress bars."""
        lines = [line.strip() for line in re.split(r"[\r\n]+", self.text)]
        return [line for line in lines if line and "asset/s]" not in line and "B/s]" not in line]


def start(
    folder: Path,
    function: Callable[..., Any],
    *arguments: Any,
    before: Callable[[], None] | None = None,
) -> Child:
    """Start a function in a process of its own.

    Parameters
    ----------
    folder : Path
        Gets what it says and its temporary files.
    function : callable
        At the top of a module. What it returns is the exit status; None is 0.
    before : callable, optional
        Called first, in the process: a limit, or a point at which it dies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    process = _SERVER.Process(target=_run, args=(folder, function, arguments, before))
    process.start()
    return Child(process, folder / "said.txt")


def _run(
    folder: Path,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    before: Callable[[], None] | None,
) -> None:
    said = os.open(folder / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    tempfile.tempdir = str(folder)
    os.environ.pop("DAGSTER_HOME", None)
    if before is not None:
        before()
    sys.exit(function(*arguments))


def price_physics(root: Path, *arguments: str) -> int:
    """Run a verb in a project's folder, as the shell does."""
    from price_physics.cli import main

    os.chdir(root)
    return main(list(arguments))


# ---------------------------------------------------------------------------- named points
def _points(root: Path, meet: Callable[[int, str], None]) -> None:
    """Call `meet` before every change below `root`, with its number from 1 on and its name."""
    below, n = str(root), 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal n
        if event == "open":
            changes = bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        else:
            changes = event in _CHANGES
        if changes and (place := _place(below, arguments)):
            if event == "os.mkdir" and os.path.isdir(arguments[0]):  # as it will find out
                return
            n += 1
            meet(n, f"{event} {place}")

    sys.addaudithook(hook)


def _place(below: str, arguments: tuple[Any, ...]) -> str:
    for argument in reversed(arguments[:2]):
        if isinstance(argument, str | os.PathLike) and os.fspath(argument).startswith(below):
            path = Path(argument)
            return re.sub(r"-[0-9a-f]{8,}|(?<=\.tmp-).*", "", path.name)
    return ""


def list_points(root: Path, file: Path) -> None:
    """Write the name of every change below `root` to a file, one a line."""
    out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    _points(root, lambda n, name: os.write(out, f"{name}\n".encode()) and None)


def die_at(root: Path, point: int) -> None:
    """Be killed just before the change of that number below `root`."""

    def meet(n: int, name: str) -> None:
        if n == point:
            os.kill(os.getpid(), signal.SIGKILL)

    _points(root, meet)


def names_of_points(
    folder: Path, root: Path, function: Callable[..., Any], *arguments: Any
) -> list[str]:
    """Run a function undisturbed, and name every change that it makes below `root`."""
    file = folder / "points.txt"
    child = start(folder, function, *arguments, before=partial(list_points, root, file))
    if child.ended():
        raise RuntimeError(f"{function.__name__} fails undisturbed:\n{child.text[-4000:]}")
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []
