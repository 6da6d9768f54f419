"""The stage: every tick in one bar, nothing known before it happened."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.bars.build import build_bars, dollar_threshold
from price_physics.months import Month
from price_physics.schemas import BARS, TICKS
from price_physics.study import BarsConfig, load_market, load_study
from price_physics.ticks.build import build_ticks

from ..ticks.helpers import ROOT
from . import naive

MAY = Month(2012, 5)
FIFTY = BarsConfig(threshold_quote=50)
ADAPTIVE = BarsConfig(threshold_quote=50, target_bars_a_day=10, clip_factor=4)


def ticks_of(rows, month=MAY):
    """Rows are (seconds into the month, price, qty, sign)."""
    frame = pd.DataFrame(rows, columns=["time_ns", "price", "qty", "tick_sign"])
    frame["time_ns"] = frame["time_ns"].astype(np.int64) * 10**9 + month.start_ns
    frame = frame.astype({"price": float, "qty": float, "tick_sign": np.int8})
    frame["trade_id"] = pd.array([None] * len(frame), "Int64")
    return frame[TICKS.columns]


def build(config, month, ticks):
    bars = build_bars(config, month, ticks)
    BARS.to_arrow(bars)
    assert bars.dtypes.tolist() == BARS.empty().dtypes.tolist()
    frame = ticks[month]
    assert bars["n_ticks"].sum() == len(frame)
    assert not bars["partial"][:-1].any()
    known_at = np.where(bars["partial"], month.end_ns, bars["close_time_ns"])
    np.testing.assert_array_equal(bars["known_at"], known_at)
    assert bars["vwap"].between(bars["low"], bars["high"]).all()
    assert (np.diff(bars["close_time_ns"]) >= 0).all()
    return bars


def test_golden():
    rows = [(0, 5, 4, 1), (1, 6, 3, -1), (1, 4, 4, 1), (7, 5, 1, -1), (9, 5.5, 2, 1)]
    bars = build(FIFTY, MAY, {MAY: ticks_of(rows)})
    t0 = MAY.start_ns
    first = [t0, t0 + 10**9, 5, 6, 4, 4, 11, 54, 8, 54 / 11, 3, False, t0 + 10**9]
    last = [t0 + 7 * 10**9, t0 + 9 * 10**9, 5, 5.5, 5, 5.5, 3, 16, 2, 16 / 3, 2, True, MAY.end_ns]
    assert bars.to_numpy().tolist() == [first, last]


def test_a_month_that_ends_on_a_closing_tick_has_no_partial_bar():
    bars = build(FIFTY, MAY, {MAY: ticks_of([(0, 5, 10, 1), (1, 5, 10, 1)])})
    assert bars["partial"].tolist() == [False, False]


def test_a_month_that_never_reaches_the_threshold_is_one_partial_bar():
    bars = build(FIFTY, MAY, {MAY: ticks_of([(0, 5, 1, 1), (1, 5, 1, 1)])})
    assert bars["partial"].tolist() == [True]


def test_a_month_without_ticks_has_no_bars():
    pd.testing.assert_frame_equal(build(FIFTY, MAY, {MAY: TICKS.empty()}), BARS.empty())
    pd.testing.assert_frame_equal(build(ADAPTIVE, MAY, {MAY: ticks_of([])}), BARS.empty())


ROWS = st.lists(
    st.tuples(
        st.integers(0, 2_600_000),
        st.floats(0.01, 1e4),
        st.floats(1e-6, 1e3),
        st.sampled_from([-1, 1]),
    ),
    max_size=30,
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


@given(ROWS, st.floats(1, 1e5))
@settings(deadline=None, max_examples=50)
def test_bars_equal_the_naive(rows, threshold):
    ticks = ticks_of(rows)
    bars = build(BarsConfig(threshold_quote=threshold), MAY, {MAY: ticks})
    columns = ["time_ns", "price", "qty", "tick_sign"]
    plain = list(ticks[columns].itertuples(index=False, name=None))
    ends = naive.dollar_bars(ticks["price"], ticks["qty"], threshold)
    is_open = bool(plain) and ends[-1:] != [len(plain) - 1]
    expected = naive.bars(plain, [*ends, len(plain) - 1] if is_open else ends)
    assert bars.drop(columns=["partial", "known_at"]).to_dict("records") == expected
    assert int(bars["partial"].sum()) == is_open


@given(ROWS, st.floats(1, 1e5), st.data())
@settings(deadline=None, max_examples=50)
def test_what_is_known_by_t_does_not_depend_on_later_ticks(rows, threshold, data):
    config = BarsConfig(threshold_quote=threshold)
    cut = data.draw(st.integers(0, len(rows)))
    tail = data.draw(ROWS)
    t = rows[cut - 1][0] if cut else -1
    past = [row for row in rows if row[0] <= t]
    other = past + [row for row in tail if row[0] > t]
    until = MAY.start_ns + t * 10**9
    first, second = (build(config, MAY, {MAY: ticks_of(r)}) for r in (rows, other))
    pd.testing.assert_frame_equal(
        first[first["known_at"] <= until], second[second["known_at"] <= until]
    )


# ---------------------------------------------------------------------------- threshold
@pytest.mark.parametrize(
    ("notional_before", "expected"),
    [
        (31 * 10 * 80.0, 80.0),  # what would have given ten bars a day
        (31 * 10 * 1e6, 200.0),  # at most four times the study's own
        (31 * 10 * 1.0, 12.5),  # at least a quarter of it
    ],
)
def test_an_adaptive_threshold_follows_the_month_before_within_bounds(notional_before, expected):
    ticks = {MAY - 1: ticks_of([(0, notional_before / 2, 2, 1)], MAY - 1), MAY: ticks_of([])}
    days = 30 / 31  # April has thirty days
    assert dollar_threshold(ADAPTIVE, MAY, ticks) == pytest.approx(
        expected / days if expected == 80.0 else expected
    )
    assert dollar_threshold(FIFTY, MAY, ticks) == 50.0


def test_without_a_month_before_the_threshold_is_the_studys_own():
    today = ticks_of([(0, 1e6, 2, 1)])
    assert dollar_threshold(ADAPTIVE, MAY, {MAY: today}) == 50.0
    assert dollar_threshold(ADAPTIVE, MAY, {MAY: today, MAY - 1: TICKS.empty()}) == 50.0
    earlier = {MAY - 2: ticks_of([(0, 1e6, 2, 1)], MAY - 2)}
    assert dollar_threshold(ADAPTIVE, MAY, {MAY: today, **earlier}) == 50.0


def test_an_adaptive_threshold_does_not_look_at_its_own_month():
    before = ticks_of([(0, 100, 200, 1)], MAY - 1)
    thin, busy = ticks_of([(0, 5, 1, 1)]), ticks_of([(i, 500, 10, 1) for i in range(50)])
    thresholds = {dollar_threshold(ADAPTIVE, MAY, {MAY - 1: before, MAY: m}) for m in (thin, busy)}
    assert len(thresholds) == 1


def test_the_adaptive_threshold_is_the_one_that_is_used():
    ticks = {MAY - 1: ticks_of([(0, 1, 1, 1)], MAY - 1)}
    ticks[MAY] = ticks_of([(i, 12.5, 1, 1) for i in range(8)])
    assert len(build(ADAPTIVE, MAY, ticks)) == 8
    assert len(build(FIFTY, MAY, ticks)) == 2


# ---------------------------------------------------------------------------- the sample
def test_the_sample_gives_51_to_816_bars_a_month():
    market = load_market(ROOT / "configs/markets/bitstamp_usd.yaml")
    config = load_study(ROOT / "configs/studies/demo.yaml").bars
    counts = []
    for month in Month.span(market.first_month, market.last_month):
        ticks = build_ticks(market, ROOT, month).ticks
        bars = build(config, month, {month: ticks})
        notional = naive.bars(
            list(ticks[["time_ns", "price", "qty", "tick_sign"]].itertuples(index=False)),
            [len(ticks) - 1],
        )[0]["notional"]
        assert bars["notional"].sum() == pytest.approx(notional)
        counts.append(int((~bars["partial"]).sum()))
    assert (min(counts), max(counts)) == (51, 816)
