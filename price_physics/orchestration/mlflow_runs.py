"""The runs of a study in MLflow: one parent a configuration, in it one nested run a month.

Parent and months have the settings as parameters and the outcomes as metrics, so that MLflow
compares studies side by side, and months. A month that is fitted again, to another result, gets a
new run, as MLflow would mix the curves of both; the older run is marked as superseded.
"""

import json
import math
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from price_physics.months import Month
from price_physics.orchestration.made import Made
from price_physics.orchestration.mlflow_database import SUPERSEDED
from price_physics.orchestration.registry import CONFIGURATION
from price_physics.store.partitions import Partition
from price_physics.study.market import Market
from price_physics.study.settings import flatten
from price_physics.study.study import Study
from price_physics.study.trial import config_hash, trial_settings

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

NOTE = "mlflow.note.content"
CONTEXT = "mlflow.data.context"
TRAINING, EVALUATION = "training", "evaluation"
LOGGED = "price_physics.logged."
"""Begin of the tags that name, by asset, what has been logged whole."""
FIT = "price_physics.fit"
MONTH = "price_physics.month"
_PARENT = "mlflow.parentRunId"
_BESIDE = "price_physics.beside."
"""Begin of tags with the metrics, tags and folders of an asset that is not of the fit."""
_LIMITS = (800, 100, 100)
"""So many metrics, parameters and tags MLflow takes a call: 1,000 in all."""


@dataclass(frozen=True)
class Labelled:
    """What numbers belong to besides their run: a logged model, and what they were measured on."""

    names: frozenset[str]
    model_id: str | None
    dataset: Partition


def experiment_of(client: "MlflowClient", study: Study, artifacts: Path) -> str:
    """Find or make the experiment of a study."""
    found = client.get_experiment_by_name(study.name)
    note = f"{study.description or study.name}, on market {study.market}."
    if found is None:
        place = (artifacts / study.name).as_uri()
        return client.create_experiment(study.name, artifact_location=place, tags={NOTE: note})
    if found.tags.get(NOTE) != note:
        client.set_experiment_tag(found.experiment_id, NOTE, note)
    return found.experiment_id


def parent_run(
    client: "MlflowClient", experiment: str, study: Study, market: Market, made: Made
) -> "Run":
    """Find or make the run of a study and configuration.

    Its parameters are the settings that make the configuration. Other settings may change, say
    when a month is added, which a parameter may not: they are tags with their latest values.
    """
    configuration = config_hash(study, market)
    query = f"tags.`{CONFIGURATION}` = '{configuration}'"
    found = client.search_runs([experiment], filter_string=query, max_results=1)
    run = found[0] if found else None
    if run is None:
        run = client.create_run(
            experiment,
            start_time=made.start_ms,
            run_name=f"{study.name} {configuration}",
            tags={CONFIGURATION: configuration, "price_physics.study": study.name},
        )
    if made.end_ms > (run.info.end_time or 0):
        client.set_terminated(run.info.run_id, end_time=made.end_ms)
    params = parameters(study, market)
    settings = {**study.model_dump(mode="json"), "market": market.model_dump(mode="json")}
    others = {key: value for key, value in flatten(settings).items() if key not in params}
    tags = {f"price_physics.{key}": str(value) for key, value in others.items()}
    log(client, run, params=params, tags=tags)
    return run


def parameters(study: Study, market: Market) -> dict[str, str]:
    """The settings that make a configuration, as MLflow's parameters."""
    trial = trial_settings(study, market)
    flat = flatten({**trial["study"], "market": trial["market"]})
    return {key: str(value) for key, value in flat.items()}


def month_run(
    client: "MlflowClient", parent: "Run", month: Month, fit: str | None, made: Made
) -> "Run":
    """Find or make the run of a month, or of the named fit in it; exactly one run is current.

    A run lasts as long as its fit. One that so far only a report has written to makes way for the
    fit's own, as MLflow lets nobody change when a run began.
    """
    experiment = parent.info.experiment_id
    query = f"tags.`{_PARENT}` = '{parent.info.run_id}' and tags.`{MONTH}` = '{month}'"
    runs = client.search_runs([experiment], filter_string=query)  # the newest first
    current = [run for run in runs if SUPERSEDED not in run.data.tags]
    if fit is None and current:
        return current[0]
    mine = next((run for run in runs if run.data.tags.get(FIT) == fit), None)
    if mine is None:
        mine = client.create_run(
            experiment,
            start_time=made.start_ms,
            run_name=str(month),
            tags={_PARENT: parent.info.run_id, MONTH: str(month), **({FIT: fit} if fit else {})},
        )
    if mine.info.end_time is None:
        client.set_terminated(mine.info.run_id, end_time=made.end_ms)
    others = [run for run in current if run.info.run_id != mine.info.run_id]
    for older in others:
        take_over(client, older, mine)
        if FIT not in older.data.tags:
            client.delete_run(older.info.run_id)
            continue
        client.update_run(older.info.run_id, name=f"{month} superseded")
        client.set_tag(older.info.run_id, SUPERSEDED, mine.info.run_id)
    if SUPERSEDED in mine.data.tags:  # an older fit again
        client.delete_tag(mine.info.run_id, SUPERSEDED)
        client.update_run(mine.info.run_id, name=str(month))
    return client.get_run(mine.info.run_id) if others else mine


