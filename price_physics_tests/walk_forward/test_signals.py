import numpy as np
import pandas as pd
import pytest

from price_physics.errors import StoreError
from price_physics.labels.atr import month_atr
from price_physics.labels.driftless import first_passage
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.table import ODDS
from price_physics.walk_forward.signals import (
    decide,
    outcome_means,
)
from price_physics.walk_forward.sizing import bet_size
from price_physics_tests.walk_forward import make

THREE, BINARY = "three_class", "binary_take_profit"
LABEL = np.array([1, 1, -1, -1, 0, 0])
OUTCOME = np.array([2.0, 4.0, -1.0, -2.0, 0.5, -0.1])


def probabilities(up, flat, down):
    return pd.DataFrame({"p_up": [up], "p_flat": [flat], "p_down": [down]})


def test_means_of_three_classes():
    means = outcome_means(make.out_of_fold(LABEL, OUTCOME), THREE)
    assert (means.win, means.loss, means.rest) == pytest.approx((3.0, 1.5, 0.2))
    assert means.tradable


def test_binary_loss_is_the_mean_of_all_other_exits():
    means = outcome_means(make.out_of_fold(LABEL, OUTCOME), BINARY)
    assert (means.win, means.loss, means.rest) == pytest.approx((3.0, 0.65, 0.0))


def test_absent_flat_class_counts_zero():
    means = outcome_means(make.out_of_fold([1, -1], [2.0, -1.0]), THREE)
    assert (means.rest, means.tradable) == (0.0, True)


@pytest.mark.parametrize(("label", "outcome"), [(1, 2.0), (-1, -2.0)])
def test_without_both_sides_values_are_finite_and_nothing_trades(label, outcome):
    means = outcome_means(make.out_of_fold([label, 0], [outcome, 0.0]), THREE)
    assert (means.win, means.loss, means.tradable) == (2.0, 2.0, False)
    config = make.study().walk_forward
    sure = decide(
        config, THREE, means, probabilities(0.9, 0.05, 0.05), np.array([1.0]), np.array([100.0])
    )
    assert sure.value_long[0] > 0
    assert (sure.side[0], sure.size[0]) == (0, 0.0)


def test_means_of_nothing():
    means = outcome_means(OUT_OF_FOLD.empty(), THREE)
    assert (means.win, means.loss, means.rest, means.tradable) == (0, 0, 0, False)


def test_unknown_head_is_refused():
    with pytest.raises(ValueError, match="four_class"):
        outcome_means(OUT_OF_FOLD.empty(), "four_class")


def test_value_of_a_long_and_of_its_mirror():
    means = outcome_means(make.out_of_fold(LABEL, OUTCOME), THREE)
    config = make.study(fee_bps=5.0, slippage_bps=2.0, half_spread_bps=1.0).walk_forward
    d = decide(
        config, THREE, means, probabilities(0.5, 0.2, 0.3), np.array([2.0]), np.array([100.0])
    )
    gross = (0.5 * 3 - 0.3 * 1.5 + 0.2 * 0.2) * 0.02
    assert d.value_long[0] == pytest.approx(gross - 0.0016)
    assert d.value_short[0] == pytest.approx(-gross - 0.0016)
    assert d.side[0] == 1
    assert d.size[0] == pytest.approx(0.2611, abs=5e-5)


def test_short_needs_its_own_probability_to_be_confident():
    means = outcome_means(make.out_of_fold(LABEL, OUTCOME), THREE)
    p = probabilities(0.1, 0.4, 0.5)
    arguments = (THREE, means, p, np.array([2.0]), np.array([100.0]))
    assert decide(make.study(min_confidence=0.5).walk_forward, *arguments).side[0] == -1
    assert decide(make.study(min_confidence=0.51).walk_forward, *arguments).side[0] == 0


