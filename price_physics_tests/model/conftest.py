"""One thread, as in `fit_model`: on a busy machine a second one's spinning costs tenfold.

And one fit of the toy market, which many tests look at and none changes.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from price_physics.images.threads import one_cpu_thread
from price_physics_tests.model.toy import Fit, fit_toy, make_study, make_tables


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    with one_cpu_thread():
        yield


@pytest.fixture(scope="session")
def tables() -> dict[str, Any]:
    return make_tables(make_study())


@pytest.fixture(scope="session")
def result(tables: dict[str, Any]) -> Fit:
    return fit_toy(make_study(), tables)
