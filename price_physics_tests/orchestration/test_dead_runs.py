"""A run whose process was killed is closed; whatever may be alive is left alone."""

import os
import subprocess
import sys
import time
import uuid

import dagster as dg
import pytest
from dagster._core.events import EngineEventData

from price_physics import cli
from price_physics.orchestration import dead_runs
from price_physics.orchestration.dead_runs import close_dead_runs
from price_physics.orchestration.instance import open_instance

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there is no signal that only asks")


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


def begun(instance, pid, status=dg.DagsterRunStatus.STARTED):
    """A run that says which process executes it."""
    run = dg.DagsterRun(job_name="job", run_id=str(uuid.uuid4()), status=status)
    instance.add_run(run)
    if pid is not None:
        instance.report_engine_event(
            "Started process for run", run, EngineEventData.in_process(pid)
        )
    return run.run_id


def killed():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.kill()
    return process.pid


@pytest.mark.parametrize(
    "status",
    [
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ],
)
def test_a_run_whose_process_is_gone_is_closed(instance, status):
    dead, alive = begun(instance, killed(), status), begun(instance, os.getpid(), status)
    assert close_dead_runs(instance) == 1
    assert instance.get_run_by_id(dead).status == dg.DagsterRunStatus.FAILURE
    assert instance.get_run_by_id(alive).status == status
    assert close_dead_runs(instance) == 0


def test_a_run_that_names_no_process_or_is_over_is_left_alone(instance):
    untold = begun(instance, None)
    over = begun(instance, killed(), dg.DagsterRunStatus.SUCCESS)
    assert close_dead_runs(instance) == 0
    for run, status in ((untold, "STARTED"), (over, "SUCCESS")):
        assert instance.get_run_by_id(run).status.value == status


def test_a_run_that_dies_while_dagster_runs_is_closed(tmp_path, monkeypatch):
    """A killed backfill would keep its study's pool until the next start."""
    monkeypatch.setattr(dead_runs, "EVERY_S", 0.05)
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    (tmp_path / "configs" / "studies").mkdir(parents=True)
    closed = []

    def served(command, folder):
        with open_instance(cli.find_project()) as found:
            dead, end = begun(found, killed()), time.monotonic() + 30
            while found.get_run_by_id(dead).status != dg.DagsterRunStatus.FAILURE:
                assert time.monotonic() < end, "nobody closed it"
                time.sleep(0.05)
        closed.append(dead)
        return 0

    monkeypatch.setattr(cli, "run_child", served)
    assert cli.main(["dev", "--port", "5986"]) == 0
    assert len(closed) == 1
