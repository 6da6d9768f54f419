"""Bars of candles: the slow loop, months, chunks, and the ticks that the candles were made of."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.bars.build import build_bars
from price_physics.bars.candles import bars_of_candles
from price_physics.bars.ticks import bars_of_ticks
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import CANDLES, TICKS
from price_physics.study.bars import DollarBars, TickBars, TimeBars, VolumeBars

from ..labels.synthetic import make_market, make_study
from ..past import only_table, past_of
from .candles import CANDLE_MINUTES, MINUTE_NS, candles_of, candles_of_ticks
from .helpers import MAY, ticks_of

SEEDS = st.integers(0, 2**32 - 1)
LAST = 31 * 24 * 4 - 1  # the last candle of May, which has 31 days
ADAPTIVE = {"target_bars_a_day": 2, "clip_factor": 3}
CONFIGS = {
    "time": TimeBars(kind="time", interval_minutes=60),
    "time, cut by the month's end": TimeBars(kind="time", interval_minutes=7 * 24 * 60),
    "tick": TickBars(kind="tick", threshold_ticks=3),
    "tick, adaptive": TickBars(kind="tick", threshold_ticks=3, **ADAPTIVE),
    "volume": VolumeBars(kind="volume", threshold_base=10),
    "volume, adaptive": VolumeBars(kind="volume", threshold_base=10, **ADAPTIVE),
    "dollar": DollarBars(kind="dollar", threshold_quote=100),
    "dollar, adaptive": DollarBars(kind="dollar", threshold_quote=100, **ADAPTIVE),
}
KINDS = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def build(config, candles, month=MAY):
    bars = bars_of_candles(config, month, candles)
    BARS.to_arrow(bars)
    assert bars.dtypes.tolist() == BARS.empty().dtypes.tolist()
    return bars


# ---------------------------------------------------------------------------- the slow loop
AMOUNT = {"tick": lambda c: 1, "volume": lambda c: c.volume, "dollar": lambda c: c.notional}


def slow_scale(config, before, n_days):
    """The threshold of a month, from the rows of the month before (None: there is none)."""
    if config.target_bars_a_day is None or not before:
        return config.scale
    total = 0.0
    for candle in before:
        total += AMOUNT[config.unit](candle)
    wanted = total / n_days / config.target_bars_a_day
    least, most = config.scale / config.clip_factor, config.scale * config.clip_factor
    return min(max(wanted, least), most)


def slow_bars(config, frame, before=None, month=MAY, days_before=30):
    """Candle after candle into the open bar, until it closes."""
    candles = list(frame.itertuples(index=False))
    by_clock = config.kind == "time"
    found, held, total = [], [], 0.0
    length_ns = round(config.interval_minutes * MINUTE_NS) if by_clock else 0
    scale = None if by_clock else slow_scale(config, before, days_before)
    for i, candle in enumerate(candles):
        held.append(candle)
        is_last = i == len(candles) - 1
        if by_clock:
            interval = (candle.close_time_ns - month.start_ns) // length_ns
            stop_ns = month.start_ns + (interval + 1) * length_ns
            closes = is_last or candles[i + 1].close_time_ns >= stop_ns
            end_ns, partial = min(stop_ns - 1, month.end_ns), stop_ns - 1 > month.end_ns
        else:
            total += AMOUNT[config.unit](candle)
            closes, end_ns, partial = total >= scale, candle.close_time_ns, total < scale
        if closes or is_last:
            found.append(one_bar(held, end_ns, partial, month))
            held, total = [], 0.0
    return found


def one_bar(held, end_ns, partial, month):
    volume = notional = bought = 0.0
    for candle in held:
        volume += candle.volume
        notional += candle.notional
        bought += candle.buy_volume
    high, low = max(candle.high for candle in held), min(candle.low for candle in held)
    return {
        "open_time_ns": held[0].open_time_ns,
        "close_time_ns": end_ns,
        "open": held[0].open,
        "high": high,
        "low": low,
        "close": held[-1].close,
        "volume": volume,
        "notional": notional,
        "buy_volume": bought,
        "vwap": min(max(notional / volume, low), high),
        "n_ticks": len(held),
        "partial": partial,
        "known_at": month.end_ns if partial else end_ns,
    }


def random_rows(rng, most=30):
    """Candles with gaps between them, often at both ends of the month."""
    places = [rng.integers(0, 60, most), rng.integers(0, LAST, most), LAST - np.arange(4)]
    taken = np.unique(np.concatenate(places))
    rows = []
    for at in np.sort(rng.choice(taken, rng.integers(0, most + 1), replace=False)):
        prices = np.exp(rng.normal(2.3, rng.choice([0.01, 1.0]), 5))
        low, *inside, high = np.sort(rng.choice([*prices, 10.0, 10.1], 5))
        opened, close, mean = rng.permutation(inside)
        volume = rng.choice([rng.random() * 10, 1.0, 3.0, 10.0])
        notional = rng.choice([mean * volume, mean * volume, 50.0, 100.0])
        bought = volume * rng.choice([0.0, 0.1, 0.5, 1.0])
        rows.append((int(at), opened, high, low, close, volume, notional, bought))
    return rows


@KINDS
@given(seed=SEEDS)
@settings(deadline=None, max_examples=12)
def test_bars_equal_the_slow_ones_to_the_bit_whatever_the_chunks(config, seed):
    rng = np.random.default_rng(seed)
    rows = random_rows(rng)
    frame = candles_of(rows)
    april = candles_of([row for row in random_rows(rng) if row[0] < 30 * 96], MAY - 1)
    cuts = [0, *np.sort(rng.integers(0, len(rows) + 1, rng.integers(0, 5))), len(rows)]
    chunks = [frame[a:b] for a, b in pairwise(cuts)]
    expected = slow_bars(config, frame, list(april.itertuples(index=False)))
    chunked = {MAY - 1: iter([april[:1], april[1:]]), MAY: iter(chunks)}  # can be read but once
    assert build(config, chunked).to_dict("records") == expected
    assert build(config, {MAY: chunks}).to_dict("records") == slow_bars(config, frame)


@pytest.mark.slow
@KINDS
@given(seed=SEEDS)
@settings(deadline=None, max_examples=8)
def test_what_is_known_by_t_does_not_depend_on_later_candles(config, seed):
    rng = np.random.default_rng(seed)
    rows, tail = random_rows(rng), random_rows(rng)
    cut = rng.integers(0, len(rows) + 1)
    last = rows[cut - 1][0] if cut else -1
    other = rows[:cut] + [row for row in tail if row[0] > last]
    until = MAY.start_ns + (last + 1) * CANDLE_MINUTES * MINUTE_NS - 1
    first, second = (build(config, {MAY: [candles_of(r)]}) for r in (rows, other))
    pd.testing.assert_frame_equal(
        first[first["known_at"] <= until], second[second["known_at"] <= until]
    )


# ---------------------------------------------------------------------------- by hand
GOLDEN = [
    (0, 10, 12, 9, 11, 4, 44, 1),
    (1, 11, 13, 10, 12, 5, 60, 5),
    (3, 12, 14, 11, 13, 2, 25, 0),  # nothing traded in the third
    (4, 13, 13, 8, 9, 6, 54, 3),
    (LAST, 9, 9.5, 9, 9.25, 1, 9.25, 0.5),
]


@pytest.mark.parametrize(
    ("name", "n_candles", "partial"),
    [
        ("time", [3, 1, 1], False),  # 0 to 1 h | 1 h to 2 h | the last hour
        ("time, cut by the month's end", [4, 1], True),  # of the fifth week three days are May's
        ("tick", [3, 2], True),
        ("volume", [3, 2], True),  # 4 + 5 + 2 | 6 + 1 is below 10
        ("dollar", [2, 3], True),  # 44 + 60 | 25 + 54 + 9.25 is below 100
    ],
)
def test_golden_by_hand(name, n_candles, partial):
    bars = build(CONFIGS[name], {MAY: [candles_of(GOLDEN)]})
    assert bars["n_ticks"].tolist() == n_candles
    assert bars["partial"].tolist() == [False] * (len(n_candles) - 1) + [partial]


def test_golden_columns():
    bars = build(CONFIGS["tick"], {MAY: [candles_of(GOLDEN)]})
    t0, length = MAY.start_ns, CANDLE_MINUTES * MINUTE_NS
    close = t0 + 4 * length - 1  # the end of the third candle there is, not its start
    first = [t0, close, 10, 14, 9, 13, 11, 129, 6, 129 / 11, 3, False, close]
    last = [t0 + 4 * length, MAY.end_ns, 13, 13, 8, 9.25, 7, 63.25, 3.5, 63.25 / 7, 2, True]
    assert bars.to_numpy().tolist() == [first, [*last, MAY.end_ns]]


def test_a_bar_opens_at_its_first_candle_and_reaches_as_far_as_its_wicks():
    """The mean price of a candle, by which its amount is counted, is none of a bar's prices."""
    bars = build(CONFIGS["dollar"], {MAY: [candles_of([(0, 10, 90, 1, 20, 10, 500, 0)])]})
    assert bars[["open", "high", "low", "close", "vwap"]].to_numpy().tolist() == [
        [10, 90, 1, 20, 50]
    ]


