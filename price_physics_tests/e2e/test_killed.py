"""Promise three: kill a backfill anywhere, run it again, get the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from price_physics.project import Project
from price_physics_tests.e2e.conftest import run
from price_physics_tests.e2e.projects import contents, make_project, partitions_of


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_killed_backfill_goes_on_and_ends_where_it_would_have(
    small_run: Project, tmp_path: Path
) -> None:
    project = make_project(tmp_path)
    command = [sys.executable, "-m", "price_physics.cli", "backfill", "--study", "demo"]
    for wanted in (9, 30):  # in the first month; in the third, where networks train
        with subprocess.Popen(command, cwd=project.root, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and len(partitions_of(project)) < wanted:
                time.sleep(0.05)
            still_running = process.poll() is None
            process.send_signal(signal.SIGKILL)
        assert still_running, "the backfill ended before it could be killed"
    assert 30 <= len(partitions_of(project)) < len(partitions_of(small_run))
    finished = partitions_of(run(project))
    for key, partition in partitions_of(small_run).items():
        assert contents(partition) == contents(finished[key]), key
