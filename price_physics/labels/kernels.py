"""Loops over ticks and bars: arrays in, arrays out. Frames and configuration are not here.

Every kernel keeps its plain function as ``.py_func``. They share one file because numba's cache
does not notice that a kernel called from another file has changed. Functions without a decorator
make the arrays that kernels fill: numpy asks for huge pages, where numba does not, and fresh small
pages can cost several times the work that is done on them.

First touches and extremes of long paths are found on a **pyramid**: the maxima and minima of
small blocks of ticks, its leaves, of two such blocks, of four, and so on. A search climbs while
whole blocks stay between the barriers and descends into the first that does not: O(log n) steps,
however long the path. There are about as many leaves as searches, so that twice the ticks do not
make a pyramid of twice the size. (Sixteen blocks to a block above take fewer steps, but each ends
a short scan that the processor cannot predict: two to one measured as fast on ticks and faster on
bars.)

Positions are unsigned inside a search: numba tests signed ones at every read for counting from the
end, which took a tenth of the time.
"""

import numpy as np
from numba import njit

DROP, STOP_LOSS_FIRST = 2, -1
_ROW = 4  # a leaf of the pyramid holds rows of 2 ** 4 ticks
_LINE = np.uint64(8)  # times in a cache line
_ONE, _TWO = np.uint64(1), np.uint64(2)


@njit(cache=True, nogil=True)
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


def first_touch(time_ns, price, event_tick, upper, lower, horizon_ns):
    """Find the barrier that is touched first after each event, and the touching tick.

    The path of an event holds the ticks with ``event time < time_ns <= event time + horizon``,
    where the event time is ``time_ns[event_tick]``: later trades of the same instant are not in
    it. A touch is ``price >= upper`` or ``price <= lower``.

    Parameters
    ----------
    time_ns : int64 array of shape (n_ticks,)
        Sorted, ties allowed, UTC.
    price : float64 array of shape (n_ticks,)
        Finite.
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
    O(n_ticks) to build the pyramid, then O(log n_ticks) an event. The caller checks positions.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippet 3.2.

    Examples
    --------
    >>> time_ns, price = np.array([0, 0, 1, 2, 9]), np.array([10.0, 12.0, 11.0, 12.0, 8.0])
    >>> first_touch(time_ns, price, np.array([0, 3]), np.full(2, 12.0), np.full(2, 9.0), 5)
    (array([1, 0], dtype=int8), array([3, 3]))
    """
    return _touches(time_ns, price, price, event_tick, upper, lower, horizon_ns, 1)[:2]


def first_touch_bars(close_time_ns, high, low, event_bar, upper, lower, horizon_ns, both):
    """Find the barrier that is touched first after each event, and the touching bar.

    The path of an event holds the bars that close after the event's bar and within the horizon.
    The high and low of a bar that touches both sides do not tell which came first: such a label
    is undecidable here, though the bar's open may tell. The bar after the event's is on the path
    as a whole, with any trades of the event's own instant; `first_touch` on ticks leaves those out.

    Parameters
    ----------
    close_time_ns : int64 array of shape (n_bars,)
        Sorted, ties allowed, UTC.
    high, low : float64 array of shape (n_bars,)
        Finite.
    event_bar : int64 array of shape (n_events,)
        Position of the bar whose close is the event.
    upper, lower : float64 array of shape (n_events,)
        Barriers in price space, ``lower < upper``; NaN or infinity is never touched.
    horizon_ns : int, or int64 array of shape (n_events,)
        Vertical barrier, counted from the event.
    both : int, or int array of shape (n_events,)
        The label of the undecidable: `DROP`, for the caller to drop, or `STOP_LOSS_FIRST` (of a
        long, whose stop-loss is the lower barrier; a short's would be +1).

    Returns
    -------
    label : int8 array of shape (n_events,)
        +1 upper first, -1 lower first, 0 neither, `both` undecidable.
    touch_bar : int64 array of shape (n_events,)
        The touching bar, else the last bar inside the horizon, else `event_bar` itself.
    n_undecidable : int
        Events whose first touching bar touches both sides.

    Notes
    -----
    O(n_bars) to build the pyramid, then O(log n_bars) an event. The caller checks positions.

    Examples
    --------
    >>> time_ns, high, low = np.arange(3), np.array([10.0, 13.0, 12.0]), np.array([10.0, 8.0, 11.0])
    >>> one = np.ones(1)
    >>> first_touch_bars(time_ns, high, low, np.array([0]), 12 * one, 9 * one, 5, DROP)
    (array([2], dtype=int8), array([1]), 1)
    >>> first_touch_bars(time_ns, high, low, np.array([0]), 12 * one, 7 * one, 5, DROP)
    (array([1], dtype=int8), array([1]), 0)
    """
    return _touches(close_time_ns, high, low, event_bar, upper, lower, horizon_ns, both)


