"""One small run of the whole pipeline that several tests look at."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from price_physics.orchestration.backfill import run_backfill
from price_physics.project import Project
from price_physics_tests.e2e.projects import make_project


@pytest.fixture(scope="session", autouse=True)
def _own_dagster_home() -> Iterator[None]:
    """Each project has its own home; none is taken from the environment."""
    named = os.environ.pop("DAGSTER_HOME", None)
    yield
    os.environ.pop("DAGSTER_HOME", None)
    if named is not None:
        os.environ["DAGSTER_HOME"] = named


def run(project: Project, study: str = "demo") -> Project:
    """Materialise every month of a study in the project's own Dagster home."""
    os.environ.pop("DAGSTER_HOME", None)
    run_backfill(project, study)
    return project


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four months of the sample, a small network, every asset."""
    folder: Path = tmp_path_factory.mktemp("small")
    return run(make_project(folder))
