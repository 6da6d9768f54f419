"""The aggregates behind the report, against plain loops and values by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from price_physics.months import Month
from price_physics.report.curves import chain_months
from price_physics.report.evidence import Evidence
from price_physics.report.numbers import (
    collect_numbers,
    cost_numbers,
    expected_numbers,
    mean_absolute_book,
    trade_groups,
)
from price_physics.report.scores import (
    by_event_month,
    confusion_numbers,
    direction_numbers,
    gain_numbers,
    reliability_numbers,
    score_numbers,
    value_numbers,
)
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.walk_forward import BOOK, SCORED, TRADES
from price_physics_tests.report import cases


def numbers(**changes):
    given = cases.arguments(**changes)
    return given, collect_numbers(Evidence(**given), chain_months(given["walk_forward"]))


def test_curves_chain_the_months_and_leave_warm_up_out():
    walks = cases.arguments()["walk_forward"]
    curves = chain_months(walks)
    level, lowest, highest = 1.0, 0.0, 1.0
    for month in sorted(walks):
        if walks[month].warm_up is None:
            for r in walks[month].daily["net_return"]:
                level *= 1 + r
                highest = max(highest, level)
                lowest = min(lowest, level / highest - 1)
    assert curves.net[-1] == pytest.approx(level)
    assert curves.drawdown.min() == pytest.approx(lowest)
    assert (np.diff(curves.time_ns) >= 0).all()
    assert curves.time_ns[0] == Month(2012, 3).start_ns
    assert curves.net[0] == curves.gross[0] == curves.market[0] == 1.0
    assert len(curves.market) == len(curves.day_ns)


def test_curves_of_warm_up_alone_are_empty():
    curves = chain_months(cases.arguments(n_months=0)["walk_forward"])
    assert len(curves.time_ns) == len(curves.net) == len(curves.market) == 0


def test_headline_against_the_tables():
    given, found = numbers()
    served = [w for w in given["walk_forward"].values() if w.warm_up is None]
    trades = pd.concat([w.trades for w in served])
    daily = pd.concat([w.daily for w in served])
    filled = trades[trades["exit_reason"] != "cancelled"]
    head = found["headline"]
    assert head["n_days"] == len(daily) == 92
    assert head["n_trades"] == len(filled)
    assert head["n_cancelled"] == len(trades) - len(filled) > 0
    assert head["buy_and_hold_return"] == pytest.approx((1 + daily["market_return"]).prod() - 1)
    assert head["costs_paid"] == pytest.approx(daily["cost"].sum())
    won = filled["exit_reason"] == "take_profit"
    assert head["hit_rate"] == pytest.approx(won.mean())
    win, loss = filled.loc[won, "gross_bps"].mean(), -filled.loc[~won, "gross_bps"].mean()
    assert head["break_even_precision"] == pytest.approx((loss + 50) / (win + loss))
    assert found["costs"]["net_return"] == pytest.approx(head["net_return"])
    assert found["costs"]["round_trip_bps"] == pytest.approx(50)


def test_months_add_up_to_the_headline():
    _, found = numbers()
    served = [m for m in found["months"] if m["warm_up"] is None]
    assert len(found["months"]) == 5
    net = np.prod([1 + m["net_return"] for m in served]) - 1
    assert net == pytest.approx(found["headline"]["net_return"])
    assert sum(m["n_trades"] for m in served) == found["headline"]["n_trades"]
    assert sum(m["cost"] for m in served) == pytest.approx(found["headline"]["costs_paid"])
    assert [m["n_training"] for m in served] == [478, 479, 480]
    warm = found["months"][0]
    assert warm["net_return"] is None
    assert warm["market_return"] == pytest.approx(1.001**31 - 1)


def test_numbers_are_json_and_hold_no_nan():
    for changes in ({}, {"n_months": 0}, {"binary": True}):
        _, found = numbers(**changes)
        assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_trade_groups_partition_the_trades():
    _, found = numbers()
    groups = found["trades"]
    assert sum(g["share"] for g in groups) == pytest.approx(1)
    by_hand = {("long", "take_profit"): 70.0, ("short", "stop_loss"): -130.0}
    for g in groups:
        want = by_hand.get((g["side"], g["exit_reason"]))
        assert want is None or g["mean_net_bps"] == pytest.approx(want)
        assert (g["mean_net_bps"] is None) == (g["exit_reason"] == "cancelled")
    assert trade_groups(TRADES.empty()) == []


def test_costs_without_a_day_are_undefined_and_not_zero():
    given = cases.arguments(n_months=0)
    walk = given["walk_forward"][Month(2012, 1)]
    costs = cost_numbers(given["study"], walk.daily.iloc[:0], walk.trades)
    assert costs["paid"] is None
    assert costs["net_return"] is None
    assert costs["fee_bps_a_side"] == 20.0


def test_mean_book_is_over_the_clock():
    month = Month(2012, 4)  # 30 days
    day = 86_400_000_000_000
    book = pd.DataFrame(
        {
            "time_ns": [month.start_ns, month.start_ns + 15 * day, month.start_ns + 24 * day],
            "price": 1.0,
            "book": [0.0, -1.0, 0.5],
        }
    )
    assert mean_absolute_book(book, month) == pytest.approx((9 * 1.0 + 6 * 0.5) / 30)
    assert mean_absolute_book(BOOK.empty(), month) is None


def test_scores_are_grouped_by_the_month_of_the_event():
    rng = np.random.default_rng(0)
    first, second = (cases.scored(Month(2012, m), rng, n=40) for m in (3, 4))
    # The last of March is labelled in April: stored there, scored with March's model.
    stored = {
        Month(2012, 3): first.iloc[:-5],
        Month(2012, 4): pd.concat([first.iloc[-5:], second], ignore_index=True),
        Month(2012, 5): SCORED.empty(),
    }
    months = by_event_month(stored)
    assert list(months) == [Month(2012, 3), Month(2012, 4)]
    pd.testing.assert_frame_equal(months[Month(2012, 3)], first)
    pd.testing.assert_frame_equal(months[Month(2012, 4)], second)


def test_month_auc_against_pairs():
    scored = cases.scored(Month(2012, 3), np.random.default_rng(1))
    found = score_numbers({Month(2012, 3): scored})
    score = np.log(scored["p_up"] / scored["p_down"])
    up, down = score[scored["label"] == 1], score[scored["label"] == -1]
    wins = [(u > d) + 0.5 * (u == d) for u in up for d in down]
    assert found["month_auc"][Month(2012, 3)] == pytest.approx(np.mean(wins))
    assert found["direction"]["direction_auc_pairs_within_months"] == pytest.approx(np.mean(wins))
    assert found["direction"]["n_direction"] == len(up) + len(down)


def test_effective_events_are_added_month_by_month():
    rng = np.random.default_rng(3)
    a, b = (cases.scored(Month(2012, m), rng) for m in (3, 4))
    one, other = direction_numbers([a])["n_eff"], direction_numbers([b])["n_eff"]
    both = direction_numbers([a, b])
    assert both["n_eff"] == pytest.approx(one + other)
    assert 0.5 < both["smallest_detectable_auc"] < direction_numbers([a])["smallest_detectable_auc"]


def test_nothing_scored_is_none_everywhere():
    found = score_numbers({Month(2012, 3): SCORED.empty()})
    assert found["reliability"] is None
    assert found["skill"] is None
    assert found["values"] is None
    assert found["confusion"] is None
    assert set(found["direction"].values()) == {None, 0}
    assert found["month_auc"] == {}


def test_the_skill_is_held_against_the_odds_of_the_labels_own_side():
    """Odds are in price: of a short the take-profit is the lower barrier."""
    scored = cases.scored(Month(2012, 3), np.random.default_rng(1), n=40, binary=True)
    scored = scored.assign(p0_up=0.6, p0_none=0.1, p0_down=0.3, p_up=0.3, label_side=np.int8(-1))
    found = gain_numbers(scored)
    assert found["skill_over_driftless"] == pytest.approx(0.0, abs=1e-12)
    other = gain_numbers(scored.assign(label_side=np.int8(1)))
    won = (scored["label"] == 1).to_numpy()
    odds = -np.where(won, np.log(0.6), np.log(0.4)).mean()
    said = -np.where(won, np.log(0.3), np.log(0.7)).mean()
    assert other["skill_over_driftless"] == pytest.approx(odds - said)
    assert other["skill_over_driftless_low"] < odds - said < other["skill_over_driftless_high"]


def test_values_by_tenths_by_hand():
    n = 20
    scored = pd.DataFrame(
        {
            "event_time_ns": np.arange(n) * cases.DAY,
            "stated_bps": np.arange(n)[::-1] * 1.0,
            "returned_bps": np.arange(n)[::-1] * 2.0,
        }
    )
    tenths = value_numbers(scored)["tenths"]
    assert [t["n_events"] for t in tenths] == [2] * 10
    assert [t["mean_stated_bps"] for t in tenths] == pytest.approx(np.arange(0.5, 20, 2))
    assert [t["mean_returned_bps"] for t in tenths] == pytest.approx(np.arange(1.0, 40, 4))
    # Two days beside each other: of one block they tell no interval, of two blocks they do.
    assert np.isinf(tenths[-1]["returned_low_bps"])
    one, other = 2.0 * 15, 2.0 * 14  # days 4 and 5: the last of a block, the first of the next
    error = np.sqrt(((one - 29) ** 2 + (other - 29) ** 2) * 2) / 2
    assert tenths[7]["returned_high_bps"] == pytest.approx(29 + 1.96 * error)


def test_reliability_by_hand():
    scored = pd.DataFrame({"p_up": [0.05, 0.05, 0.75, 0.75], "label": [1, -1, 1, 0]})
    found = reliability_numbers(scored)
    assert [b["n_events"] for b in found["bins"]] == [2, 2]
    assert [b["frequency"] for b in found["bins"]] == [0.5, 0.5]
    assert found["calibration_error_equal_width"] == pytest.approx((0.45 + 0.25) / 2)
    floors = [np.sqrt(2 / np.pi * p * (1 - p) / 2) for p in (0.05, 0.75)]
    assert found["calibration_floor_equal_width"] == pytest.approx(np.mean(floors))


def test_the_floor_is_the_error_of_a_perfectly_calibrated_model():
    rng = np.random.default_rng(5)
    errors, floors = [], []
    for _ in range(200):
        p = rng.uniform(0.05, 0.95, 500)
        label = np.where(rng.random(500) < p, 1, -1)
        found = reliability_numbers(pd.DataFrame({"p_up": p, "label": label}))
        errors.append(found["calibration_error_equal_width"])
        floors.append(found["calibration_floor_equal_width"])
    assert np.mean(errors) == pytest.approx(np.mean(floors), rel=0.05)


def test_confusion_by_hand_for_both_heads():
    scored = pd.DataFrame(
        {
            "p_up": [0.6, 0.2, 0.1, 0.4],
            "p_flat": [0.3, 0.2, 0.2, 0.3],
            "p_down": [0.1, 0.6, 0.7, 0.3],
            "label": [1, 1, -1, -1],
        }
    )
    found = confusion_numbers(scored)
    assert found["classes"] == ["down", "flat", "up"]
    assert found["counts"].tolist() == [[1, 0, 1], [0, 0, 0], [1, 0, 1]]
    assert found["row_shares"][0].tolist() == [0.5, 0.0, 0.5]
    assert np.isnan(found["row_shares"][1]).all()
    binary = confusion_numbers(scored.assign(p_flat=np.nan, p_down=np.nan))
    assert binary["classes"] == ["other", "take-profit"]
    assert binary["counts"].tolist() == [[2, 0], [1, 1]]


def test_expected_value_is_that_of_the_side_taken_in_bps_and_in_atr():
    table = PREDICTIONS.empty()
    rows = [  # a long, a short, no trade
        {"side": 1, "expected_value_long_bps": 30.0, "expected_value_short_bps": -80.0},
        {"side": -1, "expected_value_long_bps": -60.0, "expected_value_short_bps": 10.0},
        {"side": 0, "expected_value_long_bps": 99.0, "expected_value_short_bps": 99.0},
    ]
    frame = pd.DataFrame([r | {"price": 200.0, "atr": 2.0} for r in rows], columns=table.columns)
    expected = expected_numbers([frame])
    assert expected["n_signals"] == 2
    assert expected["mean_bps"] == pytest.approx(20.0)
    assert expected["mean_atr"] == pytest.approx(20e-4 * 100)
    assert expected_numbers([]) == {"n_signals": 0, "mean_bps": None, "mean_atr": None}
