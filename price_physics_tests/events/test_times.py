"""Which bars are events, and the bar of an event."""

import numpy as np
import pandas as pd
import pytest

from price_physics.events.times import event_bars, event_times
from price_physics.study.events import EveryBarEvents
from price_physics_tests.labels import naive
from price_physics_tests.labels.synthetic import make_world

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
