"""Labels touched by candles: the slow reference, and the very ticks that they are made of."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from price_physics.bars.candles import bars_of_candles
from price_physics.bars.ticks import bars_of_ticks
from price_physics.errors import StoreError
from price_physics.labels.build import build_labels
from price_physics.labels.excursions import build_excursions
from price_physics.labels.policy import build_policy
from price_physics.months import Month
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.schemas.ticks import CANDLES, TICKS
from price_physics.study.barriers import FixedBarriers
from price_physics.study.bars import TickBars, TimeBars
from price_physics_tests.bars.candles import candles_of, candles_of_ticks
from price_physics_tests.labels import naive
from price_physics_tests.labels.synthetic import FIRST, HOUR_NS, make_market, make_ticks
from price_physics_tests.labels.test_bar_path import bar_study, check
from price_physics_tests.past import only_table, past_of

STEP = 0.5
TAKE, STOP = 0.25, 0.2  # in ATR: many a candle reaches as far as both
MONTHS = Month.span(FIRST, FIRST + 2)
MARKET, OF_CANDLES = make_market(), make_market(candle_minutes=60)
BAR_CONFIGS = {
    "time": TimeBars(kind="time", interval_minutes=120),
    "tick": TickBars(kind="tick", threshold_ticks=3),
}
KINDS = pytest.mark.parametrize("kind", BAR_CONFIGS)
SIDES = pytest.mark.parametrize("side", [None, "trend"])


def candle_study(kind, rule="drop", horizon_hours=6, **labels):
    horizon = {"path": "ticks", "horizon_minutes": horizon_hours * 60}
    study = bar_study(rule, **horizon, **labels)
    fixed = {"kind": "fixed", "take_profit_multiple": TAKE, "stop_loss_multiple": STOP}
    policy = FixedBarriers(**fixed)
    return study.model_copy(update={"bars": BAR_CONFIGS[kind], "barrier_policy": policy})


@cache
def walk():
    """Ticks of a random walk on a grid, and their candles: eight in one, or none for hours."""
    rng = np.random.default_rng(11)
    ticks, price = {}, 1000.0
    for month in MONTHS:
        time_ns = np.sort(rng.integers(month.start_ns, month.stop_ns, 6000))
        time_ns = time_ns[(time_ns // (6 * HOUR_NS)) % 9 > 0]
        path = price + STEP * np.cumsum(rng.integers(-1, 2, len(time_ns)))
        ticks[month], price = make_ticks(time_ns, path), path[-1]
    return ticks, {m: candles_of_ticks(frame, 60) for m, frame in ticks.items()}


def stages(study, market, bars, rows):
    """Excursions and labels of every month, joined, and what was counted."""
    features, excursions, policies, labels = {}, {}, {}, {}
    n_undecidable = n_dropped = 0
    schema = CANDLES if market.candle_minutes is not None else TICKS

    def made(build, m, tables):
        return build(study, market, m, past_of(tables))

    for m in MONTHS:
        upto = {BARS: {k: frame for k, frame in bars.items() if k <= m}}
        near_bars = {k: frame for k, frame in bars.items() if m - 2 <= k <= m}
        near_rows = {k: frame for k, frame in rows.items() if m - 1 <= k <= m}
        near = {BARS: near_bars, schema: near_rows}
        features[m] = only_table(made(build_regime_features, m, upto))
        excursions[m] = only_table(made(build_excursions, m, near))
        known = {REGIME_FEATURES: features, BARRIER_POLICY: policies}
        result = made(build_labels, m, {**near, **known})
        known = {EXCURSIONS: excursions, REGIME_FEATURES: features}
        policies[m] = only_table(made(build_policy, m, known))
        labels[m] = only_table(result).assign(month=m)
        LABELS.to_arrow(only_table(result))
        EXCURSIONS.to_arrow(excursions[m])
        counts = result.document("counts")
        n_undecidable += counts["undecidable"]
        n_dropped += counts["dropped"].get("both_touched", 0)
    return SimpleNamespace(
        features=pd.concat(list(features.values())).set_index("event_time_ns"),
        excursions=pd.concat(list(excursions.values()), ignore_index=True),
        labels=pd.concat(list(labels.values()), ignore_index=True),
        n_undecidable=n_undecidable,
        n_dropped=n_dropped,
    )


def by_candles(study):
    _, candles = walk()
    chunks = {m: [frame] for m, frame in candles.items()}
    bars = {m: bars_of_candles(study.bars, m, chunks) for m in MONTHS}
    return bars, stages(study, OF_CANDLES, bars, candles)


def by_ticks(study, bars_of_candles):
    """The same events on the ticks: bars of as many minutes, or those that candles closed."""
    ticks, _ = walk()
    if study.bars.kind == "time":
        bars = {m: bars_of_ticks(study.bars, m, {m: [ticks[m]]}) for m in MONTHS}
    else:  # candles close them by the clock: at that instant nothing need have traded
        bars = bars_of_candles
        study = study.model_copy(update={"bars": BAR_CONFIGS["time"]})
    return stages(study, MARKET, bars, ticks)


# ---------------------------------------------------------------------------- the slow reference
@pytest.mark.slow
@KINDS
@SIDES
@pytest.mark.parametrize("rule", ["drop", "stop_loss_first"])
def test_labels_are_the_slow_ones(rule, side, kind):
    study = candle_study(kind, rule, side=side)
    bars, out = by_candles(study)
    _, candles = walk()
    paths = {
        m: naive.with_oversteps([candles[k] for k in (m - 1, m) if k in candles], "close_time_ns")
        for m in MONTHS
    }
    nothing = {m: TICKS.empty() for m in MONTHS}
    slow = naive.label_rows(study, SimpleNamespace(months=MONTHS, ticks=nothing, bars=bars))
    slow = [row for row in slow if row["horizon_end_ns"] < MONTHS[-1].stop_ns]
    found = out.labels.set_index("event_time_ns")
    n_undecidable = n_labels = 0
    for row in slow:
        start, end = row["event_time_ns"], row["horizon_end_ns"]
        inside = [candle for candle in paths[Month.of(end)] if start < candle[0] <= end]
        excursion = out.excursions[out.excursions["event_time_ns"] == start].iloc[0]
        prices = [row["price"], *(c[2] for c in inside), *(c[3] for c in inside)]
        assert excursion["favourable_atr"] == (max(prices) - row["price"]) / row["atr"]
        assert excursion["adverse_atr"] == (row["price"] - min(prices)) / row["atr"]
        taken = np.sign(out.features.loc[start, "trailing_return"]) if side else 1
        if taken == 0:
            assert start not in found.index
            continue
        expected = naive.trade(row, inside, taken, TAKE, STOP)
        if expected[0] is None:
            n_undecidable += 1
            if rule == "drop":
                assert start not in found.index
                continue
            expected = (-1, *expected[1:])
        assert found.loc[start, "side"] == taken
        check(found.loc[start], row, expected, taken)
        odds = naive.odds(row, TAKE, STOP, taken)
        assert found.loc[start, list(ODDS)].tolist() == pytest.approx(odds, rel=1e-9, abs=1e-12)
        n_labels += 1
    assert len(found) == n_labels
    assert len(out.excursions) == len(slow)
    assert out.n_undecidable == n_undecidable > 20
    assert out.n_dropped == (out.n_undecidable if rule == "drop" else 0)
    assert set(found["label"]) == {-1, 0, 1}
    assert set(found["side"]) == ({-1, 1} if side else {1})


# ---------------------------------------------------------------------------- the ticks in them
@cache
def compared(kind, rule="drop", side=None):
    """Labels by ticks beside those by candles; those that only ticks give; both results."""
    study = candle_study(kind, rule, side=side)
    bars, candles = by_candles(study)
    ticks = by_ticks(study, bars)
    assert ticks.n_undecidable == 0
    assert set(candles.labels["event_time_ns"]) <= set(ticks.labels["event_time_ns"])
    both = ticks.labels.merge(candles.labels, on="event_time_ns", suffixes=("", "_candle"))
    only = ticks.labels[~ticks.labels["event_time_ns"].isin(both["event_time_ns"])]
    return both, only, candles, ticks


@KINDS
@SIDES
def test_candles_label_as_their_ticks_wherever_a_candle_decides(kind, side):
    both, only, candles, _ = compared(kind, side=side)
    assert candles.n_dropped == len(only) > 20
    for name in ("side", "label", "price", "atr", "upper", "lower", "horizon_end_ns", "month"):
        assert both[name].tolist() == both[f"{name}_candle"].tolist(), name
    assert both["label"].value_counts().min() > 20
    touched, won = both["label"] != 0, both["label"] == 1
    # the end of the candle that holds the touching tick; of a time-out, of the horizon
    end_ns = both["label_end_ns"] - both["label_end_ns"] % HOUR_NS + HOUR_NS - 1
    assert both["label_end_ns_candle"].tolist() == end_ns.tolist()
    assert (both["exit_price"] == both["exit_price_candle"])[won | ~touched].all()
    # A stop leaves a tick at its price, less than a step of the grid beyond the level that it
    # touched, and a candle about as far beyond it: by what its trades step.
    stopped = both[touched & ~won]
    level = np.where(stopped["side"] > 0, stopped["lower"], stopped["upper"])
    beyond = stopped["side"] * (level - stopped["exit_price_candle"])
    worse = stopped["side"] * (stopped["exit_price"] - stopped["exit_price_candle"])
    assert (beyond > 0).all()
    assert (worse.abs() < STEP).all()
    assert abs(worse.mean()) < STEP / 5


@KINDS
@SIDES
def test_what_candles_cannot_decide_touched_both_barriers_in_one_of_them(kind, side):
    _, only, _, _ = compared(kind, side=side)
    candles = pd.concat(list(walk()[1].values())).set_index("open_time_ns")
    for row in only.itertuples():
        candle = candles.loc[row.label_end_ns - row.label_end_ns % HOUR_NS]
        assert candle["high"] >= row.upper
        assert candle["low"] <= row.lower
        assert row.lower < candle["open"] < row.upper
    assert set(only["label"]) == {-1, 1}  # the ticks tell, and not always the same


@KINDS
@SIDES
def test_stop_loss_first_is_no_kinder_than_the_ticks(kind, side):
    _, only, _, _ = compared(kind, side=side)
    both, none, candles, _ = compared(kind, "stop_loss_first", side)
    assert none.empty
    assert (candles.n_dropped, candles.n_undecidable) == (0, len(only))
    unknown = both["event_time_ns"].isin(only["event_time_ns"])
    assert (both.loc[unknown, "label_candle"] == -1).all()
    assert (both["label_candle"] == both["label"])[~unknown].all()
    kinder = (both["outcome_atr_candle"] - both["outcome_atr"]) * both["atr"]
    assert (kinder < STEP).all()  # what a tick lies beyond the level that it touched
    assert (kinder[unknown & (both["label"] == 1)] < 0).all()


@KINDS
def test_excursions_over_whole_candles_are_those_of_their_ticks(kind):
    _, _, candles, ticks = compared(kind)
    pd.testing.assert_frame_equal(candles.excursions, ticks.excursions, check_exact=True)
    assert len(candles.excursions) > 500
    assert (candles.excursions[["favourable_atr", "adverse_atr"]] > 0).any().all()


@KINDS
def test_labels_come_out_in_the_month_in_which_their_horizon_ends(kind):
    _, out = by_candles(candle_study(kind, horizon_hours=36))
    labels = out.labels
    assert labels["month"].tolist() == [Month.of(int(t)) for t in labels["horizon_end_ns"]]
    started = np.array([Month.of(int(t)) for t in labels["event_time_ns"]])
    touched = np.array([Month.of(int(t)) for t in labels["label_end_ns"]])
    crosses = started < labels["month"]
    assert 10 < crosses.sum() < 50  # of the last day and a half of two months
    assert (touched[crosses] < labels["month"][crosses]).any()  # touched before the month was over
    assert (touched[crosses] == labels["month"][crosses]).any()  # touched by a candle of the next
    assert out.excursions["event_time_ns"].is_unique
    assert len(labels) + out.n_dropped == len(out.excursions)


# ---------------------------------------------------------------------------- by hand
def first_label(rows, horizon_hours, rule="drop"):
    """Label the close of the first of candles of an hour: (open, high, low, close).

    It is at 100 and its range, the ATR, is 2: the barriers are at 100.5 and 99.6.
    """
    prices = [(100, 101, 99, 100), *rows]
    candles = candles_of([(i, *row, 1, row[0], 0) for i, row in enumerate(prices)], FIRST, 60)
    study = candle_study("tick", rule, horizon_hours, atr_period_bars=1)
    study = study.model_copy(update={"bars": TickBars(kind="tick", threshold_ticks=1)})
    bars = {FIRST: bars_of_candles(study.bars, FIRST, {FIRST: [candles]})}
    times = bars[FIRST]["close_time_ns"]
    features = pd.DataFrame({"event_time_ns": times, "regime": np.int8(1), "trailing_return": 0.0})
    tables = {BARS: bars, CANDLES: {FIRST: candles}, REGIME_FEATURES: {FIRST: features}}
    past = past_of({**tables, BARRIER_POLICY: {}})
    result = only_table(build_labels(study, OF_CANDLES, FIRST, past))
    row = result[result["event_time_ns"] == times[0]]
    if row.empty:
        return None
    found = row.iloc[0]
    hours = (found["label_end_ns"] - times[0]) / HOUR_NS
    return found["label"], found["exit_price"], hours


QUIET, BOTH = (100, 100.25, 99.75, 100.2), (100, 102, 98, 100)


@pytest.mark.parametrize(
    ("rows", "horizon_hours", "expected"),
    [
        # a candle counts when it ends within the horizon, and its extremes are known at its end
        ([QUIET, (100, 100.5, 99.75, 100)], 2, (1, 100.5, 2)),
        ([QUIET, (100, 100.5, 99.75, 100)], 1.75, (0, 100.2, 1.75)),
        ([QUIET, (100, 100.25, 99.5, 100)], 2, (-1, 99.6 - 0.73 * 0.1, 2)),
        ([QUIET, (100, 100.25, 99.5, 100)], 1.75, (0, 100.2, 1.75)),
        # a stop leaves at the open beyond its level, or beyond that by 0.73 of the mean step from a
        # close to the next open, wherever its candle closes
        ([QUIET, (100, 100.25, 99, 99.25)], 2, (-1, 99.6 - 0.73 * 0.1, 2)),
        ([QUIET, QUIET, (100, 100.25, 99, 99.25)], 3, (-1, 99.6 - 0.73 * 0.4 / 3, 3)),
        ([(100.25, 100.25, 99, 100)], 2, (-1, 99.6 - 0.73 * 0.25, 1)),
        ([(99.25, 100.25, 99, 99.5)], 2, (-1, 99.25, 1)),
        ([(99.5, 100.25, 99, 99.25)], 2, (-1, 99.5, 1)),
        ([(99.6, 100.25, 99, 99.25)], 2, (-1, 99.6, 1)),
        ([(99.25, 102, 99, 101)], 2, (-1, 99.25, 1)),
        ([(103, 103, 99.75, 100)], 0.5, (0, 100, 0.5)),  # though its open is known at its start
        # the open says which barrier came first; nothing else does
        ([(99.5, 102, 98, 100)], 2, (-1, 99.5, 1)),
        ([(100.5, 102, 98, 100)], 2, (1, 100.5, 1)),
        ([BOTH], 2, None),
        ([QUIET, BOTH], 1, (0, 100.2, 1)),
    ],
)
def test_candles_by_hand(rows, horizon_hours, expected):
    assert first_label(rows, horizon_hours) == (expected and pytest.approx(expected, rel=1e-12))


@pytest.mark.parametrize(
    ("candle", "left"),
    [
        (BOTH, 99.6),
        ((100, 102, 98, 101.5), 99.6),
        ((100, 102, 98, 98.5), 99.6),
        ((100.2, 102, 98, 98.5), 99.6 - 0.73 * 0.2),
    ],
)
def test_what_a_candle_cannot_decide_is_dropped_or_a_stop(candle, left):
    assert first_label([candle], 2) is None
    assert first_label([candle], 2, "stop_loss_first") == pytest.approx((-1, left, 1), rel=1e-12)


def test_candles_that_are_not_those_behind_the_bars_are_refused():
    study = candle_study("tick")
    _, candles = walk()
    bars = {FIRST: bars_of_candles(study.bars, FIRST, {FIRST: [candles[FIRST]]})}
    lost = {FIRST: candles[FIRST].iloc[::2]}
    with pytest.raises(StoreError, match="no tick at event_time_ns"):
        build_excursions(study, OF_CANDLES, FIRST, past_of({BARS: bars, CANDLES: lost}))
