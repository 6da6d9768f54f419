"""Excursions and labels of whole months against the slow reference, and at the edges."""

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import StaleInputs, StoreError
from price_physics.labels.build import build_labels
from price_physics.labels.excursions import build_excursions
from price_physics.months import Month
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.schemas.ticks import TICKS
from price_physics_tests.labels import naive
from price_physics_tests.labels.chain import run_chain
from price_physics_tests.labels.synthetic import (
    FIRST,
    HOUR_NS,
    World,
    make_bars,
    make_market,
    make_study,
    make_ticks,
    make_world,
)
from price_physics_tests.past import only_table, past_of

VARIANTS = {
    "every bar": {},
    "every third, regime": {
        "events": {"every_n_bars": 3, "offset_bars": 1},
        "barrier_policy": {"kind": "regime"},
    },
    "28 days": {
        "labels": {"horizon_minutes": 28 * 24 * 60, "atr_period_bars": 3},
        "folds": {"embargo_minutes": 28 * 24 * 60},
    },
    "one bar's width": {"labels": {"horizon_minutes": 60, "atr_period_bars": 1}},
}


def build(seed=0, market=None, empty=(), n_ticks=240, **changes):
    world = make_world(seed, empty=empty, n_ticks=n_ticks)
    study = make_study(**changes)
    return study, world, run_chain(study, market or make_market(), world)


@pytest.mark.parametrize("name", VARIANTS)
def test_labels_are_the_slow_ones(name):
    study, world, out = build(n_ticks=241, **VARIANTS[name])
    labels = pd.concat(list(out["labels"].values()), ignore_index=True)
    expected = naive.label_rows(study, world)
    last = world.months[-1]
    expected = [row for row in expected if row["horizon_end_ns"] < last.stop_ns]
    # No event is lost and none is labelled twice, whatever month its label is stored in.
    assert labels["event_time_ns"].tolist() == [row["event_time_ns"] for row in expected]
    for row, found in zip(expected, labels.to_dict("records"), strict=True):
        assert found["price"] == row["price"]
        assert found["atr"] == pytest.approx(row["atr"], rel=1e-12)
        assert found["upper"] == row["price"] + found["take_profit_multiple"] * found["atr"]
        assert found["lower"] == row["price"] - found["stop_loss_multiple"] * found["atr"]
        label, end_ns, exit_price, walked = naive.outcome(row, found["upper"], found["lower"])
        assert (found["label"], found["label_end_ns"]) == (label, end_ns)
        assert found["exit_price"] == exit_price
        assert found["horizon_end_ns"] == row["horizon_end_ns"]
        odds = naive.odds(row, found["take_profit_multiple"], found["stop_loss_multiple"])
        assert tuple(found[name] for name in ODDS) == pytest.approx(odds, rel=1e-9, abs=1e-12)
        assert found["known_at"] == end_ns
        rise, fall = naive.excursions(row, walked)
        assert found["favourable_atr"] == pytest.approx(rise, rel=1e-12)
        assert found["adverse_atr"] == pytest.approx(fall, rel=1e-12)
        outcome = (exit_price - row["price"]) / row["atr"]
        assert found["outcome_atr"] == pytest.approx(outcome, rel=1e-12)
        if label == 0:
            assert found["outcome_short_atr"] == pytest.approx(-outcome, rel=1e-12)
        elif label == -1:  # a short takes its profit at the level, not at the tick beyond it
            assert found["outcome_short_atr"] == pytest.approx(found["stop_loss_multiple"])
        else:  # and is stopped at the tick, not at the level
            assert found["outcome_short_atr"] <= -found["take_profit_multiple"] * (1 - 1e-9)
    # A walk leaves its barriers within 28 days; within shorter horizons all three happen.
    assert set(labels["label"]) == ({-1, 1} if name == "28 days" else {-1, 0, 1})


@pytest.mark.parametrize("name", VARIANTS)
def test_excursions_are_the_slow_ones(name):
    study, world, out = build(seed=1, n_ticks=241, **VARIANTS[name])
    found = pd.concat(list(out["excursions"].values()), ignore_index=True)
    expected = [
        row
        for row in naive.label_rows(study, world)
        if row["horizon_end_ns"] < world.months[-1].stop_ns
    ]
    assert found["event_time_ns"].tolist() == [row["event_time_ns"] for row in expected]
    assert found["known_at"].tolist() == [row["horizon_end_ns"] for row in expected]
    pairs = [naive.excursions(row, row["path"]) for row in expected]
    np.testing.assert_allclose(found[["favourable_atr", "adverse_atr"]], pairs, rtol=1e-12)


