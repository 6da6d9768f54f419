"""Trees start from their offset, nobody knows the future, and measures are right by hand."""

import numpy as np
import pandas as pd
import pytest

from price_physics.months import Month
from price_physics.schemas.ticks import CANDLES
from price_physics.scores.mean_by_blocks import BLOCK_NS
from price_physics.study.market import CandleMarket
from price_physics_tests.benchmarks.real_candles import markets, trees, walk
from price_physics_tests.benchmarks.real_candles.__main__ import main
from price_physics_tests.benchmarks.real_candles.measures import (
    calibration_error,
    excess_log_loss,
    tenths,
)
from price_physics_tests.benchmarks.real_candles.page import by_month, mean_and_error, page

MONTHS = Month.span(Month(2017, 1), Month(2017, 6))


def planted(seed, n=20_000):
    """Events whose log-odds are an offset, which no feature shows, and a step of one feature."""
    rng = np.random.default_rng(seed)
    features, offset = rng.normal(size=(n, 3)), rng.normal(-1, 1.5, n)
    log_odds = offset + np.where(features[:, 1] > 0.3, 0.8, -0.8)
    return features, offset, log_odds, rng.random(n) < trees.chance(log_odds)


@pytest.mark.slow
def test_trees_add_to_a_planted_offset_what_it_does_not_say():
    features, offset, _, won = planted(1)
    fitted = trees.fit(features, won, offset)
    features, offset, log_odds, _ = planted(2)
    learnt = fitted.log_odds(features, offset)
    assert np.abs(learnt - log_odds).mean() < 0.12
    assert np.polyfit(offset, learnt - log_odds, 1)[0] == pytest.approx(0, abs=0.01)
    blind = trees.fit(planted(1)[0], won, np.zeros(len(won))).log_odds(features, 0 * offset)
    assert np.abs(blind - log_odds).mean() > 1


def test_trees_that_may_not_split_are_the_offset_and_a_constant():
    rng = np.random.default_rng(3)
    n = 2 * trees.LEAST - 1
    offset = rng.normal(size=n)
    won = rng.random(n) < trees.chance(offset + 0.5)
    fitted = trees.fit(rng.normal(size=(n, 2)), won, offset)
    p = trees.chance(fitted.log_odds(rng.normal(size=(n, 2)), offset))
    assert p.mean() == pytest.approx(won.mean(), abs=1e-9)


def test_a_tree_splits_where_it_gains_most_and_its_leaves_are_newton_steps():
    bins = np.array([[0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]], dtype=np.uint8)
    gradient, curvature = np.array([1.0, 2.0, 3.0, 2.0, -3.0, -4.0]), np.full(6, 0.25)
    feature, cut, leaf = trees._grow(bins, gradient, curvature, 1, 3, 1, 1.0)
    assert (feature.tolist(), cut.tolist()) == ([0], [1])
    assert leaf == pytest.approx([8 / 2.0, -7 / 1.5])
    assert trees._leaf_of(bins, feature, cut).tolist() == [0, 0, 0, 0, 1, 1]
    assert trees._grow.py_func(bins, gradient, curvature, 1, 3, 1, 1.0)[2] == pytest.approx(leaf)
    feature, cut, leaf = trees._grow(bins, gradient, curvature, 1, 3, 4, 1.0)  # no leaf of four
    assert leaf == pytest.approx([1 / 2.5, 0])


def test_events_of_one_class_are_refused():
    with pytest.raises(ValueError, match="0 of 5 events won"):
        trees.fit(np.zeros((5, 1)), np.zeros(5, dtype=bool), np.zeros(5))


def test_measures_of_a_month_by_hand():
    won = np.array([True, False, False, False])
    p = np.array([0.5, 0.5, 0.2, 0.2])
    own = -(np.log(0.25) + 3 * np.log(0.75)) / 4
    ours = -(2 * np.log(0.5) + 2 * np.log(0.8)) / 4
    assert excess_log_loss(p, won) == pytest.approx(ours - own)
    assert calibration_error(p, won) == pytest.approx(0.1)
    assert excess_log_loss(np.full(4, 0.25), won) == 0


