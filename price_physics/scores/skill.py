"""Measure the log loss that probabilities save over a free baseline, with an interval."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from price_physics.scores.mean_by_blocks import mean_by_blocks
from price_physics.scores.probabilities import Floats, log_loss

_TINY = np.finfo(np.float64).tiny


class Skill(NamedTuple):
    """Log loss saved per event, in nats, and its 95 % interval."""

    saved: float
    low: float
    high: float


def skill_over(
    free: Floats, probabilities: Floats, classes: npt.NDArray[np.integer], time_ns: npt.ArrayLike
) -> Skill | None:
    """Return the log loss of `free` less that of `probabilities`, on the same events.

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
        The interval is by blocks of five days: see `mean_by_blocks`.

    Examples
    --------
    >>> free, said = np.full((4, 2), 0.5), np.array([[0.2, 0.8], [0.8, 0.2]] * 2)
    >>> round(skill_over(free, said, np.array([1, 0, 1, 1]), np.arange(4) * 432 * 10**12).saved, 4)
    0.1234
    """
    rows = np.arange(len(classes))
    ours, theirs = (np.maximum(p[rows, classes], _TINY) for p in (probabilities, free))
    saved = mean_by_blocks(np.log(ours) - np.log(theirs), time_ns)
    return None if saved is None else Skill(*saved)


def skill_numbers(
    driftless: Floats,
    probabilities: Floats,
    classes: npt.NDArray[np.integer],
    time_ns: npt.ArrayLike,
) -> dict[str, float | None]:
    """Name the skill over the driftless odds as documents and reports do; arrays as `skill_over`.

    Returns
    -------
    dict
        `log_loss_of_driftless`; `skill_over_driftless`, the log loss saved per event; its 95 %
        interval, None with one block of days. Empty without an event.
    """
    skill = skill_over(driftless, probabilities, classes, time_ns)
    if skill is None:
        return {}
    known = np.isfinite(skill.low)
    return {
        "log_loss_of_driftless": log_loss(driftless, classes),
        "skill_over_driftless": skill.saved,
        "skill_over_driftless_low": skill.low if known else None,
        "skill_over_driftless_high": skill.high if known else None,
    }
