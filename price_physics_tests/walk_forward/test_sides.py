"""Trade the side of a primary model: its barriers, its value, and never the other side."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from price_physics.labels.atr import month_atr
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.study.labels import LabelsConfig
from price_physics.walk_forward.fills import fill_signals
from price_physics.walk_forward.outcomes import past_outcomes
from price_physics.walk_forward.signals import decide
from price_physics_tests.labels.chain import run_chain
from price_physics_tests.labels.synthetic import make_market, make_study, make_world
from price_physics_tests.labels.test_candles import MONTHS, by_candles, candle_study, walk
from price_physics_tests.walk_forward import make
from price_physics_tests.walk_forward.test_candles import laid_out

BINARY = "binary_take_profit"
LABEL = np.array([1, 1, -1, -1, 0, 0])
OUTCOME = np.array([2.0, 4.0, -1.0, -2.0, 0.5, -0.1])


def test_the_value_is_that_of_the_primary_s_side():
    past = past_outcomes(make.out_of_fold(LABEL, OUTCOME), BINARY)
    assert past.loss == pytest.approx(2.6 / (4 * 0.5))  # even odds, a take-profit of 1 ATR
    config = make.study(BINARY, fee_bps=3.0).walk_forward
    side = np.array([1, -1, 1, -1])
    p = np.array([0.6, 0.6, 0.01, 0.01])
    events = pd.DataFrame({"p_up": p, "side": side, "atr": 2.0, "price": 100.0})
    events = events.assign(take_profit_multiple=3.0, stop_loss_multiple=1.0)
    found = decide(config, BINARY, past, events.assign(p0_up=0.3, p0_none=0.3, p0_down=0.4))
    p0 = np.where(side > 0, 0.3, 0.4)  # the lower barrier is the short's take-profit
    loss = 1.3 * 3.0 * p0 / (1 - p0)
    gross = (p * 3.0 - (1 - p) * loss) * 0.02
    value = gross - 2 * config.cost_a_side
    assert found.value_long[[0, 2]] == pytest.approx(value[[0, 2]])
    assert found.value_short[[1, 3]] == pytest.approx(value[[1, 3]])
    assert found.gross_short[[1, 3]] == pytest.approx(gross[[1, 3]])
    assert np.isnan(found.value_long[[1, 3]]).all()
    assert np.isnan(found.value_short[[0, 2]]).all()
    assert found.side.tolist() == [1, -1, 0, 0]
    sizes = 2 * norm.cdf(value / 0.02 / ((3.0 + loss) * np.sqrt(p * (1 - p)))) - 1
    assert found.size.tolist() == pytest.approx([*sizes[:2], 0, 0])


def predicted(trailing_return, past_side, rule="trend"):
    rng = np.random.default_rng(3)
    price = 100 + np.cumsum(rng.normal(size=60))
    bars = make.bars(make.ticks(make.hours(make.FEB, *range(60)), price), make.FEB)
    events = bars["close_time_ns"].to_numpy()[15 : 15 + len(trailing_return)]
    n = len(events)
    p = pd.DataFrame({"event_time_ns": events, "p_up": 0.6, "p_flat": np.nan, "p_down": np.nan})
    label, outcome = np.tile(LABEL, 20), np.tile(OUTCOME, 20)
    past = make.out_of_fold(label, outcome, [0.6] * 120, hold=9).assign(side=past_side)
    labels = LabelsConfig(horizon_minutes=1440, side=rule)
    study = make.study(BINARY).model_copy(update={"labels": labels})
    features = make.features(events).assign(trailing_return=trailing_return)
    arguments = (make.FEB, p, past.astype({"side": np.int8}), None, {make.FEB: bars}, features)
    frame = make.predictions_of(study, *arguments)
    PREDICTIONS.to_arrow(frame)
    atr = month_atr({make.FEB: bars}, make.FEB, 14)[15 : 15 + n]
    return study, bars["close"].to_numpy()[15 : 15 + n], atr, events, frame


def test_barriers_face_the_side_and_what_has_none_is_no_prediction():
    study, price, atr, events, frame = predicted([0.1, -0.1, 0.0, -0.2], 1)
    kept = np.array([0, 1, 3])
    assert frame["event_time_ns"].tolist() == events[kept].tolist()
    assert frame["side"].tolist() == [1, -1, -1]
    policy, price, atr = study.barrier_policy, price[kept], atr[kept]
    side = np.array([1, -1, -1])
    take = price + side * policy.fallback_take_profit * atr
    stop = price - side * policy.fallback_stop_loss * atr
    assert frame["upper"].tolist() == np.maximum(take, stop).tolist()
    assert frame["lower"].tolist() == np.minimum(take, stop).tolist()
    values = frame[["expected_value_long_bps", "expected_value_short_bps"]]
    assert values.notna().to_numpy().tolist() == [[True, False], [False, True], [False, True]]


def test_the_scale_of_the_book_counts_past_sides():
    """Ten bets are live at once; where longs and shorts alternate, they cancel out in pairs."""
    loss = 1.3 * 0.5
    size = 2 * norm.cdf((0.6 - 0.4 * loss) / ((1 + loss) * np.sqrt(0.24))) - 1
    *_, alike = predicted([0.1], 1)
    *_, mixed = predicted([0.1], [1, -1] * 60)
    live = np.minimum(np.arange(1, 121), 10)
    assert alike["book_scale"][0] == pytest.approx(np.quantile(size * live, 0.95))
    assert mixed["book_scale"][0] == pytest.approx(size)


@pytest.mark.parametrize("rule", ["trend", "reversal"])
def test_trades_end_as_their_labels_say(rule):
    """Fills and labels are two programs; without latency and costs they agree to the tick."""
    world = make_world(seed=5, n_ticks=400)
    study = make_study(labels={"side": rule}, model={"head": BINARY})
    labels = pd.concat(list(run_chain(study, make_market(), world)["labels"].values()))
    labels = labels.reset_index(drop=True)
    ticks = pd.concat([world.ticks[m] for m in world.months])
    time_ns, price = ticks["time_ns"].to_numpy(), ticks["price"].to_numpy()
    fills = fill_signals(labels, make.prices(time_ns, price), 0, world.months[-1].end_ns)
    touched = labels["label"].to_numpy() != 0
    reason = np.where(labels["label"] == 1, "take_profit", "stop_loss")
    assert set(labels.loc[touched, "side"]) == {-1, 1}
    assert fills.state[touched].tolist() == reason[touched].tolist()
    assert fills.exit_price[touched].tolist() == labels["exit_price"][touched].tolist()
    assert fills.exit_time_ns[touched].tolist() == labels["label_end_ns"][touched].tolist()
    assert set(fills.state[~touched]) <= {"time_out", "live", "cancelled"}


@pytest.mark.parametrize("kind", ["time", "tick"])
def test_trades_by_candles_end_as_their_labels_say(kind):
    """They differ where a trade sees the open of a candle at its start, and a label at its end."""
    study = candle_study(kind, "stop_loss_first", side="trend")
    labels = by_candles(study)[1].labels
    candles = pd.concat([walk()[1][m] for m in MONTHS], ignore_index=True)
    prices = make.prices(*laid_out(candles))
    fills = fill_signals(labels, prices, 0, MONTHS[-1].end_ns, kind == "time")
    assert set(fills.state) <= {"take_profit", "stop_loss", "time_out", "cancelled"}
    side, label = labels["side"].to_numpy(), labels["label"].to_numpy()
    reason = np.where(label == 1, "take_profit", "stop_loss")
    touched = label != 0
    assert fills.state[touched].tolist() == reason[touched].tolist()
    at_open = fills.exit % 2 == 0
    at_end = touched & ~at_open
    for found, name in ((fills.exit_price, "exit_price"), (fills.exit_time_ns, "label_end_ns")):
        assert found[at_end].tolist() == labels.loc[at_end, name].tolist()
    stop = np.where(side > 0, labels["lower"], labels["upper"])
    kept, went_on = side * (fills.exit_price - stop), side * (labels["exit_price"] - stop)
    stopped = touched & (label == -1)
    assert (went_on[stopped] == kept[stopped]).all()
    assert (kept[stopped] <= 0).all()
    assert (kept < 0)[stopped & at_end].all()
    assert at_open[stopped].any()
    assert set(side[stopped]) == {-1, 1}
