"""A project that several files of tests copy, before each changes its copy."""

from pathlib import Path

import pytest

from price_physics_tests.verbs.projects import filled_project


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled_project(tmp_path_factory.mktemp("filled")).root
