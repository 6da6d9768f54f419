"""MLflow's pages, on this machine alone, and where in them a study is."""

import os
import socket
import sys
import threading
import time
from pathlib import Path

from price_physics.errors import ConfigError
from price_physics.orchestration.mlflow_database import ENVIRONMENT, NAME
from price_physics.orchestration.tracking import tracking_of
from price_physics.processes import run_child
from price_physics.project import Project

HOST, PORT = "127.0.0.1", 5000


def serve(project: Project, study: str, port: int = PORT) -> int:
    """Serve MLflow until it is ended; say where the study's runs are once it answers.

    One worker and no runner of jobs: by itself MLflow starts four workers and a runner, each of
    which loads everything anew, and one person needs none of that.

    Raises
    ------
    ConfigError
        When the port is taken, or nothing of the study was logged.
    """
    if _answers(port):
        raise ConfigError(f"something listens on port {port} already: end it, or set --port")
    found = tracking_of(project).client().get_experiment_by_name(study)
    if found is None:
        raise ConfigError(
            f"MLflow holds nothing of a study {study!r}; run  price-physics track --study {study}"
        )
    page = f"http://{HOST}:{port}/#/experiments/{found.experiment_id}/runs"
    os.environ.update(ENVIRONMENT | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"})
    print(f"MLflow starts; it will answer on {page}", flush=True)
    threading.Thread(target=_announce, args=(port, page), daemon=True).start()
    database = (Path(tracking_of(project).folder) / NAME).resolve()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", HOST]
    command += ["--port", str(port), "--backend-store-uri", f"sqlite:///{database.as_posix()}"]
    return run_child(command, project.root)


def _announce(port: int, page: str) -> None:
    while not _answers(port):
        time.sleep(0.5)
    print(f"\nMLflow is ready: {page}\n", flush=True)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
