"""Barriers touched by the highs and lows of bars: against the slow reference, and at the edges."""

import numpy as np
import pandas as pd
import pytest

from price_physics.labels.build import build_labels
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.study.barriers import FixedBarriers
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

RULES = ("drop", "stop_loss_first")
NARROW = {"kind": "fixed", "take_profit_multiple": 0.5, "stop_loss_multiple": 0.4}
POLICIES = {"quantiles": {}, "narrow": {"barrier_policy": NARROW}}


def bar_study(rule, policy="quantiles", **labels):
    given = {"path": "bars", "both_touched": rule, "horizon_minutes": 36 * 60, **labels}
    one_side = rule == "stop_loss_first" or labels.get("side")
    head = "binary_take_profit" if one_side else "three_class"
    study = make_study(labels=given, model={"head": head})
    if policy == "narrow":
        config = FixedBarriers(**NARROW)
        study = study.model_copy(update={"barrier_policy": config})
    return study


def check(found, row, expected, side=1):
    label, end_ns, left, rise, fall = expected
    assert (found["label"], found["label_end_ns"]) == (label, end_ns)
    assert found["known_at"] == end_ns
    assert found["exit_price"] == pytest.approx(left, rel=1e-12)
    assert found["outcome_atr"] == pytest.approx(side * (left - row["price"]) / row["atr"])
    with_side, against = (rise, fall) if side > 0 else (fall, rise)
    assert found["favourable_atr"] == pytest.approx(with_side, rel=1e-12)
    assert found["adverse_atr"] == pytest.approx(against, rel=1e-12)


def touches_both(row, found):
    """Whether the bar that ends the label reaches both barriers."""
    return any(
        bar[0] == found["label_end_ns"] and bar[2] >= found["upper"] and bar[3] <= found["lower"]
        for bar in row["bars"]
    )


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("rule", RULES)
def test_labels_are_the_slow_ones(rule, policy):
    world = make_world(seed=3, n_ticks=241)  # the 241st tick is a bar that the month's end closes
    study = bar_study(rule, policy)
    out = run_chain(study, make_market(), world)
    labels = pd.concat(list(out["labels"].values())).set_index("event_time_ns")
    ending = [
        row
        for row in naive.rows_with_bars(study, world)
        if row["horizon_end_ns"] < world.months[-1].stop_ns
    ]
    served = pd.concat(list(out["excursions"].values()))["event_time_ns"].tolist()
    assert served == [row["event_time_ns"] for row in ending]
    n_undecidable = n_through_partial = n_opened_beyond = 0
    for row in ending:
        at = row["event_time_ns"]
        if at not in labels.index:
            multiples = NARROW["take_profit_multiple"], NARROW["stop_loss_multiple"]
            assert rule == "drop"
            if policy == "narrow":
                assert naive.trade(row, row["bars"], 1, *multiples)[0] is None
            n_undecidable += 1
            continue
        found = labels.loc[at]
        multiples = found["take_profit_multiple"], found["stop_loss_multiple"]
        expected = naive.trade(row, row["bars"], 1, *multiples)
        if expected[0] is None:
            assert rule == "stop_loss_first"
            n_undecidable += 1
            expected = (-1, *expected[1:])
        check(found, row, expected)
        n_opened_beyond += touches_both(row, found) and found["label"] != 0
        # The opposite side, whose levels are changed about; undecidable is its loss too.
        opposite = naive.trade(row, row["bars"], -1, *multiples[::-1])
        assert found["outcome_short_atr"] == pytest.approx(
            (row["price"] - opposite[2]) / row["atr"]
        )
        n_through_partial += any(found["label_end_ns"] == m.end_ns for m in world.months)
    counts = out["counts"].values()
    assert sum(c["undecidable"] for c in counts) == n_undecidable
    dropped = sum(c["dropped"].get("both_touched", 0) for c in counts)
    assert dropped == (n_undecidable if rule == "drop" else 0)
    assert len(labels) == len(ending) - dropped
    if policy == "narrow":
        assert 5 < n_undecidable < len(ending) / 2
        assert n_through_partial > 0
        assert n_opened_beyond - (n_undecidable if rule == "stop_loss_first" else 0) > 5
        assert set(labels["label"]) == {-1, 0, 1} or rule == "drop"


