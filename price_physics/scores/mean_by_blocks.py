"""Average the results of overlapping events, with an interval by blocks of days.

Labels overlap and neighbouring days are alike, so events are not independent; blocks of five days
nearly are.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK_NS = 5 * 86_400 * 10**9
"""Five UTC days, counted from 1970-01-01."""


class MeanByBlocks(NamedTuple):
    """A mean and its 95 % interval."""

    mean: float
    low: float
    high: float


def mean_by_blocks(values: npt.ArrayLike, time_ns: npt.ArrayLike) -> MeanByBlocks | None:
    """Average events; the interval takes blocks of five days as independent.

    Parameters
    ----------
    values : float64 array of shape (n,)
    time_ns : int64 array of shape (n,)
        Of the events, UTC ns, in any order.

    Returns
    -------
    MeanByBlocks, or None without an event
        The interval is 1.96 standard errors to either side. Events within a block may depend on
        each other. With one block it is infinite.

    Examples
    --------
    >>> mean_by_blocks([1.0, 3.0, 2.0, 2.0], [0, 0, BLOCK_NS, 2 * BLOCK_NS])
    MeanByBlocks(mean=2.0, low=2.0, high=2.0)
    """
    v = np.asarray(values, dtype=np.float64)
    if not len(v):
        return None
    mean = float(v.mean())
    _, block = np.unique(np.asarray(time_ns) // BLOCK_NS, return_inverse=True)
    sums, n_blocks = np.bincount(block, weights=v - mean), int(block.max()) + 1
    if n_blocks == 1:
        return MeanByBlocks(mean, -np.inf, np.inf)
    error = float(np.sqrt((sums**2).sum() * n_blocks / (n_blocks - 1))) / len(v)
    return MeanByBlocks(mean, mean - 1.96 * error, mean + 1.96 * error)
