"""A whole backfill opens no socket but on the loopback, and sends nothing to anybody."""

import subprocess
import sys
from pathlib import Path

import pytest

from price_physics.pipeline.dag import STAGES
from price_physics_tests.e2e.loopback import forbidden, guarded
from price_physics_tests.e2e.projects import make_project, partitions_of

BEYOND = "192.0.2.1"  # reserved for documentation: nobody is there
TRIES = [
    f"s.connect(('{BEYOND}', 9))",
    f"s.bind(('{BEYOND}', 9))",
    "s.bind(('', 0))",
    f"s.sendto(b'x', ('{BEYOND}', 9))",
    "socket.getaddrinfo('example.org', 443)",
    "socket.gethostbyname('example.org')",
]


def test_a_whole_backfill_opens_no_socket_but_on_the_loopback(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", last_month="2012-02")
    command = [sys.executable, "-m", "price_physics.cli", "backfill", "--study", "demo"]
    environment = guarded(tmp_path / "guard")
    done = subprocess.run(
        command, cwd=project.root, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert len(partitions_of(project)) == 2 * len(STAGES)
    assert partitions_of(project)["model", "2012-02"].warm_up is None, "a network was trained"
    assert (project.data / "mlflow" / "mlflow.db").exists()
    assert forbidden(tmp_path / "guard") == []


@pytest.mark.parametrize("attempt", TRIES)
def test_the_guard_sees_and_refuses_the_rest_in_children_too(tmp_path: Path, attempt: str) -> None:
    code = f"import socket; s = socket.socket(type=socket.SOCK_DGRAM); {attempt}"
    parent = f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {code!r}]))"
    done = subprocess.run(
        [sys.executable, "-c", parent],
        env=guarded(tmp_path / "guard"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "only the loopback is allowed" in done.stderr
    assert len(forbidden(tmp_path / "guard")) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_the_loopback_is_allowed(tmp_path: Path, host: str) -> None:
    code = f"import socket; socket.create_server(({host!r}, 0)); socket.getaddrinfo({host!r}, 80)"
    environment = guarded(tmp_path / "guard")
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert forbidden(tmp_path / "guard") == []
