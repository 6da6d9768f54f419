"""Studies that MLflow still holds after their YAML is gone, and how they are forgotten."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import filelock

from price_physics.errors import PartitionLocked, TrackingError
from price_physics.orchestration import sqlite_files
from price_physics.orchestration.mlflow_database import (
    ENVIRONMENT,
    NAME,
    damage_of,
    locked,
    uri_of,
)

_OURS = (
    "SELECT DISTINCT experiments.name FROM experiments JOIN runs USING (experiment_id) "
    "JOIN tags USING (run_uuid) "
    "WHERE tags.key = 'price_physics.study' AND tags.value = experiments.name "
    "AND experiments.artifact_location = ? || experiments.name"
)
_CHAMPIONS = "SELECT name FROM registered_model_aliases WHERE alias = 'champion'"


def tracked_studies(folder: Path) -> set[str]:
    """Names of the studies that MLflow holds and nobody may be using.

    An experiment counts where our runs are in it and their files in this folder: in a copy of a
    project they are still the original's. A study with a model called `champion` is in use.

    Raises
    ------
    TrackingError
        When the database cannot be read.
    """
    if not (folder / NAME).is_file():
        return set()
    try:
        uri, wait = f"{(folder / NAME).as_uri()}?mode=ro", sqlite_files.BUSY_TIMEOUT_S
        with closing(sqlite3.connect(uri, uri=True, timeout=wait)) as database:
            place = f"{(folder.resolve() / 'artifacts').as_uri()}/"
            ours = {name for (name,) in database.execute(_OURS, (place,))}
            return ours - {name for (name,) in database.execute(_CHAMPIONS)}
    except sqlite3.DatabaseError as error:
        raise TrackingError(f"{folder / NAME}: {error}; see  price-physics doctor") from error


def forget_study(folder: Path, study: str) -> None:
    """Delete a study's registered model, its experiment with every run, then their files.

    In this order, so that after a kill nothing that is left points at what is gone.

    Raises
    ------
    TrackingError
        When the database is damaged or held, or MLflow cannot delete from it.
    PartitionLocked
        When another process makes or reads the database.
    """
    try:
        with locked(folder):
            _refuse_unusable(folder / NAME)
            _delete(uri_of(folder / NAME), study)
            shutil.rmtree(folder / "artifacts" / study, ignore_errors=True)
    except filelock.Timeout as error:
        raise PartitionLocked(f"another process holds {error.lock_file}") from None


def _refuse_unusable(path: Path) -> None:
    """Keep from MLflow what it would try to open for hours. Raises TrackingError."""
    try:
        damage = damage_of(path)
        with closing(sqlite3.connect(path, timeout=sqlite_files.BUSY_TIMEOUT_S)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.rollback()
    except sqlite3.DatabaseError as error:
        raise TrackingError(f"{path}: {error}; see  price-physics doctor") from error
    if damage:
        raise TrackingError(f"{path}: {damage}; see  price-physics doctor")


def _delete(uri: str, study: str) -> None:
    """Delete the model, then the experiment. Raises TrackingError."""
    os.environ.update(ENVIRONMENT)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    try:
        client.delete_registered_model(study)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise TrackingError(f"{study}: {error}") from error
    experiment = client.get_experiment_by_name(study)
    if experiment is None:
        return
    if experiment.lifecycle_stage == "active":
        client.delete_experiment(experiment.experiment_id)
    places = ["--backend-store-uri", uri, "--tracking-uri", uri]
    command = [sys.executable, "-m", "mlflow", "gc", *places]
    command += ["--experiment-ids", experiment.experiment_id]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise TrackingError(f"{study}: mlflow gc: {done.stderr.strip()[-500:]}")