def test_costs_forbid_what_they_exceed():
    means = outcome_means(make.out_of_fold(LABEL, OUTCOME), THREE)
    arguments = (THREE, means, probabilities(0.5, 0.2, 0.3), np.array([2.0]), np.array([100.0]))
    gross_bps = (0.5 * 3 - 0.3 * 1.5 + 0.2 * 0.2) * 0.02 * 1e4
    for fee, side in ((gross_bps / 2 - 0.01, 1), (gross_bps / 2 + 0.01, 0)):
        decision = decide(make.study(fee_bps=fee).walk_forward, *arguments)
        assert decision.side[0] == side


def test_binary_is_long_only_and_sized_against_one_of_two():
    means = outcome_means(make.out_of_fold(LABEL, OUTCOME), BINARY)
    p = pd.DataFrame({"p_up": [0.6, 0.01], "p_flat": [np.nan] * 2, "p_down": [np.nan] * 2})
    d = decide(make.study(BINARY).walk_forward, BINARY, means, p, np.ones(2), np.full(2, 100.0))
    assert d.value_long[0] == pytest.approx((0.6 * 3 - 0.4 * 0.65) * 0.01)
    assert np.isnan(d.value_short).all()
    assert d.side.tolist() == [1, 0]
    assert d.size == pytest.approx([0.1617, 0.0], abs=5e-5)


def test_fixed_size_and_a_bet_of_no_size():
    means = outcome_means(make.out_of_fold(LABEL, OUTCOME), THREE)
    p = probabilities(0.3, 0.5, 0.2)  # worth a long, though no likelier than chance
    arguments = (THREE, means, p, np.array([2.0]), np.array([100.0]))
    fixed = decide(make.study(sizing="fixed").walk_forward, *arguments)
    assert (fixed.side[0], fixed.size[0]) == (1, 1.0)
    sized = decide(make.study(sizing="probability").walk_forward, *arguments)
    assert (sized.side[0], sized.size[0]) == (0, 0.0)


# ---------------------------------------------------------------------------- the table
def month_of_bars(n: int = 60):
    rng = np.random.default_rng(3)
    price = 100 + np.cumsum(rng.normal(size=n))
    ticks = make.ticks(make.hours(make.FEB, *range(n)), price)
    return make.bars(ticks, make.FEB)


def predicted(bars, events, head=THREE, **walk_forward):
    n = len(events)
    p = pd.DataFrame(
        {
            "event_time_ns": events,
            "p_up": np.full(n, 0.6),
            "p_flat": np.full(n, np.nan if head == BINARY else 0.1),
            "p_down": np.full(n, np.nan if head == BINARY else 0.3),
        }
    )
    oof = make.out_of_fold(LABEL, OUTCOME, *[[0.5, 0.5, 0.2, 0.2, 0.3, 0.3]] * 3, hold=2)
    study = make.study(head, **walk_forward)
    features = make.features(events)
    return make.predictions_of(study, make.FEB, p, oof, None, {make.FEB: bars}, features)


@pytest.mark.parametrize("head", [THREE, BINARY])
def test_predictions_hold_the_event_s_own_price_and_atr(head):
    bars = month_of_bars()
    events = bars["close_time_ns"].to_numpy()[15:20]
    frame = predicted(bars, events, head)
    PREDICTIONS.to_arrow(frame)
    study = make.study(head)
    atr = month_atr({make.FEB: bars}, make.FEB, 14)[15:20]
    assert frame["atr"].tolist() == atr.tolist()
    assert frame["price"].tolist() == bars["close"].tolist()[15:20]
    policy = study.barrier_policy
    assert frame["upper"].tolist() == (frame["price"] + policy.fallback_take_profit * atr).tolist()
    assert frame["lower"].tolist() == (frame["price"] - policy.fallback_stop_loss * atr).tolist()
    assert (
        frame["horizon_end_ns"] - frame["event_time_ns"] == study.labels.longest_horizon_ns
    ).all()
    closes = bars["close_time_ns"].to_numpy()
    for i, row in enumerate(frame.to_dict("records"), start=15):  # fourteen bars before it closes
        n_bars = study.labels.longest_horizon_ns / ((closes[i] - closes[i - 14]) / 14)
        pair = policy.fallback_take_profit, policy.fallback_stop_loss
        odds = first_passage(*pair, np.sqrt(n_bars) / 1.596)
        assert [row[name] for name in ODDS] == pytest.approx([chance[0] for chance in odds])
    assert (frame["side"] == 1).all()
    assert frame["expected_value_short_bps"].isna().all() == (head == BINARY)


