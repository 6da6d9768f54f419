"""Regime features against the slow reference, by hand, and at the edges."""

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.bars import BARS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics_tests.labels.synthetic import (
    FIRST,
    HOUR_NS,
    World,
    make_market,
    make_study,
    make_ticks,
    make_world,
)
from price_physics_tests.past import only_table, past_of
from price_physics_tests.regimes import naive

MARKET = make_market()
SPANS = [{}, {"return_minutes": 60, "volatility_minutes": 45 * 1440}]


def features_of(study, month, bars):
    return only_table(build_regime_features(study, MARKET, month, past_of({BARS: bars})))


def upto(world, month):
    return {m: frame for m, frame in world.bars.items() if m <= month}


@pytest.mark.parametrize("spans", SPANS, ids=["days", "an hour and 45 days"])
def test_features_are_the_slow_ones(spans):
    world = make_world(seed=4, n_ticks=241)
    study = make_study(regime_features=spans, events={"every_n_bars": 2, "offset_bars": 1})
    seen = set()
    for m in world.months:
        found = features_of(study, m, upto(world, m))
        REGIME_FEATURES.to_arrow(found)
        expected = pd.DataFrame(
            naive.feature_rows(study, [k for k in world.months if k <= m], world.bars)
        )
        assert len(found) > 10
        np.testing.assert_array_equal(found["event_time_ns"], expected["event_time_ns"])
        for column in ("trailing_return", "trailing_volatility"):
            np.testing.assert_allclose(found[column], expected[column], rtol=1e-9, atol=1e-15)
        # 29 or fewer events before: no terciles yet.
        np.testing.assert_array_equal(found["regime"], expected["regime"])
        seen |= set(found["regime"])
    assert len(seen) > 1


def test_by_hand():
    """Bars of one tick at hours 0, 1, 2, 4: closes 100, 110, 121, 121."""
    time_ns = FIRST.start_ns + HOUR_NS * np.array([0, 1, 2, 4])
    ticks = make_ticks(time_ns, [100, 110, 121, 121])
    world = World({FIRST: ticks})
    from_ticks = [
        {"open_time_ns": t, "close_time_ns": t, "close": p, "partial": False}
        for t, p in zip(time_ns, ticks["price"], strict=True)
    ]
    world.bars[FIRST] = pd.DataFrame(from_ticks)
    study = make_study(regime_features={"return_minutes": 120, "volatility_minutes": 120})
    found = features_of(study, FIRST, world.bars)
    step = np.log(1.1)
    # At hour 4 the span (2, 4] holds a flat bar only, and its return starts at hour 2's close.
    np.testing.assert_allclose(found["trailing_return"], [0, step, 2 * step, 0], atol=1e-15)
    np.testing.assert_allclose(
        found["trailing_volatility"], [0, step, np.sqrt(2) * step, 0], atol=1e-15
    )


@pytest.mark.parametrize(
    ("moment", "time_of_day", "day_of_week"),
    [
        ("2020-01-06T00:00", (0, 1), 0),  # a Monday
        ("2020-01-06T06:00", (1, 0), 0),
        ("2020-01-09T12:00", (0, -1), 3),  # a Thursday
        ("2020-01-12T18:00", (-1, 0), 6),  # a Sunday
    ],
)
def test_calendar(moment, time_of_day, day_of_week):
    time_ns = int(pd.Timestamp(moment).value)
    bars = pd.DataFrame({"close_time_ns": [time_ns], "close": [5.0], "partial": [False]})
    month = Month.of(time_ns)
    row = features_of(make_study(), month, {month: bars}).iloc[0]
    angle = 2 * np.pi * day_of_week / 7
    np.testing.assert_allclose(
        row[["time_of_day_sin", "time_of_day_cos", "day_of_week_sin", "day_of_week_cos"]],
        [*time_of_day, np.sin(angle), np.cos(angle)],
        atol=1e-12,
    )


def test_bytes_do_not_depend_on_history_that_no_span_reaches():
    world, study = make_world(seed=5), make_study()
    m = FIRST + 3
    columns = REGIME_FEATURES.columns[:-1]  # the regime is relative to the whole past
    whole = features_of(study, m, world.bars)[columns]
    recent = {k: world.bars[k] for k in (m - 1, m)}
    pd.testing.assert_frame_equal(features_of(study, m, recent)[columns], whole, check_exact=True)


def test_regimes_of_a_month_do_not_depend_on_that_month():
    """Terciles come from earlier months: half of a month's events keep their regimes alone."""
    world, study = make_world(seed=6), make_study()
    m = FIRST + 2
    whole = features_of(study, m, upto(world, m))
    half = {**upto(world, m), m: world.bars[m].iloc[:20]}
    found = features_of(study, m, half)
    pd.testing.assert_frame_equal(found, whole.iloc[: len(found)], check_exact=True)
    assert whole["regime"].nunique() == 3


def test_with_too_few_earlier_events_every_regime_is_the_middle_one():
    world = make_world(seed=7, n_ticks=4 * 29)
    study = make_study()
    first = features_of(study, FIRST, upto(world, FIRST))
    second = features_of(study, FIRST + 1, upto(world, FIRST + 1))
    assert len(first) < 30
    assert set(first["regime"]) == set(second["regime"]) == {1}
    third = features_of(study, FIRST + 2, upto(world, FIRST + 2))
    assert set(third["regime"]) > {1}


@pytest.mark.parametrize("empty", [(FIRST,), (FIRST + 1,), tuple(Month.span(FIRST, FIRST + 3))])
def test_months_without_bars(empty):
    world, study = make_world(seed=8, empty=empty), make_study()
    for m in world.months:
        found = features_of(study, m, upto(world, m))
        assert (REGIME_FEATURES.to_arrow(found).num_rows == 0) == (m in empty)
        if m in empty:
            pd.testing.assert_frame_equal(found, REGIME_FEATURES.empty())


def test_regimes_may_be_given_by_month():
    world = make_world(seed=9)
    months = sorted(world.bars)
    given = {str(m): i % 3 for i, m in enumerate(months)}
    study = make_study(regime_features={"regime_by_month": given})
    for place, month in enumerate(months):
        frame = features_of(study, month, world.bars)
        assert len(frame) > 0
        assert (frame["regime"] == place % 3).all()
    assert study.regime_features.model_dump(mode="json")["regime_by_month"] == given
    lacking = make_study(regime_features={"regime_by_month": {str(months[0]): 1}})
    with pytest.raises(ConfigError, match=rf"regime_by_month has no {months[1]}"):
        features_of(lacking, months[1], world.bars)
