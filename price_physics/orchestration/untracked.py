"""What MLflow lacks of the store, logged afterwards: MLflow may be deleted, the store may not."""

from collections.abc import Sequence
from pathlib import Path

from price_physics.errors import TrackingError
from price_physics.months import Month
from price_physics.orchestration.instance import open_instance
from price_physics.orchestration.made import Made, made_before
from price_physics.orchestration.mlflow_database import logged_digests
from price_physics.orchestration.mlflow_runs import LOGGED
from price_physics.orchestration.tracked import (
    TRACKED,
    Logged,
    joined,
    logged_of_fit,
    logged_of_motifs,
    logged_of_report,
)
from price_physics.orchestration.tracking import MlflowTracking
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
    """Log every model, report and motif of the months that no run of MLflow has; return how many.

    A report scores the model of the month before, so it is logged again with that model.

    Raises
    ------
    TrackingError
        When MLflow cannot be written to.
    PartitionCorrupt
        When a partition is damaged.
    """
    store, missing = Store(project.store), dict[tuple[str, Month], Partition]()
    for asset in TRACKED:
        known = logged_digests(Path(tracking.folder), study.name, f"{LOGGED}{asset}")
        for month in months:
            if not store.exists((study.name, asset), month):
                continue
            partition = store.read((study.name, asset), month)
            scores = asset == "report" and ("model", month - 1) in missing
            if scores or digest_of(asset, partition) not in known:
                missing[asset, month] = partition
    if not missing:
        return 0
    with open_instance(project) as instance:
        made = {key: made_before(instance, partition) for key, partition in missing.items()}
    for key, partition in missing.items():
        logged = logged_of(store, market, partition, made[key])
        try:
            tracking.log_month(study, market, partition.month, logged)
        except TrackingError:
            raise
        except Exception as error:  # MLflow and SQLAlchemy raise of many kinds
            raise TrackingError(f"{partition.name}: {error}") from error
    return len(missing)


def stored_months(project: Project, study: Study) -> list[Month]:
    """Months of which the store holds a model."""
    folder = project.store / study.name / "model"
    return sorted(Month.parse(path.name) for path in folder.glob("*-*"))


def digest_of(asset: str, partition: Partition) -> str:
    """Identify what MLflow logs of a partition, by the manifest alone."""
    return joined(partition.sha256_of(name) for name in TRACKED[asset])


def logged_of(store: Store, market: Market, partition: Partition, made: Made) -> Logged:
    """What MLflow keeps of a stored partition."""
    (study, asset), month = partition.key, partition.month
    if asset == "model":
        return logged_of_fit(partition, store.read((study, "folds"), month), made)
    files = {name: partition.file(name) for name in partition.file_names if name[-8:] != ".parquet"}
    if asset == "motifs":
        return logged_of_motifs(files, made)
    ticks = store.read((market.name, "ticks"), month)
    judged_on = {"ticks": ticks, "evaluation": store.read((study, "predictions"), month)}
    return logged_of_report(files, store.read((study, "walk_forward"), month), made, judged_on)
