"""Run fits side by side on the CPU, one thread each, as many at once as there are cores.

A fit on one thread gives the same bytes whatever runs beside it, and our networks are too small to
gain much from a second torch thread. Threads suffice, because torch's work needs no interpreter.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Event, Lock, local
from typing import TypeVar

import torch

from price_physics.model.networks import NetworkConfig

T = TypeVar("T")
Check = Callable[[], None]
"""A job calls it now and then; it raises when the jobs have been given up."""

_MOST_ACTIVATIONS = 2**27
"""Of all fits together; measured, they take about 1.5 GB."""


_at_work = local()  # `counted`: whether this thread is one of those that `_n_working` counts
_n_working = 0
_counting = Lock()


class GivenUpError(Exception):
    """Raised inside a job because another one failed or the user interrupted."""


def fits_at_once(
    device: torch.device, batch_size: int, size_pixels: int, network: NetworkConfig
) -> int:
    """Return how many fits run side by side: one on CUDA, because its steps fill the device.

    On the CPU it is one per core, or fewer where their activations would take too much memory.

    Examples
    --------
    >>> from price_physics.model.networks import NetworkConfig
    >>> wide = NetworkConfig(n_channels=9, n_features=6, n_classes=3, width=256)
    >>> fits_at_once(torch.device("cpu"), 128, 64, wide)
    1
    """
    if device.type != "cpu":
        return 1
    each = batch_size * network.activations(size_pixels)
    return max(1, min(_n_cores(), _MOST_ACTIVATIONS // each))


def idle_cores() -> int:
    """Return how many cores no job holds, that of the calling job included; at least 1.

    So a job may run jobs of its own side by side when the others have ended.
    """
    own = 1 if getattr(_at_work, "counted", False) else 0
    return max(1, _n_cores() - _n_working + own)


def side_by_side(jobs: Sequence[Callable[[Check], T]], n_threads: int) -> list[T]:
    """Run jobs on `n_threads` threads; return the results in the order of the jobs.

    The caller holds torch to one thread: the threads started here set that too, and any thread
    started later inherits it.

    Parameters
    ----------
    jobs : sequence of callables
        Each receives a `Check`.
    n_threads : int
        With one or none, the jobs run one after another in the caller's thread.

    Raises
    ------
    Exception
        The first that a job raised, once the others have stopped at their next check. An interrupt
        of the caller stops them likewise.
    """
    given_up = Event()

    def check() -> None:
        if given_up.is_set():
            raise GivenUpError

    def run(job: Callable[[Check], T]) -> T:
        check()
        try:
            with _counted():
                return job(check)
        except BaseException:
            given_up.set()  # before this thread can take the next job
            raise

    if n_threads <= 1:
        return [job(check) for job in jobs]
    with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        try:
            futures = [pool.submit(run, job) for job in jobs]
            done = list(as_completed(futures))
        except BaseException:
            given_up.set()
            raise
    for future in done:
        if not isinstance(future.exception(), GivenUpError):
            future.result()  # raises what the job did
    return [future.result() for future in futures]


@contextmanager
def _counted() -> Iterator[None]:
    """Count this thread among those at work."""
    global _n_working
    with _counting:
        _n_working += 1
    _at_work.counted = True
    try:
        yield
    finally:
        _at_work.counted = False
        with _counting:
            _n_working -= 1


def _n_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
