"""Permute blocks: the same book in the same market, with the market's weeks in another order."""

import numpy as np

from price_physics.walk_forward.tosses import ROUNDING


def block_permutation_p(
    book: np.ndarray,
    market: np.ndarray,
    block_length: int,
    seed: int,
    n_permutations: int = 2_000,
) -> float:
    """Return how often the book would have earned as much with the market's blocks shuffled.

    Neighbouring steps stay together within a block. The total return of the market and the book,
    with all its habits, stay the same: only what the book met, and when, is shuffled.

    Parameters
    ----------
    book : float64 array of shape (n,)
        Position held over each step, equally spaced.
    market : float64 array of shape (n,)
        Return of the market over the same steps.
    block_length : int
        Steps of a block, at least 1; the last block may be shorter.
    seed : int
    n_permutations : int

    Returns
    -------
    float
        ``p = (1 + #{shuffled >= observed}) / (n_permutations + 1)`` of ``sum(book * market)``; 1
        for a book that never changed, because no order changes its earnings.

    Raises
    ------
    ValueError
        When the arrays differ in length, or `block_length` is below 1.

    Notes
    -----
    It assumes a book that does not react to the market. A book that follows or fades past prices
    does not do so in the shuffled market, and p is then too small or too large. The verdict does
    not use it.

    References
    ----------
    Masters (2018), Permutation and Randomization Tests for Trading System Development. Künsch
    (1989), The Jackknife and the Bootstrap for General Stationary Observations, Annals of
    Statistics 17(3), for the blocks.
    """
    book, market = np.asarray(book, dtype=np.float64), np.asarray(market, dtype=np.float64)
    if book.shape != market.shape:
        raise ValueError(
            f"book has shape {book.shape} and market {market.shape}: give the same steps"
        )
    if block_length < 1:
        raise ValueError(f"block_length = {block_length}: a block holds at least one step")
    apart = book - book[0] if len(book) else book  # a constant position earns the same in any order
    if not apart.any():
        return 1.0
    rng = np.random.default_rng(seed)
    blocks = np.split(market, range(block_length, len(market), block_length))
    observed = float(apart @ market)
    n_as_good = 0
    for _ in range(n_permutations):
        shuffled = np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])
        n_as_good += bool(apart @ shuffled >= observed - ROUNDING)
    return (1 + n_as_good) / (n_permutations + 1)
