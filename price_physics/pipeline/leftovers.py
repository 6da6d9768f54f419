"""What killed writers leave behind: files under a temporary name that nobody will rename."""

import time
from pathlib import Path

from price_physics.project import Project
from price_physics.store.atomic import TEMPORARY

OLD_S = 3_600.0
"""Seconds after which no writer that is alive can still be at a file."""


def sweep_leftovers(project: Project, study: str) -> int:
    """Remove old temporary files of a study's folders and of what all studies share.

    Partitions are swept when they are written again; this takes what lies elsewhere.
    """
    folders = (project.outputs / study, project.data / "checkpoints" / study)
    shared = (project.ledger, project.data / "index", project.data / "mlflow")
    found = [path for folder in folders for path in folder.rglob(f"{TEMPORARY}*")]
    found += [path for folder in shared for path in folder.glob(f"{TEMPORARY}*")]
    return sum(_remove(path) for path in found)


def _remove(path: Path) -> bool:
    try:
        if time.time() - path.stat().st_mtime < OLD_S:
            return False
        path.unlink()
    except FileNotFoundError:  # its writer was alive
        return False
    return True
