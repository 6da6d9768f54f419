"""Prices of ticks, of candles and of bars: when each is known, and candles in turn."""

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import StoreError
from price_physics.prices import Prices, prices_of
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import CANDLES, TICKS

from .bars.candles import MINUTE_NS, candles_of
from .bars.helpers import MAY, ticks_of
from .labels.synthetic import make_bars
from .past import past_of

APRIL = MAY - 1
MONTHS = (APRIL, MAY)
FIELDS = ("open_time_ns", "time_ns", "open", "high", "low", "close")


def two_months_of_ticks():
    return {
        APRIL: ticks_of([(0, 10, 1, 1), (5, 11, 1, -1)], APRIL),
        MAY: ticks_of([(0, 12, 1, 1), (0, 9, 1, 1), (7, 10, 1, 1)]),
    }


def two_months_of_candles():
    rows = [(0, 10, 13, 9, 12, 1, 11, 1), (2, 12, 12, 8, 9, 1, 10, 0)]
    return {APRIL: candles_of(rows, APRIL), MAY: candles_of([(1, 9, 9.5, 9, 9.5, 1, 9, 1)])}


def test_of_ticks_every_price_is_known_at_once():
    ticks = two_months_of_ticks()
    prices = prices_of(past_of({TICKS: ticks}), MONTHS)
    both = pd.concat(ticks.values())
    assert prices.are_ticks
    assert prices.time_ns.tolist() == both["time_ns"].tolist()
    assert prices.close.tolist() == [10, 11, 12, 9, 10]
    assert all(array is prices.close for array in (prices.open, prices.high, prices.low))
    assert prices.open_time_ns is prices.time_ns
    assert prices.in_turn() is prices


def test_of_ticks_only_what_tells_of_price_is_read():
    ticks = {m: frame[["time_ns", "price"]] for m, frame in two_months_of_ticks().items()}
    assert len(prices_of(past_of({TICKS: ticks}), MONTHS).close) == 5


def test_of_candles_the_open_is_known_at_the_start_and_the_rest_at_the_end():
    candles = two_months_of_candles()
    prices = prices_of(past_of({CANDLES: candles}), MONTHS)
    both = pd.concat(candles.values())
    assert not prices.are_ticks
    names = ("open_time_ns", "close_time_ns", "open", "high", "low", "close")
    for field, name in zip(FIELDS, names, strict=True):
        assert getattr(prices, field).tolist() == both[name].tolist()


def test_candles_in_turn_are_an_open_and_then_a_close():
    prices = prices_of(past_of({CANDLES: two_months_of_candles()}), (APRIL,)).in_turn()
    quarter = 15 * MINUTE_NS
    starts = APRIL.start_ns + np.array([0, 2]) * quarter
    expected = {
        "open_time_ns": np.repeat(starts, 2),
        "time_ns": [starts[0], starts[0] + quarter - 1, starts[1], starts[1] + quarter - 1],
        "open": [10, 10, 12, 12],
        "high": [10, 13, 12, 12],
        "low": [10, 9, 12, 8],
        "close": [10, 12, 12, 9],
    }
    for field in FIELDS:
        assert getattr(prices, field).tolist() == list(expected[field]), field
    assert not prices.are_ticks
    assert (np.diff(prices.time_ns) > 0).all()


def test_of_bars_one_that_the_month_cut_is_known_at_its_end():
    ticks = two_months_of_ticks()
    bars = {m: make_bars(m, frame, ticks_a_bar=2) for m, frame in ticks.items()}
    prices = prices_of(past_of({TICKS: ticks, BARS: bars}), MONTHS, BARS)
    assert bars[MAY]["partial"].tolist() == [False, True]
    assert prices.time_ns[-1] == MAY.end_ns
    assert prices.close.tolist() == [11, 9, 10]
    assert prices.high.tolist() == [11, 12, 10]
    assert not prices.are_ticks


@pytest.mark.parametrize("tables", [{TICKS: {}}, {CANDLES: {MAY: CANDLES.empty()}}], ids=str)
def test_without_a_row_there_is_no_price(tables):
    prices = prices_of(past_of(tables), MONTHS).in_turn()
    assert [len(getattr(prices, field)) for field in FIELDS] == [0] * 6


def test_the_last_position_known_at_a_moment():
    prices = tick_prices([5, 7, 7, 9])
    assert prices.last_by(np.array([4, 5, 6, 7, 99])).tolist() == [-1, 0, 0, 2, 3]
    assert prices.last_at(np.array([5, 7])).tolist() == [0, 2]
    assert prices.last_at(np.array([6, 7]), by_clock=True).tolist() == [0, 2]


@pytest.mark.parametrize(("moment", "by_clock"), [(6, False), (4, False), (4, True)])
def test_a_bar_that_closed_on_no_tick_is_refused(moment, by_clock):
    with pytest.raises(StoreError, match=f"no tick at event_time_ns {moment}, the close of a bar"):
        tick_prices([5, 7, 7, 9]).last_at(np.array([moment]), by_clock)


def tick_prices(time_ns):
    time_ns, price = np.array(time_ns, np.int64), np.ones(len(time_ns))
    return Prices(time_ns, time_ns, price, price, price, price)