def test_rows_stand_in_the_month_in_which_their_horizon_ends():
    _, _, out = build()
    for m, frame in out["labels"].items():
        LABELS.to_arrow(frame)
        EXCURSIONS.to_arrow(out["excursions"][m])
        assert (
            (frame["horizon_end_ns"] >= m.start_ns) & (frame["horizon_end_ns"] <= m.end_ns)
        ).all()
        # An excursion a label: both are drawn from the same events.
        assert frame["event_time_ns"].equals(out["excursions"][m]["event_time_ns"])
        assert (frame["label_end_ns"] <= frame["horizon_end_ns"]).all()
        assert (frame["label_end_ns"] > frame["event_time_ns"]).all()
        assert ((frame["label"] == 1) == (frame["exit_price"] == frame["upper"])).all()


def test_an_event_stands_between_the_barriers_of_the_month_before_its_own():
    _, world, out = build()
    for frame in out["labels"].values():
        for row in frame.to_dict("records"):
            policy = out["barrier_policy"].get(Month.of(row["event_time_ns"]) - 1)
            pair = (1.0, 1.0)  # the study's fallback, before there is a policy
            if policy is not None:
                pair = tuple(policy.iloc[0][["take_profit_multiple", "stop_loss_multiple"]])
            assert (row["take_profit_multiple"], row["stop_loss_multiple"]) == pair
    served = pd.concat([out["barrier_policy"][m] for m in world.months[:-1]])
    assert (served["source"] == "quantile").any()
    for month in world.months:
        labels = out["labels"][month]
        events = labels["event_time_ns"].map(Month.of)
        sources = {m: out["barrier_policy"][m]["source"].iloc[0] for m in out["barrier_policy"]}
        expected = [sources.get(m - 1, "fallback") == "fallback" for m in events]
        assert labels["at_fallback"].tolist() == expected
    assert served["take_profit_multiple"].nunique() > 1


def test_a_regime_policy_serves_each_event_by_its_regime():
    _, _, out = build(barrier_policy={"kind": "regime", "min_events": 2})
    features = pd.concat(list(out["regime_features"].values())).set_index("event_time_ns")
    seen = set()
    for frame in out["labels"].values():
        for row in frame.to_dict("records"):
            policy = out["barrier_policy"].get(Month.of(row["event_time_ns"]) - 1)
            if policy is not None:
                regime = features.loc[row["event_time_ns"], "regime"]
                line = policy.set_index("regime").loc[regime]
                assert row["take_profit_multiple"] == line["take_profit_multiple"]
                assert row["stop_loss_multiple"] == line["stop_loss_multiple"]
                seen.add(int(regime))
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("empty", [(FIRST,), (FIRST + 1,), (FIRST + 3,), (FIRST, FIRST + 1)])
def test_months_without_a_trade_are_empty_or_hold_what_ends_in_them(empty):
    study, world, out = build(empty=empty)
    labels = pd.concat([frame for frame in out["labels"].values() if len(frame)])
    n_expected = sum(
        row["horizon_end_ns"] < world.months[-1].stop_ns for row in naive.label_rows(study, world)
    )
    assert len(labels) == n_expected > 0
    for m in world.months:
        table = LABELS.to_arrow(out["labels"][m])
        EXCURSIONS.to_arrow(out["excursions"][m])
        if m in empty and (m == FIRST or m - 1 in empty):
            assert table.num_rows == 0
            pd.testing.assert_frame_equal(out["labels"][m], LABELS.empty())


def quiet_world():
    """Twelve ticks an hour apart, then silence: the last events see no tick, or only some."""
    start = FIRST.start_ns
    time_ns = start + HOUR_NS * np.arange(12)
    price = 100 + np.array([0, 1, 0, 1, 0, 1, 0, 1, 2, 3, 2, 3.0])
    ticks = {FIRST: make_ticks(time_ns, price)}
    return World(ticks)


def labels_of(study, world, market=None, month=FIRST):
    times = world.bars[month]["close_time_ns"].to_numpy()
    features = pd.DataFrame(
        {c: np.ones(len(times)) for c in REGIME_FEATURES.columns[1:]},
    ).assign(event_time_ns=times)
    features = features[REGIME_FEATURES.columns].astype({"regime": np.int8})
    past = past_of({**world.tables, REGIME_FEATURES: {month: features}, BARRIER_POLICY: {}})
    return only_table(build_labels(study, market or make_market(), month, past))


