"""Memory does not grow with the month: what it should not hold waits on disk."""

import subprocess
import sys

import pytest

from .helpers import ROOT
from .peak_memory import write_month


def peak(folder, n_rows: int) -> float:
    """The megabytes that a program of its own needs for a month of `n_rows`."""
    files = folder / str(n_rows) / "files"
    files.mkdir(parents=True)
    write_month(files, n_rows)
    program = [sys.executable, "-m", "price_physics_tests.ticks.peak_memory", str(files.parent)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    n_ticks, megabytes, _ = done.stdout.split()
    assert int(n_ticks) == n_rows
    return float(megabytes)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_rows(tmp_path):
    """The rows that there are more of would take nearly 40 MB if they were kept."""
    few, many = peak(tmp_path, 300_000), peak(tmp_path, 1_200_000)
    assert many - few < 15
