"""The Dagster UI, its daemon and its runs, killed at once: the next start closes what is dead."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from price_physics.orchestration.instance import open_instance
from price_physics.orchestration.schedules import job_name
from price_physics.project import Project
from price_physics_tests.e2e.loopback import forbidden, guarded
from price_physics_tests.e2e.projects import ROOT, make_project

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="/proc says which processes are whose children"
)

LIMIT_S = 300.0
"""For the whole test, which on two busy cores took 127 s."""
LAUNCH = """
mutation ($job: String!, $month: String!) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "price_physics.definitions",
      repositoryName: "__repository__",
      jobName: $job
    },
    executionMetadata: {tags: [{key: "dagster/partition", value: $month}]}
  }) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def children_of(pid: int) -> list[int]:
    """Processes below one, itself last."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    below = [child for child, parent in parents.items() if parent == pid]
    return [found for child in below for found in children_of(child)] + [pid]


@contextmanager
def dev(project: Project, port: int, environment: dict[str, str]) -> Iterator[None]:
    """Run `price-physics dev`; at the end every process of it is killed."""
    code = f"from price_physics import cli; cli.PORT = {port}; cli.main(['dev'])"
    with (project.root / f"dev-{port}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=project.root,
            stdout=log,
            stderr=log,
            env=environment,
        )
        try:
            yield
            assert process.poll() is None, "it ended by itself"
        finally:
            for pid in children_of(process.pid):
                os.kill(pid, signal.SIGKILL)
            process.wait()


def launch(port: int, job: str, month: str) -> str:
    """Ask the server for a run, as the UI does; its id."""
    body = json.dumps({"query": LAUNCH, "variables": {"job": job, "month": month}}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        said = json.loads(answer.read())
    return str(said["data"]["launchRun"]["run"]["runId"])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_after_a_kill_of_all_the_dead_run_is_closed_and_the_next_one_runs(tmp_path: Path) -> None:
    project, environment = make_project(tmp_path / "project"), guarded(tmp_path / "guard")
    (project.root / "workspace.yaml").write_bytes((ROOT / "workspace.yaml").read_bytes())
    end = time.monotonic() + LIMIT_S
    with open_instance(project) as instance:

        def is_now(run: str, status: dg.DagsterRunStatus) -> Callable[[], bool]:
            return lambda: instance.get_run_by_id(run).status == status

        def wait_for(what: Callable[[], bool]) -> None:
            while not what():
                assert time.monotonic() < end, "it took too long"
                time.sleep(0.2)

        first, second = free_port(), free_port()
        with dev(project, first, environment):
            wait_for(lambda: listens(first))
            dead = launch(first, job_name("demo"), "2012-01-01")
            wait_for(is_now(dead, dg.DagsterRunStatus.STARTED))
            waiting = launch(first, job_name("demo"), "2012-02-01")
        assert is_now(dead, dg.DagsterRunStatus.STARTED)(), "what a kill leaves"
        assert is_now(waiting, dg.DagsterRunStatus.QUEUED)(), "one at a time"
        with dev(project, second, environment):
            wait_for(is_now(dead, dg.DagsterRunStatus.FAILURE))
            wait_for(lambda: instance.get_run_record_by_id(waiting).start_time is not None)
    assert forbidden(tmp_path / "guard") == [], "the UI listens on the loopback, and asks nobody"
