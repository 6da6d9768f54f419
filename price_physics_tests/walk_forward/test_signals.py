import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from price_physics.errors import StoreError
from price_physics.labels.atr import month_atr
from price_physics.labels.driftless import first_passage
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.table import ODDS
from price_physics.walk_forward.outcomes import Bet, PastOutcomes, SideOutcomes, past_outcomes
from price_physics.walk_forward.signals import decide
from price_physics_tests.walk_forward import make

THREE, BINARY = "three_class", "binary_take_profit"
LABEL = np.array([1, 1, -1, -1, 0, 0])
OUTCOME = np.array([2.0, 4.0, -1.0, -2.0, 0.5, -0.1])
TAKE, STOP = np.array([2.0, 4, 3, 3, 2, 2]), np.array([1.0, 1, 0.8, 1.6, 1, 1])
UP, NONE, DOWN = FREE = 0.3, 0.2, 0.5


def past_of(label=LABEL, outcome=OUTCOME, **changes):
    given = {"take_profit": TAKE[: len(label)], "stop_loss": STOP[: len(label)], "odds": FREE}
    return make.out_of_fold(label, outcome, **given | changes)


def event(up, flat=np.nan, down=np.nan, take=2.0, stop=1.0, free=FREE, side=1, atr=2.0):
    """One event at a price of 100."""
    numbers = {"p_up": up, "p_flat": flat, "p_down": down, "side": side, "atr": atr, "price": 100.0}
    barriers = {"take_profit_multiple": take, "stop_loss_multiple": stop}
    return pd.DataFrame([{**numbers, **barriers, **dict(zip(ODDS, free, strict=True))}])


# ---------------------------------------------------------------------------- the past
def test_past_outcomes_of_three_classes():
    past = past_outcomes(past_of(), THREE)
    assert (past.long.stop, past.long.rest) == pytest.approx((3.0 / 2.4, 0.2))
    fair = UP * TAKE + NONE * 0.2 - DOWN * 1.25 * STOP
    assert past.long.driftless == pytest.approx(fair.mean())
    # The opposite side was stopped where the long took its profit, here at the very level.
    assert (past.short.stop, past.short.rest) == pytest.approx((1.0, -0.2))
    assert past.short.driftless == pytest.approx((DOWN * STOP - NONE * 0.2 - UP * TAKE).mean())
    assert past.tradable


def test_binary_loss_is_that_of_all_other_exits():
    past = past_outcomes(past_of(), BINARY)
    assert past.loss == pytest.approx((1 + 2 - 0.5 + 0.1) / ((3 + 3 + 2 + 2) * 0.3 / 0.7))
    # Of a short the lower barrier is the take-profit.
    short = past_outcomes(past_of().assign(side=np.int8(-1)), BINARY)
    assert short.loss == pytest.approx(2.6 / (10 * 0.5 / 0.5))


def test_absent_classes_leave_levels_and_nothing():
    past = past_outcomes(past_of([1, -1], [2.0, -1.0]), THREE)
    assert (past.long.rest, past.tradable) == (0.0, True)
    nothing = past_outcomes(OUT_OF_FOLD.empty(), THREE)
    assert nothing == PastOutcomes(1.0, SideOutcomes(), SideOutcomes(), False)


@pytest.mark.parametrize(("label", "outcome"), [(1, 2.0), (-1, -2.0)])
def test_without_both_sides_values_are_finite_and_nothing_trades(label, outcome):
    past = past_outcomes(past_of([label, 0], [outcome, 0.0]), THREE)
    assert not past.tradable
    sure = decide(make.study().walk_forward, THREE, past, event(0.9, 0.05, 0.05))
    assert sure.value_long[0] > 0
    assert (sure.side[0], sure.size[0]) == (0, 0.0)


def test_unknown_head_is_refused():
    with pytest.raises(ValueError, match="four_class"):
        past_outcomes(OUT_OF_FOLD.empty(), "four_class")


# ---------------------------------------------------------------------------- values
def test_values_of_three_classes_are_what_probabilities_add_to_the_driftless_one():
    past = past_outcomes(past_of(), THREE)
    config = make.study(fee_bps=5.0, slippage_bps=2.0, half_spread_bps=1.0).walk_forward
    d = decide(config, THREE, past, event(0.5, 0.2, 0.3, take=2.5, stop=1.2))
    x = np.array([2.5, 0.2, -1.25 * 1.2])
    long = (np.array([0.5, 0.2, 0.3]) - FREE) @ x + past.long.driftless
    assert d.gross_long[0] == pytest.approx(long * 0.02)
    assert d.value_long[0] == pytest.approx(long * 0.02 - 0.0016)
    y = np.array([-1.0 * 2.5, -0.2, 1.2])
    short = (np.array([0.5, 0.2, 0.3]) - FREE) @ y + past.short.driftless
    assert d.gross_short[0] == pytest.approx(short * 0.02)
    assert d.value_short[0] == pytest.approx(short * 0.02 - 0.0016)
    assert d.side[0] == 1
    p = np.array([0.5, 0.2, 0.3])
    ratio = (long - 0.08) / np.sqrt(p @ x**2 - (p @ x) ** 2)
    assert d.size[0] == pytest.approx(2 * norm.cdf(ratio) - 1)


