"""Sum positions into one book: its changes and its equity.

Positions come from ``fills``; ``kernels`` computes a single change; ``marks`` makes the tables that
people read. Within one tick, take-profits and stops of candles trade first, each at its own price.
Then all orders at the market's price net into one change. Positions that leave on the tick that
filled them trade last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from price_physics.walk_forward.exit_reasons import TAKE_PROFIT
from price_physics.walk_forward.kernels import book_path, equity_path

if TYPE_CHECKING:
    from price_physics.walk_forward.fills import Fills
    from price_physics.walk_forward.tape import Tape


@dataclass(frozen=True)
class BookPath:
    """The book after each of its changes in the month, from a start at equity 1."""

    start_book: float
    start_price: float
    tick: np.ndarray
    price: np.ndarray
    book: np.ndarray
    turnover: np.ndarray
    equity: np.ndarray
    gross_equity: np.ndarray
    paid: np.ndarray


def run_book(fills: Fills, weight: np.ndarray, tape: Tape, cost_a_side: float) -> BookPath:
    """Add the positions of a month up, clip the sum, and follow the equity.

    Parameters
    ----------
    fills : Fills
        Of all signals; those that are not filled change nothing.
    weight : float64 array of shape (n_signals,)
        Side times size over C.
    tape : Tape
    cost_a_side : float
        Fraction of the notional traded.

    Returns
    -------
    BookPath
    """
    filled = fills.entry >= 0
    left_before = (fills.exit >= 0) & (fills.exit < tape.first)
    carried = filled & (fills.entry < tape.first) & ~left_before
    n_carried, sum_carried = int(carried.sum()), float(np.sum(weight[carried]))
    start_book = min(max(sum_carried, -1.0), 1.0)
    start_price = float(tape.price_at(max(tape.first - 1, 0)))

    tick, fill, weight_change, count_change = _changes(fills, weight, tape)
    book = book_path(weight_change, count_change, sum_carried, n_carried)
    change = np.diff(book, prepend=start_book)
    moved = change != 0  # orders that cancel out, or that the clip absorbs, trade nothing
    tick, fill, book = tick[moved], fill[moved], book[moved]
    price = tape.price_at(tick)
    arguments = (book, price, fill, start_book, start_price)
    equity, paid = equity_path(*arguments, cost_a_side)
    gross_equity, _ = equity_path(*arguments, 0.0)
    turnover = np.abs(change[moved])
    return BookPath(
        start_book, start_price, tick, price, book, turnover, equity, gross_equity, paid
    )


def _changes(
    fills: Fills, weight: np.ndarray, tape: Tape
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the orders in the sequence in which they change the book."""
    entering = np.flatnonzero(fills.entry >= tape.first)
    leaving = np.flatnonzero(fills.exit >= tape.first)
    signal = np.concatenate([leaving, entering])
    is_exit = np.arange(len(signal)) < len(leaving)
    tick = np.where(is_exit, fills.exit[signal], fills.entry[signal])
    fill = np.where(is_exit, fills.exit_price[signal], tape.price_at(tick))
    at_once = is_exit & (fills.entry[signal] == fills.exit[signal])
    took_profit = fills.state[signal] == TAKE_PROFIT
    at_level = is_exit & (took_profit | (fill != tape.price_at(tick)))
    stage = np.select([at_once, at_level], [2, 0], 1)
    alone = np.where(stage == 1, -1, signal)  # orders at the market's price trade as one

    order = np.lexsort((signal, alone, stage, tick))
    keys = np.stack([tick, stage, alone])[:, order]
    first = np.flatnonzero(np.any(np.diff(keys, axis=1, prepend=-2) != 0, axis=0))
    sign = np.where(is_exit, -1, 1)[order]
    return (
        keys[0, first],
        fill[order][first],
        np.add.reduceat(sign * weight[signal][order], first) if len(first) else np.empty(0),
        np.add.reduceat(sign, first) if len(first) else np.empty(0, dtype=np.int64),
    )
