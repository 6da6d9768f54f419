"""Every test in this folder runs the DAG, in a Dagster home of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from price_physics.orchestration.backfill import run_backfill
from price_physics.project import Project

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture(scope="session", autouse=True)
def _own_dagster_home() -> Iterator[None]:
    """Each project has its own home; none is taken from the environment."""
    named = os.environ.pop("DAGSTER_HOME", None)
    yield
    os.environ.pop("DAGSTER_HOME", None)
    if named is not None:
        os.environ["DAGSTER_HOME"] = named


@pytest.fixture(autouse=True)
def _no_home_of_another_test() -> None:
    """Whatever opens an instance names its home to its children: not to the next test."""
    os.environ.pop("DAGSTER_HOME", None)


def run(project: Project, study: str = "demo") -> Project:
    """Materialise every month of a study in the project's own Dagster home."""
    os.environ.pop("DAGSTER_HOME", None)
    run_backfill(project, study)
    return project
