"""A planted market through the real stages, with an oracle in place of the network."""

import numpy as np
import pandas as pd

from price_physics.events.times import event_times
from price_physics.frames import conform
from price_physics.labels.offers import offered_events
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, LABELS
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.ticks import TICKS
from price_physics.study.market import TradeMarket
from price_physics.truth.markets import THRESHOLD_QUOTE, horizon_minutes, lattice_market
from price_physics.walk_forward.build import build_walk_forward
from price_physics.walk_forward.month import MonthWalk
from price_physics.walk_forward.signals import prediction_table
from price_physics.walk_forward.trial import judge_months
from price_physics_tests.past import only_table, past_of
from price_physics_tests.stages import BEFORE
from price_physics_tests.walk_forward import make

MONTHS = Month.span(Month(2012, 1), Month(2012, 4))
A_DAY = 5


def planted_study():
    study = make.study(horizon_minutes=horizon_minutes(A_DAY), fee_bps=0.5, min_confidence=0.05)
    events = study.events.model_copy(update={"every_n_bars": 64, "offset_bars": 31})
    threshold = study.bars.model_copy(update={"threshold_quote": THRESHOLD_QUOTE})
    return study.model_copy(update={"events": events, "bars": threshold})


def oracle(events, bars, strength):
    """Driftless odds that lean the way the pattern went: up by a factor, down by its inverse."""
    close, time = bars["close"].to_numpy(), bars["close_time_ns"].to_numpy()
    at = np.searchsorted(time, events["event_time_ns"])
    lean = np.exp(strength * np.where(close[at] >= close[at - 16], 1, -1))
    up, flat, down = events["p0_up"] * lean, events["p0_none"], events["p0_down"] / lean
    whole = up + flat + down
    return events.assign(p_up=up / whole, p_flat=flat / whole, p_down=down / whole)


def walk_through(kind, theta, strength):
    study = planted_study()
    market = TradeMarket(
        name="lattice", symbol="X", vendor="generic", files=["x"], first_month=MONTHS[0]
    )
    whole = lattice_market(kind, MONTHS[0], len(MONTHS), A_DAY, seed=8, theta=theta)
    split = np.searchsorted(whole["time_ns"], [m.stop_ns for m in MONTHS])
    ticks = {
        m: whole[a:b].reset_index(drop=True)
        for m, a, b in zip(MONTHS, [0, *split[:-1]], split, strict=True)
    }
    tables = {TICKS: ticks, PREDICTIONS: {}, **{schema: {} for schema, _ in BEFORE}}
    walked = {}
    out_of_fold = OUT_OF_FOLD.empty()
    for m in MONTHS:
        for schema, build in BEFORE:
            tables[schema][m] = only_table(build(study, market, m, past_of(tables)))
        bars, labels = tables[BARS], tables[LABELS]
        features, policies = tables[REGIME_FEATURES], tables[BARRIER_POLICY]
        events = event_times(bars[m], study.events)
        if m > MONTHS[0]:
            offered = offered_events(study, m, events, policies[m - 1], bars, features[m])
            known = oracle(offered, bars[m], strength).assign(by_network=True)
            tables[PREDICTIONS][m] = prediction_table(study, known, out_of_fold)
            walked[m] = MonthWalk.of(build_walk_forward(study, market, m, past_of(tables)))
        else:
            known = oracle(labels[m], bars[m], strength)
            out_of_fold = conform(
                OUT_OF_FOLD,
                **{c: known[c] for c in OUT_OF_FOLD.columns if c in known},
                fold=0 * known["price"],
                stands_for=1 + 0 * known["price"],
            )
    return walked, labels


def join(walked, name):
    return pd.concat([getattr(w, name) for w in walked.values()], ignore_index=True)


def verdict_of(walked):
    return judge_months(walked, {}, planted_study(), MONTHS[-1])


def test_planted_trend_is_an_edge_and_trades_end_as_their_labels_say():
    walked, labels = walk_through("trend", 0.3, 2.5)
    trades = join(walked, "trades")
    assert len(trades) > 300
    assert set(trades["side"]) == {-1, 1}
    labelled = pd.concat(labels.values()).drop(columns="side")
    both = trades.merge(labelled, on="event_time_ns")
    assert len(both) == len(trades)
    profit = both["label"] == both["side"]
    expected = np.select([profit, both["label"] == 0], ["take_profit", "time_out"], "stop_loss")
    told = both["exit_reason"].to_numpy()
    assert (told == expected).all()
    verdict = verdict_of(walked)
    assert verdict.verdict == "edge"
    assert verdict.n_days == 29 + 31 + 30
    scored = join(walked, "scored")
    assert len(scored) == len(both)


def test_the_same_signals_on_a_walk_are_none():
    walked, _ = walk_through("walk", 0.0, 2.5)
    assert len(join(walked, "trades")) > 100
    assert verdict_of(walked).verdict != "edge"
