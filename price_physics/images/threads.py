"""Keep torch on the CPU to one thread.

Our images and networks are small: on idle cores a second thread gives 1.0 to 1.8 times the speed,
on busy ones its spinning costs up to fifteen times (656 samples a second became 44). And the
order of the sums in a backward pass depends on the number of threads: with one, a fit gives the
same bytes on a laptop and on a server.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_cpu_thread() -> Iterator[None]:
    """Run a block, or a decorated function, on one intra-op thread; restore the number after."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