@pytest.mark.parametrize("barriers", [(1.0, 1.0), (5.0, 0.5), (0.3, 4.0)])
def test_a_driftless_event_is_worth_the_same_whatever_its_barriers(barriers):
    take, stop = barriers
    free = (0.6, 0.1, 0.3)
    past = past_outcomes(past_of(), THREE)
    d = decide(make.study().walk_forward, THREE, past, event(*free, take, stop, free))
    assert d.gross_long[0] == pytest.approx(past.long.driftless * 0.02)
    assert d.gross_short[0] == pytest.approx(past.short.driftless * 0.02)
    past = past_outcomes(past_of(), BINARY)
    d = decide(make.study(BINARY).walk_forward, BINARY, past, event(0.6, take=take, free=free))
    assert d.gross_long[0] == pytest.approx((1 - past.loss) * 0.6 * take * 0.02)


def test_binary_is_long_only():
    past = past_outcomes(past_of(), BINARY)
    events = pd.concat([event(0.6, take=3.0), event(0.01, take=3.0)])
    d = decide(make.study(BINARY).walk_forward, BINARY, past, events)
    loss = past.loss * 3.0 * 0.3 / 0.7
    assert d.value_long[0] == pytest.approx((0.6 * 3 - 0.4 * loss) * 0.02)
    assert np.isnan(d.value_short).all()
    assert np.isnan(d.gross_short).all()
    assert d.side.tolist() == [1, 0]
    ratio = (0.6 * 3 - 0.4 * loss) / ((3 + loss) * np.sqrt(0.24))
    assert d.size == pytest.approx([2 * norm.cdf(ratio) - 1, 0])


@pytest.mark.parametrize(("p", "win", "loss", "cost", "expected"), make.GOLDEN_SIZES)
def test_golden_sizes_of_events(p, win, loss, cost, expected):
    """Driftless odds that make the losses fair: then f = 1."""
    past = PastOutcomes(1.0, SideOutcomes(), SideOutcomes(), True)
    p0 = loss / (win + loss)
    own = event(p, take=win, free=(p0, 0.0, 1 - p0), atr=1.0)
    d = decide(make.study(BINARY, fee_bps=cost * 50.0).walk_forward, BINARY, past, own)
    assert d.size[0] == pytest.approx(expected, abs=5e-7)
    assert d.side[0] == (expected > 0)


def test_a_short_is_worth_what_its_own_fills_give():
    """Overshoot beyond a barrier hurts the side that is stopped there, and helps neither."""
    changes = {"outcome_short_atr": [-2.6, 1.0, -0.2], "take_profit": 2.0, "stop_loss": 1.0}
    past = past_outcomes(past_of([1, -1, 0], [2.0, -1.5, 0.2], **changes), THREE)
    assert (past.short.stop, past.short.rest) == pytest.approx((1.3, -0.2))
    d = decide(make.study(THREE).walk_forward, THREE, past, event(0.2, 0.2, 0.6))
    # All events alike: the driftless value is that of these very barriers.
    gross = (0.6 * 1.0 - 0.2 * 2.6 - 0.2 * 0.2) * 2.0 / 100.0
    assert d.value_short[0] == pytest.approx(gross)
    mirrored = -(0.2 * 2.0 - 0.6 * 1.5 + 0.2 * 0.2) * 2.0 / 100.0
    assert d.value_short[0] < mirrored


# ---------------------------------------------------------------------------- what trades
def test_costs_forbid_what_they_exceed():
    past = past_outcomes(past_of(), THREE)
    own = event(0.5, 0.2, 0.3)
    gross_bps = decide(make.study().walk_forward, THREE, past, own).gross_long[0] * 1e4
    for fee, side in ((gross_bps / 2 - 0.01, 1), (gross_bps / 2 + 0.01, 0)):
        assert decide(make.study(fee_bps=fee).walk_forward, THREE, past, own).side[0] == side


