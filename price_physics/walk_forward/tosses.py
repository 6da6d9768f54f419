"""Toss the signs of blocks: how often do fair coins do as well as the strategy did?

Every block has its own coins, the same for every strategy. So trials with similar positions are
lucky together, and the luckiest of all is found without an assumed number of independent trials.
"""

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np

N_TOSSES = 20_000
ROUNDING = 1e-12
"""Differences below this are rounding errors, and count as none."""

BlockSums = Mapping[int, float]
"""Winnings by block of five days, counted from 1970-01-01."""


def flip_p(
    block_sums: BlockSums, squares: float, others: Iterable[BlockSums | int] = ()
) -> tuple[float, float]:
    """Judge what was won in blocks of days by tossing the sign of every block.

    ``t = shrink * sum(S) / sqrt(Q)`` with ``Q = sum(S**2)`` and ``shrink = min(1, sqrt(Q / V))``: a
    position's risk is what the market moved while it was held, even if little came of it.

    Parameters
    ----------
    block_sums : mapping of int to float
        S, by block.
    squares : float
        V, the sum over steps of the squared result of the step.
    others : iterable of (mapping of int to float) or int
        Net block sums of every other trial, or a hash where they are unknown; see `luckiest`.

    Returns
    -------
    p : float
        ``(1 + #{M >= t}) / 20_001``; M is the largest of this and the others under the same tosses.
    t : float
        Where nothing varied, or nothing was at risk, p is 1 and t is 0.

    Notes
    -----
    Linear in the number of blocks and in the number of trials. M is a maximum, so another trial
    can raise p and never lower it, and an exact clone leaves it where it was.

    References
    ----------
    Romano and Wolf (2005), Stepwise Multiple Testing as Formalized Data Snooping, Econometrica 73.

    Examples
    --------
    Eight blocks that all won: one toss in 256 does as well.

    >>> p, t = flip_p({block: 1.0 for block in range(100, 108)}, 8.0)
    >>> round(p, 7), round(t, 6)
    (0.0038998, 2.828427)
    """
    return p_under(luckiest(others), block_sums, squares)


def p_under(bar: np.ndarray, block_sums: BlockSums, squares: float) -> tuple[float, float]:
    """Compute `flip_p` with the luckiest of the other trials worked out beforehand.

    Parameters
    ----------
    bar : float64 array of shape (20_000,)
        From `luckiest`.
    block_sums, squares
        As in `flip_p`.

    Returns
    -------
    p, t : float
    """
    t = toss_statistic(block_sums, squares)
    own = tossed(block_sums)
    if t is None or own is None:
        return 1.0, 0.0
    n_as_good = int(np.count_nonzero(np.maximum(own, bar) >= t - ROUNDING))
    return (1 + n_as_good) / (N_TOSSES + 1), t


def toss_statistic(block_sums: BlockSums, squares: float) -> float | None:
    """Return t of `flip_p`; None where nothing varied or nothing was at risk."""
    sums = np.fromiter(block_sums.values(), dtype=np.float64)
    root = math.sqrt(float(sums @ sums))
    if root == 0 or squares == 0:
        return None
    return min(1.0, root / math.sqrt(squares)) * math.fsum(sums) / root


def luckiest(others: Iterable[BlockSums | int]) -> np.ndarray:
    """Find the luckiest of other trials under every toss.

    Parameters
    ----------
    others : iterable of (mapping of int to float) or int
        Net block sums of a trial. Where they are unknown (an old entry, in-sample), a hash of the
        trial: it then counts as an independent trial, a standard normal.

    Returns
    -------
    float64 array of shape (20_000,)
        Minus infinity without another trial. A trial that neither won nor lost does not count.
    """
    bar = np.full(N_TOSSES, -np.inf)
    for other in others:
        luck = _stranger(other) if isinstance(other, int) else tossed(other)
        if luck is not None:
            np.maximum(bar, luck, out=bar)
    return bar


def tossed(block_sums: BlockSums) -> np.ndarray | None:
    """Sum blocks under every toss of their signs, in units of ``sqrt(Q)``.

    Returns
    -------
    float64 array of shape (20_000,), or None
        None where every block is 0.
    """
    squares = math.fsum(value**2 for value in block_sums.values())
    if squares == 0:
        return None
    total = np.zeros(N_TOSSES)
    for block in sorted(block_sums):  # in one order, so that clones are equal to the last bit
        total += block_sums[block] * coins(block)
    return total / math.sqrt(squares)


@lru_cache(maxsize=2_048)
def coins(block: int) -> np.ndarray:
    """Toss the coins of a block.

    Returns
    -------
    int8 array of shape (20_000,)
        -1 or +1; the same whenever they are asked for.
    """
    fair = np.random.default_rng([0, block]).integers(0, 2, N_TOSSES)
    toss = (2 * fair - 1).astype(np.int8)
    toss.flags.writeable = False
    return toss


def _stranger(trial_hash: int) -> np.ndarray:
    return np.random.default_rng([1, trial_hash]).standard_normal(N_TOSSES)
