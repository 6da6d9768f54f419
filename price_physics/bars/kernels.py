"""Loops over ticks: where bars end, and what is in them.

Arrays only. Every sum runs in tick order, so that it gives the same bits on every machine. The
caller checks its input; the plain function is each kernel's ``.py_func``.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def dollar_bars(price, qty, threshold):
    """List the ticks that close a dollar bar.

    Parameters
    ----------
    price, qty : float64 array of shape (n_ticks,)
        Positive and finite, in time order; quote currency, base currency.
    threshold : float
        Positive notional, quote currency.

    Returns
    -------
    int64 array of shape (n_bars,)
        Position of the tick on which the running notional reaches `threshold`; the sum then
        restarts at zero. The open bar at the end is not listed.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1.4.

    Examples
    --------
    >>> dollar_bars(np.full(6, 10.0), np.array([1.0, 1.0, 5.0, 2.0, 1.0, 1.0]), 20.0)
    array([1, 2, 3, 5])
    """
    last_tick = np.empty(price.size, np.int64)
    n_bars = 0
    notional = 0.0
    for tick in range(price.size):
        notional += price[tick] * qty[tick]
        if notional >= threshold:
            last_tick[n_bars] = tick
            n_bars += 1
            notional = 0.0
    return last_tick[:n_bars].copy()


@njit(cache=True)
def bar_prices(price, last_tick):
    """Find the open, high, low and close of bars.

    Parameters
    ----------
    price : float64 array of shape (n_ticks,)
    last_tick : int64 array of shape (n_bars,)
        Increasing positions; each bar starts after the last tick of the one before.

    Returns
    -------
    float64 array of shape (4, n_bars)
        Open, high, low, close.

    Examples
    --------
    >>> bar_prices(np.array([5.0, 7.0, 4.0, 6.0]), np.array([2, 3]))
    array([[5., 6.],
           [7., 6.],
           [4., 6.],
           [4., 6.]])
    """
    bars = np.empty((4, last_tick.size))
    tick = 0
    for bar in range(last_tick.size):
        high = low = bars[0, bar] = price[tick]
        while tick <= last_tick[bar]:
            high = max(high, price[tick])
            low = min(low, price[tick])
            tick += 1
        bars[1, bar], bars[2, bar], bars[3, bar] = high, low, price[tick - 1]
    return bars


@njit(cache=True)
def bar_sums(price, qty, tick_sign, last_tick):
    """Sum the volume, notional and bought volume of bars.

    Parameters
    ----------
    price, qty : float64 array of shape (n_ticks,)
    tick_sign : int8 array of shape (n_ticks,)
        +1 the buyer is the aggressor, -1 the seller.
    last_tick : int64 array of shape (n_bars,)
        Increasing positions; each bar starts after the last tick of the one before.

    Returns
    -------
    float64 array of shape (3, n_bars)
        Volume, notional, bought volume.

    Examples
    --------
    >>> bar_sums(np.array([5.0, 6.0]), np.array([1.0, 2.0]), np.array([1, -1]), np.array([1]))
    array([[ 3.],
           [17.],
           [ 1.]])
    """
    bars = np.zeros((3, last_tick.size))
    tick = 0
    for bar in range(last_tick.size):
        while tick <= last_tick[bar]:
            bars[0, bar] += qty[tick]
            bars[1, bar] += price[tick] * qty[tick]
            if tick_sign[tick] > 0:
                bars[2, bar] += qty[tick]
            tick += 1
    return bars
