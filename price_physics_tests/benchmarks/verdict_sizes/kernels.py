"""Books that react to what they earn, and sums of steps by day. Arrays only."""

import numpy as np
from numba import njit

STEPS_A_DAY = 6
N_SUMS = 7
(GROSS, MARKET, SO_FAR, SQUARE, CROSS, MARKET_SQUARE, SO_FAR_SQUARE) = range(N_SUMS)


@njit(cache=True)
def daily_sums(book, market):
    """Sum by day what every passive investor needs, for every run.

    Returns
    -------
    sums : float64 array of shape (7, n_runs, n_days)
        With c the average position so far: ``b r``, ``r``, ``c r``, ``(b r)**2``, ``b r**2``,
        ``r**2``, ``((b - c) r)**2``.
    average : float64 array of shape (n_runs, n_days)
        Average position at the end of each day.
    """
    n_runs, n_steps = book.shape
    n_days = n_steps // STEPS_A_DAY
    sums = np.zeros((N_SUMS, n_runs, n_days))
    average = np.empty((n_runs, n_days))
    for run in range(n_runs):
        apart = 0.0
        for i in range(n_steps):
            day = i // STEPS_A_DAY
            b, r = book[run, i], market[run, i]
            apart += b - book[run, 0]
            c = book[run, 0] + apart / (i + 1)
            sums[GROSS, run, day] += b * r
            sums[MARKET, run, day] += r
            sums[SO_FAR, run, day] += c * r
            sums[SQUARE, run, day] += (b * r) ** 2
            sums[CROSS, run, day] += b * r * r
            sums[MARKET_SQUARE, run, day] += r * r
            sums[SO_FAR_SQUARE, run, day] += ((b - c) * r) ** 2
            average[run, day] = c
    return sums, average


@njit(cache=True)
def barrier_trades(entry, side, market, take_profit, stop_loss):
    """Hold each trade until its result, summed over steps, reaches a barrier.

    A trade whose turn comes while another is open starts when that one is closed.

    Parameters
    ----------
    entry : int64 array of shape (n_runs, n_trades)
        Steps, ascending.
    side : float64 array of shape (n_runs, n_trades)
    market : float64 array of shape (n_runs, n_steps)
    """
    n_runs, n_steps = market.shape
    book = np.zeros((n_runs, n_steps))
    for run in range(n_runs):
        trade, is_open, result = 0, False, 0.0
        for i in range(n_steps):
            if not is_open and trade < entry.shape[1] and i >= entry[run, trade]:
                is_open, result = True, 0.0
            if is_open:
                book[run, i] = side[run, trade]
                result += side[run, trade] * market[run, i]
                if result >= take_profit or result <= -stop_loss:
                    is_open = False
                    trade += 1
    return book


@njit(cache=True)
def doubling_down(side, market, first_stake):
    """Double the stake after a loss, up to 1, on the same side; begin anew after a gain."""
    n_runs, n_steps = market.shape
    book = np.empty((n_runs, n_steps))
    for run in range(n_runs):
        stake, held = first_stake, side[run, 0]
        for i in range(n_steps):
            book[run, i] = held * stake
            if held * market[run, i] < 0:
                stake = min(1.0, 2 * stake)
            else:
                stake = first_stake
                held = side[run, min(i + 1, n_steps - 1)]
    return book


@njit(cache=True)
def planted_trend(noise, look_back, sign, gain, warm_up):
    """Follow (+1) or fade (-1) the last move in a market that moves `gain` the book's way.

    Returns
    -------
    book, market : float64 array of shape (n_runs, n_steps)
        Of the steps after the warm-up.
    """
    n_runs, n_steps = noise.shape
    book = np.zeros((n_runs, n_steps))
    market = noise.copy()
    for run in range(n_runs):
        move = 0.0
        for i in range(n_steps):
            if i >= look_back:
                book[run, i] = sign if move > 0 else -sign
                market[run, i] += gain * book[run, i]
                move -= market[run, i - look_back]
            move += market[run, i]
    return book[:, warm_up:], market[:, warm_up:]
