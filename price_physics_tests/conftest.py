"""What holds for every test: one thread a worker, no stopwatch, and the longest files first."""

import os

import hypothesis
import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # workers fill the cores; said before NumPy is imported
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers take whole files in this order: the long ones first, so that all end together."""
    if not hasattr(config, "workerinput"):
        return
    rank = dict.fromkeys((item.path for item in items), 2)
    for of_mark, mark in enumerate(("e2e", "slow")):
        for item in items:
            if item.get_closest_marker(mark):
                rank[item.path] = min(rank[item.path], of_mark)
    items.sort(key=lambda item: rank[item.path])