def path_extremes(price, first_tick, last_tick):
    """Highest and lowest price of each path; paths may overlap.

    Parameters
    ----------
    price : float64 array of shape (n_ticks,)
        Finite.
    first_tick, last_tick : int64 array of shape (n_paths,)
        Positions, both inclusive; a path whose last comes before its first is empty.

    Returns
    -------
    highest, lowest : float64 array of shape (n_paths,)
        -inf and inf where the path is empty.

    Notes
    -----
    O(n_ticks) to build the pyramid, then O(log n_ticks) a path. The caller checks positions.

    Examples
    --------
    >>> path_extremes(np.array([3.0, 1.0, 2.0]), np.array([0, 3]), np.array([1, 2]))
    (array([  3., -inf]), array([ 1., inf]))
    """
    highest, lowest = np.empty(len(first_tick)), np.empty(len(first_tick))
    nodes, bits = _pyramid(price, price, len(first_tick))
    _extend(price, nodes, bits, first_tick, last_tick, highest, lowest)
    return highest, lowest


def _touches(time_ns, high, low, event, upper, lower, horizon_ns, both):
    """First touches of all events, and how many of them touch both sides at once."""
    label, touch = np.zeros(len(event), dtype=np.int8), np.empty(len(event), dtype=np.int64)
    horizon = _one_or_each(horizon_ns, len(event), np.int64)
    label_of_both = _one_or_each(both, len(event), np.int8)
    nodes, bits = _pyramid(high, low, len(event))
    n_both = _touch(
        time_ns, high, low, nodes, bits, event, upper, lower, horizon, label_of_both, label, touch
    )
    return label, touch, n_both


def _one_or_each(values, n_events, dtype):
    """Copy one value for all events, or one an event; any other number is a ValueError."""
    np.broadcast_to(values, n_events)
    return np.array(values, dtype=dtype, ndmin=1)


def _pyramid(high, low, n_searches):
    """Highest and lowest price of every node; node i spans nodes 2 i and 2 i + 1, node 1 all.

    The two lie side by side: one cache line a visit. The second half are the leaves; those after
    the last tick hold -inf and inf. Also returns the width of a leaf, as a power of two: 16 to 128
    ticks, as many as there are for each search.
    """
    bits, n_leaves = _ROW, 1
    while bits < 7 and n_searches << bits < len(high):
        bits += 1
    while n_leaves << bits < len(high):
        n_leaves *= 2
    nodes = np.empty((2 * n_leaves, 2))
    _build(high, low, nodes, bits)
    return nodes, bits


@njit(cache=True, nogil=True)
def _build(high, low, nodes, bits):
    """Fill a pyramid, leaves first."""
    n_leaves, n_whole = len(nodes) >> 1, len(high) >> bits
    for leaf in range(n_whole):
        highest, lowest = -np.inf, np.inf
        for row in range(leaf << (bits - _ROW), (leaf + 1) << (bits - _ROW)):
            # The compiler knows this length and unrolls the loop: a quarter faster.
            for i in range(row << _ROW, (row << _ROW) + (1 << _ROW)):
                highest, lowest = max(highest, high[i]), min(lowest, low[i])
        nodes[n_leaves + leaf, 0], nodes[n_leaves + leaf, 1] = highest, lowest
    ragged = n_leaves + n_whole
    nodes[ragged:, 0], nodes[ragged:, 1] = -np.inf, np.inf
    for i in range(n_whole << bits, len(high)):
        highest, lowest = max(nodes[ragged, 0], high[i]), min(nodes[ragged, 1], low[i])
        nodes[ragged, 0], nodes[ragged, 1] = highest, lowest
    for node in range(n_leaves - 1, 0, -1):
        left, right = 2 * node, 2 * node + 1
        nodes[node, 0] = max(nodes[left, 0], nodes[right, 0])
        nodes[node, 1] = min(nodes[left, 1], nodes[right, 1])


@njit(cache=True, nogil=True)
def _extend(price, nodes, bits, first_tick, last_tick, highest, lowest):
    """Fill each path's extremes from the ticks at its ends and from the nodes between them."""
    n_leaves, last = len(nodes) >> 1, (1 << bits) - 1
    for p in range(len(first_tick)):
        start, stop, most, least = first_tick[p], last_tick[p] + 1, -np.inf, np.inf
        while start < stop and start & last != 0:
            most, least = max(most, price[start]), min(least, price[start])
            start += 1
        while start < stop and stop & last != 0:
            stop -= 1
            most, least = max(most, price[stop]), min(least, price[stop])
        start, stop = n_leaves + (start >> bits), n_leaves + (stop >> bits)
        while start < stop:
            # Only a right node at the start and a left one at the stop stick out of their parents.
            if start & 1:
                most, least = max(most, nodes[start, 0]), min(least, nodes[start, 1])
                start += 1
            if stop & 1:
                stop -= 1
                most, least = max(most, nodes[stop, 0]), min(least, nodes[stop, 1])
            start, stop = start >> 1, stop >> 1
        highest[p], lowest[p] = most, least