def test_a_threshold_that_is_reached_exactly_closes_the_bar():
    """30.3 of 3 coins is 30.299999999999997 when it is multiplied back from the mean price."""
    config = DollarBars(kind="dollar", threshold_quote=30.3)
    rows = [(i, 10, 11, 10, 10, 3, 30.3, 3) for i in range(3)]
    bars = build(config, {MAY: [candles_of(rows)]})
    assert bars["n_ticks"].tolist() == [1, 1, 1]
    assert bars["notional"].tolist() == [30.3] * 3
    assert not bars["partial"].any()


def test_no_more_is_bought_than_traded_however_many_candles_add_up():
    rng = np.random.default_rng(0)
    volume = rng.random(1000)
    rows = [(i, 10, 11, 9, 10, v, 10 * v, v) for i, v in enumerate(volume)]
    bars = build(TickBars(kind="tick", threshold_ticks=100), {MAY: [candles_of(rows)]})
    assert bars["buy_volume"].tolist() == bars["volume"].tolist()


# ---------------------------------------------------------------------------- month ends
@KINDS
def test_a_month_without_candles_has_no_bars(config):
    before = candles_of(GOLDEN[:-1], MAY - 1)
    for chunks in ([], [CANDLES.empty()], [CANDLES.empty(), CANDLES.empty()]):
        for candles in ({MAY: chunks}, {MAY - 1: [before], MAY: chunks}):
            pd.testing.assert_frame_equal(build(config, candles), BARS.empty())


