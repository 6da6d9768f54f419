"""Loops over ticks: where bars end, and what is in them, in one pass.

Three families of rules: the clock (`time_bars`), a running amount (`threshold_bars`), and the two
sides of the flow against expectations (`flow_bars`: imbalance and run bars). An amount is counted
in ticks, in base or in quote currency.

A pass takes a chunk of at least one tick, ``(time_ns, price, qty, tick_sign)``, and the bar that
the chunk before left open, or `NO_BAR`. A bar is a row of ``times`` (open, close, n_ticks) and of
``values`` (open, high, low, close, volume, notional, bought volume). A pass returns two such
arrays. Their last row is the bar that is still open, with `n_ticks` 0 if there is none. Hand it to
the next call: chunks of any size give the same bars.

Arrays only. Every sum runs in tick order, so that it gives the same bits on every machine. The
caller checks its input; the plain function is each kernel's ``.py_func``.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

TICKS, BASE, QUOTE = 0, 1, 2
IMBALANCE, RUN = -1.0, 0.0
NO_BAR = (np.zeros(3, np.int64), np.array([0.0, -np.inf, np.inf, 0.0, 0.0, 0.0, 0.0]))

_BLOCK = 64
FIRST_ROOM = 512
"""Bars for which a call first allocates room."""
_SHARE_BOUGHT = np.array([0.5, 1.0, 0.5, 0.0])  # by ``tick_sign & 3``: signs 0, +1, none, -1


class FlowRule(NamedTuple):
    """Constants of an imbalance or run rule; see `flow_bars`."""

    unit: int
    against: float  # what a trade adds to the other side: IMBALANCE or RUN
    expected_ticks: float
    min_ticks: int
    max_ticks: int
    weight: float  # of the newest bar in the expectations: 2 / (span + 1)


class _Sums(NamedTuple):
    high: float
    low: float
    volume: float
    notional: float
    bought: float


_NO_SUMS = _Sums(-np.inf, np.inf, 0.0, 0.0, 0.0)


# ---------------------------------------------------------------------------- where bars end
@njit(cache=True, nogil=True)
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

    Notes
    -----
    Sums of the same `n` positive numbers in two orders are within ``2 n eps`` of each other. So
    blocks are summed in the fastest order. The sum in tick order is computed only where the fast
    one is too close to the threshold to decide.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1.4.

    Examples
    --------
    >>> dollar_bars(np.full(6, 10.0), np.array([1.0, 1.0, 5.0, 2.0, 1.0, 1.0]), 20.0)
    array([1, 2, 3, 5])
    """
    last_tick = np.empty(price.size, np.int64)
    n_bars = start = 0
    notional = 0.0
    slack = (price.size + 1) * 2.0**-51
    not_yet, surely = threshold * (1.0 - slack), threshold * (1.0 + slack)
    for first in range(0, price.size, _BLOCK):
        prices, qtys = price[first : first + _BLOCK], qty[first : first + _BLOCK]
        ahead = notional + _sum_in_any_order(prices, qtys)
        if ahead < not_yet:
            notional = ahead
            continue
        for tick in range(first, first + prices.size):
            notional += price[tick] * qty[tick]
            if notional < not_yet:
                continue
            own = slice(start, tick + 1)
            if notional >= surely or add_amounts(QUOTE, price[own], qty[own], 0.0) >= threshold:
                last_tick[n_bars] = tick
                n_bars += 1
                notional = 0.0
                start = tick + 1
    return last_tick[:n_bars].copy()


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _sum_in_any_order(price, qty):
    notional = 0.0
    for tick in range(price.size):
        notional += price[tick] * qty[tick]
    return notional


