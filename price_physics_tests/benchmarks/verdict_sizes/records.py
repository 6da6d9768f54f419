"""The rule on many records at once: sums by block, t, and p where it can matter.

It is what ``passive`` and ``tosses`` do with one record; a test holds them together.
"""

import functools
from dataclasses import dataclass

import numpy as np

from price_physics.walk_forward.passive import DAYS_A_BLOCK
from price_physics.walk_forward.tosses import N_TOSSES, ROUNDING, coins
from price_physics_tests.benchmarks.verdict_sizes import kernels as k

FIRST_BLOCK = 4_000
"""A record begins with a block: day 20,000 since 1970."""
NOT_WORTH_TOSSING = 1.0
"""Whatever the blocks, at least 3 of 32 tosses reach a t of 1 (Dvořák and Tiwary, 2021, Probability
Mass of Rademacher Sums Beyond One Standard Deviation): below it p is far from any level."""
_AT_ONCE = 128


@dataclass(frozen=True)
class Records:
    """Daily sums of many records, from ``kernels.daily_sums``."""

    sums: np.ndarray
    average: np.ndarray

    @classmethod
    def of(cls, book: np.ndarray, market: np.ndarray) -> "Records":
        """Sum books held in markets, both of shape (n_runs, n_steps), without costs."""
        return cls(*k.daily_sums(np.ascontiguousarray(book), np.ascontiguousarray(market)))

    def against(self, n_days: int) -> tuple[np.ndarray, np.ndarray]:
        """What was won against cash, the average and the average so far, in the first days.

        Returns
        -------
        blocks : float64 array of shape (3, n_runs, n_blocks)
        squares : float64 array of shape (3, n_runs)
        """
        sums = self.sums[:, :, :n_days]
        c = self.average[:, n_days - 1 : n_days]
        average = sums[k.GROSS] - c * sums[k.MARKET]
        by_day = np.stack([sums[k.GROSS], average, sums[k.GROSS] - sums[k.SO_FAR]])
        total = sums.sum(axis=2)
        c = c[:, 0]
        beyond = total[k.SQUARE] - 2 * c * total[k.CROSS] + c**2 * total[k.MARKET_SQUARE]
        squares = np.stack([total[k.SQUARE], beyond, total[k.SO_FAR_SQUARE]])
        # what floats leave of a position that never changed
        squares[squares < ROUNDING * total[k.MARKET_SQUARE]] = 0.0
        edges = np.arange(0, n_days, DAYS_A_BLOCK)
        return np.add.reduceat(by_day, edges, axis=2), squares


def statistic(blocks: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """t of every record; minus infinity where nothing was at risk."""
    own = np.einsum("...k,...k->...", blocks, blocks)
    at_risk = (own > 0) & (squares > 0)
    root = np.sqrt(np.where(at_risk, own, 1.0))
    shrink = np.minimum(1.0, root / np.sqrt(np.where(at_risk, squares, 1.0)))
    return np.where(at_risk, shrink * blocks.sum(axis=-1) / root, -np.inf)


@functools.cache
def coin_matrix(n_blocks: int) -> np.ndarray:
    """Coins of the first blocks, one row a block."""
    return np.stack([coins(FIRST_BLOCK + i) for i in range(n_blocks)]).astype(np.float64)


def tossed(blocks: np.ndarray) -> np.ndarray:
    """Every record under every toss; the last axis becomes the tosses."""
    root = np.sqrt(np.einsum("...k,...k->...", blocks, blocks))
    return blocks @ coin_matrix(blocks.shape[-1]) / root[..., None]


def largest_p(records: Records, n_days: int) -> np.ndarray:
    """The largest of the three p of every record; 1 where it is surely far from any level.

    Returns
    -------
    float64 array of shape (n_runs,)
    """
    blocks, squares = records.against(n_days)
    t = statistic(blocks, squares)
    p = np.ones(t.shape[1])
    worth = np.flatnonzero((t > NOT_WORTH_TOSSING).all(axis=0))
    for start in range(0, len(worth), _AT_ONCE):
        some = worth[start : start + _AT_ONCE]
        largest = np.zeros(len(some))
        for investor in range(3):
            reached = tossed(blocks[investor, some]) >= t[investor, some, None] - ROUNDING
            largest = np.maximum(largest, (1 + reached.sum(axis=1)) / (N_TOSSES + 1))
        p[some] = largest
    return p
