"""The loops over the rows of a month: their order, repeated ids, sides, and what is counted.

Arrays only; ``sort``, ``clean`` and ``quality`` say what is done with what they give.
"""

import numpy as np
from numba import njit

STAYS, DUPLICATE, CONFLICT = 0, 1, 2
"""What becomes of a row. A duplicate repeats an id and its payload, a conflict the id alone."""

N_BUCKETS = 128 * 1024
"""From 2**-65 to 2**63, see `bucket`."""

_FAR_ID = 1_000_000_000


# ---------------------------------------------------------------------------- order
@njit(cache=True, nogil=True)
def in_order(time_ns, trade_id, orders):
    """Say whether rows are sorted by time, then id; rows whose id does not order come last."""
    for row in range(1, time_ns.size):
        if time_ns[row] > time_ns[row - 1]:
            continue
        if time_ns[row] < time_ns[row - 1] or (orders[row] and not orders[row - 1]):
            return False
        if orders[row] and trade_id[row] < trade_id[row - 1]:
            return False
    return True


@njit(cache=True, nogil=True)
def count_steps(time_ns, before_ns):
    """Count the rows later and earlier than the row before; `before_ns` is that of the first."""
    n_forwards = n_backwards = 0
    for time in time_ns:
        n_forwards += time > before_ns
        n_backwards += time < before_ns
        before_ns = time
    return n_forwards, n_backwards


@njit(cache=True, nogil=True)
def repeats(time_ns, trade_id, price, qty, sign, orders, highest):
    """Compare sorted rows with those of the same time and id, and list ids that do not grow.

    Returns
    -------
    verdict : int8 array of shape (n_rows,)
        `STAYS`, `DUPLICATE` or `CONFLICT`, compared with rows of the same time.
    suspects : int64 array
        Other ids that are not above every id before them: they may have been seen earlier.
    highest : int
        The highest id so far.
    """
    verdict = np.full(time_ns.size, np.int8(STAYS))
    suspects = np.empty(time_ns.size, np.int64)
    n_suspects, lead = 0, -1
    for row in range(time_ns.size):
        if not orders[row]:
            continue
        if lead >= 0 and time_ns[row] == time_ns[lead] and trade_id[row] == trade_id[lead]:
            same = price[row] == price[lead] and qty[row] == qty[lead] and sign[row] == sign[lead]
            verdict[row] = DUPLICATE if same else CONFLICT
            continue
        lead = row
        leaps = 0 <= highest < trade_id[row] - _FAR_ID
        if trade_id[row] <= highest or leaps:  # a leap may be damage: it hides no later id
            suspects[n_suspects] = trade_id[row]
            n_suspects += 1
        else:
            highest = trade_id[row]
    return verdict, suspects[:n_suspects].copy(), highest


@njit(cache=True, nogil=True)
def tick_rule(price, sign, price_before, sign_before):
    """Fill missing sides (0) from price changes: see ``clean.TickRule``."""
    signs = np.empty(price.size, np.int8)
    for tick in range(price.size):
        if sign[tick] != 0:
            sign_before = sign[tick]
        elif price[tick] > price_before:
            sign_before = 1
        elif price[tick] < price_before:
            sign_before = -1
        signs[tick] = sign_before
        price_before = price[tick]
    return signs


# ---------------------------------------------------------------------------- quality
@njit(cache=True, nogil=True)
def bucket(value):
    """Place of a positive value in a histogram of 1,024 buckets a power of two."""
    # the bits of a float64: its exponent, then its fraction, of which ten are kept
    place = (np.float64(value).view(np.int64) >> 42) - (1023 - 65) * 1024
    return min(max(place, 0), N_BUCKETS - 1)


@njit(cache=True, nogil=True)
def count_gaps(time_ns, before_ns, counts, sums):
    """Add the gaps between ticks to a histogram, zeros left out; `before_ns` < 0 is no tick.

    Returns the longest gap and when it started; (0, -1) without any.
    """
    longest, start_ns = 0, -1
    for time in time_ns:
        gap = time - before_ns
        if before_ns >= 0 and gap > 0:
            place = bucket(float(gap))
            counts[place] += 1
            sums[place] += gap
            if gap > longest:
                longest, start_ns = gap, before_ns
        before_ns = time
    return longest, start_ns


@njit(cache=True, nogil=True)
def count_changes(price, last, size_counts, size_sums, spike_counts, spike_sums):
    """Add the sizes of log price changes, and those of jumps that revert at once, to histograms.

    `last` holds the price before (NaN at first) and the change that led to it, and is updated. A
    jump reverts when the next change goes back by at least half of it; it is as large as the
    smaller of both.
    """
    before, out = last[0], last[1]
    for now in price:
        if now == before:
            out = 0.0
            continue
        if before == before:
            change = np.log(now / before)
            size = abs(change)
            place = bucket(size)
            size_counts[place] += 1
            size_sums[place] += size
            if out * change < 0 and abs(out + change) <= abs(out) / 2:
                smaller = min(size, abs(out))
                place = bucket(smaller)
                spike_counts[place] += 1
                spike_sums[place] += smaller
            out = change
        before = now
    last[0], last[1] = before, out
