"""Size a bet, and scale the sum of live bets to a book.

Only values and past bets are needed; ``signals`` decides which side to take.
"""

import numpy as np
from scipy.special import erf

ENOUGH_TRADES = 100
"""From this many past trades on, their scale may be below 1."""
_QUANTILE = 0.95
"""Quantile of the absolute sum of live sizes that becomes one unit of the book."""
_FLAT = 1e-12
"""Sums of live sizes below this are rounding errors of a flat book."""


def bet_size(value: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Turn expected values into sizes: 0 without a positive value, 1 at certainty.

    ``max(0, 2 * Phi(value / spread) - 1)``. With two outcomes the ratio equals that of López de
    Prado's formula, with the event's own break-even probability instead of ``1 / K``. A positive
    value always gets a size above 0.

    Parameters
    ----------
    value : float64 array of shape (n,)
        Net expected value of each event's own outcome.
    spread : float64 array of shape (n,)
        Standard deviation of the same outcome, in the same unit; see `outcome_spread`.

    Returns
    -------
    float64 array of shape (n,)
        Sizes in [0, 1].

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 10.3, snippet 10.1.

    Examples
    --------
    A take-profit at 25 with probability 0.6, else a stop at 25:

    >>> bet_size(np.array([0.6 * 25 - 0.4 * 25]), np.array([50 * np.sqrt(0.6 * 0.4)])).round(6)
    array([0.161744])
    """
    value, spread = np.broadcast_arrays(
        np.asarray(value, dtype=np.float64), np.asarray(spread, dtype=np.float64)
    )
    certain = np.where(value > 0, np.inf, 0.0)
    with np.errstate(over="ignore"):  # an overflow is certainty, too
        ratio = np.divide(value, spread, out=certain, where=spread > 0)
    return np.maximum(erf(ratio / np.sqrt(2)), 0.0)  # 2 * Phi - 1, exact near 0


def outcome_spread(probability: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Return the standard deviation of outcomes that come with given probabilities.

    ``sqrt(sum(p * x**2) - sum(p * x)**2)`` over take-profit, stop and time-out.

    Parameters
    ----------
    probability, outcome : float64 array of shape (n, n_outcomes)
        Of each event, from its probabilities and its own barriers. A cost that all outcomes share
        changes nothing.

    Returns
    -------
    float64 array of shape (n,)

    Examples
    --------
    >>> outcome_spread(np.array([[0.5, 0.5]]), np.array([[3.0, -1.0]]))
    array([2.])
    """
    p, x = np.asarray(probability, dtype=np.float64), np.asarray(outcome, dtype=np.float64)
    mean = (p * x).sum(axis=-1, keepdims=True)
    return np.sqrt((p * (x - mean) ** 2).sum(axis=-1))


def book_scale(
    event_time_ns: np.ndarray, label_end_ns: np.ndarray, signed_size: np.ndarray
) -> float:
    """Return C: the 95th percentile of the absolute sum of live sizes, over past trades.

    A trade is live on the closed interval from its event to the end of its label. The sum is taken
    at every event at which a trade starts, unless the book is flat there.

    Parameters
    ----------
    event_time_ns, label_end_ns : int64 array of shape (n,)
        Out-of-fold events and the ends of their labels, UTC ns.
    signed_size : float64 array of shape (n,)
        Side times size; 0 means no trade.

    Returns
    -------
    float
        C, above 0; 1.0 where there is no trade, or the book is flat at all events.
    """
    traded = signed_size != 0
    start, end, size = event_time_ns[traded], label_end_ns[traded], signed_size[traded]
    by_start, by_end = np.argsort(start, kind="stable"), np.argsort(end, kind="stable")
    opened = np.concatenate([[0.0], np.cumsum(size[by_start])])
    closed = np.concatenate([[0.0], np.cumsum(size[by_end])])
    instants = np.unique(start)
    n_opened = np.searchsorted(start[by_start], instants, side="right")
    n_closed = np.searchsorted(end[by_end], instants, side="left")
    live = np.abs(opened[n_opened] - closed[n_closed])
    live = live[live > _FLAT * max(1.0, float(np.abs(size).sum()))]
    return float(np.quantile(live, _QUANTILE)) if len(live) else 1.0


def with_neighbours(
    event_time_ns: np.ndarray,
    label_end_ns: np.ndarray,
    signed_size: np.ndarray,
    stands_for: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put the bets back that thinning left out: each tested one for those up to the next.

    Those that were not tested are taken for bets of the same side, size and length, evenly spaced
    up to the next tested event. Where neighbours are less alike than that, their sum is too large,
    and so is C: the book then is too small.

    Parameters
    ----------
    event_time_ns, label_end_ns : int64 array of shape (n,)
        By time, UTC ns.
    signed_size : float64 array of shape (n,)
    stands_for : float64 array of shape (n,)
        Events for each that was tested, at least 1; rounded.

    Returns
    -------
    event_time_ns, label_end_ns, signed_size : as `book_scale` takes them

    Examples
    --------
    >>> bets = with_neighbours(np.array([0, 10]), np.array([4, 14]), np.array([1.0, 0]), [2.0, 2.0])
    >>> [of.tolist() for of in bets]
    [[0, 5, 10, 15], [4, 9, 14, 19], [1.0, 1.0, 0.0, 0.0]]
    """
    n_copies = np.rint(stands_for).astype(np.int64)
    if (n_copies == 1).all():
        return event_time_ns, label_end_ns, signed_size
    gap = np.diff(event_time_ns)
    gap = np.append(gap, gap[-1:] if len(gap) else 0)
    number = np.arange(n_copies.sum()) - np.repeat(np.cumsum(n_copies) - n_copies, n_copies)
    later = number * np.repeat(gap, n_copies) // np.repeat(n_copies, n_copies)
    start, end, size = (
        np.repeat(of, n_copies) for of in (event_time_ns, label_end_ns, signed_size)
    )
    return start + later, end + later, size


def least_scale(scale: float, n_trades: int) -> float:
    """Keep C at 1 or above while it comes from fewer than 100 past trades.

    A few tiny past bets would otherwise turn ordinary ones into full capital.

    Examples
    --------
    >>> least_scale(0.2, 99), least_scale(0.2, 100), least_scale(1.4, 3)
    (1.0, 0.2, 1.4)
    """
    return max(scale, 1.0) if n_trades < ENOUGH_TRADES else scale