def test_scale_is_that_of_the_out_of_fold_trades():
    bars = month_of_bars()
    frame = predicted(bars, bars["close_time_ns"].to_numpy()[20:21])
    # Out of fold the first two events trade (p_up 0.5): live for 2 h an hour apart; the rest
    # are no likelier than chance. At the first instant one is live, at the second two.
    size = bet_size(np.array([0.5]), 3)[0]
    assert frame["book_scale"][0] == pytest.approx(np.quantile([size, 2 * size], 0.95))


def test_events_before_the_atr_is_there_are_dropped():
    bars = month_of_bars()
    frame = predicted(bars, bars["close_time_ns"].to_numpy()[10:16])
    assert frame["event_time_ns"].tolist() == bars["close_time_ns"].tolist()[13:16]


def test_flat_prices_have_no_width_and_no_predictions():
    ticks = make.ticks(make.hours(make.FEB, *range(60)), np.full(60, 100.0))
    bars = make.bars(ticks, make.FEB)
    frame = predicted(bars, bars["close_time_ns"].to_numpy()[20:25])
    assert frame.empty
    PREDICTIONS.to_arrow(frame)


def test_bars_of_one_instant_are_one_event_the_last():
    ticks = make.ticks(make.hours(make.FEB, *range(40), *[40] * 4), np.r_[100.0:140.0, 1, 2, 3, 4])
    bars = make.bars(ticks, make.FEB)
    frame = predicted(bars, bars["close_time_ns"].to_numpy()[-1:])
    assert frame["price"].tolist() == [4.0]


def test_a_partial_bar_of_the_same_instant_is_not_the_event_s():
    ticks = make.ticks(make.hours(make.FEB, *range(39), 39, 39), np.r_[100.0:139.0, 7, 8])
    bars = make.bars(ticks, make.FEB)
    assert bars["partial"].iloc[-1]
    frame = predicted(bars, bars["close_time_ns"].to_numpy()[-1:])
    assert frame["price"].tolist() == [7.0]


def test_no_probabilities_no_predictions():
    frame = predicted(month_of_bars(), np.empty(0, dtype=np.int64))
    pd.testing.assert_frame_equal(frame, PREDICTIONS.empty())


def test_an_event_that_closes_no_bar_is_refused():
    bars = month_of_bars()
    with pytest.raises(StoreError, match="closes no bar"):
        predicted(bars, bars["close_time_ns"].to_numpy()[20:21] + 1)


def test_a_short_is_worth_what_its_own_fills_give():
    """Overshoot beyond a barrier hurts whoever is stopped there, and helps nobody."""
    past = make.out_of_fold([1, -1, 0], [2.0, -1.5, 0.2], outcome_short_atr=[-2.6, 1.0, -0.2])
    means = outcome_means(past, THREE)
    assert (means.short_win, means.short_loss, means.short_rest) == pytest.approx((1.0, 2.6, -0.2))
    arguments = (THREE, means, probabilities(0.2, 0.2, 0.6), np.array([2.0]), np.array([100.0]))
    decision = decide(make.study(THREE).walk_forward, *arguments)
    cost = 2 * make.study(THREE).walk_forward.cost_a_side
    gross = (0.6 * 1.0 - 0.2 * 2.6 - 0.2 * 0.2) * 2.0 / 100.0
    assert decision.value_short[0] == pytest.approx(gross - cost)
    mirrored = -(0.2 * 2.0 - 0.6 * 1.5 + 0.2 * 0.2) * 2.0 / 100.0 - cost
    assert decision.value_short[0] < mirrored