@njit(cache=True, nogil=True)
def imbalance_bars(
    price, qty, tick_sign, expected_ticks, expected_quote, span_bars, min_ticks, max_ticks
):
    """List the ticks that close a dollar-imbalance bar: `flow_bars` without the bars' contents.

    Parameters
    ----------
    price, qty : float64 array of shape (n_ticks,)
        Positive and finite, in time order; quote currency, base currency.
    tick_sign : int8 array of shape (n_ticks,)
        +1 the buyer is the aggressor, -1 the seller.
    expected_ticks, expected_quote : float
        Initial expectations: ticks a bar, notional a tick; as many buys as sells.
    span_bars : float
        Span of the exponential weights.
    min_ticks, max_ticks : int

    Returns
    -------
    int64 array of shape (n_bars,)
        Positions; the open bar at the end is not listed.

    Examples
    --------
    >>> price, qty = np.full(8, 10.0), np.ones(8)
    >>> tick_sign = np.array([1, 1, 1, -1, -1, 1, 1, 1], np.int8)
    >>> imbalance_bars(price, qty, tick_sign, 4.0, 10.0, 3.0, 1, 100)
    array([1, 7])
    """
    rule = FlowRule(QUOTE, IMBALANCE, expected_ticks, min_ticks, max_ticks, 2.0 / (span_bars + 1.0))
    expected = first_expectations(rule, expected_quote, 0.5)
    last_tick = np.empty(price.size, np.int64)
    n_bars = start = 0
    flow = (0.0, 0.0, 0.0)
    threshold = _threshold(rule, expected)
    for tick in range(price.size):
        flow = _flow_on(rule, flow, price[tick] * qty[tick], _share_bought(tick_sign[tick]))
        if _closes(rule, flow, tick - start + 1, threshold):
            threshold = _update_expectations(rule, expected, flow, tick - start + 1)
            last_tick[n_bars] = tick
            n_bars += 1
            flow = (0.0, 0.0, 0.0)
            start = tick + 1
    return last_tick[:n_bars].copy()


# ---------------------------------------------------------------------------- the fused passes
@njit(cache=True, nogil=True)
def time_bars(first_ns, interval_ns, open_bar, ticks):
    """Cut bars by the clock: one for every interval that holds a tick.

    Parameters
    ----------
    first_ns, interval_ns : int
        Intervals are ``[first_ns + k * interval_ns, first_ns + (k + 1) * interval_ns)``.
    open_bar, ticks : tuples
        See the module.

    Returns
    -------
    times, values : arrays of shape (n_bars + 1, 3) and (n_bars + 1, 7)
        A bar's close is the last nanosecond of its interval: until then another tick may follow.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 2.3.1.1.
    """
    time_ns, price, qty, tick_sign = ticks
    rows = _empty_rows(FIRST_ROOM)
    n_bars = 0
    start = -open_bar[0][2]
    sums = _resume(open_bar[1])
    end_ns = open_bar[0][1] if open_bar[0][2] else first_ns - 1
    for tick in range(price.size):
        if time_ns[tick] > end_ns:
            if start < tick:
                _write_bar(rows, n_bars, open_bar, price, start, tick, sums)
                if tick == 0:  # the whole bar was in earlier chunks
                    rows[1][n_bars, 3] = open_bar[1][3]
                n_bars += 1
                rows = _with_room(rows, n_bars)
            start = tick
            sums = _NO_SUMS
            end_ns = time_ns[tick] + interval_ns - 1 - (time_ns[tick] - first_ns) % interval_ns
        sums = _add(sums, price[tick], qty[tick], _share_bought(tick_sign[tick]))
    _write_bar(rows, n_bars, open_bar, price, start, price.size, sums)
    times, values = _with_times(rows, n_bars + 1, open_bar, time_ns)
    for row in range(n_bars + 1):
        times[row, 1] = times[row, 0] + interval_ns - 1 - (times[row, 0] - first_ns) % interval_ns
    return times, values


@njit(cache=True, nogil=True)
def threshold_bars(unit, threshold, open_bar, ticks):
    """Close a bar on the tick on which its ticks, volume or notional reach a threshold.

    Parameters
    ----------
    unit : int
        `TICKS`, `BASE` or `QUOTE`.
    threshold : float
        Positive, in that unit; the sum restarts at zero after a close.
    open_bar, ticks : tuples
        See the module.

    Returns
    -------
    times, values : arrays of shape (n_bars + 1, 3) and (n_bars + 1, 7)

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, sections 2.3.1.2 to 2.3.1.4.
    """
    time_ns, price, _, _ = ticks
    rows = _empty_rows(FIRST_ROOM)
    n_bars = 0
    start = -open_bar[0][2]
    sums = _resume(open_bar[1])
    tick = 0
    while tick < price.size:
        sums, tick, reached = _add_until(unit, threshold, sums, start, tick, ticks)
        if reached:
            _write_bar(rows, n_bars, open_bar, price, start, tick, sums)
            n_bars += 1
            rows = _with_room(rows, n_bars)
            start = tick
            sums = _NO_SUMS
    _write_bar(rows, n_bars, open_bar, price, start, price.size, sums)
    return _with_times(rows, n_bars + 1, open_bar, time_ns)


