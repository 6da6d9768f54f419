"""Where things are on disk: one project folder, found from the working folder.

<root>/configs        markets and studies
<root>/data/store     every partition of every asset
<root>/data/ledger    every trial that was looked at out of sample
<root>/outputs        reports, plots, motifs and artifacts for people
"""

import os
from dataclasses import dataclass
from pathlib import Path

from price_physics.errors import ConfigError


@dataclass(frozen=True)
class Project:
    """The folders of one project."""

    root: Path

    @property
    def configs(self) -> Path:
        return self.root / "configs"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def store(self) -> Path:
        return self.data / "store"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"


def find_project() -> Project:
    """Return the project of the working folder, or of ``PRICE_PHYSICS_ROOT``.

    Raises
    ------
    ConfigError
        When neither the working folder nor any folder above it holds ``configs/studies``.
    """
    named = os.environ.get("PRICE_PHYSICS_ROOT")
    start = Path(named).resolve() if named else Path.cwd().resolve()
    for folder in (start, *start.parents):
        if (folder / "configs" / "studies").is_dir():
            return Project(folder)
    raise ConfigError(
        f"no configs/studies in {start} or above it; run from the project's folder, or set "
        "PRICE_PHYSICS_ROOT to it"
    )
