"""SIGTERM ends a command within seconds, and everything that it started."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from numba.core.registry import CPUDispatcher

import price_physics

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
ONE_CALL = """
import numpy as np
from price_physics.bars.kernels import QUOTE, add_amounts
def add(n):
    column = np.broadcast_to(1.0, n)
    add_amounts(QUOTE, column, column, 0.0)
add(1)
print('ready', flush=True)
add(10**12)
"""
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


@pytest.mark.slow  # the kernel is compiled for arrays of no stride
def test_a_process_ends_within_one_long_call_of_a_kernel():
    """A handler needs the lock of Python, and so does the thread that ends the process."""
    with started(ONE_CALL) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.5)
        status, seconds = ended(process)
        assert status == 143
        assert seconds < 5


def test_no_kernel_keeps_the_lock_of_python():
    kernels = [
        (module, name)
        for path in Path(price_physics.__file__).parent.rglob("*kernels.py")
        for module in [
            ".".join(path.relative_to(Path(price_physics.__file__).parents[1]).parts)[:-3]
        ]
        for name, value in vars(importlib.import_module(module)).items()
        if isinstance(value, CPUDispatcher) and not value.targetoptions.get("nogil")
    ]
    assert kernels == []


@pytest.mark.parametrize("number", [signal.SIGTERM, getattr(signal, "SIGHUP", None)])
@pytest.mark.parametrize("how", [{}, {"preexec_fn": ignore_interrupts}])
def test_children_end_too(how, number):
    with started(WITH_CHILD, **how) as process:
        child = int(process.stdout.readline())
        status, _ = ended(process, number)
        assert status == 143
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
