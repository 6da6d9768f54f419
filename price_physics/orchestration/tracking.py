"""MLflow on SQLite in the project's data folder.

One parent run a study and configuration, one nested run a month; tags lead back to the Dagster
run and partition. mlflow is imported when something is logged, never before.
"""

import logging
import os
import sqlite3
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import filelock
import pandas as pd

from price_physics.months import Month
from price_physics.orchestration.registry import ModelFiles, register
from price_physics.study import Market, Study, config_hash

if TYPE_CHECKING:
    from mlflow import MlflowClient

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}
_BATCH = 900  # MLflow takes at most 1,000 metrics a call


class MlflowTracking(dg.ConfigurableResource):
    """Where runs are tracked: ``<folder>/mlflow.db`` and ``<folder>/artifacts``."""

    folder: str

    @property
    def uri(self) -> str:
        return f"sqlite:///{(Path(self.folder) / 'mlflow.db').as_posix()}"

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
    ) -> str:
        """Log to the nested run of a month, which is made when it is not there yet.

        Parameters
        ----------
        tags : mapping
            The Dagster run and partition, and whatever else leads back.
        metrics : mapping, optional
            Numbers of the month; None is left out, since MLflow has no word for it.
        curves : DataFrame, optional
            LEARNING_CURVES; logged by epoch in batches.
        files : mapping of path to bytes, optional
            Logged as artifacts.
        model : ModelFiles, optional
            Registered under the study's name, with an alias of the month.

        Returns
        -------
        str
            The nested run's id.
        """
        client = self._client()
        configuration = config_hash(study, market)
        with self._lock():
            experiment = _experiment(client, study.name, Path(self.folder) / "artifacts")
            parent = _parent_run(client, experiment, study, market, configuration)
            run = _month_run(client, experiment, parent, month)
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
                register(client, study.name, month, run, model)
        return run

    def _client(self) -> "MlflowClient":
        """Return a client, creating the database once: first users at once would race."""
        os.environ.update(_ENVIRONMENT)
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of every migration
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        with self._lock():
            client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
            client.search_experiments(max_results=1)
            with sqlite3.connect(Path(self.folder) / "mlflow.db") as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            connection.close()
        return client

    def _lock(self) -> filelock.FileLock:
        return filelock.FileLock(Path(self.folder) / "mlflow.lock", timeout=120)


def _experiment(client: "MlflowClient", name: str, artifacts: Path) -> str:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found.experiment_id
    return client.create_experiment(name, artifact_location=(artifacts / name).as_uri())


def _parent_run(
    client: "MlflowClient", experiment: str, study: Study, market: Market, configuration: str
) -> str:
    """Find or make the run of a study and configuration; its parameters are those of both."""
    from mlflow.entities import Param

    from price_physics.report.numbers import flatten

    run = _find(client, experiment, f"tags.`price_physics.configuration` = '{configuration}'")
    if run is None:
        tags = {"price_physics.configuration": configuration, "price_physics.study": study.name}
        made = client.create_run(experiment, run_name=f"{study.name} {configuration}", tags=tags)
        run = made.info.run_id
        client.set_terminated(run)
    # Every time: equal parameters are taken again, and a kill may have come before the first.
    settings = {**study.model_dump(mode="json"), "market": market.model_dump(mode="json")}
    client.log_batch(
        run, params=[Param(key, str(value)) for key, value in flatten(settings).items()]
    )
    return run


def _month_run(client: "MlflowClient", experiment: str, parent: str, month: Month) -> str:
    run = _find(
        client,
        experiment,
        f"tags.`mlflow.parentRunId` = '{parent}' and tags.`price_physics.month` = '{month}'",
    )
    if run is None:
        tags = {"mlflow.parentRunId": parent, "price_physics.month": str(month)}
        run = client.create_run(experiment, run_name=str(month), tags=tags).info.run_id
        client.set_terminated(run)
    return run


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

    when_ms = time.time_ns() // 1_000_000  # of two points at a step MLflow shows the later
    batch = [Metric(k, float(v), when_ms, 0) for k, v in metrics.items() if v is not None]
    if curves is not None:
        for row in curves.itertuples():
            fold = "final" if row.fold < 0 else f"fold_{row.fold}"
            for name in ("train_loss", "early_stop_loss", "learning_rate"):
                value = getattr(row, name)
                if not pd.isna(value):
                    batch.append(Metric(f"{fold}/{name}", float(value), when_ms, int(row.epoch)))
    for start in range(0, len(batch), _BATCH):
        client.log_batch(run, metrics=batch[start : start + _BATCH])


def run_tags(context: dg.AssetExecutionContext, warm_up: str | None) -> dict[str, str]:
    """Tags that lead back to the Dagster run and partition."""
    return {
        "dagster.run_id": context.run.run_id,
        "dagster.partition": context.partition_key,
        "price_physics.warm_up": warm_up or "",
    }
