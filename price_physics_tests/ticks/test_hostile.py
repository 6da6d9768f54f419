"""Every file that cannot be trusted is refused by name, soon, in little memory, leaving nothing."""

import json
import re
import subprocess
import sys

import pytest

from .helpers import ROOT
from .hostile import CASES, write_cases

pytestmark = pytest.mark.slow

MOST_SECONDS = 5.0
MOST_MB = 256.0


@pytest.fixture(scope="module")
def refusals(tmp_path_factory):
    """All of them in one process, so that its memory and time are theirs."""
    folder = tmp_path_factory.mktemp("hostile")
    write_cases(folder)
    program = [sys.executable, "-m", "price_physics_tests.ticks.hostile", str(folder)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(CASES)), ids=CASES)
def test_a_hostile_file_is_refused(refusals, number):
    name, _, complaint = list(CASES.values())[number]
    found = refusals["cases"][f"{number:02d}"]
    assert found["error"].startswith(name), found["error"]
    assert re.search(complaint, found["error"])
    assert found["seconds"] < MOST_SECONDS
    assert found["left"] == []
    assert found["known"] == ["a.csv"]


def test_none_of_them_takes_much_memory(refusals):
    """The peak is that of the worst."""
    by_size = {case["error"]: case["mb"] for case in refusals["cases"].values()}
    grown = refusals["peak_mb"] - refusals["baseline_mb"]
    assert grown < MOST_MB, sorted(by_size.items(), key=lambda item: -item[1])[:5]
