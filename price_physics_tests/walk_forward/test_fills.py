"""Tick paths by hand: one event at hour 0, price 100, barriers 102 and 97, horizon 10 hours."""

import numpy as np
import pytest

from price_physics.errors import StoreError
from price_physics.walk_forward.fills import close_stale, fill_signals
from price_physics.walk_forward.tape import Tape
from price_physics_tests.walk_forward import make
from price_physics_tests.walk_forward.make import FEB, HOUR


def run(path, side=1, latency=0.0, horizon=10.0, ends_with_bar=False):
    """`path`: (hour, price) after the event's own tick. Returns state, entry, exit, price, hour."""
    time = make.hours(FEB, 0, *[h for h, _ in path])
    price = np.array([100.0, *[p for _, p in path]])
    row = {"event": FEB.start_ns, "horizon": int(horizon * HOUR), "side": side}
    signals = make.predictions([row | {"upper": 102.0, "lower": 97.0}])
    latency_ns = int(latency * HOUR)
    prices = make.prices(time, price)
    fills = fill_signals(signals, prices, latency_ns, FEB.end_ns, ends_with_bar=ends_with_bar)
    hour = (fills.exit_time_ns[0] - FEB.start_ns) / HOUR if fills.exit_time_ns[0] >= 0 else None
    exit_price = None if np.isnan(fills.exit_price[0]) else fills.exit_price[0]
    return fills.state[0], fills.entry[0], fills.exit[0], exit_price, hour


@pytest.mark.parametrize(
    ("path", "side", "latency", "expected"),
    [
        # exits without latency
        ([(1, 100), (2, 103), (3, 90)], 1, 0, ("take_profit", 1, 2, 102.0, 2)),
        ([(1, 100), (2, 103), (3, 90)], -1, 0, ("stop_loss", 1, 2, 103.0, 2)),
        ([(1, 100), (2, 96), (3, 110)], 1, 0, ("stop_loss", 1, 2, 96.0, 2)),
        ([(1, 100), (2, 96), (3, 110)], -1, 0, ("take_profit", 1, 2, 97.0, 2)),
        ([(1, 100), (2, 102)], 1, 0, ("take_profit", 1, 2, 102.0, 2)),
        ([(1, 100), (2, 97)], 1, 0, ("stop_loss", 1, 2, 97.0, 2)),
        ([(1, 100), (11, 101), (12, 99)], 1, 0, ("time_out", 1, 2, 101.0, 11)),
        ([(1, 100), (10, 101), (12, 99)], -1, 0, ("time_out", 1, 2, 101.0, 10)),
        ([(1, 100), (10, 103)], 1, 0, ("take_profit", 1, 2, 102.0, 10)),
        ([(1, 100), (10, 101), (10, 103)], 1, 0, ("take_profit", 1, 3, 102.0, 10)),
        ([(1, 100), (10.5, 103)], 1, 0, ("time_out", 1, 2, 103.0, 10.5)),
        # the filling tick itself is watched
        ([(1, 103), (2, 100)], 1, 0, ("take_profit", 1, 1, 102.0, 1)),
        ([(1, 96), (2, 100)], 1, 0, ("stop_loss", 1, 1, 96.0, 1)),
        ([(3, 96), (4, 100), (5, 99)], 1, 2, ("stop_loss", 1, 3, 99.0, 5)),
        # ticks of the event's own instant are no path
        ([(0, 103), (1, 100), (11, 100)], 1, 0, ("time_out", 2, 3, 100.0, 11)),
        # latency: entries, stops and time-outs wait, take-profits do not
        ([(1, 100), (2, 101), (4, 103)], 1, 2, ("take_profit", 2, 3, 102.0, 4)),
        ([(2, 101), (4, 96), (5, 90), (6, 99)], 1, 2, ("stop_loss", 1, 4, 99.0, 6)),
        ([(2, 101), (11, 98), (12, 99)], 1, 2, ("time_out", 1, 3, 99.0, 12)),
        ([(2, 101), (9, 96), (12, 95)], 1, 2, ("stop_loss", 1, 3, 95.0, 12)),
        ([(2, 101), (11, 103), (13, 104)], 1, 2, ("time_out", 1, 3, 104.0, 13)),
        # cancelled: touched before the fill, or the horizon ended before it
        ([(1, 103), (2, 100), (3, 100)], 1, 2, ("cancelled", -1, -1, None, 1)),
        ([(1, 96), (3, 100)], -1, 2, ("cancelled", -1, -1, None, 1)),
        ([(11, 100)], 1, 0, ("cancelled", -1, -1, None, 10)),
        ([(5, 100), (11, 100)], 1, 10.5, ("cancelled", -1, -1, None, 10)),
        ([], 1, 0, ("cancelled", -1, -1, None, 10)),
        # filled at exactly the horizon's end, out at the same tick
        ([(10, 100)], 1, 0, ("time_out", 1, 1, 100.0, 10)),
        # live: no tick came
        ([(1, 100), (2, 101)], 1, 0, ("live", 1, -1, None, None)),
        ([(2, 100), (5, 96), (6, 95)], 1, 2, ("live", 1, -1, None, None)),
    ],
)
def test_exits_by_hand(path, side, latency, expected):
    assert run(path, side, latency) == expected