@pytest.mark.parametrize("name", [name for name in CONFIGS if "adaptive" in name])
def test_an_adaptive_threshold_follows_the_month_before_and_no_other(name):
    config = CONFIGS[name]
    busy = [(i, 10, 11, 9, 10, 8, 80, 0) for i in range(2000)]
    calm = [(i * 100, 10, 11, 9, 10, 1, 10, 0) for i in range(20)]
    may = candles_of([(i, 10, 11, 9, 10, 4, 40, 0) for i in range(90)])
    n_bars = {
        label: len(build(config, {month: [candles_of(rows, month)], MAY: [may]}))
        for label, month, rows in (
            ("busy", MAY - 1, busy),
            ("calm", MAY - 1, calm),
            ("own", MAY - 2, busy),
        )
    }
    assert n_bars["busy"] < n_bars["own"] < n_bars["calm"]


# ---------------------------------------------------------------------------- the ticks in them
@pytest.mark.parametrize("minutes", [15, 30, 60, 24 * 60, 7 * 24 * 60])
def test_time_bars_of_candles_are_the_time_bars_of_the_ticks_in_them(minutes):
    rng = np.random.default_rng(minutes)
    busy = rng.integers(0, 31 * 86_400, 3000)
    edges = rng.integers(0, LAST + 1, 400) * CANDLE_MINUTES * 60  # first instants of candles
    seconds = np.sort(np.concatenate([busy[busy % (3 * 86_400) > 86_400], edges, edges - 1]))
    seconds = seconds[seconds >= 0]
    n = len(seconds)
    price = 1000 + 0.5 * np.cumsum(rng.integers(-1, 2, n))
    ticks = ticks_of(zip(seconds, price, rng.random(n), rng.choice([-1, 1], n), strict=True))
    candles = candles_of_ticks(ticks)
    assert len(candles) < 0.7 * n
    config = TimeBars(kind="time", interval_minutes=minutes)
    of_candles = build(config, {MAY: [candles]})
    of_ticks = bars_of_ticks(config, MAY, {MAY: [ticks]})
    exact = ["close_time_ns", "open", "high", "low", "close", "partial", "known_at"]
    pd.testing.assert_frame_equal(of_candles[exact], of_ticks[exact])
    sums = ["volume", "notional", "buy_volume", "vwap"]
    pd.testing.assert_frame_equal(of_candles[sums], of_ticks[sums], rtol=1e-12)
    assert of_candles["n_ticks"].sum() == len(candles)
    assert (of_candles["open_time_ns"] <= of_ticks["open_time_ns"]).all()


# ---------------------------------------------------------------------------- the stage
def test_the_stage_builds_bars_of_whatever_rows_the_market_has():
    ticks = ticks_of([(900 * i, 10 + i % 3, 1, 1) for i in range(20)])
    candles = candles_of_ticks(ticks)
    config = TickBars(kind="tick", threshold_ticks=3)
    study = make_study().model_copy(update={"bars": config})
    for schema, frame, build in (
        (TICKS, ticks, bars_of_ticks),
        (CANDLES, candles, bars_of_candles),
    ):
        past = past_of({schema: {MAY: frame}})
        found = only_table(build_bars(study, make_market(), MAY, past))
        pd.testing.assert_frame_equal(found, build(config, MAY, {MAY: [frame]}), check_exact=True)
    assert found["open_time_ns"].isin(candles["open_time_ns"]).all()
