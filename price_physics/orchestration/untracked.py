"""What MLflow lacks of the store, logged afterwards: MLflow may be deleted, the store may not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from price_physics.errors import TrackingError
from price_physics.months import Month
from price_physics.orchestration.mlflow_database import logged_digests
from price_physics.orchestration.tracked import TRACKED, joined, logged_of_fit, logged_of_report
from price_physics.orchestration.tracking import LOGGED, MlflowTracking, run_tags
from price_physics.project import Project
from price_physics.store.partitions import Partition, Store
from price_physics.study.market import Market
from price_physics.study.study import Study


def log_missing(
    project: Project,
    tracking: MlflowTracking,
    study: Study,
    market: Market,
    months: Sequence[Month],
) -> int:
    """Log every model and report of the months that no run of MLflow has; return how many.

    Raises
    ------
    TrackingError
        When MLflow cannot be written to.
    PartitionCorrupt
        When a partition is damaged.
    """
    store, n = Store(project.store), 0
    for asset in TRACKED:
        known = logged_digests(Path(tracking.folder), study.name, f"{LOGGED}{asset}")
        for month in months:
            if not store.exists((study.name, asset), month):
                continue
            partition = store.read((study.name, asset), month)
            if digest_of(asset, partition) not in known:
                _log_again(store, tracking, study, market, partition)
                n += 1
    return n


def stored_months(project: Project, study: Study) -> list[Month]:
    """Months of which the store holds a model."""
    folder = project.store / study.name / "model"
    return sorted(Month.parse(path.name) for path in folder.glob("*-*"))


def digest_of(asset: str, partition: Partition) -> str:
    """Identify what MLflow logs of a partition, by the manifest alone."""
    return joined(partition.sha256_of(name) for name in TRACKED[asset])


def _log_again(
    store: Store, tracking: MlflowTracking, study: Study, market: Market, partition: Partition
) -> None:
    asset, month = partition.key[1], partition.month
    tags = run_tags(partition, partition.warm_up, {"dagster.partition": month.key})
    logged: dict[str, Any]
    if asset == "model":
        logged = logged_of_fit(partition)
    else:
        logged = logged_of_report({name: partition.file(name) for name in partition.file_names})
        look = store.read((study.name, "walk_forward"), month).document("look")
        tags |= logged.pop("tags") | {"price_physics.ledger_entry": look["entry"] or ""}
    digest = digest_of(asset, partition)
    try:
        tracking.log_month(study, market, month, tags=tags, logged=(asset, digest), **logged)
    except TrackingError:
        raise
    except Exception as error:  # MLflow and SQLAlchemy raise of many kinds
        raise TrackingError(f"{study.name} {month}, {asset}: {error}") from error