def test_tenths_of_values_by_hand():
    stated = np.arange(20.0)[::-1]
    returned = np.repeat(np.arange(10.0), 2)[::-1].copy()
    returned[:2] = (8, 12)  # the highest tenth, in two blocks
    time = np.arange(20) * BLOCK_NS
    found = tenths(stated, returned, time)
    assert found.stated == [0.5 + 2 * i for i in range(10)]
    assert [came.mean for came in found.came] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert found.n_up == 9
    assert found.spread.mean == 10
    # two events 2 away from their mean, each a half of the tenth: 1.96 sqrt(2 * 1**2 * 20 / 19)
    half = 1.96 * np.sqrt(2 * 20 / 19)
    assert found.spread.high - 10 == pytest.approx(half)
    assert 10 - found.spread.low == pytest.approx(half)
    assert tenths(-stated, returned, time).spread.mean == -10


def candles(seed):
    """Five-minute candles of a walk, by month."""
    rng = np.random.default_rng(seed)
    frames = {}
    price = 100.0
    for month in MONTHS:
        start = np.arange(month.start_ns, month.stop_ns, 300 * 10**9)
        steps = rng.normal(0, 5e-4, (len(start), 5)).cumsum(axis=1)
        path = price * np.exp(steps + np.concatenate([[0], steps[:-1, -1].cumsum()])[:, None])
        price, opened = path[-1, -1], np.concatenate([[price], path[:-1, -1]])
        volume = rng.lognormal(0, 1, len(start))
        frames[month] = pd.DataFrame(
            {
                "open_time_ns": start,
                "close_time_ns": start + 300 * 10**9 - 1,
                "open": opened,
                "high": np.maximum(path.max(axis=1), opened),
                "low": np.minimum(path.min(axis=1), opened),
                "close": path[:, -1],
                "volume": volume,
                "notional": volume * path[:, -1],
                "buy_volume": volume,
            }
        )[CANDLES.columns]
    return frames


def events_of(frames):
    market = CandleMarket(
        name="walk", symbol="X", files=["x"], candle_minutes=5, first_month=MONTHS[0]
    )
    study = markets.study_of("LTC", markets.HORIZONS["ten hours"])
    return markets.events_of_candles(study, market, frames)


@pytest.fixture(scope="module")
def walked():
    events = events_of(candles(4))
    return events, walk.serve(events, MONTHS[3])


@pytest.mark.slow
def test_a_month_is_served_as_if_nothing_came_after_it(walked):
    events, served = walked
    last = events["label_month"] == MONTHS[-1]
    changed = events.assign(
        label=np.where(last, -events["label"], events["label"]),
        outcome_atr=np.where(last, 9.0, events["outcome_atr"]),
    )
    again = walk.serve(changed, MONTHS[3])
    said = ["event_time_ns", *walk.MODELS, *walk.VALUES]
    pd.testing.assert_frame_equal(again[said], served[said])
    assert not again["won"].equals(served["won"])
    cut = walk.serve(events[events["label_month"] < MONTHS[-1]], MONTHS[3])
    assert cut["event_month"].max() == MONTHS[-2]
    pd.testing.assert_frame_equal(cut, served.iloc[: len(cut)])


@pytest.mark.slow
def test_events_stand_at_policies_that_move_and_know_their_odds(walked):
    events, served = walked
    assert events.groupby("event_month")["take_profit_multiple"].nunique().max() == 1
    assert events["take_profit_multiple"].nunique() >= 4
    assert np.isfinite(events[markets.FEATURES].to_numpy()).all()
    assert set(events[events["at_fallback"]]["event_month"]) == {MONTHS[0]}
    assert (served[walk.ODDS_ALONE] - served["p0_up"]).abs().max() < 2e-4
    months = by_month(served.assign(market="walk"))
    assert len(months) == 3
    excess = {name: mean_and_error(months, name, 0)[0] for name in walk.MODELS}
    assert excess[walk.OFFSET] < excess[walk.BLIND]


@pytest.mark.slow
def test_the_page_says_what_was_missed(walked):
    served = walked[1].assign(market="BTC", n_labels=len(walked[0]))
    served = pd.concat([served.assign(market=name) for name in markets.THRESHOLDS])
    far = served.assign(**{walk.OFFSET: 0.9})
    text, passed = page({"ten hours": far, "a day": served}, "today")
    assert not passed
    assert "MISSED: excess log loss, trees with the offset; monthly calibration error" in text
    rising = np.arange(len(served)) / 10
    won = served["won"].to_numpy()
    known = served.assign(
        **{walk.OFFSET: np.where(won, 0.999, 0.001), walk.VALUE: rising}, returned=rising
    )
    text, passed = page({"ten hours": known, "a day": served}, "today")
    assert passed
    assert "All targets are met." in text


def test_without_the_candles_it_says_so_and_measures_nothing(tmp_path, capsys):
    assert main(["--candles", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out.startswith("Skipped: the real candles are not here: ")
