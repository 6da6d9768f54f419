"""Meta-labelling: a primary model says which way, and barriers, labels and policy face that way."""

import numpy as np
import pandas as pd
import pytest

from price_physics.labels.policy import build_policy
from price_physics.labels.sides import event_sides
from price_physics.schemas.labels import EXCURSIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.study.labels import LabelsConfig
from price_physics_tests.labels import naive
from price_physics_tests.labels.chain import run_chain
from price_physics_tests.labels.synthetic import make_market, make_study, make_world
from price_physics_tests.past import only_table, past_of

from .stages import DEMO, assert_known_stays, sample_ticks

BARS = {"path": "bars", "both_touched": "stop_loss_first"}
PATHS = {"ticks": {}, "bars": BARS}


def sided(rule, **labels):
    given = {"side": rule, "horizon_minutes": 36 * 60, **labels}
    return make_study(labels=given, model={"head": "binary_take_profit"})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("rule", ["trend", "reversal"])
def test_labels_are_the_slow_ones(rule, path):
    world = make_world(seed=1, n_ticks=241)
    study = sided(rule, **PATHS[path])
    out = run_chain(study, make_market(), world)
    labels = pd.concat(list(out["labels"].values()))
    assert labels["event_time_ns"].is_unique
    labels = labels.set_index("event_time_ns")
    features = pd.concat(list(out["regime_features"].values())).set_index("event_time_ns")
    n_without, seen = 0, set()
    for row in naive.rows_with_bars(study, world):
        if row["horizon_end_ns"] >= world.months[-1].stop_ns:
            continue
        trailing = features.loc[row["event_time_ns"], "trailing_return"]
        if trailing == 0:
            assert row["event_time_ns"] not in labels.index
            n_without += 1
            continue
        found = labels.loc[row["event_time_ns"]]
        side = (1 if trailing > 0 else -1) * (1 if rule == "trend" else -1)
        multiples = found["take_profit_multiple"], found["stop_loss_multiple"]
        label, end_ns, left, rise, fall = naive.trade(row, row[path], side, *multiples)
        label = -1 if label is None else label
        assert (found["side"], found["label"], found["label_end_ns"]) == (side, label, end_ns)
        assert found["exit_price"] == left
        take, stop = (
            row["price"] + d * row["atr"] for d in (side * multiples[0], -side * multiples[1])
        )
        assert (found["upper"], found["lower"]) == pytest.approx((take, stop)[::side])
        odds = naive.odds(row, *multiples, side)
        assert tuple(found[name] for name in ODDS) == pytest.approx(odds, rel=1e-9, abs=1e-12)
        outcome = side * (left - row["price"]) / row["atr"]
        assert found["outcome_atr"] == pytest.approx(outcome, rel=1e-12)
        with_side, against = (rise, fall)[::side]
        assert found["favourable_atr"] == pytest.approx(with_side, rel=1e-12)
        assert found["adverse_atr"] == pytest.approx(against, rel=1e-12)
        seen.add((side, label))
    assert sum(c["dropped"]["no_side"] for c in out["counts"].values()) == n_without
    assert len(seen) == 6


def test_the_opposite_side_is_that_of_the_opposite_rule():
    """Between barriers as far either way, the one's take-profit is the other's stop-loss."""
    world = make_world(seed=1)
    policy = {"take_profit_bounds": [1, 1], "stop_loss_bounds": [1, 1]}
    tables = []
    for rule in ("trend", "reversal"):
        study = sided(rule)
        config = study.barrier_policy.model_copy(update={k: tuple(v) for k, v in policy.items()})
        out = run_chain(study.model_copy(update={"barrier_policy": config}), make_market(), world)
        tables.append(pd.concat(list(out["labels"].values()), ignore_index=True))
    trend, reversal = tables
    assert trend["side"].equals(-reversal["side"])
    assert trend["label"].equals(-reversal["label"])
    assert trend["label_end_ns"].equals(reversal["label_end_ns"])
    for one, other in ((trend, reversal), (reversal, trend)):
        assert one["outcome_short_atr"].equals(other["outcome_atr"])


def test_without_a_primary_model_every_event_is_a_long():
    world = make_world(seed=1)
    out = run_chain(make_study(), make_market(), world)
    labels = pd.concat(list(out["labels"].values()))
    assert (labels["side"] == 1).all()
    assert all("no_side" not in c["dropped"] for c in out["counts"].values())


@pytest.mark.parametrize("kind", ["global", "regime"])
def test_a_policy_counts_what_is_favourable_to_the_side(kind):
    """Falls are what a short's take-profit is made of; events without a side are nobody's."""
    world = make_world(seed=2, n_ticks=400)
    study = sided("trend")
    wide = {"take_profit_bounds": (0.01, 99.0), "stop_loss_bounds": (0.01, 99.0)}
    config = study.barrier_policy.model_copy(
        update=wide | {"kind": kind, "min_events": 5, "winsor_quantile": 1.0}
    )
    study = study.model_copy(update={"barrier_policy": config})
    out = run_chain(study, make_market(), world)
    month = world.months[-1]
    past = past_of({EXCURSIONS: out["excursions"], REGIME_FEATURES: out["regime_features"]})
    policy = only_table(build_policy(study, make_market(), month, past))
    rows = pd.concat(list(out["excursions"].values())).merge(
        pd.concat(list(out["regime_features"].values())), on="event_time_ns"
    )
    rows = rows[rows["trailing_return"] != 0]
    is_long = rows["trailing_return"] > 0
    up = rows["favourable_atr"].where(is_long, rows["adverse_atr"])
    down = rows["adverse_atr"].where(is_long, rows["favourable_atr"])
    for line in policy.to_dict("records"):
        served = (rows["regime"] == line["regime"]) | (line["regime"] == -1)
        assert line["n_events"] == served.sum() > 20
        assert line["take_profit_multiple"] == pytest.approx(np.quantile(up[served], 0.6))
        assert line["stop_loss_multiple"] == pytest.approx(np.quantile(down[served], 0.4))
    assert 0 < is_long.mean() < 1


def test_sides_of_returns():
    returns = np.array([0.5, -1e-12, 0.0])
    for rule, expected in (("trend", [1, -1, 0]), ("reversal", [-1, 1, 0]), (None, [1, 1, 1])):
        found = event_sides(LabelsConfig(horizon_minutes=5, side=rule), returns)
        assert found.tolist() == expected
        assert found.dtype == np.int8


@pytest.mark.parametrize("days", [31, 45.3, 61.5])
def test_nothing_known_depends_on_later_ticks(days):
    labels = LabelsConfig(horizon_minutes=1440, side="reversal")
    assert_known_stays(DEMO.model_copy(update={"labels": labels}), sample_ticks(), days)


def test_a_side_and_a_head_that_asks_for_one_are_refused():
    with pytest.raises(ValueError, match=r"labels\.side trend .* set model\.head: binary"):
        make_study(labels={"side": "trend"})
