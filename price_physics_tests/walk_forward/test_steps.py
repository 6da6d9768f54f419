from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from price_physics.frames import conform
from price_physics.schemas.walk_forward import BOOK, EQUITY, SCORED
from price_physics.walk_forward.passive import AVERAGE, CASH, against_passive
from price_physics.walk_forward.steps import DAY_NS, signals_of, steps_of
from price_physics_tests.walk_forward import markets

HOUR = DAY_NS // 24


def book_of(*rows):
    time, price, book = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return conform(BOOK, time_ns=(time * HOUR).astype(np.int64), price=price, book=book)


def equity_of(*rows):
    time, price = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    level = np.ones(len(time))
    time_ns = (time * HOUR).astype(np.int64)
    return conform(
        EQUITY, time_ns=time_ns, price=price, book=level, equity=level, gross_equity=level
    )


def test_steps_by_hand():
    """A month starts flat, goes long at 10 h, short the next day at 30 h; bars close in between."""
    book = book_of((0, 100, 0.0), (10, 104, 1.0), (30, 106, -0.5))
    equity = equity_of((6, 102), (20, 105), (48, 100))
    steps = steps_of(book, equity, np.array([0, 1, 2]))
    assert steps.book.tolist() == [0.0, 0.0, 1.0, 1.0, -0.5]
    price = [100, 102, 104, 105, 106, 100]
    assert steps.market == pytest.approx([b / a - 1 for a, b in pairwise(price)])
    assert (steps.duration / HOUR).tolist() == [6, 4, 10, 10, 18]
    assert steps.day.tolist() == [0, 0, 0, 1, 2]


def test_a_step_that_ends_on_a_day_that_does_not_count_ends_before_it():
    book, equity = book_of((0, 100, 1.0)), equity_of((6, 102), (47, 101), (80, 103))
    assert steps_of(book, equity, np.array([0, 3])).day.tolist() == [0, 0, 3]
    assert steps_of(book, equity, np.array([1, 3])).day.tolist() == [1, 1, 3]


def test_a_change_at_the_very_time_of_a_close_holds_from_then_on():
    book, equity = book_of((0, 100, 0.0), (6, 102, 1.0)), equity_of((6, 102), (8, 104))
    steps = steps_of(book, equity, np.array([0]))
    assert steps.book.tolist() == [0.0, 1.0, 1.0]
    assert steps.market == pytest.approx([0.02, 0.0, 2 / 102])


def test_without_a_mark_there_is_no_step():
    steps = steps_of(BOOK.empty(), EQUITY.empty(), np.array([0, 1]))
    assert [len(x) for x in (steps.book, steps.market, steps.duration, steps.day)] == [0] * 4


def test_what_was_won_is_what_the_days_say_less_what_the_average_earns():
    """The same numbers from the days and the prices, without a step in between."""
    daily, book, equity = markets.random_market(np.random.default_rng(3), 40, 5.0)
    day = daily["day_ns"].to_numpy() // DAY_NS
    net = daily["net_return"].to_numpy()
    against = against_passive(steps_of(book, equity, day), day, net)
    assert against[CASH].won == pytest.approx(net)
    held = book["book"].to_numpy()
    price = np.append(book["price"], equity["price"].iloc[-1])
    market = (price[1:] / price[:-1] - 1).reshape(40, 6)
    average = held.mean()
    assert against[AVERAGE].held == pytest.approx(average)
    assert against[AVERAGE].won == pytest.approx(net - average * market.sum(axis=1))
    timed = (held - average) * market.ravel()
    assert against[AVERAGE].squares == pytest.approx(timed @ timed)


def test_signals_are_fractions_and_days():
    n = 3
    columns = dict.fromkeys(SCORED.columns, np.zeros(n))
    scored = pd.DataFrame(
        columns
        | {
            "stated_bps": [10.0, -2.0, 4.0],
            "returned_bps": [50.0, 1.0, -30.0],
            "known_at": [DAY_NS - 1, DAY_NS, 3 * DAY_NS + 5],
        }
    )
    signals = signals_of(scored)
    assert signals.stated_gross == pytest.approx([1e-3, -2e-4, 4e-4])
    assert signals.gross == pytest.approx([5e-3, 1e-4, -3e-3])
    assert signals.day.tolist() == [0, 1, 3]
    assert signals.n_promising == 2
