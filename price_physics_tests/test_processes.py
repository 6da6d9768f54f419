"""SIGTERM ends a command within seconds, and everything that it started."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")

BEGIN = """
import signal, sys, time
from pathlib import Path
from price_physics.processes import end_on_sigterm, run_child
end_on_sigterm()
"""
BUSY = "print('ready', flush=True)\nwhile True: pass\n"
ASLEEP = "print('ready', flush=True)\ntime.sleep(600)\n"
LIKE_DAGSTER = "signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))\n"
WITH_CHILD = """
code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
run_child([sys.executable, "-c", code], Path("."))
"""


def started(code, **how):
    command = [sys.executable, "-c", BEGIN + code]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def ended(process, number=signal.SIGTERM):
    """Exit status and seconds after a signal."""
    begin = time.monotonic()
    process.send_signal(number)
    try:
        status = process.wait(30)
    finally:
        process.kill()
    return status, time.monotonic() - begin


def ignore_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize("how", [{}, {"preexec_fn": ignore_interrupts}])
@pytest.mark.parametrize("code", [BUSY, ASLEEP, LIKE_DAGSTER + BUSY, LIKE_DAGSTER + ASLEEP])
def test_a_process_ends_whatever_handles_its_signals(code, how):
    with started(code, **how) as process:
        assert process.stdout.readline() == b"ready\n"
        status, seconds = ended(process)
        assert seconds < 5
        assert status != 0
        if LIKE_DAGSTER not in code:  # else its handler raises in the main thread at the same time
            assert status == 143
            assert b"run it again to continue" in process.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", None)])
@pytest.mark.parametrize("how", [{}, {"preexec_fn": ignore_interrupts}])
def test_children_end_too(how, number):
    with started(WITH_CHILD, **how) as process:
        child = int(process.stdout.readline())
        status, _ = ended(process, number)
        assert status == 143
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
