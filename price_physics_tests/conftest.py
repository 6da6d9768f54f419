"""What holds for every test: one thread a worker, no stopwatch, and the longest files first."""

import os

import hypothesis
import pytest

if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # the cores are taken by the workers; before NumPy and torch
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers take whole files in this order: the long ones first, so that all end together."""
    if not hasattr(config, "workerinput"):
        return
    rank = dict.fromkeys((item.path for item in items), 2)
    for item in items:
        of_item = (
            0 if item.get_closest_marker("e2e") else 1 if item.get_closest_marker("slow") else 2
        )
        rank[item.path] = min(rank[item.path], of_item)
    items.sort(key=lambda item: rank[item.path])
