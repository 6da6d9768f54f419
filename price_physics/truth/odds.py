"""What is attainable in log loss on a lattice market: the exact odds of an outcome, and shares.

`labels.driftless` has the odds of a Brownian path, which the pipeline uses; here they are of the
lattice itself, with the drift that an oracle knows or without any.
"""

import math
from dataclasses import dataclass

import numpy as np

from price_physics.scores.probabilities import Classes, Floats
from price_physics.truth.markets import OUTCOME_TICKS

_TINY = np.finfo(np.float64).tiny


def outcome_odds(theta: float, steps: int, n_ticks: int = OUTCOME_TICKS) -> Floats:
    """Chances that a path on the lattice touches its lower barrier first, none, or its upper one.

    Parameters
    ----------
    theta : float
        A tick goes up with probability ``(1 + theta) / 2``, else down.
    steps : int
        Distance of either barrier, at least 1.
    n_ticks : int
        Ticks until the horizon ends.

    Returns
    -------
    float64 array of shape (3,)
        [down, none, up], in the order of the classes; exact up to rounding.

    Notes
    -----
    O(n_ticks * steps): the distribution of the place, tick by tick, between walls that keep what
    reaches them.

    Examples
    --------
    >>> outcome_odds(0.5, 1, 1), outcome_odds(0.0, 2, 3)
    (array([0.25, 0.  , 0.75]), array([0.25, 0.5 , 0.25]))
    """
    up, inside = (1 + theta) / 2, np.zeros(2 * steps - 1)
    inside[steps - 1] = 1.0
    below = above = 0.0
    for _ in range(n_ticks):
        below += (1 - up) * inside[0]
        above += up * inside[-1]
        inside = np.convolve(inside, [1 - up, 0.0, up])[1:-1]
    return np.array([below, inside.sum(), above])


@dataclass(frozen=True)
class Gain:
    """Share of the attainable log loss, and the classes' shares as predicted and as they came.

    Attributes
    ----------
    share, share_error : float
        1 is the oracle, 0 who knows the barriers and nothing else; below 0 the barriers are wrong.
    predicted, observed : tuple of float
        Mean probability of [down, none, up], and how often they came.
    """

    share: float
    share_error: float
    predicted: tuple[float, ...]
    observed: tuple[float, ...]


def gain(probabilities: Floats, oracle: Floats, driftless: Floats, classes: Classes) -> Gain:
    """Measure probabilities between those without and those with all knowledge of the pattern.

    ``(loss of driftless - loss) / (loss of driftless - loss of oracle)``: log losses on the same
    events, so that they share their luck. The error is by the delta method; events are independent,
    as each is an episode of its own.

    Parameters
    ----------
    probabilities, oracle, driftless : float64 array of shape (n, n_classes)
    classes : int64 array of shape (n,)
        The class that came out.

    Raises
    ------
    ValueError
        When the oracle gains nothing on these events.
    """
    rows = np.arange(len(classes))
    ours, best, free = (
        -np.log(np.maximum(p[rows, classes], _TINY)) for p in (probabilities, oracle, driftless)
    )
    attainable = float((free - best).mean())
    if attainable <= 0:
        raise ValueError(
            f"{len(rows)} events: the oracle's log loss is {best.mean():.4f}, without a pattern it "
            f"is {free.mean():.4f}: nothing to share; take more events"
        )
    share = float((free - ours).mean()) / attainable
    residual = (free - ours) - share * (free - best)
    error = float(residual.std(ddof=1)) / (attainable * math.sqrt(len(rows)))
    observed = np.bincount(classes, minlength=probabilities.shape[1]) / len(rows)
    return Gain(share, error, tuple(probabilities.mean(axis=0).tolist()), tuple(observed.tolist()))
