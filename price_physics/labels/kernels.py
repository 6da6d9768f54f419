"""Loops over ticks and bars: arrays in, arrays out. Frames and configuration are not here.

Every kernel keeps its plain function as ``.py_func``.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def wilder_atr(high, low, close, period):
    """Average true range by Wilder's recursion.

    The first value, at position ``period - 1``, is the mean of the first `period` true ranges;
    then ``atr = ((period - 1) * atr + true_range) / period``. The first bar has no close before
    it: its true range is its high less its low.

    Parameters
    ----------
    high, low, close : float64 array of shape (n_bars,)
        Prices.
    period : int
        At least 1.

    Returns
    -------
    float64 array of shape (n_bars,)
        NaN before the first value.

    References
    ----------
    Wilder (1978), New Concepts in Technical Trading Systems.

    Examples
    --------
    >>> high, low = np.array([3.0, 6.0, 5.0]), np.array([1.0, 4.0, 4.0])
    >>> wilder_atr(high, low, np.array([2.0, 5.0, 4.0]), 2)
    array([nan,  3.,  2.])
    """
    atr = np.full(len(high), np.nan)
    total = 0.0
    for i in range(len(high)):
        true_range = high[i] - low[i]
        if i > 0:
            true_range = max(high[i], close[i - 1]) - min(low[i], close[i - 1])
        if i < period:
            total += true_range
            if i == period - 1:
                atr[i] = total / period
        else:
            atr[i] = ((period - 1) * atr[i - 1] + true_range) / period
    return atr


@njit(cache=True)
def first_touch(time_ns, price, event_tick, upper, lower, horizon_ns):
    """Which barrier is touched first after each event, and by which tick.

    The path of an event holds the ticks with ``event time < time_ns <= event time + horizon``,
    where the event time is ``time_ns[event_tick]``: later trades of the same instant are not in
    it. A touch is ``price >= upper`` or ``price <= lower``.

    Parameters
    ----------
    time_ns : int64 array of shape (n_ticks,)
        Sorted, ties allowed, UTC.
    price : float64 array of shape (n_ticks,)
    event_tick : int64 array of shape (n_events,)
        Position of a tick at the event's time.
    upper, lower : float64 array of shape (n_events,)
        Barriers in price space, ``lower < upper``; NaN or infinity is never touched.
    horizon_ns : int, or int64 array of shape (n_events,)
        Vertical barrier, counted from the event.

    Returns
    -------
    label : int8 array of shape (n_events,)
        +1 upper first, -1 lower first, 0 neither.
    touch_tick : int64 array of shape (n_events,)
        The touching tick, else the last tick inside the horizon, else `event_tick` itself.

    Notes
    -----
    O(path) an event. The caller checks positions.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippet 3.2.

    Examples
    --------
    >>> time_ns, price = np.array([0, 0, 1, 2, 9]), np.array([10.0, 12.0, 11.0, 12.0, 8.0])
    >>> first_touch(time_ns, price, np.array([0, 3]), np.full(2, 12.0), np.full(2, 9.0), 5)
    (array([1, 0], dtype=int8), array([3, 3]))
    """
    n_events = len(event_tick)
    horizon = np.broadcast_to(np.asarray(horizon_ns), (n_events,))
    label = np.zeros(n_events, dtype=np.int8)
    touch_tick = event_tick.astype(np.int64)
    for e in range(n_events):
        event_ns = time_ns[event_tick[e]]
        for i in range(event_tick[e] + 1, len(time_ns)):
            if time_ns[i] > event_ns + horizon[e]:
                break
            if time_ns[i] == event_ns:
                continue
            touch_tick[e] = i
            if price[i] >= upper[e]:
                label[e] = 1
                break
            if price[i] <= lower[e]:
                label[e] = -1
                break
    return label, touch_tick


@njit(cache=True)
def path_extremes(price, first_tick, last_tick):
    """Highest and lowest price of each path.

    Parameters
    ----------
    price : float64 array of shape (n_ticks,)
    first_tick, last_tick : int64 array of shape (n_paths,)
        Positions, both inclusive; a path whose last comes before its first is empty.

    Returns
    -------
    highest, lowest : float64 array of shape (n_paths,)
        -inf and inf where the path is empty.

    Examples
    --------
    >>> path_extremes(np.array([3.0, 1.0, 2.0]), np.array([0, 3]), np.array([1, 2]))
    (array([  3., -inf]), array([ 1., inf]))
    """
    highest = np.full(len(first_tick), -np.inf)
    lowest = np.full(len(first_tick), np.inf)
    for p in range(len(first_tick)):
        for i in range(first_tick[p], last_tick[p] + 1):
            highest[p] = max(highest[p], price[i])
            lowest[p] = min(lowest[p], price[i])
    return highest, lowest
