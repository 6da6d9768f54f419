"""When the horizon of an event ends, and the width at it."""

import numpy as np
import pandas as pd
import pytest

from price_physics.events.times import event_times
from price_physics.labels.atr import month_atr
from price_physics.labels.events import count_merged, events_ending_in
from price_physics.labels.offers import offered_events
from price_physics.months import Month
from price_physics_tests.labels.synthetic import FIRST, make_study, make_world


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


def test_a_width_that_no_price_can_tell_makes_no_event():
    """Wilder's average of flat bars decays and never gets to 0; labels and offers drop the same."""
    study, world, m = make_study(), make_world(seed=3), FIRST + 1
    quiet = {k: frame.copy() for k, frame in world.bars.items()}
    for frame in quiet.values():
        frame[["open", "high", "low", "close"]] = 5.0
    quiet[FIRST].loc[:3, "high"] = 5.5
    atr = month_atr(quiet, m, study.labels.atr_period_bars)
    assert ((atr > 0) & (5.0 + atr == 5.0)).any()
    ended = [events_ending_in(study, k, quiet)[0] for k in (m, m + 1)]
    in_month = [times[(times >= m.start_ns) & (times < m.stop_ns)] for times in ended]
    times = event_times(quiet[m], study.events)
    columns = {"event_time_ns": times, "regime": np.int8(0), "trailing_return": 0.0}
    offered = offered_events(study, m, times, None, quiet, pd.DataFrame(columns))
    assert 0 < len(offered) < len(times)
    assert (offered["lower"] < offered["price"]).all()
    assert (offered["price"] < offered["upper"]).all()
    np.testing.assert_array_equal(offered["event_time_ns"], np.concatenate(in_month))


def test_flat_prices_have_no_width_and_make_no_event():
    world = make_world(seed=3)
    flat = {
        m: frame.assign(open=5.0, high=5.0, low=5.0, close=5.0) for m, frame in world.bars.items()
    }
    times, _, price, atr = events_ending_in(make_study(), FIRST + 1, flat)
    assert len(times) == len(price) == len(atr) == 0
