"""Follow the book and its equity, change by change. Arrays only."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def book_path(weight_change, count_change, start_weight, start_count):
    """Clip the running sum of live weights to [-1, 1], after every order.

    Parameters
    ----------
    weight_change : float64 array of shape (n,)
        Change of the sum of live weights.
    count_change : int64 array of shape (n,)
        Change of the number of live positions. Where that number is zero the sum is set to exactly
        0, which rounding would miss.
    start_weight, start_count : float, int
        The positions carried in.

    Returns
    -------
    float64 array of shape (n,)
        The book after each order. Moves below 1e-12 are rounding errors of orders that cancel out,
        and leave the book as it is.
    """
    book = np.empty(len(weight_change))
    weight, count = start_weight, start_count
    held = min(max(weight, -1.0), 1.0)
    for i in range(len(weight_change)):
        weight += weight_change[i]
        count += count_change[i]
        if count == 0:
            weight = 0.0
        wanted = min(max(weight, -1.0), 1.0)
        if abs(wanted - held) >= 1e-12 or count == 0:
            held = wanted
        book[i] = held
    return book


@njit(cache=True, nogil=True)
def equity_path(book, price, fill, start_book, start_price, cost_a_side):
    """Compute the equity after every change of the book, from 1 at the start of the month.

    Between changes the units held are fixed: ``E * (1 + b * (p / p0 - 1))``. A change from b0 to b1
    costs ``cost_a_side * E * |b1 - b0|``. If it trades at `fill` while the market is at `price`, it
    earns ``(b1 - b0) * (price - fill) / price * E``. Equity stops at 0.

    Parameters
    ----------
    book, price, fill : float64 array of shape (n,)
        The book after each change, the market's price there, the price traded at.
    start_book, start_price, cost_a_side : float

    Returns
    -------
    equity, paid : float64 array of shape (n,)
        Equity after each change; costs paid there, in the same unit.
    """
    n = len(book)
    equity, paid = np.empty(n), np.empty(n)
    e, b0, p0 = 1.0, start_book, start_price
    for i in range(n):
        p = price[i]
        e *= 1.0 + b0 * (p / p0 - 1.0)
        e = max(e, 0.0)
        change = book[i] - b0
        paid[i] = cost_a_side * e * abs(change)
        e += change * (p - fill[i]) / p * e - paid[i]
        e = max(e, 0.0)
        equity[i] = e
        b0, p0 = book[i], p
    return equity, paid
