"""MLflow on SQLite in the project's data folder.

There is one parent run a study and configuration, and in it one nested run a month; tags lead back
to the Dagster run and partition. A month that is fitted again, to another result, gets a new run,
as MLflow would mix the curves of both; the older run is marked as superseded. mlflow is imported
when something is logged, never before.
"""

import hashlib
import json
import logging
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import filelock
import pandas as pd

from price_physics.errors import TrackingError
from price_physics.months import Month
from price_physics.orchestration.mlflow_database import (
    NAME,
    SUPERSEDED,
    locked,
    prepare_database,
    uri_of,
)
from price_physics.orchestration.registry import ModelFiles, register
from price_physics.project import Project
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.settings import flatten
from price_physics.study.study import Study
from price_physics.study.trial import config_hash, trial_settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

_log = logging.getLogger(__name__)

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
MARKS = {name: f"price_physics.{name}" for name in ("synthetic", "in_sample")}
"""Tags with the value true or false, of runs and of the models that they register."""

_BATCH = 900  # MLflow takes at most 1,000 metrics a call
_PARENT, _MONTH = "mlflow.parentRunId", "price_physics.month"
_FIT = "price_physics.fit"
LOGGED = "price_physics.logged."
"""Begin of the tags that name, by asset, what has been logged whole."""
_BESIDE = "price_physics.beside_the_fit"
"""Tag with the metrics and folders that are not of the fit: a later fit's run takes them over."""


class MlflowTracking(dg.ConfigurableResource):
    """Where runs are tracked: ``<folder>/mlflow.db`` and ``<folder>/artifacts``."""

    folder: str

    @property
    def uri(self) -> str:
        return uri_of(Path(self.folder) / NAME)

    def log_month(
        self,
        study: Study,
        market: Market,
        month: Month,
        *,
        tags: Mapping[str, str],
        metrics: Mapping[str, float | None] | None = None,
        curves: pd.DataFrame | None = None,
        files: Mapping[str, bytes] | None = None,
        model: "ModelFiles | None" = None,
        logged: tuple[str, str] | None = None,
    ) -> str:
        """Log to the nested run of a month, and create it if it does not exist yet.

        Curves mean that a fit is logged. A fit that was logged before goes to its own run; another
        fit gets a new run, which from then on is the month's.

        Parameters
        ----------
        tags : mapping
            The Dagster run and partition, and whatever else leads back. Those of `MARKS` go to the
            model's version too.
        metrics : mapping, optional
            Numbers of the month; None is left out, or NaN where the run already has a number.
        curves : DataFrame, optional
            LEARNING_CURVES; logged by epoch in batches.
        files : mapping of path to bytes, optional
            Logged as artifacts.
        model : ModelFiles, optional
            Registered under the study's name, with an alias of the month.
        logged : (asset, digest), optional
            What all of this is; kept as a tag once it is logged whole.

        Returns
        -------
        str
            The nested run's id.

        Raises
        ------
        TrackingError
            When the database cannot be written to.
        """
        client = self._client()
        configuration = config_hash(study, market)
        with self._lock():
            experiment = _experiment(client, study.name, Path(self.folder) / "artifacts")
            parent = _parent_run(client, experiment, study, market, configuration)
            fit = None if curves is None else _fit_digest(metrics or {}, curves, model)
            run = _month_run(client, experiment, parent, month, fit)
            if fit is None:
                _note_beside(client, run, metrics or {}, files or {})
        for key, value in tags.items():
            client.set_tag(run, key, value)
        _log_metrics(client, run, metrics or {}, curves)
        with tempfile.TemporaryDirectory() as folder:
            for name, content in (files or {}).items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            if files:
                client.log_artifacts(run, folder)
        if model is not None:
            with self._lock():
                marks = {tag: tags[tag] for tag in MARKS.values() if tag in tags}
                register(client, study.name, month, run, model, marks)
        if logged is not None:
            client.set_tag(run, f"{LOGGED}{logged[0]}", logged[1])
        return run

    def log_or_warn(self, study: Study, market: Market, month: Month, **arguments: Any) -> None:
        """Do as `log_month`, but let nothing that MLflow does stop the pipeline.

        The store keeps everything that is logged, so whatever goes wrong is said, and a later
        backfill logs what is missing.
        """
        try:
            self.log_month(study, market, month, **arguments)
        except Exception as error:  # noqa: BLE001 - of any kind: nothing needs MLflow
            _log.warning(
                "%s %s is not in MLflow: %s. The partition is written all the same; the next "
                "backfill logs it, or  price-physics track --study %s",
                study.name,
                month,
                error,
                study.name,
            )

    def _client(self) -> "MlflowClient":
        """Return a client; create the database under a lock, as several first users would race."""
        os.environ.update(_ENVIRONMENT)
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it logs every migration
        with self._lock():
            prepare_database(Path(self.folder))
            uri = self.uri  # asks the database who it is
            return MlflowClient(tracking_uri=uri, registry_uri=uri)

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


