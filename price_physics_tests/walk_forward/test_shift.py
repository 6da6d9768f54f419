import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.errors import StoreError
from price_physics.frames import conform
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY
from price_physics.walk_forward.shift import DAY_NS, shift_statistics, shift_test
from price_physics_tests.walk_forward import markets, naive


def frames(n_days, book_time, book, mark_time, price, book_price=None):
    zero = np.zeros(n_days)
    day = np.arange(n_days) * DAY_NS
    daily = conform(
        DAILY,
        day_ns=day,
        net_return=zero,
        gross_return=zero,
        cost=zero,
        turnover=zero,
        market_return=zero,
        known_at=day + DAY_NS - 1,
    )
    n = len(mark_time)
    return (
        daily,
        conform(BOOK, time_ns=book_time, price=book_price, book=book),
        conform(
            EQUITY,
            time_ns=mark_time,
            price=price,
            book=np.zeros(n),
            equity=np.ones(n),
            gross_equity=np.ones(n),
        ),
    )


def test_three_days_by_hand():
    # Price 1, e, 1/e at the ends of the days; the book is long on the second day only.
    end = np.arange(1, 4) * DAY_NS - 1
    book_time = [0, end[0], end[1]]
    daily, book, equity = frames(
        3, book_time, [0.0, 1.0, 0.0], end, np.exp([0.0, 1.0, -1.0]), np.exp([0.0, 0.0, 1.0])
    )
    # The drift is -1 over three days: each day is worth 1/3 more than it was.
    expected = [1 + 1 / 3, -2 + 1 / 3, 0 + 1 / 3]
    assert shift_statistics(daily, book, equity) == pytest.approx(expected)
    assert shift_test(daily, book, equity) == pytest.approx(1 / 3)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_every_shift_equals_the_naive_sum(seed):
    rng = np.random.default_rng(seed)
    n_days = int(rng.integers(1, 6))
    n_book, n_mark = rng.integers(1, 8, 2)
    hour = DAY_NS // 24
    book_time = np.sort(rng.integers(0, n_days * 24, n_book)) * hour
    mark_time = np.sort(rng.integers(0, n_days * 24, n_mark)) * hour
    book = rng.choice([-1, -0.5, 0, 1], n_book).astype(float)
    price, book_price = rng.uniform(1, 3, n_mark), rng.uniform(1, 3, n_book)
    got = shift_statistics(*frames(n_days, book_time, book, mark_time, price, book_price))
    order = np.argsort(np.concatenate([book_time, mark_time]), kind="stable")
    marks = np.log(np.concatenate([book_price, price]))[order]
    times = np.concatenate([book_time, mark_time])[order]
    expected = naive.shift_statistics(
        n_days, DAY_NS, book_time.tolist(), book.tolist(), times.tolist(), marks.tolist()
    )
    assert got == pytest.approx(expected, abs=1e-9)


def test_always_long_is_no_timing():
    rng = np.random.default_rng(1)
    price = 100 * np.exp(np.append(0, np.cumsum(rng.normal(0.02, 0.02, 60))))
    tables = markets.tables(price, np.ones(60), 1)
    assert tables[0]["net_return"].mean() > 0.01
    assert shift_test(*tables) == 1.0


def test_flat_book_and_no_days():
    price = np.exp(np.random.default_rng(2).normal(size=31))
    assert shift_test(*markets.tables(price, np.zeros(30), 1)) == 1.0
    assert shift_test(DAILY.empty(), BOOK.empty(), EQUITY.empty()) == 1.0


def test_perfect_timing_has_the_smallest_p():
    moves = np.random.default_rng(3).normal(size=90)
    price = np.exp(np.append(0, np.cumsum(moves)) / 50)
    assert shift_test(*markets.tables(price, np.sign(moves), 1)) == pytest.approx(1 / 90)


def test_missing_months_are_closed_up():
    price = np.exp(np.random.default_rng(4).normal(size=21))
    one = markets.tables(price[:11], np.ones(10), 1)
    two = markets.tables(price[10:], -np.ones(10), 1, first_day=100)
    apart = [pd.concat(pair, ignore_index=True) for pair in zip(one, two, strict=True)]
    together = markets.tables(price, np.repeat([1.0, -1.0], 10), 1)
    assert shift_statistics(*apart) == pytest.approx(shift_statistics(*together), abs=1e-9)


def test_a_book_on_a_day_that_daily_lacks_is_refused():
    daily, book, equity = markets.tables(np.ones(11), np.ones(10), 1)
    with pytest.raises(StoreError, match="a day that daily lacks"):
        shift_test(daily[:5], book, equity)