THREE_AT_10 = [(1, 100), (10, 99), (10, 98.5), (10, 98), (11, 99.5)]


@pytest.mark.parametrize(
    ("path", "latency", "expected"),
    [
        # which of three trades of one instant closes the last bar is known after none of them
        (THREE_AT_10, 0, ("time_out", 1, 5, 99.5, 11)),
        (THREE_AT_10, 1, ("time_out", 1, 5, 99.5, 11)),
        (THREE_AT_10, 2, ("live", 2, -1, None, None)),
        # what is touched at that instant is touched, by the order or the price that is met
        ([(1, 100), (10, 99), (10, 103), (11, 99)], 0, ("take_profit", 1, 3, 102.0, 10)),
        ([(1, 100), (10, 99), (10, 96), (11, 99)], 0, ("stop_loss", 1, 3, 96.0, 10)),
        ([(10, 99), (11, 98)], 0, ("time_out", 1, 2, 98.0, 11)),
    ],
)
def test_a_horizon_that_ends_with_a_bar_lets_out_after_its_instant(path, latency, expected):
    assert run(path, latency=latency, ends_with_bar=True) == expected


def test_a_horizon_by_the_clock_lets_out_at_its_instant():
    assert run(THREE_AT_10) == ("time_out", 1, 2, 99.0, 10)


def test_not_yet_filled_is_pending_while_the_horizon_runs():
    until_month_end = (FEB.stop_ns - FEB.start_ns) / HOUR
    assert run([], horizon=until_month_end)[0] == "pending"
    assert run([], horizon=until_month_end - 1)[0] == "cancelled"
    assert run([(1, 103)], latency=5, horizon=until_month_end)[0] == "cancelled"


def test_events_without_a_tick_are_refused():
    row = {"event": FEB.start_ns + 1, "horizon": HOUR, "side": 1, "upper": 2.0, "lower": 1.0}
    with pytest.raises(StoreError, match="no tick at event_time_ns"):
        fill_signals(make.predictions([row]), make.prices([FEB.start_ns], [1.0]), 0, FEB.end_ns)


def test_bars_that_the_clock_closes_need_no_tick_there():
    """The event is half an hour after the last tick; horizon and path count from the event."""
    time = make.hours(FEB, 0, 1, 2.25, 3)
    row = {"event": int(make.hours(FEB, 0.5)[0]), "horizon": 2 * HOUR, "side": 1}
    for upper, state, hour in ((102.0, "take_profit", 2.25), (103.0, "time_out", 3)):
        signals = make.predictions([row | {"upper": upper, "lower": 97.0}])
        price = np.array([100.0, 100.0, 102.0, 104.0])
        fills = fill_signals(signals, make.prices(time, price), 0, FEB.end_ns, by_clock=True)
        assert (fills.state[0], fills.entry[0]) == (state, 1)
        assert fills.exit_time_ns[0] == make.hours(FEB, hour)[0]
    with pytest.raises(StoreError, match="no tick at event_time_ns"):
        fill_signals(signals, make.prices(time + HOUR, price), 0, FEB.end_ns, by_clock=True)


def test_no_signals():
    empty = make.predictions([])
    prices = make.prices([0], [1.0])
    fills = fill_signals(empty, prices, 0, 10)
    assert len(fills.state) == 0
    assert len(close_stale(fills, np.empty(0), 0, Tape.of(prices, FEB)).state) == 0
