"""Compare a strategy with three passive investors: what it won against each.

One is in cash, one always holds the strategy's average position, one its average position so far.
Other modules decide, from the sums made here, whether the wins are more than luck.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from price_physics.walk_forward.tosses import ROUNDING

CASH, AVERAGE, SO_FAR = "cash", "average", "so far"
INVESTORS = (CASH, AVERAGE, SO_FAR)
DAYS_A_BLOCK = 5


@dataclass(frozen=True)
class Steps:
    """Intervals between consecutive marks: bar closes and changes of the book, in order.

    Attributes
    ----------
    book : float64 array of shape (n,)
        The position held over the step.
    market : float64 array of shape (n,)
        Simple return of the market over the step.
    duration : float64 array of shape (n,)
        In any unit; the average position is weighted by it.
    day : int64 array of shape (n,)
        UTC day on which the step ends, counted from 1970-01-01.
    """

    book: np.ndarray
    market: np.ndarray
    duration: np.ndarray
    day: np.ndarray


@dataclass(frozen=True)
class Against:
    """What a strategy won against one passive investor.

    Attributes
    ----------
    day : int64 array of shape (n_days,)
    won : float64 array of shape (n_days,)
        y, what was won on each day.
    squares : float
        V, the sum over steps of the squared result of the position less the investor's.
    held : float
        The investor's position at the end.
    earned : float
        Return of the investor, days compounded.
    timed : bool
        Whether the strategy ever held anything else than the investor.
    """

    day: np.ndarray
    won: np.ndarray
    squares: float
    held: float
    earned: float
    timed: bool

    @cached_property
    def block_sums(self) -> dict[int, float]:
        """Wins by block of five days; blocks do not move when months are added."""
        block = self.day // DAYS_A_BLOCK
        blocks, position = np.unique(block, return_inverse=True)
        sums = np.bincount(position, self.won, len(blocks))
        return dict(zip(blocks.tolist(), sums.tolist(), strict=True))


def against_passive(steps: Steps, day: np.ndarray, net: np.ndarray) -> Mapping[str, Against]:
    """Compare a strategy with cash, its average position, and its average position so far.

    On a day it won ``sum of (b - c) * r - cost``: over the steps of the day, b is the book, c what
    the investor holds, and r the market's return; ``cost = sum of b * r - net``.

    Parameters
    ----------
    steps : Steps
        From the first day out of sample on.
    day : int64 array of shape (n_days,)
        Every day out of sample, ascending, counted from 1970-01-01.
    net : float64 array of shape (n_days,)
        Net return of the strategy on each day.

    Returns
    -------
    dict of str to Against
        By investor: `cash`, `average`, `so far`.

    Raises
    ------
    ValueError
        When the days are not ascending, or a step ends on a day that is not one of them.
    """
    day, net = np.asarray(day, dtype=np.int64), np.asarray(net, dtype=np.float64)
    at = _position_of(steps.day, day)
    cost = _daily(steps.book * steps.market, at, len(day)) - net
    cost[np.abs(cost) < ROUNDING] = 0.0
    so_far = _average_so_far(steps)
    average = so_far[-1] if len(so_far) else 0.0
    positions = {
        CASH: np.zeros(len(steps.book)),
        AVERAGE: np.full(len(steps.book), average),
        SO_FAR: so_far,
    }
    return {name: _against(steps, day, at, cost, position) for name, position in positions.items()}


def _against(
    steps: Steps, day: np.ndarray, at: np.ndarray, cost: np.ndarray, position: np.ndarray
) -> Against:
    beyond = steps.book - position
    beyond[np.abs(beyond) < ROUNDING] = 0.0
    timed = beyond * steps.market
    passive = _daily(position * steps.market, at, len(day))
    return Against(
        day=day,
        won=_daily(timed, at, len(day)) - cost,
        squares=float(timed @ timed),
        held=float(position[-1]) if len(position) else 0.0,
        earned=float(np.prod(1 + passive) - 1),
        timed=bool(beyond.any()),
    )


def _average_so_far(steps: Steps) -> np.ndarray:
    """Average the book up to and including each step, weighted by time.

    Sums are of differences from the first position: a position that never changes has no rounding
    error.
    """
    if not len(steps.book):
        return np.empty(0)
    elapsed = np.cumsum(steps.duration, dtype=np.float64)
    apart = steps.book - steps.book[0]
    exposure = np.cumsum(apart * steps.duration, dtype=np.float64)
    return steps.book[0] + np.divide(exposure, elapsed, out=apart, where=elapsed > 0)


def _daily(values: np.ndarray, at: np.ndarray, n_days: int) -> np.ndarray:
    return np.bincount(at, values, n_days).astype(np.float64)


def _position_of(ended: np.ndarray, day: np.ndarray) -> np.ndarray:
    """Return the position in `day` of the day on which each step ended."""
    if np.any(np.diff(day) <= 0):
        raise ValueError("days are not ascending; give every day out of sample once, in order")
    at = np.searchsorted(day, ended)
    strange = at == len(day)
    strange[~strange] = day[at[~strange]] != ended[~strange]
    if strange.any():
        raise ValueError(
            f"a step ends on day {ended[strange][0]}, which is not among the days out of sample; "
            "give both of the same months"
        )
    return at
