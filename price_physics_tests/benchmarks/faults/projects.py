"""The small project of all faults: three months, networks, and what an undisturbed run leaves."""

import hashlib
import os
import shutil
import time
from pathlib import Path

from price_physics.orchestration import mlflow_database
from price_physics.orchestration.mlflow_database import NAME, logged_digests
from price_physics.orchestration.tracked import TRACKED
from price_physics.orchestration.tracking import LOGGED, tracking_of
from price_physics.orchestration.untracked import digest_of
from price_physics.pipeline.leftovers import OLD_S
from price_physics.project import Project
from price_physics.store.atomic import TEMPORARY
from price_physics.store.partitions import MANIFEST
from price_physics_tests.benchmarks.faults.processes import Child, price_physics, start
from price_physics_tests.e2e.projects import SMALL, make_project, partitions_of

STUDY = "demo"
FIRST, TRAINED, LAST = "2012-02", "2012-03", "2012-04"
"""The first month, the first that trains a network, and the last, which is out of sample."""
_EDITS = {**SMALL, "folds.min_training_samples": 20}
_BACKFILL = ("backfill", "--study", STUDY)
_SETTLED = ("store", "ledger", "index")
"""Folders of data that hold the same bytes after every undisturbed run."""


class Reference:
    """A project that ran undisturbed, and how long it took."""

    def __init__(self, folder: Path) -> None:
        self.cold = make_project(folder / "cold", FIRST, LAST, _EDITS)
        make_database(folder, self.cold)
        self.done = self.copy(folder / "done", self.cold)
        start_s = time.monotonic()
        must_succeed(backfill(folder / "said", self.done))
        self.seconds = time.monotonic() - start_s
        self.bytes = bytes_of(self.done)
        self.artifacts = self.done.data / "mlflow" / "artifacts"
        homes = self.done.data / "dagster"
        paths = sorted(homes.rglob("*.db"), key=lambda path: path.name)
        kept = {"runs.db", "index.db", "schedules.db"}
        named = [path for path in paths if path.name in kept]
        of_run = [path for path in paths if path.name not in kept][:1]
        self.dagster_databases = [str(p.relative_to(self.done.data)) for p in [*named, *of_run]]

    def copy(self, place: Path, project: Project | None = None) -> Project:
        """Copy the project as it stood, but for MLflow's runs, which name their folder."""
        source = project or self.done
        shutil.copytree(source.root, place, ignore=_no_runs if project is None else None)
        if project is None:
            _copy_database(self.cold, Project(place))
        return Project(place)


def _no_runs(folder: str, names: list[str]) -> list[str]:
    return ["mlflow"] if Path(folder).name == "data" else []


def _copy_database(source: Project, target: Project) -> None:
    place = target.data / "mlflow"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(source.data / "mlflow" / NAME, place / NAME)


def make_database(folder: Path, project: Project) -> None:
    """Make MLflow's empty database: making one takes seconds, a copy of it none."""
    must_succeed(start(folder / "database", open_tracking, project.root))


def open_tracking(root: Path) -> None:
    """Open MLflow's database, and make it where there is none."""
    tracking_of(Project(root)).client()


def backfill(folder: Path, project: Project, *arguments: str, before=None) -> Child:
    """Start the backfill of the study."""
    return start(folder, price_physics, project.root, *_BACKFILL, *arguments, before=before)


def must_succeed(child: Child) -> Child:
    """Wait for a process, which must end with 0."""
    status = child.ended()
    assert status == 0, f"exit status {status}: {child.text[-2000:]}"
    return child


# ---------------------------------------------------------------------------- what is left
def bytes_of(project: Project) -> dict[str, str]:
    """The sha256 of every file that a run leaves in store, ledger, index and outputs."""
    folders = [project.data / name for name in _SETTLED] + [project.outputs]
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.is_file())
    return {
        str(path.relative_to(project.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if not path.name.endswith(".lock")
    }


def same_bytes(project: Project, expected: dict[str, str]) -> None:
    """Raise unless a run left what an undisturbed one leaves, in every file, and no other."""
    found = bytes_of(project)
    other = sorted(p for p in found.keys() | expected.keys() if found.get(p) != expected.get(p))
    assert not other, f"{len(other)} files differ, are missing or left over: {other[:5]}"


def nothing_left_over(root: Path) -> None:
    """Raise where something temporary lies anywhere in a project."""
    patterns = (f"{TEMPORARY}*", "*.making-*", "checkpoints/*/*/*")
    left = [str(p.relative_to(root)) for pattern in patterns for p in root.rglob(pattern)]
    assert not left, f"left over: {sorted(left)[:5]}"


def grow_old(root: Path) -> None:
    """Make what is temporary as old as it is when its writer cannot be alive any more."""
    old = time.time() - OLD_S - 60
    for path in root.rglob(f"{TEMPORARY}*"):
        os.utime(path, (old, old))


def all_logged(project: Project, study: str = STUDY) -> None:
    """Raise unless MLflow holds every model and report of the store."""
    folder = Path(tracking_of(project).folder)
    for (asset, month), partition in partitions_of(project, study).items():
        if asset in TRACKED:
            known = logged_digests(folder, study, f"{LOGGED}{asset}")
            assert digest_of(asset, partition) in known, f"MLflow lacks {asset} of {month}"


# ---------------------------------------------------------------------------- what faults need
def replace(place: Path, other: Path) -> None:
    """Put a folder in the place of another."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(other, place)


def make_report_stale(project: Project) -> None:
    """Lose the report of the last month: a backfill then makes it, and logs it, within seconds."""
    (project.store / STUDY / "report" / LAST / MANIFEST).unlink()


def track(project: Project) -> tuple:
    """What logs to MLflow whatever it lacks: a function and its arguments."""
    return price_physics, project.root, "track", "--study", STUDY


def no_wait() -> None:
    """Do not wait a minute for a half-made database that another process may be making."""
    mlflow_database.MAKING_S = 0.0
