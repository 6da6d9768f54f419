"""MLflow on SQLite in the project's data folder: nothing needs it, and everything is logged once.

`mlflow_runs` says which runs there are, `tracked` what they hold, `registry` how a model is
registered. mlflow is imported when something is logged, never before.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import filelock

from price_physics.errors import TrackingError
from price_physics.months import Month
from price_physics.orchestration import mlflow_runs as runs
from price_physics.orchestration.mlflow_database import (
    ENVIRONMENT,
    NAME,
    locked,
    prepare_database,
    uri_of,
)
from price_physics.orchestration.mlflow_runs import (
    EVALUATION,
    LOGGED,
    MONTH,
    NOTE,
    TRAINING,
    Labelled,
)
from price_physics.orchestration.registry import (
    CONFIGURATION,
    LOGGED_MODEL,
    MARKS,
    alias_of,
    find_alias,
    register,
)
from price_physics.orchestration.tracked import Logged
from price_physics.project import Project
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.study.trial import config_hash

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_log = logging.getLogger(__name__)

_THROUGH = "price_physics.through"
"""Tag of a parent run: the month whose verdict it shows."""


class MlflowTracking(dg.ConfigurableResource):
    """Where runs are tracked: ``<folder>/mlflow.db`` and ``<folder>/artifacts``."""

    folder: str

    @property
    def uri(self) -> str:
        return uri_of(Path(self.folder) / NAME)

    def log_month(self, study: Study, market: Market, month: Month, logged: Logged) -> str:
        """Log to the nested run of a month, and create it if it does not exist yet.

        Curves mean that a fit is logged. A fit that was logged before goes to its own run; another
        fit gets a new run, which from then on is the month's.

        Returns
        -------
        str
            The nested run's id.

        Raises
        ------
        TrackingError
            When the database cannot be written to.
        """
        client = self.client()
        fit = None if logged.curves is None else _fit_digest(logged)
        with self._lock():
            experiment = runs.experiment_of(client, study, Path(self.folder) / "artifacts")
            parent = runs.parent_run(client, experiment, study, market, logged.made)
            run = runs.month_run(client, parent, month, fit, logged.made)
        tags = dict(logged.tags)
        if logged.note and (fit is None or NOTE not in run.data.tags):  # a report's says more
            tags[NOTE] = logged.note
        if fit is None:
            tags |= runs.beside(logged.asset, logged.metrics, logged.tags, logged.files)
        _log_files(client, run, logged)
        runs.log_datasets(client, run, logged.datasets)
        label = self._register(client, study, market, run, logged)
        metrics = runs.points(run, logged.metrics, label=label)
        if logged.curves is not None:
            metrics += runs.curve_points(logged.curves)
        if logged.of_study:
            _log_outcome(client, parent, month, logged)
        tags[f"{LOGGED}{logged.asset}"] = logged.digest
        runs.log(client, run, metrics=metrics, params=runs.parameters(study, market), tags=tags)
        return run.info.run_id

    def log_or_warn(self, study: Study, market: Market, month: Month, logged: Logged) -> None:
        """Do as `log_month`, but let nothing that MLflow does stop the pipeline.

        The store keeps everything that is logged, so whatever goes wrong is said, and a later
        backfill logs what is missing.
        """
        try:
            self.log_month(study, market, month, logged)
        except Exception as error:  # noqa: BLE001 - of any kind: nothing needs MLflow
            _log.warning(
                "%s %s is not in MLflow: %s. The partition is written all the same; the next "
                "backfill logs it, or  price-physics track --study %s",
                study.name,
                month,
                error,
                study.name,
            )

    def client(self) -> "MlflowClient":
        """Return a client; create the database under a lock, as several first users would race."""
        os.environ.update(ENVIRONMENT)
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it logs every migration
        with self._lock():
            prepare_database(Path(self.folder))
            uri = self.uri  # asks the database who it is
            return MlflowClient(tracking_uri=uri, registry_uri=uri)

    def _register(
        self, client: "MlflowClient", study: Study, market: Market, run: "Run", logged: Logged
    ) -> Labelled | None:
        """Register a model, and say which numbers are of which model and data."""
        configured = {CONFIGURATION: config_hash(study, market)}
        if logged.model is not None:
            marks = {tag: logged.tags[tag] for tag in MARKS.values() if tag in logged.tags}
            month, files = Month.parse(run.data.tags[MONTH]), logged.model
            with self._lock():
                made = register(client, study.name, month, run, files, marks | configured)
            names = frozenset(logged.metrics)
            return Labelled(names, made.tags[LOGGED_MODEL], logged.datasets[TRAINING])
        if logged.scored is None:
            return None
        of_month, names = logged.scored
        served = find_alias(client, study.name, alias_of(of_month))
        if served is None or served.tags.get(CONFIGURATION) != configured[CONFIGURATION]:
            return None  # once that model is logged, so is the report, again
        return Labelled(names, served.tags[LOGGED_MODEL], logged.datasets[EVALUATION])

    @contextmanager
    def _lock(self) -> Iterator[None]:
        folder = Path(self.folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with locked(folder):
                yield
        except filelock.Timeout as error:
            raise TrackingError(f"{error.lock_file}: another process holds this lock") from None
        except OSError as error:
            raise TrackingError(f"{folder}: {error}") from error


def tracking_of(project: Project) -> MlflowTracking:
    """The tracking of a project."""
    return MlflowTracking(folder=str(project.data / "mlflow"))


def _log_files(client: "MlflowClient", run: "Run", logged: Logged) -> None:
    if not logged.files:
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, content in logged.files.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        client.log_artifacts(run.info.run_id, folder)


def _log_outcome(client: "MlflowClient", parent: "Run", month: Month, logged: Logged) -> None:
    """Log how the study did up to a month; words are those of the latest month."""
    metrics = {name: value for name, value in logged.metrics.items() if name in logged.of_study}
    step = 100 * month.year + month.month  # 201204: MLflow shows the number of the latest step
    tags = {}
    if str(month) >= parent.data.tags.get(_THROUGH, ""):
        tags = {name: value for name, value in logged.tags.items() if name in logged.of_study}
        tags |= {NOTE: logged.note, _THROUGH: str(month)}
    runs.log(client, parent, metrics=runs.points(parent, metrics, step), tags=tags)


def _fit_digest(logged: Logged) -> str:
    """Identify a fit by a hash of all that is logged of it."""
    digest = hashlib.sha256(repr(sorted(logged.metrics.items())).encode())
    if logged.curves is not None:
        digest.update(logged.curves.to_csv(index=False).encode())
    if logged.model is not None:
        digest.update(logged.model.network + logged.model.architecture)
    return digest.hexdigest()