@njit(cache=True, nogil=True)
def _touch(
    time_ns, high, low, nodes, bits, event, upper, lower, horizon_ns, label_of_both, label, touch
):
    """Fill touches, and labels that come in as zeros; count those that touch both barriers."""
    n_ticks, n_both, line = np.uint64(len(time_ns)), 0, np.uint64(0)
    width = np.uint64(bits)
    for e in range(len(event)):
        event_ns = time_ns[event[e]]
        end_ns = event_ns + horizon_ns[e if len(horizon_ns) > 1 else 0]
        start = _first_after(time_ns, event_ns, np.uint64(event[e]), _ONE)
        at = _first_outside(time_ns, high, low, nodes, width, start, end_ns, upper[e], lower[e])
        if at < n_ticks and time_ns[at] <= end_ns:
            touch[e] = at
            up, down = high[at] >= upper[e], low[at] <= lower[e]
            # Arithmetic, as no branch could predict which of the two it is; both is rare.
            label[e] = (
                label_of_both[e if len(label_of_both) > 1 else 0] if up & down else 2 * up - 1
            )
            n_both += up & down
        else:
            # Events in order end in order: search on from the end of the last time-out, a cache
            # line at a time (a twentieth faster at 30 ticks an event, a tenth at 60).
            ahead = line > start and time_ns[line - _ONE] <= end_ns
            line = _first_after(time_ns, end_ns, line if ahead else start, _LINE)
            stop = line
            for i in range(line, min(line + _LINE - _ONE, n_ticks)):
                stop += np.uint64(time_ns[i] <= end_ns)
            touch[e] = stop - _ONE if stop > start else np.uint64(event[e])
    return n_both


@njit(cache=True, nogil=True, forceinline=True)
def _first_after(time_ns, moment_ns, start, width):
    """First position from `start` on that is later than a moment, else the length.

    Exact to within `width`: the true position is at most ``width - 1`` after the one returned,
    which lies a multiple of `width` after `start`. Steps grow until they pass the position, then
    are halved, by arithmetic, as neither half is likelier: O(log distance), and nearly nothing
    where the answer is near.
    """
    n, first, step = np.uint64(len(time_ns)), start, width
    while start + step <= n and time_ns[start + step - _ONE] <= moment_ns:
        start += step
        step <<= np.uint64(start - first >= step << _TWO)
    while step > width:
        step >>= _ONE
        start += step * np.uint64(time_ns[min(start + step, n) - _ONE] <= moment_ns)
    return min(start, n)


@njit(cache=True, nogil=True, forceinline=True)
def _first_outside(time_ns, high, low, nodes, bits, start, end_ns, upper, lower):
    """First position from `start` on that reaches a barrier, if that is by the end of the horizon.

    Else a position after the end, or the length.
    """
    n, n_leaves = np.uint64(len(high)), np.uint64(len(nodes)) >> _ONE
    if start == n:
        return n
    node, depth, known = n_leaves + (start >> bits), np.uint64(0), np.uint64(0)
    # Where the whole leaf stays between the barriers, so does the part of it on the path.
    if not _inside(nodes, node, upper, lower):
        stop = min(((start >> bits) + _ONE) << bits, n)
        at = _scan(high, low, start, stop, upper, lower)
        if at < stop or stop == n:
            return at
        node += _ONE
    while _inside(nodes, node, upper, lower):
        if node & (node + _ONE) == 0:  # the last of its level
            return n
        # A left node's parent spans it and more; what follows a right one starts the next parent.
        node, depth, known = (node + _ONE) >> _ONE, depth + _ONE, node
    # Reached from its left half, which is inside: the right half is the one.
    half = np.uint64(known == node << _ONE)
    node, depth = (node << half) + half, depth - half
    at = ((node << depth) - n_leaves) << bits
    if time_ns[at] > end_ns:
        return at
    # Two levels at once: their nodes lie side by side, so memory is waited for once, not twice.
    while node < n_leaves >> _ONE:
        node <<= _TWO
        one = _inside(nodes, node, upper, lower)
        two = one & _inside(nodes, node + _ONE, upper, lower)
        three = two & _inside(nodes, node + _TWO, upper, lower)
        node += np.uint64(one) + np.uint64(two) + np.uint64(three)
    if node < n_leaves:
        node <<= _ONE
        node += np.uint64(_inside(nodes, node, upper, lower))
    at = (node - n_leaves) << bits
    if time_ns[at] > end_ns:
        return at
    return _scan(high, low, at, n, upper, lower)


@njit(cache=True, nogil=True, forceinline=True)
def _inside(nodes, node, upper, lower):
    """Whether a whole node stays between the barriers."""
    return not ((nodes[node, 0] >= upper) | (nodes[node, 1] <= lower))


@njit(cache=True, nogil=True, forceinline=True)
def _scan(high, low, start, stop, upper, lower):
    """First position of ``[start, stop)`` that reaches a barrier, else `stop`."""
    while start < stop and not ((high[start] >= upper) | (low[start] <= lower)):
        start += _ONE
    return start
