"""Which bars are events, the bar of an event, and the width at it."""

import numpy as np
import pandas as pd
import pytest

from price_physics.labels.atr import month_atr
from price_physics.labels.events import count_merged, event_bars, event_times, events_ending_in
from price_physics.months import Month
from price_physics.study.events import EveryBarEvents
from price_physics_tests.labels import naive
from price_physics_tests.labels.synthetic import FIRST, make_study, make_world

CONFIGS = [
    EveryBarEvents(every_n_bars=1, offset_bars=0),
    EveryBarEvents(every_n_bars=3, offset_bars=0),
    EveryBarEvents(every_n_bars=3, offset_bars=2),
]


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_events_and_their_bars_are_the_slow_ones(config):
    world = make_world(seed=0)
    for m in world.months:
        bars = world.bars[m]
        expected = naive.events(bars, config)
        times = event_times(bars, config)
        np.testing.assert_array_equal(times, sorted(expected))
        position = event_bars(bars["close_time_ns"].to_numpy(), bars["partial"].to_numpy(), times)
        np.testing.assert_array_equal(position, [expected[t] for t in sorted(expected)])


def test_the_world_has_what_these_tests_are_about():
    world = make_world(seed=0, n_ticks=241)
    bars = pd.concat(list(world.bars.values()))
    assert bars["close_time_ns"].duplicated().any()
    assert bars["partial"].sum() == len(world.months)


def test_a_partial_bar_at_the_instant_of_an_event_is_not_its_bar():
    """Whether the open bar ends there was not known then: a later tick would have joined it."""
    close_time = np.array([10, 20, 20])
    closed_by_month_end = event_bars(close_time, np.array([False, False, True]), np.array([20]))
    filled_by_a_later_tick = event_bars(np.array([10, 20, 25]), np.zeros(3, bool), np.array([20]))
    assert closed_by_month_end == filled_by_a_later_tick == 1


def test_bars_at_one_instant_are_one_event_the_last():
    bars = pd.DataFrame({"close_time_ns": [10, 20, 20, 20], "partial": False})
    times = event_times(bars, EveryBarEvents())
    np.testing.assert_array_equal(times, [10, 20])
    position = event_bars(bars["close_time_ns"].to_numpy(), bars["partial"].to_numpy(), times)
    np.testing.assert_array_equal(position, [0, 3])


@pytest.mark.parametrize("n_bars", [None, 4])
def test_bars_that_are_no_event_of_their_own_are_counted_where_their_event_ends(n_bars):
    world = make_world(seed=0)
    horizon = {"horizon_minutes": None, "horizon_bars": n_bars}
    study = make_study(labels=horizon if n_bars else {})
    bars = {m: frame.copy() for m, frame in world.bars.items()}
    first, second = world.months[:2]
    for m, places in ((first, [9, 10, 11]), (first, [-3, -2]), (second, [20, 21])):
        rows = bars[m].index[~bars[m]["partial"]][places]
        bars[m].loc[rows, "close_time_ns"] = bars[m].loc[rows[-1], "close_time_ns"]
    before = [count_merged(study, m, world.bars) for m in world.months]
    found = [count_merged(study, m, bars) for m in world.months]
    more = np.subtract(found, before).tolist()
    assert more[:2] == [2, 2]  # the last of the first month ends in the second
    assert sum(more) == 4


def test_atr_of_an_event_is_the_same_float_from_every_partition():
    world = make_world(seed=2)
    m = FIRST + 2
    alone = month_atr({k: world.bars[k] for k in (m - 1, m)}, m, 5)
    for last in (m, m + 1):
        window = {k: v for k, v in world.bars.items() if last - 2 <= k <= last}
        np.testing.assert_array_equal(month_atr(window, m, 5), alone)
    np.testing.assert_array_equal(month_atr(world.bars, m, 5), alone)
    assert not np.isnan(alone).any()


def test_atr_of_the_first_month_warms_up_on_itself():
    world = make_world(seed=2)
    atr = month_atr(world.bars, FIRST, 5)
    assert len(atr) == len(world.bars[FIRST])
    assert np.isnan(atr[:4]).all()
    assert not np.isnan(atr[4:]).any()


def test_atr_after_an_empty_month_warms_up_on_itself():
    world = make_world(seed=2, empty=[FIRST])
    assert len(month_atr(world.bars, FIRST, 5)) == 0
    assert np.isnan(month_atr(world.bars, FIRST + 1, 5)[:4]).all()


def test_events_belong_to_the_month_in_which_their_horizon_ends():
    study, world = make_study(), make_world(seed=3)
    for m in world.months:
        times, _, _, atr = events_ending_in(study, m, world.bars)
        ends = times + study.labels.longest_horizon_ns
        assert ((ends >= m.start_ns) & (ends < m.stop_ns)).all()
        assert (np.diff(times) > 0).all()
        assert (atr > 0).all()
        if m > FIRST:
            assert {Month.of(int(t)) for t in times} == {m - 1, m}


def test_flat_prices_have_no_width_and_make_no_event():
    world = make_world(seed=3)
    flat = {
        m: frame.assign(open=5.0, high=5.0, low=5.0, close=5.0) for m, frame in world.bars.items()
    }
    times, _, price, atr = events_ending_in(make_study(), FIRST + 1, flat)
    assert len(times) == len(price) == len(atr) == 0
