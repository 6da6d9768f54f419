"""How large a bet is, and what scale turns summed bets into a book.

Probabilities and past bets only; which side to take is decided in ``signals``.
"""

import numpy as np
from scipy.stats import norm

_QUANTILE = 0.95
"""Of the absolute sum of live sizes: what one unit of the book is."""
_FLAT = 1e-12
"""Sums of live sizes below this are a flat book; they are what floats leave of a - a."""


def bet_size(probability: np.ndarray, n_classes: int) -> np.ndarray:
    """Turn the probability of the side taken into a size, 0 at chance and 1 at certainty.

    ``2 * Phi(z) - 1`` with ``z = (p - 1/K) / sqrt(p * (1 - p))``, clipped to [0, 1]: a side that
    is no likelier than chance gets nothing.

    Parameters
    ----------
    probability : float64 array of shape (n,)
        Probability of the side taken, in [0, 1].
    n_classes : int
        K, the number of classes the probability competes with.

    Returns
    -------
    float64 array of shape (n,)
        Sizes in [0, 1].

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 10.3, snippet 10.1.

    Examples
    --------
    >>> bet_size(np.array([0.6]), 2).round(4), bet_size(np.array([0.5, 1.0]), 3).round(4)
    (array([0.1617]), array([0.2611, 1.    ]))
    """
    p = np.asarray(probability, dtype=np.float64)
    spread = np.sqrt(p * (1 - p))
    certain = np.where(p > 0.5, np.inf, -np.inf)
    z = np.divide(p - 1 / n_classes, spread, out=certain, where=spread > 0)
    return np.clip(2 * norm.cdf(z) - 1, 0.0, 1.0)


def book_scale(
    event_time_ns: np.ndarray, label_end_ns: np.ndarray, signed_size: np.ndarray
) -> float:
    """Return C: the 95th percentile of the absolute sum of live sizes, over past trades.

    A trade lives on the closed interval from its event to the end of its label. The sum is
    looked at at every event at which a trade starts, where the book is not flat.

    Parameters
    ----------
    event_time_ns, label_end_ns : int64 array of shape (n,)
        Out-of-fold events and the ends of their labels, UTC ns.
    signed_size : float64 array of shape (n,)
        Side times size; 0 is no trade.

    Returns
    -------
    float
        C, above 0; 1.0 where there is no trade, or none left the book anything but flat.
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
