"""One thread, as in `fit_model`: on a busy machine a second one's spinning costs tenfold."""

from collections.abc import Iterator

import pytest

from price_physics.images.threads import one_cpu_thread


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    with one_cpu_thread():
        yield