@njit(cache=True, nogil=True)
def _add_until(unit, threshold, sums, start, first, ticks):
    # each call names its unit as a constant, so that numba compiles one loop a unit
    if unit == TICKS:
        return _add_until_of(TICKS, threshold, sums, start, first, ticks)
    if unit == BASE:
        return _add_until_of(BASE, threshold, sums, start, first, ticks)
    return _add_until_of(QUOTE, threshold, sums, start, first, ticks)


@njit(cache=True, nogil=True, forceinline=True)
def _add_until_of(unit, threshold, sums, start, first, ticks):
    _, price, qty, tick_sign = ticks
    for tick in range(first, price.size):
        at = np.uint64(tick)  # numba would test a signed index at every tick
        sums = _add(sums, price[at], qty[at], _share_bought(tick_sign[at]))
        if _pick(unit, float(tick + 1 - start), sums.volume, sums.notional) >= threshold:
            return sums, tick + 1, True
    return sums, price.size, False


@njit(cache=True, nogil=True)
def flow_bars(rule, expected, open_flow, open_bar, ticks):
    """Close a bar when one side of the flow reaches what is expected of a bar.

    A trade adds its amount to its own side, and `rule.against` times that to the other. With -1
    the larger side is the absolute imbalance; with 0 it is the larger of bought and sold, a run.

    Parameters
    ----------
    rule : FlowRule
    expected : float64 array of shape (4,)
        Expected contents of a bar, see `first_expectations`; updated in place, once a bar.
    open_flow : float64 array of shape (3,)
        Flow of the open bar, zeros if there is none; updated in place.
    open_bar, ticks : tuples
        See the module.

    Returns
    -------
    times, values : arrays of shape (n_bars + 1, 3) and (n_bars + 1, 7)

    Notes
    -----
    The book closes a bar at ``E[T] |E[b v]|``, or ``E[T] max(P[b=1] E[v|b=1], P[b=-1] E[v|b=-1])``
    for runs, from exponentially weighted bars. With every bar weighing as many ticks as it has,
    the product is the weighted mean of the bars' own sides, which is what `expected` holds.

    Unguarded, the threshold feeds on itself: signs that cancel shrink bars to one tick, and a
    burst makes them explode. So it is never below what `rule.expected_ticks` of balanced flow
    would show, ``sqrt(n E[v²])`` or ``n E[v] / 2``, and a bar has `min_ticks` to `max_ticks`.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 2.3.2.
    """
    time_ns, price, qty, tick_sign = ticks
    rows = _empty_rows(FIRST_ROOM)
    n_bars = 0
    start = -open_bar[0][2]
    sums = _resume(open_bar[1])
    flow = (open_flow[0], open_flow[1], open_flow[2])
    threshold = _threshold(rule, expected)
    for tick in range(price.size):
        buy = _share_bought(tick_sign[tick])
        sums = _add(sums, price[tick], qty[tick], buy)
        flow = _flow_on(rule, flow, _pick(rule.unit, 1.0, qty[tick], price[tick] * qty[tick]), buy)
        if _closes(rule, flow, tick - start + 1, threshold):
            _write_bar(rows, n_bars, open_bar, price, start, tick + 1, sums)
            threshold = _update_expectations(rule, expected, flow, tick - start + 1)
            n_bars += 1
            rows = _with_room(rows, n_bars)
            start = tick + 1
            sums = _NO_SUMS
            flow = (0.0, 0.0, 0.0)
    open_flow[0], open_flow[1], open_flow[2] = flow
    _write_bar(rows, n_bars, open_bar, price, start, price.size, sums)
    return _with_times(rows, n_bars + 1, open_bar, time_ns)


@njit(cache=True, nogil=True)
def add_amounts(unit, price, qty, total):
    """Add the amounts of ticks, in order, to a running total.

    Examples
    --------
    >>> add_amounts(QUOTE, np.array([5.0, 6.0]), np.array([1.0, 2.0]), 3.0)
    20.0
    """
    for tick in range(price.size):
        total += _pick(unit, 1.0, qty[tick], price[tick] * qty[tick])
    return total


