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

T = TypeVar("T")
Check = Callable[[], None]
"""To be called now and then by a job: raises when the others have been given up."""

_MOST_SAMPLES = 2048
"""In training at once, over all fits: their activations are what takes memory."""


class GivenUpError(Exception):
    """Raised inside a job because another one failed or the user interrupted."""


def fits_at_once(device: torch.device, batch_size: int) -> int:
    """How many fits run side by side: one on CUDA, whose step fills the device."""
    if device.type != "cpu":
        return 1
    return max(1, min(_n_cores(), _MOST_SAMPLES // batch_size))


def side_by_side(jobs: Sequence[Callable[[Check], T]], n_threads: int) -> list[T]:
    """Run jobs on so many threads; the results in the order of the jobs.

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

    if n_threads == 1:
        return [job(check) for job in jobs]
    with ThreadPoolExecutor(n_threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        futures = [pool.submit(job, check) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            given_up.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def _n_cores() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
