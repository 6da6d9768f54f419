"""What probabilities know beyond others that come for free: the log loss they save, and how surely.

Labels overlap and days are alike, so the uncertainty is by blocks of days.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from price_physics.scores.probabilities import Floats

BLOCK_NS = 5 * 86_400 * 10**9
"""Five UTC days, counted from 1970-01-01."""

_TINY = np.finfo(np.float64).tiny


class Skill(NamedTuple):
    """Log loss saved an event, in nats, and its 95 % interval."""

    saved: float
    low: float
    high: float


def skill_over(
    free: Floats, probabilities: Floats, classes: npt.NDArray[np.integer], time_ns: npt.ArrayLike
) -> Skill | None:
    """Log loss of free probabilities less that of others, on the same events.

    Parameters
    ----------
    free, probabilities : float64 array of shape (n, n_classes)
    classes : int array of shape (n,)
        The class that came out.
    time_ns : int64 array of shape (n,)
        Of the events, UTC ns.

    Returns
    -------
    Skill, or None without an event
        The interval is 1.96 standard errors either way, of a mean whose blocks of five days are
        independent and whose events within one need not be; infinite with one block.

    Examples
    --------
    >>> free, said = np.full((4, 2), 0.5), np.array([[0.2, 0.8], [0.8, 0.2]] * 2)
    >>> skill_over(free, said, np.array([1, 0, 1, 1]), np.arange(4) * BLOCK_NS).saved.round(4)
    np.float64(0.1234)
    """
    rows = np.arange(len(classes))
    if not len(rows):
        return None
    ours, theirs = (np.maximum(p[rows, classes], _TINY) for p in (probabilities, free))
    saved = np.log(ours) - np.log(theirs)
    mean = float(saved.mean())
    _, block = np.unique(np.asarray(time_ns) // BLOCK_NS, return_inverse=True)
    sums, n_blocks = np.bincount(block, weights=saved - mean), block.max() + 1
    if n_blocks == 1:
        return Skill(mean, -np.inf, np.inf)
    error = float(np.sqrt((sums**2).sum() * n_blocks / (n_blocks - 1))) / len(rows)
    return Skill(mean, mean - 1.96 * error, mean + 1.96 * error)
