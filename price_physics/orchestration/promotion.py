"""The alias `champion`: the model of a study that may be used, by a verdict or by a person."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from price_physics.errors import ConfigError, TrackingError
from price_physics.months import Month
from price_physics.orchestration.backfill import find_study
from price_physics.orchestration.registry import (
    CHAMPION,
    CONFIGURATION,
    alias_of,
    files_of,
    find_alias,
)
from price_physics.orchestration.tracking import tracking_of
from price_physics.pipeline.freshness import why_stale
from price_physics.project import Project
from price_physics.store.partitions import Store
from price_physics.study.trial import config_hash
from price_physics.walk_forward.decision import EDGE

VERDICT, FORCED_BY, PROMOTED_AT = (
    f"price_physics.{name}" for name in ("verdict", "forced_by", "promoted_at")
)
"""Tags of a champion: the verdict it was chosen by, who forced it (or nothing), and when."""


@dataclass(frozen=True)
class Promotion:
    """What became champion, and on what verdict."""

    study: str
    month: Month
    version: str
    verdict: str


def promote(
    project: Project, name: str, month: Month | None = None, forced_by: str | None = None
) -> Promotion:
    """Give the alias `champion` to the model of a month.

    Parameters
    ----------
    name : str
        Of a study.
    month : Month, optional
        The model's last month, and the month of the report that is asked; by default the last one
        that has a report.
    forced_by : str, optional
        Who answers for a model whose study has no edge; kept with the version.

    Raises
    ------
    ConfigError
        When the verdict is another than `EDGE` and nobody forces it, or report or model are none
        of today's configuration, code and inputs.
    PartitionMissing
        When the month has no report.
    TrackingError
        When MLflow holds no such model, or another than the store.
    """
    if forced_by is not None and not forced_by.strip():
        raise ConfigError("--force needs the name of whoever answers for it")
    study, market = find_study(project, name)
    month = month or _last_report(project, name)
    store = Store(project.store)
    report = json.loads(store.read((name, "report"), month).file("report.json"))
    verdict, configuration = report["verdict"], config_hash(study, market)
    again = f"run  price-physics backfill --study {name} --to {month}"
    if report["environment"]["config_hash"] != configuration:
        raise ConfigError(f"{name} {month}: the report is of another configuration; {again}")
    for asset in ("report", "model"):
        if why := why_stale(project, store, market, study, asset, month):
            raise ConfigError(f"{name} {month}: the {asset} is not current ({why}); {again}")
    if verdict["verdict"] != EDGE and forced_by is None:
        raise ConfigError(
            f"{name} {month}: the verdict is {verdict['verdict']!r}, and only {EDGE!r} makes a "
            f"champion. {verdict['sentence']} To use the model all the same, put your name to it:  "
            f"price-physics promote --study {name} --month {month} --force NAME"
        )
    client = tracking_of(project).client()
    found = find_alias(client, name, alias_of(month))
    if found is None or found.tags.get(CONFIGURATION) != configuration:
        raise TrackingError(
            f"MLflow holds no model of {name} through {month}: the month is a warm-up, or run  "
            f"price-physics track --study {name}"
        )
    model = store.read((name, "model"), month)
    trained = [model.file("network.safetensors"), model.file("architecture.json")]
    if (files_of(found.source or "") or [])[:2] != trained:
        raise TrackingError(
            f"MLflow's model of {name} through {month} is not the store's, on which the report is; "
            "run  rm -r data/mlflow  and  price-physics track --study "
            f"{name}  to log it again from the store"
        )
    tags = {
        VERDICT: verdict["verdict"],
        FORCED_BY: forced_by or "",
        PROMOTED_AT: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
    for tag, value in tags.items():
        client.set_model_version_tag(name, found.version, tag, value)
    client.set_registered_model_alias(name, CHAMPION, found.version)
    return Promotion(name, month, found.version, verdict["verdict"])


def _last_report(project: Project, name: str) -> Month:
    store, folder = Store(project.store), project.store / name / "report"
    months = [Month.parse(path.name) for path in folder.glob("????-??")]
    written = [month for month in months if store.exists((name, "report"), month)]
    if not written:
        raise ConfigError(
            f"study {name} has no report yet; run  price-physics backfill --study {name}"
        )
    return max(written)
