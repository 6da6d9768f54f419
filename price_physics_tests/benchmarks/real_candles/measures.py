"""How good probabilities are month by month, and whether outcomes rank along values."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from price_physics.scores.calibration import equal_count_bins
from price_physics.scores.mean_by_blocks import MeanByBlocks, mean_by_blocks
from price_physics.scores.probabilities import log_loss

Floats = npt.NDArray[np.float64]


def excess_log_loss(p: Floats, won: npt.NDArray[np.bool_]) -> float:
    """Log loss of a month's probabilities over that of the month's own rate, in nats.

    Nobody knows the rate beforehand: an excess of 0 is as good as knowing it and nothing else.

    Examples
    --------
    >>> won = np.array([True, False])
    >>> excess_log_loss(np.array([0.5, 0.5]), won), excess_log_loss(np.array([0.6, 0.6]), won) > 0
    (0.0, True)
    """
    classes, own = won.astype(np.int64), np.full(len(won), won.mean())
    return _log_loss(p, classes) - _log_loss(own, classes)


def calibration_error(p: Floats, won: npt.NDArray[np.bool_]) -> float:
    """Distance of a month's mean probability from the rate that came out."""
    return float(abs(p.mean() - won.mean()))


def _log_loss(p: Floats, classes: npt.NDArray[np.int64]) -> float:
    return float(log_loss(np.stack([1 - p, p], axis=1), classes))


class Tenths(NamedTuple):
    """What tenths of the events, by increasing value, were said to be worth, and what came."""

    stated: list[float]
    came: list[MeanByBlocks]
    spread: MeanByBlocks
    """Of what came: the highest tenth less the lowest."""
    n_up: int
    """Steps from one tenth to the next, of nine, at which what came rises."""


def tenths(stated: Floats, returned: Floats, time_ns: npt.NDArray[np.int64]) -> Tenths:
    """Hold the values of events against what they returned; intervals by blocks of five days."""
    bins = equal_count_bins(stated)
    came = [mean_by_blocks(returned[rows], time_ns[rows]) for rows in bins]
    last, first = bins[-1], bins[0]
    # What an event adds to the difference: blocks hold events of both tenths.
    adds = np.zeros(len(stated))
    adds[last] = (returned[last] - came[-1].mean) * len(stated) / len(last)
    adds[first] = -(returned[first] - came[0].mean) * len(stated) / len(first)
    around = mean_by_blocks(adds, time_ns)
    gap = came[-1].mean - came[0].mean
    spread = MeanByBlocks(gap, gap + around.low, gap + around.high)
    rises = sum(b.mean > a.mean for a, b in pairwise(came))
    return Tenths([float(stated[rows].mean()) for rows in bins], came, spread, rises)