def test_excursions_are_of_highs_and_lows():
    world = make_world(seed=3, n_ticks=241)
    study = bar_study("drop")
    out = run_chain(study, make_market(), world)
    found = pd.concat(list(out["excursions"].values())).set_index("event_time_ns")
    by_ticks = run_chain(make_study(), make_market(), world)["excursions"]
    for row in naive.rows_with_bars(study, world):
        if row["event_time_ns"] in found.index:
            high = max([row["price"], *(bar[2] for bar in row["bars"])])
            low = min([row["price"], *(bar[3] for bar in row["bars"])])
            excursion = found.loc[row["event_time_ns"]]
            assert excursion["favourable_atr"] == pytest.approx((high - row["price"]) / row["atr"])
            assert excursion["adverse_atr"] == pytest.approx((row["price"] - low) / row["atr"])
    assert (found["known_at"] - found.index == 36 * HOUR_NS).all()
    assert not found.reset_index().equals(pd.concat(list(by_ticks.values())))


# ---------------------------------------------------------------------------- by hand
def by_hand(bars, rule, side=None, month=FIRST):
    """Label the first event of bars (open, high, low, close), an hour each; ATR is 2, price 100.

    The barriers are at 104 and 97; of a short, which a falling trend is, at 103 and 96.
    """
    first = [(100, 101, 99, 100)]
    rows = [(bar[0], bar[1], bar[2], bar[3]) for bar in first + list(bars)]
    price = np.array(rows, dtype=float).ravel()
    hours = np.repeat(np.arange(len(rows)), 4) + np.tile([0.1, 0.2, 0.3, 0.9], len(rows))
    world = World({month: make_ticks(month.start_ns + (hours * HOUR_NS).astype(int), price)})
    config = {"kind": "fixed", "take_profit_multiple": 2.0, "stop_loss_multiple": 1.5}
    study = bar_study(rule, "narrow", horizon_minutes=200, atr_period_bars=1, side=side)
    policy = FixedBarriers(**config)
    study = study.model_copy(update={"barrier_policy": policy})
    times = world.bars[month]["close_time_ns"].to_numpy()
    features = pd.DataFrame({"event_time_ns": times, "regime": np.int8(1), "trailing_return": -0.1})
    labels, counts = by_bars(study, month, world.bars, features)
    LABELS.to_arrow(labels)
    first = labels[labels["event_time_ns"] == times[0]]
    return (first.iloc[0] if len(first) else None), counts, times


def by_bars(study, month, bars, features):
    """Labels and counts of a month; bars alone are read."""
    tables = {BARS: bars, REGIME_FEATURES: {month: features}, BARRIER_POLICY: {}}
    result = build_labels(study, make_market(), month, past_of(tables))
    return only_table(result), result.document("counts")


QUIET = (100, 101, 99, 100)
BOTH = (100, 105, 95, 100)