def test_confidence_is_the_share_of_the_probability_above_break_even():
    past = past_outcomes(past_of(), BINARY)
    loss, cost = past.loss * 3.0 * 0.3 / 0.7, 0.2  # 40 bps a round trip, an ATR is 2 %
    share = 1 - (loss + cost) / (3.0 + loss) / 0.4
    assert 0.05 < share < 0.95
    for least, side in ((share - 1e-6, 1), (share + 1e-6, 0)):
        config = make.study(BINARY, fee_bps=20.0, min_confidence=least).walk_forward
        assert decide(config, BINARY, past, event(0.4, take=3.0)).side[0] == side


def test_a_short_s_confidence_is_that_of_its_own_take_profit():
    past = past_outcomes(past_of(), THREE)
    own = event(0.1, 0.2, 0.7, take=2.0, stop=3.0)
    found = decide(make.study().walk_forward, THREE, past, own)
    assert found.side[0] == -1
    y = np.array([-2.0, -0.2, 3.0])  # where the price goes up, nowhere, down
    y += past.short.driftless - np.array(FREE) @ y
    others = (0.1 * y[0] + 0.2 * y[1]) / 0.3
    share = 1 - (0 - others) / (y[2] - others) / 0.7
    for least, side in ((share - 1e-6, -1), (share + 1e-6, 0)):
        config = make.study(min_confidence=least).walk_forward
        assert decide(config, THREE, past, own).side[0] == side


def test_fixed_sizes_and_a_positive_value_that_no_chance_refuses():
    past = past_outcomes(past_of(), THREE)
    own = event(0.32, 0.5, 0.18)  # worth a long, though no likelier than one in three
    fixed = decide(make.study(sizing="fixed").walk_forward, THREE, past, own)
    assert (fixed.side[0], fixed.size[0]) == (1, 1.0)
    sized = decide(make.study(sizing="probability").walk_forward, THREE, past, own)
    assert sized.value_long[0] > 0
    assert sized.side[0] == 1
    assert 0 < sized.size[0] < 0.5


# ---------------------------------------------------------------------------- the table
def month_of_bars(n: int = 60):
    rng = np.random.default_rng(3)
    price = 100 + np.cumsum(rng.normal(size=n))
    ticks = make.ticks(make.hours(make.FEB, *range(n)), price)
    return make.bars(ticks, make.FEB)


def predicted(bars, events, head=THREE, n_past=1, **walk_forward):
    n = len(events)
    p = pd.DataFrame(
        {
            "event_time_ns": events,
            "p_up": np.full(n, 0.6),
            "p_flat": np.full(n, np.nan if head == BINARY else 0.1),
            "p_down": np.full(n, np.nan if head == BINARY else 0.3),
        }
    )
    third = [1 / 3] * 4
    sure = ([0.6, 0.6, *third], [0.2, 0.2, *third], [0.2, 0.2, *third])
    label, outcome = np.tile(LABEL, n_past), np.tile(OUTCOME, n_past)
    oof = make.out_of_fold(label, outcome, *(np.tile(p, n_past) for p in sure), hold=2)
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
    """Of every six events the first two trade, an hour apart, and live for two."""
    bars = month_of_bars()
    event = bars["close_time_ns"].to_numpy()[20:21]
    # Barriers of 1 ATR and even odds: the other four are worth the driftless value, a loss.
    x, p = np.array([1.0, 0.2, -1.5]), np.array([0.6, 0.2, 0.2])
    size = 2 * norm.cdf(p @ x / np.sqrt(p @ x**2 - (p @ x) ** 2)) - 1
    assert x.mean() < 0 < size < 0.5
    frame = predicted(bars, event, n_past=50)
    assert frame["book_scale"][0] == pytest.approx(np.quantile([size, 2 * size] * 50, 0.95))
    # With fewer than a hundred past trades ordinary bets are not turned into full capital.
    assert predicted(bars, event, n_past=49)["book_scale"][0] == 1.0


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


def test_a_margin_has_the_sign_of_the_value_where_time_outs_are_worth_more_than_the_take_profit():
    outcome = np.array([[-1.0, 0.3, 0.25]] * 3)
    chances = np.array([[0.02, 0.95, 0.03], [0.9, 0.05, 0.05], [0.16, 0.83, 0.01]])
    bet = Bet(chances, outcome)
    cost = np.full(3, 0.05)
    margin = bet.margin(cost)
    np.testing.assert_array_equal(np.sign(margin), np.sign(bet.gross - cost))
    assert set(np.sign(margin)) == {-1.0, 1.0}
    assert (margin <= 1).all()
    sure = Bet(np.array([[0.0, 0.0, 1.0]]), outcome[:1])
    assert 0 < sure.margin(np.array([0.01]))[0] <= 1
