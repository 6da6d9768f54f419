"""How a command ends: at once when it is asked to, or its terminal closes, with its children."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

GRACE_S = 10.0
"""Seconds that children have to end by themselves."""
_TERMINATED = 128 + 15

_children: list[subprocess.Popen[bytes]] = []
_ending = threading.Event()


def end_on_sigterm() -> None:
    """Let SIGTERM, or a closed terminal, end this process within seconds, its children first.

    What is written is whole at any moment, so nothing need be finished. Dagster hands SIGTERM to
    whatever handles SIGINT, and a process in the background of a script ignores that; and a handler
    of Python's waits for the main thread. So another thread waits for the signal.
    """
    if os.name == "nt":  # nothing is sent there: a process is ended from outside
        return
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda number, frame: None)  # still ignored, but not SIGTERM
    if signal.getsignal(signal.SIGTERM) in (signal.SIG_DFL, signal.SIG_IGN):
        signal.signal(signal.SIGTERM, lambda number, frame: None)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # ignored under nohup
        signal.signal(signal.SIGHUP, lambda number, frame: None)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_end, args=(reading,), daemon=True, name="end on SIGTERM").start()


def _end(reading: int) -> None:
    while not {signal.SIGTERM, signal.SIGHUP} & set(os.read(reading, 512)):
        pass
    _ending.set()
    with suppress(OSError):  # a terminal that was closed
        print(
            "ended by a signal; what was written is kept: run it again to continue", file=sys.stderr
        )
    for child in list(_children):
        _stop(child)
    os._exit(_TERMINATED)


def run_child(command: list[str], folder: Path) -> int:
    """Run a command in a group of its own; the group ends with this process or with Ctrl-C.

    Returns
    -------
    int
        The exit status; of a command that a signal ended, the one that a shell gives it.
    """
    with subprocess.Popen(command, cwd=folder, start_new_session=True) as child:  # noqa: S603
        _children.append(child)
        try:
            status = child.wait()
            if _ending.is_set():
                threading.Event().wait()  # for the thread that ends the process
        except KeyboardInterrupt:
            _stop(child, signal.SIGINT)
            raise
        finally:
            _children.remove(child)
    return status if status >= 0 else 128 - status


def _stop(child: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """Ask a child and all of its own to end, then end them."""
    if os.name == "nt":
        child.terminate()
        return
    with suppress(ProcessLookupError):
        os.killpg(child.pid, number)
    with suppress(subprocess.TimeoutExpired):
        child.wait(GRACE_S)
    with suppress(ProcessLookupError):  # whoever of the group is left
        os.killpg(child.pid, signal.SIGKILL)