@pytest.mark.parametrize(
    ("bars", "label", "touching", "left"),
    [
        ([QUIET, (100, 104, 99, 101), BOTH], 1, 2, 104),  # at the level exactly
        ([QUIET, (100, 103.9, 97, 101), BOTH], -1, 2, 97),
        ([(110, 111, 105, 106), QUIET], 1, 1, 104),  # a gap pays a take-profit no more
        ([(94, 96, 93, 95), QUIET], -1, 1, 94),  # and costs a stop-loss its open
        ([QUIET, QUIET, (100, 101, 99, 100.5), BOTH], 0, None, 100.5),  # BOTH closes too late
        ([BOTH, QUIET], -1, 1, 97),
        # a stop leaves at the open beyond its level, or beyond that by 0.73 of the mean step from a
        # close to the next open, wherever its bar closes
        ([QUIET, (100, 101, 95, 96), BOTH], -1, 2, 97),
        ([QUIET, (99, 101, 95, 96), BOTH], -1, 2, 97 - 0.73 * 0.5),
        ([(94, 99, 93, 99), QUIET], -1, 1, 94),
        ([(96, 99, 94, 95), QUIET], -1, 1, 96),
        ([(96, 105, 94, 95), QUIET], -1, 1, 96),
        ([(100, 105, 95, 96), QUIET], -1, 1, 97),
        ([(100, 106, 95, 105), QUIET], -1, 1, 97),  # above the take-profit nothing is stopped
        # touches both: the open says which came first
        ([(96, 105, 95, 100), QUIET], -1, 1, 96),
        ([(97, 105, 95, 100), QUIET], -1, 1, 97),
        ([(105, 106, 95, 100), QUIET], 1, 1, 104),
        ([(104, 106, 95, 100), QUIET], 1, 1, 104),
        ([(103.9, 104, 97, 100), QUIET], -1, 1, 97 - 0.73 * 3.9),
    ],
)
def test_bars_by_hand(bars, label, touching, left):
    found, counts, times = by_hand(bars, "stop_loss_first")
    assert (found["label"], found["exit_price"]) == (label, pytest.approx(left, rel=1e-12))
    end_ns = found["horizon_end_ns"] if touching is None else times[touching]
    assert found["label_end_ns"] == found["known_at"] == end_ns
    undecidable = bars[0][1] >= 104 and bars[0][2] <= 97 and 97 < bars[0][0] < 104
    assert counts["undecidable"] >= undecidable
    kept, counts, _ = by_hand(bars, "drop")
    assert (kept is None) == undecidable
    if kept is not None:
        assert (kept["label"], kept["exit_price"]) == (label, pytest.approx(left, rel=1e-12))
    assert counts["dropped"]["both_touched"] == counts["undecidable"]


def test_the_loss_of_a_short_comes_first_too():
    """What both touch is a loss to either side: a short's stop-loss is the upper barrier."""
    found, _, times = by_hand([BOTH, QUIET], "stop_loss_first", side="trend")
    assert found["side"] == -1
    assert (found["upper"], found["lower"]) == (103, 96)
    assert (found["label"], found["exit_price"]) == (-1, 103)
    assert found["outcome_atr"] == -1.5
    assert found["label_end_ns"] == times[1]
    found, _, _ = by_hand([(104, 105, 103, 104), QUIET], "stop_loss_first", side="trend")
    assert (found["label"], found["exit_price"]) == (-1, 104)
    found, _, _ = by_hand([(100, 105, 95, 104.5), QUIET], "stop_loss_first", side="trend")
    assert (found["label"], found["exit_price"]) == (-1, 103)
    found, _, _ = by_hand([(100, 101, 95, 96), QUIET], "stop_loss_first", side="trend")
    assert (found["label"], found["exit_price"], found["outcome_atr"]) == (1, 96, 2)
    assert (found["favourable_atr"], found["adverse_atr"]) == (2.5, 0.5)


@pytest.mark.parametrize(
    ("bar", "label", "outcome", "opposite"),
    [
        (BOTH, -1, -1.5, -2),  # each is stopped at its own level, wherever the bar closes
        ((105, 106, 95, 100), 1, 2, -2.5),  # the short at the open, beyond its stop
        ((96, 105, 95, 100), -1, -2, 1.5),
        ((100, 105, 95, 96), -1, -1.5, -2),
        ((100, 105, 95, 104.5), -1, -1.5, -2),
        ((100, 105, 99, 104.5), 1, 2, -2),
        ((101, 105, 95, 100), -1, -1.5 - 0.73 / 2, -2 - 0.73 / 2),  # beyond it by the step of 1
    ],
)
def test_what_nobody_can_decide_is_a_loss_to_both_sides(bar, label, outcome, opposite):
    found, _, _ = by_hand([bar, QUIET], "stop_loss_first")
    assert found["label"] == label
    outcomes = (found["outcome_atr"], found["outcome_short_atr"])
    assert outcomes == pytest.approx((outcome, opposite), rel=1e-12)


