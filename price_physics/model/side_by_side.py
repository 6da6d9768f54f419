"""Fits beside one another on the CPU, each on one thread: as many at once as there are cores.

A fit on one thread gives the same bytes whatever runs beside it, and our networks are too small for
a second thread of torch's to bring much. Threads suffice, for torch's work needs no interpreter.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event
from typing import TypeVar

import torch

from price_physics.model.networks import NetworkConfig

T = TypeVar("T")
Check = Callable[[], None]
"""To be called now and then by a job: raises when the others have been given up."""

_MOST_ACTIVATIONS = 2**27
"""Of all fits at once: measured, about 1.5 GB."""


class GivenUpError(Exception):
    """Raised inside a job because another one failed or the user interrupted."""


def fits_at_once(
    device: torch.device, batch_size: int, size_pixels: int, network: NetworkConfig
) -> int:
    """How many fits run side by side: one on CUDA, whose step fills the device.

    On the CPU one a core, as long as their activations take little memory together.

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


def side_by_side(jobs: Sequence[Callable[[Check], T]], n_threads: int) -> list[T]:
    """Run jobs on so many threads; the results in the order of the jobs.

    The caller holds torch to one thread: those that are started here are, and a thread started
    later would inherit it.

    Parameters
    ----------
    jobs : sequence of callables
        Each is given a `Check`.
    n_threads : int
        With one, the jobs run one after another where the caller stands.

    Raises
    ------
    Exception
        The first that a job raised, once the others have stopped at their next check. An interrupt
        of the caller ends them likewise.
    """
    given_up = Event()

    def check() -> None:
        if given_up.is_set():
            raise GivenUpError

    def run(job: Callable[[Check], T]) -> T:
        check()
        try:
            return job(check)
        except BaseException:
            given_up.set()  # before this thread can take the next job
            raise

    if n_threads == 1:
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


def _n_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
