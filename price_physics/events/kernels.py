"""Loops over bars that find events: arrays in, arrays out. ``.py_func`` is the plain function."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def cusum_filter(log_price, threshold):
    """Sample a price whenever it has run far enough since the last sample.

    The symmetric CUSUM filter: rises and falls are summed apart, neither below zero; either one
    that reaches the threshold is an event and restarts both.

    Parameters
    ----------
    log_price : float64 array of shape (n_bars,)
    threshold : float
        Positive, as a log return.

    Returns
    -------
    int64 array of shape (n_events,)
        Positions; never the first bar.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippet 2.4.

    Examples
    --------
    >>> cusum_filter(np.array([0.0, 1.0, 2.0, 1.5, 0.5, 0.0]), 1.5)
    array([2, 4])
    """
    events = np.empty(log_price.size, np.int64)
    n_events = 0
    up = down = 0.0
    for bar in range(1, log_price.size):
        change = log_price[bar] - log_price[bar - 1]
        up, down = max(0.0, up + change), min(0.0, down + change)
        if up >= threshold or -down >= threshold:
            events[n_events] = bar
            n_events += 1
            up = down = 0.0
    return events[:n_events].copy()
