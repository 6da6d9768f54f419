"""The stage: every tick in one bar, nothing known before it happened."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.bars import kernels
from price_physics.bars.ticks import bar_scale, bars_of_ticks
from price_physics.events.times import event_bars, event_times
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import TICKS
from price_physics.study.bars import DollarBars, TickFlowBars, TimeBars
from price_physics.study.events import EveryBarEvents
from price_physics.study.reading import load_study
from price_physics_tests.study.make import bars_of

from ..ticks.helpers import ROOT
from . import naive
from .helpers import CONFIGS, FLOW, MAY, plain, ticks_of

FIFTY = DollarBars(threshold_quote=50)
FAST = {"time", "dollar", "tick_imbalance"}
"""One kind a rule: what takes seconds for all ten is fast for these."""

ADAPTIVE = DollarBars(threshold_quote=50, target_bars_a_day=10, clip_factor=4)
KINDS = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
KINDS_SOME_SLOW = pytest.mark.parametrize(
    "config",
    [
        pytest.param(config, id=kind, marks=() if kind in FAST else pytest.mark.slow)
        for kind, config in CONFIGS.items()
    ],
)


def build(config, month, ticks):
    bars = bars_of_ticks(config, month, ticks)
    BARS.to_arrow(bars)
    assert bars.dtypes.tolist() == BARS.empty().dtypes.tolist()
    frame = pd.concat([TICKS.empty(), *ticks[month]])
    assert bars["n_ticks"].sum() == len(frame)
    assert bars["volume"].sum() == pytest.approx(frame["qty"].sum())
    bought = frame["qty"][frame["tick_sign"] > 0].sum()
    assert bars["buy_volume"].sum() == pytest.approx(bought)
    assert not bars["partial"][:-1].any()
    known_at = np.where(bars["partial"], month.end_ns, bars["close_time_ns"])
    np.testing.assert_array_equal(bars["known_at"], known_at)
    assert bars["vwap"].between(bars["low"], bars["high"]).all()
    assert (np.diff(bars["close_time_ns"]) >= 0).all()
    return bars


# ---------------------------------------------------------------------------- golden
GOLDEN = [(0, 10, 1, 1), (1, 11, 2, 1), (1, 10, 1, -1), (70, 12, 3, 1), (75, 11, 1, -1)]
GOLDEN = [*GOLDEN, (130, 9, 2, -1)]


@pytest.mark.parametrize(
    ("kind", "n_ticks", "partial"),
    [
        ("time", [3, 2, 1], False),  # 0 s, 1 s, 1 s | 70 s, 75 s | 130 s
        ("tick", [2, 2, 2], False),
        ("volume", [2, 2, 2], False),  # 1 + 2 | 1 + 3 | 1 + 2
        ("dollar", [2, 2, 2], True),  # 10 + 22 | 10 + 36 | 11 + 18 is below 30
        # the threshold is sqrt(4) = 2: 1, 2 | and stays, 4 * 3 / 3: -1, 0, -1, -2
        ("tick_imbalance", [2, 4], False),
        # 2: 1, 3 | sqrt(4 * 4.5 / 3) = 2.45: -1, 2, 1, -1
        ("volume_imbalance", [2, 4], True),
        # 20: 10, 32 | sqrt(4 * 492 / 3) = 25.6: -10, 26 | sqrt(4 * 944 / 2.5) = 38.9: -11, -29
        ("dollar_imbalance", [2, 2, 2], True),
        # 2: bought 1, 2 | 2: sold 1, bought 1, sold 2 | 2: sold 1
        ("tick_run", [2, 3, 1], True),
        # 2: bought 1, 3 | 2.5: sold 1, bought 3 | 3: sold 1, 3
        ("volume_run", [2, 2, 2], False),
        # 20: bought 10, 32 | 27.3: sold 10, bought 36 | 34.8: sold 11, 29
        ("dollar_run", [2, 2, 2], True),
    ],
)
def test_golden_by_hand(kind, n_ticks, partial):
    bars = build(CONFIGS[kind], MAY, {MAY: [ticks_of(GOLDEN)]})
    assert bars["n_ticks"].tolist() == n_ticks
    assert bars["partial"].tolist() == [False] * (len(n_ticks) - 1) + [partial]


def test_golden_columns():
    rows = [(0, 5, 4, 1), (1, 6, 3, -1), (1, 4, 4, 1), (7, 5, 1, -1), (9, 5.5, 2, 1)]
    bars = build(FIFTY, MAY, {MAY: [ticks_of(rows)]})
    t0 = MAY.start_ns
    first = [t0, t0 + 10**9, 5, 6, 4, 4, 11, 54, 8, 54 / 11, 3, False, t0 + 10**9]
    last = [t0 + 7 * 10**9, t0 + 9 * 10**9, 5, 5.5, 5, 5.5, 3, 16, 2, 16 / 3, 2, True, MAY.end_ns]
    assert bars.to_numpy().tolist() == [first, last]


# ---------------------------------------------------------------------------- the naive
ROWS = st.lists(
    st.tuples(
        st.integers(0, 300) | st.integers(0, 31 * 86_400 - 1),
        st.floats(0.01, 1e4) | st.just(10.0),
        st.floats(1e-9, 1e9) | st.sampled_from([1.0, 2.0]),
        st.sampled_from([-1, 1]),
    ),
    max_size=30,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


@KINDS_SOME_SLOW
@given(rows=ROWS, data=st.data())
@settings(deadline=None, max_examples=25)
def test_bars_equal_the_naive_whatever_the_chunks(config, rows, data):
    cuts = data.draw(st.lists(st.integers(0, len(rows)), max_size=4))
    frame, edges = ticks_of(rows), [0, *sorted(cuts), len(rows)]
    chunks = [frame[a:b] for a, b in pairwise(edges)]
    bars = build(config, MAY, {MAY: chunks})
    expected = naive.month_of_bars(plain(frame), config, config.scale, MAY)
    assert bars.to_dict("records") == expected


@KINDS_SOME_SLOW
@given(rows=ROWS, data=st.data())
@settings(deadline=None, max_examples=15)
def test_what_is_known_by_t_does_not_depend_on_later_ticks(config, rows, data):
    cut = data.draw(st.integers(0, len(rows)))
    tail = data.draw(ROWS)
    t = rows[cut - 1][0] if cut else -1
    past = [row for row in rows if row[0] <= t]
    other = past + [row for row in tail if row[0] > t]
    until = MAY.start_ns + t * 10**9
    first, second = (build(config, MAY, {MAY: [ticks_of(r)]}) for r in (rows, other))
    pd.testing.assert_frame_equal(
        first[first["known_at"] <= until], second[second["known_at"] <= until]
    )


@pytest.mark.slow
@KINDS
def test_a_chunk_of_more_bars_than_there_was_room_for(config, monkeypatch):
    rng, n = np.random.default_rng(5), 24 * kernels.FIRST_ROOM
    rows = zip(np.arange(n) * 200, rng.normal(10, 1, n), 9 + rng.random(n), strict=True)
    frame = ticks_of([(*row, rng.choice([-1, 1])) for row in rows])
    bars = build(config, MAY, {MAY: [frame]})
    assert len(bars) > 2 * kernels.FIRST_ROOM
    expected = naive.month_of_bars(plain(frame), config, config.scale, MAY)
    assert bars.to_dict("records") == expected


# ---------------------------------------------------------------------------- month ends
@KINDS
def test_a_month_without_ticks_has_no_bars(config):
    for chunks in ([], [TICKS.empty()], [TICKS.empty(), TICKS.empty()]):
        pd.testing.assert_frame_equal(build(config, MAY, {MAY: chunks}), BARS.empty())


def test_a_month_that_ends_on_a_closing_tick_has_no_partial_bar():
    bars = build(FIFTY, MAY, {MAY: [ticks_of([(0, 5, 10, 1), (1, 5, 10, 1)])]})
    assert bars["partial"].tolist() == [False, False]


def test_a_month_that_never_reaches_the_threshold_is_one_partial_bar():
    bars = build(FIFTY, MAY, {MAY: [ticks_of([(0, 5, 1, 1), (1, 5, 1, 1)])]})
    assert bars["partial"].tolist() == [True]


def test_every_month_starts_from_the_studys_expectations():
    rng = np.random.default_rng(6)
    rows = [(i, 10, q, s) for i, q, s in zip(range(300), rng.random(300), [1, 1, -1] * 100)]  # noqa: B905
    may, june = ticks_of(rows), ticks_of(rows, MAY + 1)
    for config in CONFIGS.values():
        first = build(config, MAY, {MAY: [may]})
        second = build(config, MAY + 1, {MAY: [may], MAY + 1: [june]})
        assert first["volume"].tolist() == second["volume"].tolist()


# ---------------------------------------------------------------------------- the clock
def test_a_time_bar_is_known_when_its_interval_is_over_and_not_before():
    config = TimeBars(kind="time", interval_minutes=5)
    bars = build(config, MAY, {MAY: [ticks_of([(10, 5, 1, 1), (299, 6, 1, 1), (300, 7, 1, 1)])]})
    five = MAY.start_ns + 300 * 10**9
    assert bars["close_time_ns"].tolist() == [five - 1, five - 1 + 300 * 10**9]
    assert bars["n_ticks"].tolist() == [2, 1]  # a tick on the edge opens the next interval
    # a trade at 4:59.5 would still have been the bar's: at 4:59 there is no event yet
    more = [(10, 5, 1, 1), (299, 6, 1, 1), (299.5, 9, 1, 1), (300, 7, 1, 1)]
    frame = ticks_of([(0, p, q, s) for _, p, q, s in more])
    frame["time_ns"] = [MAY.start_ns + round(t * 1e9) for t, _, _, _ in more]
    other = build(config, MAY, {MAY: [frame]})
    assert other["close"].tolist() == [9, 7]
    events = event_times(bars, EveryBarEvents())
    assert (
        events.tolist()
        == event_times(other, EveryBarEvents()).tolist()
        == [
            five - 1,
            five - 1 + 300 * 10**9,
        ]
    )
    closes, partial = bars["close_time_ns"].to_numpy(), bars["partial"].to_numpy()
    assert event_bars(closes, partial, events).tolist() == [0, 1]


def test_a_time_bar_is_partial_where_the_month_cuts_its_interval():
    last = 31 * 86_400 - 1
    rows = [(0, 5, 1, 1), (last, 6, 1, 1)]
    whole = build(TimeBars(kind="time", interval_minutes=60), MAY, {MAY: [ticks_of(rows)]})
    assert whole["partial"].tolist() == [False, False]
    assert whole["close_time_ns"].tolist()[-1] == MAY.end_ns
    cut = build(TimeBars(kind="time", interval_minutes=7), MAY, {MAY: [ticks_of(rows)]})
    assert cut["partial"].tolist() == [False, True]
    assert cut["known_at"].tolist()[-1] == cut["close_time_ns"].tolist()[-1] == MAY.end_ns


# ---------------------------------------------------------------------------- adaptive
@pytest.mark.parametrize(
    ("notional_before", "expected"),
    [
        (31 * 10 * 80.0, 80.0),  # what would have given ten bars a day
        (31 * 10 * 1e6, 200.0),  # at most four times the study's own
        (31 * 10 * 1.0, 12.5),  # at least a quarter of it
    ],
)
def test_an_adaptive_threshold_follows_the_month_before_within_bounds(notional_before, expected):
    before = [ticks_of([(0, notional_before / 2, 1, 1)], MAY - 1), TICKS.empty()]
    ticks = {MAY - 1: [*before, before[0]], MAY: [ticks_of([])]}
    days = 30 / 31  # April has thirty days
    assert bar_scale(ADAPTIVE, MAY, ticks) == pytest.approx(
        expected / days if expected == 80.0 else expected
    )
    assert bar_scale(FIFTY, MAY, ticks) == 50.0


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "tick", "threshold_ticks": 5}, 6.0),
        ({"kind": "volume", "threshold_base": 9}, 12.0),
        ({"kind": "dollar", "threshold_quote": 50}, 60.0),
        ({"kind": "tick_imbalance", **FLOW}, 6.0),
        ({"kind": "volume_run", "expected_base": 1, **FLOW}, 6.0),
        ({"kind": "dollar_run", "expected_quote": 1, **FLOW | {"max_ticks": 5}}, 5.0),
    ],
)
def test_each_kind_adapts_what_scales_its_bars(settings, expected):
    config = bars_of(target_bars_a_day=10, **settings)
    before = ticks_of([(0, 5, 2, 1)] * (30 * 10 * 6), MAY - 1)
    assert bar_scale(config, MAY, {MAY - 1: [before], MAY: []}) == expected


def test_without_a_month_before_the_threshold_is_the_studys_own():
    today = [ticks_of([(0, 1e6, 2, 1)])]
    assert bar_scale(ADAPTIVE, MAY, {MAY: today}) == 50.0
    assert bar_scale(ADAPTIVE, MAY, {MAY: today, MAY - 1: []}) == 50.0
    assert bar_scale(ADAPTIVE, MAY, {MAY: today, MAY - 1: [TICKS.empty()]}) == 50.0
    earlier = {MAY - 2: [ticks_of([(0, 1e6, 2, 1)], MAY - 2)]}
    assert bar_scale(ADAPTIVE, MAY, {MAY: today, **earlier}) == 50.0


def test_an_adaptive_threshold_does_not_look_at_its_own_month():
    before = [ticks_of([(0, 100, 200, 1)], MAY - 1)]
    thin, busy = ticks_of([(0, 5, 1, 1)]), ticks_of([(i, 500, 10, 1) for i in range(50)])
    scales = {bar_scale(ADAPTIVE, MAY, {MAY - 1: before, MAY: [m]}) for m in (thin, busy)}
    assert len(scales) == 1


def test_the_adaptive_threshold_is_the_one_that_is_used():
    ticks = {MAY - 1: [ticks_of([(0, 1, 1, 1)], MAY - 1)]}
    ticks[MAY] = [ticks_of([(i, 12.5, 1, 1) for i in range(8)])]
    assert len(build(ADAPTIVE, MAY, ticks)) == 8
    assert len(build(FIFTY, MAY, ticks)) == 2
    # four times as many ticks expected: 16 of one side of flow are more than 4
    many = [ticks_of([(0, 1, 1, 1)] * 10_000, MAY - 1)]
    ticks = {MAY - 1: many, MAY: [ticks_of([(i, 1, 1, (-1) ** (i // 4)) for i in range(96)])]}
    flow = TickFlowBars(kind="tick_run", **FLOW | {"max_ticks": 99})
    adaptive = flow.model_copy(update={"target_bars_a_day": 1.0})
    assert len(build(flow, MAY, ticks)) > 3 * len(build(adaptive, MAY, ticks))


# ---------------------------------------------------------------------------- the sample
def test_the_sample_gives_51_to_816_bars_a_month():
    config = load_study(ROOT / "configs/studies/demo.yaml").bars
    (path,) = (ROOT / "data/sample/bitstamp_usd").glob("*.csv*")
    raw = pd.read_csv(path, names=["time_ns", "price", "qty"])
    raw = raw[raw["qty"] > 0].sort_values("time_ns", kind="stable").assign(tick_sign=1)
    raw["time_ns"] *= 10**9
    counts = []
    for month in Month.span(Month(2011, 9), MAY):
        inside = raw[raw["time_ns"].between(month.start_ns, month.end_ns)]
        bars = build(config, month, {month: [inside[:99], inside[99:]]})
        assert bars["notional"].sum() == pytest.approx((inside["price"] * inside["qty"]).sum())
        counts.append(int((~bars["partial"]).sum()))
    assert (min(counts), max(counts)) == (51, 816)
