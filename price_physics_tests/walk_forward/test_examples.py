"""The example studies, unchanged, on markets that suit each, with a model that knows the drift.

A market drifts one way for ten hours, then, by the toss of a coin, the same way or the other. The
model in place of the network knows which way, and learns from one month of labels how much that is
worth: two numbers beside the driftless odds. Where nothing is planted it learns nothing and gives
the odds.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit

from price_physics.frames import conform
from price_physics.labels.events import event_times
from price_physics.labels.odds import class_odds
from price_physics.labels.offers import offered_events
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, LABELS
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.ticks import CANDLES, TICKS
from price_physics.study.reading import load_market, load_study
from price_physics.walk_forward.build import build_walk_forward
from price_physics.walk_forward.month import MonthWalk
from price_physics.walk_forward.signals import prediction_table
from price_physics.walk_forward.trial import judge_months
from price_physics_tests.bars.candles import candles_of_ticks
from price_physics_tests.past import only_table, past_of
from price_physics_tests.stages import BEFORE

EXAMPLES = Path(__file__).parents[2] / "configs" / "examples"
FIRST = Month(2024, 1)
SERVED = FIRST + 2
SPACING_NS, NOTIONAL = 4_500_000_000, 250_000.0
EPISODE = 8_000
"""Ticks in ten hours."""
SPREAD_AN_EPISODE = 0.02
EVERY_N_BARS = {"btcusdt": 50, "klines_btcusdt": 4}
"""Events are thinned so that a test takes seconds; nothing else of the studies is changed."""


def drifting_market(drift):
    """Ticks of three months, and the way of the drift at each; `drift` in spreads an episode."""
    rng = np.random.default_rng(17)
    time_ns = np.arange(FIRST.start_ns, SERVED.stop_ns, SPACING_NS)
    coins = rng.choice([-1, 1], size=len(time_ns) // EPISODE + 1)
    way = np.repeat(coins, EPISODE)[: len(time_ns)]
    noise = rng.normal(size=len(time_ns)) / np.sqrt(EPISODE)
    price = 50_000 * np.exp(SPREAD_AN_EPISODE * np.cumsum(noise + drift * way / EPISODE))
    return way, conform(
        TICKS,
        time_ns=time_ns,
        trade_id=np.arange(len(time_ns)),
        price=price,
        qty=NOTIONAL * rng.uniform(0.5, 1.5, len(time_ns)) / price,
        tick_sign=np.where(noise >= 0, 1, -1),
    )


def learn(labels, way):
    """By how much the drift up, and the drift down, moves the logit of a take-profit."""
    odds, won = logit(class_odds(labels, 2)[:, 1]), (labels["label"] == 1).to_numpy()
    learnt = {}
    for sign in (-1, 1):
        of = way == sign
        learnt[sign] = brentq(lambda b, of=of: (expit(odds[of] + b) - won[of]).sum(), -9, 9)
    return learnt


def said(events, way, learnt):
    """Probabilities of the events, as the binary head has them."""
    lean = np.where(way > 0, learnt[1], learnt[-1])
    p_up = expit(logit(class_odds(events, 2)[:, 1]) + lean)
    return events.assign(p_up=p_up, p_flat=np.nan, p_down=np.nan)


def traded(name, drift):
    """The verdict on the third month, and its trades."""
    study = load_study(EXAMPLES / "studies" / f"{name}.yaml")
    rule = study.events.model_copy(update={"every_n_bars": EVERY_N_BARS[name]})
    study = study.model_copy(update={"events": rule})
    market = load_market(EXAMPLES / "markets" / f"{study.market}.yaml")
    way, ticks = drifting_market(drift)
    months = Month.span(FIRST, SERVED)
    whole = candles_of_ticks(ticks, int(market.candle_minutes)) if market.candle_ns else ticks
    rows, moment = (CANDLES, "open_time_ns") if market.candle_ns else (TICKS, "time_ns")
    month_of = np.searchsorted([m.stop_ns for m in months], whole[moment], side="right")
    tables = {
        rows: {m: whole[month_of == i].reset_index(drop=True) for i, m in enumerate(months)},
        PREDICTIONS: {},
        **{schema: {} for schema, _ in BEFORE},
    }
    for m in months:
        for schema, build in BEFORE:
            tables[schema][m] = only_table(build(study, market, m, past_of(tables)))

    def way_at(events):
        return way[np.searchsorted(ticks["time_ns"], events["event_time_ns"], side="right") - 1]

    known = pd.concat([tables[LABELS][m] for m in months[:-1]], ignore_index=True)
    known = known[~known["at_fallback"]].reset_index(drop=True)
    learnt = learn(known, way_at(known)) if drift else dict.fromkeys((-1, 1), 0.0)
    known = said(known, way_at(known), learnt)
    columns = {c: known[c] for c in OUT_OF_FOLD.columns if c in known}
    out_of_fold = conform(
        OUT_OF_FOLD, **columns, fold=np.zeros(len(known)), stands_for=np.ones(len(known))
    )
    bars = tables[BARS]
    offered = offered_events(
        study,
        SERVED,
        event_times(bars[SERVED], study.events),
        tables[BARRIER_POLICY][SERVED - 1],
        bars,
        tables[REGIME_FEATURES][SERVED],
    )
    p = said(offered, way_at(offered), learnt)
    tables[PREDICTIONS][SERVED] = prediction_table(study, p.assign(by_network=True), out_of_fold)
    walk = MonthWalk.of(build_walk_forward(study, market, SERVED, past_of(tables)))
    verdict = judge_months({SERVED: walk}, tables[PREDICTIONS], study, SERVED)
    return verdict, walk.trades


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EVERY_N_BARS))
def test_an_example_trades_what_is_planted(name):
    verdict, trades = traded(name, drift=0.8)
    assert len(trades) > 100
    assert trades["net_bps"].mean() > 20
    assert "min_confidence" not in verdict.sentence


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EVERY_N_BARS))
def test_an_example_says_what_refused_its_signals_where_nothing_is_planted(name):
    verdict, trades = traded(name, drift=0.0)
    assert not len(trades)
    assert verdict.verdict != "edge"
    assert "none was worth its cost: the highest probability of the better side was 0." in (
        verdict.sentence
    )