def test_where_nothing_trades_in_the_horizon_the_event_times_out_at_its_own_price():
    study = make_study(labels={"horizon_minutes": 600, "atr_period_bars": 1})
    last = labels_of(study, quiet_world()).iloc[-1]
    assert last["event_time_ns"] == FIRST.start_ns + 11 * HOUR_NS
    assert last["label"] == 0
    assert last["label_end_ns"] == last["horizon_end_ns"] == last["known_at"]
    assert last["exit_price"] == last["price"] == 103
    assert last["outcome_atr"] == last["favourable_atr"] == last["adverse_atr"] == 0


def test_a_time_out_leaves_at_the_last_tick_inside_the_horizon():
    study = make_study(
        labels={"horizon_minutes": 120, "atr_period_bars": 1},
        barrier_policy={"fallback_take_profit": 4.0, "fallback_stop_loss": 4.0},
    )
    first = labels_of(study, quiet_world()).iloc[0]
    assert first["event_time_ns"] == FIRST.start_ns + 3 * HOUR_NS
    assert (first["label"], first["price"], first["atr"]) == (0, 101, 1)
    assert first["exit_price"] == 101  # the tick at hour 5, exactly at the vertical barrier
    assert first["label_end_ns"] == first["event_time_ns"] + 2 * HOUR_NS
    assert (first["favourable_atr"], first["adverse_atr"]) == (0, 1)


@pytest.mark.parametrize(
    ("start_hour", "end_hour", "crossed"),
    [(0, 2, False), (0, 3, True), (4, 4, True), (5, 9, True), (6, 9, False)],
)
def test_a_label_crosses_an_outage_when_their_closed_intervals_meet(start_hour, end_hour, crossed):
    """The first label lives from hour 3 to hour 5, both inclusive."""
    study = make_study(
        labels={"horizon_minutes": 120, "atr_period_bars": 1},
        barrier_policy={"fallback_take_profit": 4.0, "fallback_stop_loss": 4.0},
    )
    outage = {
        "start": f"2020-01-01T{start_hour:02d}:00:00",
        "end": f"2020-01-01T{end_hour:02d}:00:00",
        "reason": "test",
    }
    frame = labels_of(study, quiet_world(), make_market(outages=[outage]))
    assert frame["crosses_outage"].iloc[0] == crossed
    LABELS.to_arrow(frame)


def test_a_lower_barrier_below_zero_is_never_touched():
    world = quiet_world()
    cheap = {FIRST: world.ticks[FIRST].assign(price=lambda t: (t["price"] - 99) / 4)}
    study = make_study(
        labels={"horizon_minutes": 600, "atr_period_bars": 1},
        barrier_policy={"fallback_take_profit": 4.0, "fallback_stop_loss": 4.0},
    )
    frame = labels_of(study, World(cheap))
    assert (frame["lower"] <= 0).any()
    assert (frame.loc[frame["lower"] <= 0, "label"] >= 0).all()


def test_a_policy_that_should_be_there_is_an_error_and_not_the_fallback():
    study, world, out = build()
    m = FIRST + 2
    for lost in (m - 1, m - 2):
        policies = {k: v for k, v in out["barrier_policy"].items() if k != lost}
        read = {REGIME_FEATURES: out["regime_features"], BARRIER_POLICY: policies}
        with pytest.raises(StaleInputs, match=f"barrier_policy of {lost}"):
            build_labels(study, make_market(), m, past_of({**world.tables, **read}))


def test_ticks_that_are_not_those_behind_the_bars_are_refused():
    study, world = make_study(), make_world(seed=0)
    moved = {m: frame.assign(time_ns=frame["time_ns"] + 1) for m, frame in world.ticks.items()}
    with pytest.raises(StoreError, match="no tick at event_time_ns"):
        build_excursions(study, make_market(), FIRST, past_of({**world.tables, TICKS: moved}))


def test_features_of_other_bars_are_refused():
    study, world, out = build()
    short = {m: frame.iloc[1:] for m, frame in out["regime_features"].items()}
    read = {REGIME_FEATURES: short, BARRIER_POLICY: out["barrier_policy"]}
    with pytest.raises(StoreError, match="regime_features lacks"):
        build_labels(study, make_market(), FIRST + 1, past_of({**world.tables, **read}))


def test_the_remaining_trades_of_the_event_instant_are_not_its_path():
    """The bar closes inside an instant; a trade of that instant would touch, a later one not."""
    start = FIRST.start_ns
    ticks = make_ticks(start + HOUR_NS * np.array([0, 1, 2, 3, 3, 4]), [10, 11, 10, 11, 99, 11])
    world = World({FIRST: ticks})
    world.bars = {FIRST: make_bars(FIRST, ticks)}
    study = make_study(labels={"horizon_minutes": 60, "atr_period_bars": 1})
    frame = labels_of(study, world)
    assert frame[["label", "price", "exit_price"]].iloc[0].tolist() == [0, 11, 11]