def take_over(client: "MlflowClient", older: "Run", newer: "Run") -> None:
    """Copy what is not of the fit: a month's report does not depend on the month's model."""
    from mlflow.entities import DatasetInput

    data = older.data
    for key, value in data.tags.items():
        if not key.startswith(_BESIDE):
            continue
        beside = json.loads(value)
        tags = {name: data.tags[name] for name in beside["tags"] if name in data.tags}
        for name in beside["folders"]:
            _copy_folder(client, older.info.run_id, newer.info.run_id, name)
        metrics = {name: data.metrics.get(name) for name in beside["metrics"]}
        log(client, newer, metrics=points(newer, metrics), tags={**tags, key: value})
    used: Sequence[DatasetInput] = older.inputs.dataset_inputs if older.inputs else []
    kept = [use for use in used if TRAINING not in {tag.value for tag in use.tags}]
    if kept:
        client.log_inputs(newer.info.run_id, kept)


def beside(asset: str, metrics: Mapping[str, Any], tags: Mapping[str, Any], files: Any) -> dict:
    """The tag that names what an asset other than the model has in a month's run."""
    folders = sorted({name.split("/")[0] for name in files})
    named = [*sorted(tags), NOTE, f"{LOGGED}{asset}"]
    content = {"metrics": sorted(metrics), "tags": named, "folders": folders}
    return {f"{_BESIDE}{asset}": json.dumps(content)}


def _copy_folder(client: "MlflowClient", older: str, newer: str, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        client.log_artifacts(newer, client.download_artifacts(older, name, folder), name)


def points(
    run: "Run",
    metrics: Mapping[str, float | None],
    step: int = 0,
    label: Labelled | None = None,
) -> list["Metric"]:
    """Make MLflow's metrics; None is NaN where the run has a number, else the older would stay."""
    from mlflow.entities import Metric

    when_ms = time.time_ns() // 1_000_000  # MLflow shows the later of two points at a step
    made = []
    for key, value in metrics.items():
        if value is None and key not in run.data.metrics:
            continue
        number, of_model = math.nan if value is None else float(value), {}
        if label is not None and key in label.names:
            of_model = {
                "model_id": label.model_id,
                "dataset_name": label.dataset.name,
                "dataset_digest": label.dataset.data_version,
            }
        made.append(Metric(key, number, when_ms, step, run_id=run.info.run_id, **of_model))
    return made


def curve_points(curves: pd.DataFrame) -> list["Metric"]:
    """LEARNING_CURVES as metrics by epoch."""
    from mlflow.entities import Metric

    when_ms = time.time_ns() // 1_000_000
    made = []
    for row in curves.itertuples():
        fold = "final" if row.fold < 0 else f"fold_{row.fold}"
        for name in ("train_loss", "early_stop_loss", "learning_rate"):
            value = getattr(row, name)
            if not pd.isna(value):
                made.append(Metric(f"{fold}/{name}", float(value), when_ms, int(row.epoch)))
    return made


def log(
    client: "MlflowClient",
    run: "Run",
    *,
    metrics: Sequence["Metric"] = (),
    params: Mapping[str, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log in as few calls as MLflow allows, the tags last; what a run has is not logged again."""
    from mlflow.entities import Param, RunTag

    has = run.data
    new_params = [Param(k, v) for k, v in (params or {}).items() if has.params.get(k) != v]
    new_tags = [RunTag(k, v) for k, v in (tags or {}).items() if has.tags.get(k) != v]
    whole: list[Sequence[Any]] = [metrics, new_params, new_tags]
    n_calls = max(-(-len(new) // limit) for new, limit in zip(whole, _LIMITS, strict=True))
    for i in reversed(range(n_calls)):
        metric, param, tag = (
            list(new[i * n : (i + 1) * n]) for new, n in zip(whole, _LIMITS, strict=True)
        )
        client.log_batch(run.info.run_id, metric, param, tag)


def log_datasets(client: "MlflowClient", run: "Run", datasets: Mapping[str, Partition]) -> None:
    """Name the partitions that a month used, by the digest of their bytes; no data is copied."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    used = [
        DatasetInput(
            Dataset(
                name=partition.name,
                digest=partition.data_version,
                source_type="local",
                source=json.dumps({"uri": str(partition.folder)}),
                profile=json.dumps(
                    {f: e["rows"] for f, e in partition.manifest["files"].items() if "rows" in e}
                ),
            ),
            tags=[InputTag(CONTEXT, context)],
        )
        for context, partition in datasets.items()
    ]
    if used:
        client.log_inputs(run.info.run_id, used)