# ---------------------------------------------------------------------------- the rule of flow
@njit(cache=True, nogil=True)
def first_expectations(rule, expected_size, expected_buy_fraction):
    """Return the expectations that a month starts with: `rule.expected_ticks` ticks of one size.

    Returns
    -------
    float64 array of shape (4,)
        Ticks; bought side; sold side; sum of squared amounts (imbalance) or of amounts (runs).

    Examples
    --------
    >>> rule = FlowRule(BASE, IMBALANCE, 100.0, 10, 1000, 0.1)
    >>> first_expectations(rule, 2.0, 0.75)
    array([ 100.,  100., -100.,  400.])
    """
    sold_fraction = 1.0 - expected_buy_fraction
    a_tick = np.array(
        [
            1.0,
            expected_size * (expected_buy_fraction + rule.against * sold_fraction),
            expected_size * (sold_fraction + rule.against * expected_buy_fraction),
            expected_size * (expected_size if rule.against == IMBALANCE else 1.0),
        ]
    )
    return rule.expected_ticks * a_tick


@njit(cache=True, nogil=True)
def _flow_on(rule, flow, amount, buy):
    bought, sold, spread = flow
    own = 1.0 - rule.against
    return (
        bought + amount * (rule.against + own * buy),
        sold + amount * (1.0 - own * buy),
        spread + amount * (amount if rule.against == IMBALANCE else 1.0),
    )


@njit(cache=True, nogil=True)
def _closes(rule, flow, n_ticks, threshold):
    if n_ticks < rule.min_ticks:
        return False
    return flow[0] >= threshold or flow[1] >= threshold or n_ticks >= rule.max_ticks


@njit(cache=True, nogil=True)
def _update_expectations(rule, expected, flow, n_ticks):
    expected[0] += rule.weight * (n_ticks - expected[0])
    for side in range(3):
        expected[side + 1] += rule.weight * (flow[side] - expected[side + 1])
    return _threshold(rule, expected)


@njit(cache=True, nogil=True)
def _threshold(rule, expected):
    balanced = rule.expected_ticks * expected[3] / expected[0]
    balanced = np.sqrt(balanced) if rule.against == IMBALANCE else 0.5 * balanced
    return max(expected[1], expected[2], balanced)


# ---------------------------------------------------------------------------- what is in a bar
@njit(cache=True, nogil=True)
def _pick(unit, n_ticks, volume, notional):
    return n_ticks if unit == TICKS else (volume if unit == BASE else notional)


@njit(cache=True, nogil=True)
def _share_bought(tick_sign):
    # a table: no processor predicts a branch on signs, and arithmetic costs more than the sums
    return _SHARE_BOUGHT[tick_sign & 3]


@njit(cache=True, nogil=True)
def _add(sums, price, qty, buy):
    return _Sums(
        price if price > sums.high else sums.high,
        price if price < sums.low else sums.low,
        sums.volume + qty,
        sums.notional + price * qty,
        sums.bought + qty * buy,
    )


@njit(cache=True, nogil=True)
def _resume(values):
    return _Sums(values[1], values[2], values[4], values[5], values[6])


@njit(cache=True, nogil=True)
def _empty_rows(n_rows):
    return np.empty((n_rows, 3), np.int64), np.empty((n_rows, 7))


@njit(cache=True, nogil=True)
def _with_room(rows, n_filled):
    # doubled when full: with room for a bar a tick, every call would have a huge page zeroed
    if n_filled < len(rows[0]):
        return rows
    more = _empty_rows(2 * n_filled)
    more[0][:n_filled], more[1][:n_filled] = rows
    return more


@njit(cache=True, nogil=True)
def _write_bar(rows, row, open_bar, price, start, stop, sums):
    # the bar of ticks [start, stop); a negative start lies in an earlier chunk
    times, values = rows
    times[row, 2] = stop
    values[row, 0] = price[start] if 0 <= start < stop else open_bar[1][0]
    values[row, 1] = sums.high
    values[row, 2] = sums.low
    values[row, 3] = price[stop - 1]
    values[row, 4] = sums.volume
    values[row, 5] = sums.notional
    values[row, 6] = sums.bought


@njit(cache=True, nogil=True)
def _with_times(rows, n_rows, open_bar, time_ns):
    # filled at the end: reading uncached times bar by bar would stall the sums
    times, values = rows[0][:n_rows].copy(), rows[1][:n_rows].copy()
    start = -open_bar[0][2]
    for row in range(n_rows):
        stop = times[row, 2]
        times[row, 0] = time_ns[start] if 0 <= start < stop else open_bar[0][0]
        times[row, 1] = time_ns[stop - 1]
        times[row, 2] = stop - start
        start = stop
    return times, values