def _experiment(client: "MlflowClient", name: str, artifacts: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    return client.create_experiment(name, artifact_location=(artifacts / name).as_uri())


def _parent_run(
    client: "MlflowClient", experiment: str, study: Study, market: Market, configuration: str
) -> str:
    """Find or make the run of a study and configuration.

    Its parameters are the settings that make the configuration. Other settings may change, say
    when a month is added, which a parameter may not: they are tags with their latest values.
    """
    from mlflow.entities import Param, RunTag

    run = _find(client, experiment, f"tags.`price_physics.configuration` = '{configuration}'")
    if run is None:
        tags = {"price_physics.configuration": configuration, "price_physics.study": study.name}
        made = client.create_run(experiment, run_name=f"{study.name} {configuration}", tags=tags)
        run = made.info.run_id
        client.set_terminated(run)
    # Log them every time: MLflow accepts equal ones, and a kill may have prevented the first time.
    trial = trial_settings(study, market)
    params = flatten({**trial["study"], "market": trial["market"]})
    settings = {**study.model_dump(mode="json"), "market": market.model_dump(mode="json")}
    others = {key: value for key, value in flatten(settings).items() if key not in params}
    client.log_batch(
        run,
        params=[Param(key, str(value)) for key, value in params.items()],
        tags=[RunTag(f"price_physics.{key}", str(value)) for key, value in others.items()],
    )
    return run


def _month_run(
    client: "MlflowClient", experiment: str, parent: str, month: Month, fit: str | None
) -> str:
    """Find or make the run of a month, or of the named fit in it; exactly one run is current."""
    query = f"tags.`{_PARENT}` = '{parent}' and tags.`{_MONTH}` = '{month}'"
    runs = client.search_runs([experiment], filter_string=query)  # the newest first
    current = [run.info.run_id for run in runs if SUPERSEDED not in run.data.tags]
    if fit is None and current:
        return current[0]
    # The first fit goes to a run that so far only the report has written to.
    fits = {run.data.tags.get(_FIT): run.info.run_id for run in runs}
    mine = fits.get(fit) or fits.get(None)
    if mine is None:
        tags = {_PARENT: parent, _MONTH: str(month), **({_FIT: fit} if fit else {})}
        mine = client.create_run(experiment, run_name=str(month), tags=tags).info.run_id
        client.set_terminated(mine)
    if fit is not None:
        client.set_tag(mine, _FIT, fit)
    for older in current:
        if older != mine:
            _take_over(client, older, mine)
            client.update_run(older, name=f"{month} superseded")
            client.set_tag(older, SUPERSEDED, mine)
    if mine not in current and any(run.info.run_id == mine for run in runs):  # an older fit again
        client.delete_tag(mine, SUPERSEDED)
        client.update_run(mine, name=str(month))
    return mine


def _fit_digest(
    metrics: Mapping[str, float | None], curves: pd.DataFrame, model: ModelFiles | None
) -> str:
    """Identify a fit by a hash of all that is logged of it."""
    digest = hashlib.sha256(repr(sorted(metrics.items())).encode())
    digest.update(curves.to_csv(index=False).encode())
    if model is not None:
        digest.update(model.network + model.architecture)
    return digest.hexdigest()


def _note_beside(
    client: "MlflowClient",
    run: str,
    metrics: Mapping[str, float | None],
    files: Mapping[str, bytes],
) -> None:
    folders = sorted({name.split("/")[0] for name in files})
    client.set_tag(run, _BESIDE, json.dumps({"metrics": sorted(metrics), "folders": folders}))


def _take_over(client: "MlflowClient", older: str, newer: str) -> None:
    """Copy what is not of the fit: a month's report does not depend on the month's model."""
    data = client.get_run(older).data
    if _BESIDE not in data.tags:
        return
    for key, value in data.tags.items():
        if not key.startswith("mlflow.") and key not in (_FIT, SUPERSEDED):
            client.set_tag(newer, key, value)
    beside = json.loads(data.tags[_BESIDE])
    _log_metrics(client, newer, {key: data.metrics.get(key) for key in beside["metrics"]}, None)
    for name in beside["folders"]:
        with tempfile.TemporaryDirectory() as folder:
            client.log_artifacts(newer, client.download_artifacts(older, name, folder), name)


def _find(client: "MlflowClient", experiment: str, query: str) -> str | None:
    runs = client.search_runs([experiment], filter_string=query, max_results=1)
    return runs[0].info.run_id if runs else None


def _log_metrics(
    client: "MlflowClient",
    run: str,
    metrics: Mapping[str, float | None],
    curves: pd.DataFrame | None,
) -> None:
    from mlflow.entities import Metric

    when_ms = time.time_ns() // 1_000_000  # MLflow shows the later of two points at a step
    known = client.get_run(run).data.metrics
    batch = [
        Metric(key, math.nan if value is None else float(value), when_ms, 0)
        for key, value in metrics.items()
        if value is not None or key in known  # else the older number would stay
    ]
    if curves is not None:
        for row in curves.itertuples():
            fold = "final" if row.fold < 0 else f"fold_{row.fold}"
            for name in ("train_loss", "early_stop_loss", "learning_rate"):
                value = getattr(row, name)
                if not pd.isna(value):
                    batch.append(Metric(f"{fold}/{name}", float(value), when_ms, int(row.epoch)))
    for start in range(0, len(batch), _BATCH):
        client.log_batch(run, metrics=batch[start : start + _BATCH])


def run_tags(read: Partition, warm_up: str | None, dagster: Mapping[str, str]) -> dict[str, str]:
    """Tags that lead back to the Dagster run and partition, or say how far to trust its numbers.

    Parameters
    ----------
    read : Partition
        One that was read, and so carries the marks of all that it was made from.
    dagster : mapping
        The tags of the run and the partition, as far as they are known.
    """
    return {
        **dagster,
        "price_physics.warm_up": warm_up or "",
        **{tag: str(getattr(read, name)).lower() for name, tag in MARKS.items()},
    }