def test_the_long_against_a_short_loses_too():
    found, _, _ = by_hand([BOTH, QUIET], "stop_loss_first", side="trend")
    assert (found["side"], found["label"], found["outcome_atr"]) == (-1, -1, -1.5)
    assert found["outcome_short_atr"] == -2  # of the long, stopped where the short would have won
    found, _, _ = by_hand([(105, 106, 95, 100), QUIET], "drop", side="trend")
    assert (found["label"], found["outcome_atr"], found["outcome_short_atr"]) == (-1, -2.5, 1.5)


def test_nothing_is_earned_on_a_driftless_walk():
    """Of bars that touch both sides neither side makes a profit out of not knowing."""
    rng = np.random.default_rng(0)
    time_ns = FIRST.start_ns + np.arange(40_000) * 60 * 10**9
    price = 10_000 + np.cumsum(rng.choice([-1.0, 1.0], len(time_ns)))
    bars = make_bars(FIRST, make_ticks(time_ns, price), ticks_a_bar=30)
    config = {"kind": "fixed", "take_profit_multiple": 0.25, "stop_loss_multiple": 0.25}
    study = bar_study("stop_loss_first", horizon_minutes=600, atr_period_bars=14)
    policy = FixedBarriers(**config)
    study = study.model_copy(update={"barrier_policy": policy})
    columns = {"event_time_ns": bars["close_time_ns"], "regime": np.int8(1), "trailing_return": 0.1}
    labels, counts = by_bars(study, FIRST, {FIRST: bars}, pd.DataFrame(columns))
    assert counts["undecidable"] > 100
    for column in ("outcome_atr", "outcome_short_atr"):
        outcome = labels[column]
        assert outcome.mean() < 3 * outcome.std() / np.sqrt(len(outcome)), column


def test_the_page_shows_how_many_labels_there_are_and_are_not():
    world = make_world(seed=3, n_ticks=241)
    out = run_chain(bar_study("drop"), make_market(), world)
    month = world.months[1]
    read = {REGIME_FEATURES: out["regime_features"], BARRIER_POLICY: out["barrier_policy"]}
    found = build_labels(
        bar_study("drop"), make_market(), month, past_of({BARS: world.bars, **read})
    )
    label, counts = only_table(found)["label"], found.document("counts")
    assert found.highlights == {
        "labels/up": (label == 1).sum(),
        "labels/flat": (label == 0).sum(),
        "labels/down": (label == -1).sum(),
        "dropped/horizon_over_28_days": 0,
        "dropped/both_touched": counts["undecidable"],
        "undecidable": counts["undecidable"],
        "bars_merged": counts["bars_merged"],
    }


def test_the_loss_first_is_refused_where_a_head_asks_about_both_sides():
    labels = {"path": "bars", "both_touched": "stop_loss_first"}
    with pytest.raises(ValueError, match=r"set labels\.both_touched: drop, or model\.head: binary"):
        make_study(labels=labels)
    binary = make_study(labels=labels, model={"head": "binary_take_profit"})
    assert binary.labels.both_touched == "stop_loss_first"
    make_study(labels=labels | {"both_touched": "drop"})


def test_tables_keep_their_schemas_without_a_trade():
    world = make_world(seed=0, empty=(FIRST, FIRST + 1))
    out = run_chain(bar_study("drop"), make_market(), world)
    for m in world.months:
        LABELS.to_arrow(out["labels"][m])
        EXCURSIONS.to_arrow(out["excursions"][m])
