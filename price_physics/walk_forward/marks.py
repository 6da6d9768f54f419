"""Make the tables of a month's equity: marks at bar closes, changes of the book, UTC days.

They show one ``BookPath`` at different times and add nothing to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from price_physics.errors import StaleInputs
from price_physics.frames import conform
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY

if TYPE_CHECKING:
    import pandas as pd

    from price_physics.months import Month
    from price_physics.walk_forward.book import BookPath
    from price_physics.walk_forward.tape import Tape

DAY_NS = 86_400_000_000_000


def equity_table(path: BookPath, tape: Tape, bars: pd.DataFrame, month: Month) -> pd.DataFrame:
    """Mark the book at every bar close of the month, and once at its end.

    The open bar at the month's end is marked there, at the last trade's price: which tick is the
    last is not known earlier. The last row is always the end of the month. Where nothing has ever
    traded there is no row.

    Parameters
    ----------
    path : BookPath
    tape : Tape
    bars : DataFrame
        BARS of the month.
    month : Month

    Returns
    -------
    DataFrame
        EQUITY.

    Raises
    ------
    StaleInputs
        When the bars do not contain every tick of the month exactly once.
    """
    if not tape.last:
        return EQUITY.empty()
    in_bar = bars["n_ticks"].to_numpy(dtype=np.int64) * tape.prices_a_tick
    last_tick = tape.first + np.cumsum(in_bar) - 1
    n_in_bars, n_ticks = int(in_bar.sum()), tape.last - tape.first
    if n_in_bars != n_ticks:
        raise StaleInputs(
            f"bars of {month} hold {n_in_bars} ticks, ticks of {month} are {n_ticks}: the ticks "
            "were built again and the bars were not"
        )
    whole = ~bars["partial"].to_numpy(dtype=bool)
    tick = np.append(last_tick[whole], tape.last)
    price = tape.price_at(tick)
    book, equity, gross_equity = value_at(path, tick, price)
    return conform(
        EQUITY,
        time_ns=tape.time_at(tick),
        price=price,
        book=book,
        equity=equity,
        gross_equity=gross_equity,
    )


def value_at(
    path: BookPath, tick: np.ndarray, price: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value the book at `price`, after all changes up to and including each tick.

    Returns
    -------
    book, equity, gross_equity : float64 array of shape (n,)
    """
    n_changes = np.searchsorted(path.tick, tick, side="right")
    book = np.append(path.start_book, path.book)[n_changes]
    moved = 1 + book * (price / np.append(path.start_price, path.price)[n_changes] - 1)
    equity = np.append(1.0, path.equity)[n_changes] * moved
    gross_equity = np.append(1.0, path.gross_equity)[n_changes] * moved
    return book, np.maximum(equity, 0.0), np.maximum(gross_equity, 0.0)


def book_table(path: BookPath, tape: Tape, month: Month) -> pd.DataFrame:
    """List the book at the start of the month and after each tick that changed it.

    Where nothing traded before the month, the first row is its first tick.
    """
    if not tape.last:
        return BOOK.empty()
    began = month.start_ns if tape.first else tape.prices.time_ns[0]
    last_of_tick = np.append(np.diff(path.tick) != 0, True)[: len(path.tick)]
    book = np.append(path.start_book, path.book[last_of_tick])
    changed = np.append(True, np.diff(book) != 0)
    tick = path.tick[last_of_tick]
    return conform(
        BOOK,
        time_ns=np.append(began, tape.time_at(tick))[changed],
        price=np.append(path.start_price, tape.price_at(tick))[changed],
        book=book[changed],
    )


def daily_table(path: BookPath, tape: Tape, equity: pd.DataFrame, month: Month) -> pd.DataFrame:
    """Return the results of every UTC day of the month, flat days included.

    A day ends at its last mark: its last bar close or change of the book. The days' returns
    compound to the last row of `equity`. A day's cost is what was paid in it, over the equity at
    its start. Buy and hold goes from last trade to last trade, on a market's first day from the
    first trade. A day is covered if it has a trade, or a result without one: the month's last day
    may, because the open bar is marked at its end.

    Parameters
    ----------
    path : BookPath
    tape : Tape
    equity : DataFrame
        EQUITY of the month, from ``equity_table``.
    month : Month

    Returns
    -------
    DataFrame
        DAILY.
    """
    day_start = np.arange(month.start_ns, month.stop_ns, DAY_NS)
    day_end = day_start + DAY_NS - 1
    change_time = tape.time_at(path.tick)
    net = _day_ends(day_end, equity["time_ns"], equity["equity"], change_time, path.equity)
    gross = _day_ends(
        day_end, equity["time_ns"], equity["gross_equity"], change_time, path.gross_equity
    )
    began = np.append(1.0, net[:-1])
    net_return = _growth(net, began)
    day_of_change = (change_time - month.start_ns) // DAY_NS
    n_days = len(day_start)
    paid = np.bincount(day_of_change, weights=path.paid, minlength=n_days)
    turnover = np.bincount(day_of_change, weights=path.turnover, minlength=n_days)
    return conform(
        DAILY,
        day_ns=day_start,
        net_return=net_return,
        gross_return=_growth(gross, np.append(1.0, gross[:-1])),
        cost=np.divide(paid, began, out=np.zeros(n_days), where=began > 0),
        turnover=turnover,
        market_return=_market_returns(tape, day_end),
        covered=_has_trades(tape, day_start, day_end) | (net_return != 0) | (turnover != 0),
        known_at=day_end,
    )


def _day_ends(
    day_end: np.ndarray,
    mark_time: pd.Series,
    mark: pd.Series,
    change_time: np.ndarray,
    change: np.ndarray,
) -> np.ndarray:
    """Return the equity at each day's last mark or change, whichever is later; 1 before any."""
    i = np.searchsorted(mark_time.to_numpy(dtype=np.int64), day_end, side="right")
    j = np.searchsorted(change_time, day_end, side="right")
    time_of_mark = np.append(-1, mark_time.to_numpy(dtype=np.int64))[i]
    time_of_change = np.append(-1, change_time)[j]
    marks = np.append(1.0, mark.to_numpy(dtype=np.float64))[i]
    return np.where(time_of_change > time_of_mark, np.append(1.0, change)[j], marks)


def _growth(after: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Compute the return of each day; 0 once the equity is 0."""
    return np.divide(after, before, out=np.ones(len(after)), where=before > 0) - 1


def _has_trades(tape: Tape, day_start: np.ndarray, day_end: np.ndarray) -> np.ndarray:
    traded = tape.prices.time_ns
    first = np.searchsorted(traded, day_start, side="left")
    return np.searchsorted(traded, day_end, side="right") > first


def _market_returns(tape: Tape, day_end: np.ndarray) -> np.ndarray:
    traded = tape.prices.time_ns
    if not len(traded):
        return np.zeros(len(day_end))
    n_before = np.searchsorted(traded, np.append(day_end[0] - DAY_NS, day_end), side="right")
    price = tape.price_at(np.maximum(n_before - 1, 0))
    return price[1:] / price[:-1] - 1
