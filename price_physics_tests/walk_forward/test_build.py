"""The month's tables: by hand, against the naive account, across months, against tampering."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.bars.ticks import bars_of_ticks
from price_physics.errors import StoreError
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.ticks import TICKS
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, POSITIONS, SCORED, TRADES
from price_physics.study.bars import TimeBars
from price_physics.study.labels import LabelsConfig
from price_physics.walk_forward.build import build_walk_forward
from price_physics.walk_forward.ledger import read_entries
from price_physics.walk_forward.look import Look
from price_physics.walk_forward.month import MonthWalk
from price_physics_tests.labels.synthetic import make_market
from price_physics_tests.past import past_of
from price_physics_tests.walk_forward import make, naive
from price_physics_tests.walk_forward.make import FEB, HOUR, JAN, MAR

SCHEMAS = {
    "trades": TRADES,
    "positions": POSITIONS,
    "book": BOOK,
    "equity": EQUITY,
    "daily": DAILY,
    "scored": SCORED,
}
SEEDS = st.integers(0, 2**32 - 1)
NO_LABELS = make.labels([], [], [])


def walk(month, ticks, signals, labels=NO_LABELS, warm_up=None, **walk_forward):
    """Build one month from ticks and signals of any months; both are split by time."""
    months = [m for m in (month - 1, month) if m >= JAN]
    by_month = {m: within(ticks, "time_ns", m) for m in months}
    tables = {
        PREDICTIONS: {m: within(signals, "event_time_ns", m) for m in months},
        TICKS: by_month,
        BARS: {m: make.bars(by_month[m], m) for m in months},
    }
    result = walked(make.study(**walk_forward), month, tables, labels, warm_up)
    for name, schema in SCHEMAS.items():
        schema.to_arrow(getattr(result, name))
    return result


def walked(study, month, tables, labels=NO_LABELS, warm_up=None):
    """Build one month from {schema: {month: frame}}."""
    reasons = {"predictions": {month: warm_up}}
    past = past_of({**tables, LABELS: {month: labels}}, warm_up=reasons)
    return MonthWalk.of(build_walk_forward(study, make_market(), month, past))


def within(frame, column, month):
    inside = (frame[column] >= month.start_ns) & (frame[column] < month.stop_ns)
    return frame[inside].reset_index(drop=True)


def signal(event, side=1, weight=1.0, upper=110.0, lower=90.0, horizon_hours=10.0):
    return {
        "event": int(event),
        "horizon": int(horizon_hours * HOUR),
        "side": side,
        "upper": upper,
        "lower": lower,
        "weight": weight,
    }


# ---------------------------------------------------------------------------- by hand
def test_one_long_with_costs_by_hand():
    time = make.hours(FEB, 0, 1, 2, 3, 30)
    ticks = make.ticks(time, [100.0, 100.0, 105.0, 112.0, 120.0])
    signals = make.predictions([signal(time[0], weight=0.5)])
    result = walk(FEB, ticks, signals, fee_bps=10.0)

    trade = result.trades.iloc[0]
    assert (trade["exit_reason"], trade["entry_price"], trade["exit_price"]) == (
        "take_profit",
        100.0,
        110.0,
    )
    assert trade[["gross_bps", "cost_bps", "net_bps"]].tolist() == pytest.approx([1000, 20, 980])

    bought = 1 - 0.001 * 0.5
    sold_market = bought * (1 + 0.5 * 0.12)
    # The market is at 112 and half the capital leaves at 110.
    gross = (1 + 0.5 * 0.12) * (1 - 0.5 * 2 / 112)
    net = sold_market * (1 - 0.5 * 2 / 112 - 0.001 * 0.5)
    last = result.equity.iloc[-1]
    assert last["equity"] == pytest.approx(net)
    assert last["gross_equity"] == pytest.approx(gross)
    assert result.book["book"].tolist() == [0, 0.5, 0]
    assert result.book["time_ns"].tolist() == time[[0, 1, 3]].tolist()
    assert result.book["price"].tolist() == [100, 100, 112]

    daily = result.daily
    assert len(daily) == 29  # 2012 is a leap year
    assert daily["net_return"][0] == pytest.approx(net - 1)
    assert daily["cost"][0] == pytest.approx(0.0005 + 0.0005 * sold_market)
    assert daily["turnover"].tolist() == [1.0] + [0.0] * 28
    assert daily["market_return"][:3].tolist() == pytest.approx([0.12, 120 / 112 - 1, 0.0])
    assert (daily["net_return"][1:] == 0).all()


def test_short_loses_beyond_its_stop_by_hand():
    time = make.hours(FEB, 0, 1, 2)
    ticks = make.ticks(time, [100.0, 100.0, 125.0])
    result = walk(FEB, ticks, make.predictions([signal(time[0], side=-1)]))
    assert result.trades["exit_reason"].tolist() == ["stop_loss"]
    assert result.trades["gross_bps"].tolist() == pytest.approx([-2500])
    assert result.equity["equity"].iloc[-1] == pytest.approx(0.75)


def test_book_is_clipped_and_only_its_changes_cost():
    time = make.hours(FEB, *range(6), 20)
    ticks = make.ticks(time, np.full(7, 100.0))
    rows = [signal(time[0], weight=0.8), signal(time[1], weight=0.7), signal(time[2], weight=0.2)]
    result = walk(FEB, ticks, make.predictions(rows), fee_bps=100.0)
    # 0.8, then 1.5 clipped, then 1.7 clipped; all leave at hour 20.
    assert result.book["book"].tolist() == [0, 0.8, 1.0, 0]
    assert result.daily["turnover"][0] == pytest.approx(2.0)
    assert result.equity["equity"].iloc[-1] == pytest.approx(0.992 * 0.998 * 0.99)


def test_the_page_shows_the_number_of_trades_and_the_return_of_the_month():
    time = make.hours(FEB, 0, 1, 2, 30)
    ticks = make.ticks(time, [100.0, 100.0, 112.0, 120.0])
    signals = make.predictions([signal(time[0], weight=0.5)])
    tables = {PREDICTIONS: {FEB: signals}, TICKS: {FEB: ticks}, BARS: {FEB: make.bars(ticks, FEB)}}
    past = past_of({**tables, LABELS: {FEB: NO_LABELS}})
    found = build_walk_forward(make.study(), make_market(), FEB, past)
    assert found.highlights == {
        "trades": 1,
        "net_return": pytest.approx(found.table("equity")["equity"].iloc[-1] - 1),
    }


def test_time_out_and_entry_of_one_tick_net():
    time = make.hours(FEB, 0, 1, 10.5, 10.75, 30)
    ticks = make.ticks(time, np.full(5, 100.0))
    rows = [signal(time[0], weight=0.5), signal(time[1], weight=0.5)]
    rows[1] |= {"event": int(time[2]) - 0}
    result = walk(FEB, ticks, make.predictions(rows), latency_ms=0.0, fee_bps=100.0)
    assert result.book["book"].tolist() == [0, 0.5, 0, 0.5, 0]
    # The same with an entry on the tick on which the first one times out.
    rows[1] |= {"event": int(time[1])}
    late = walk(FEB, ticks, make.predictions(rows), fee_bps=100.0)
    assert late.trades["entry_time_ns"].tolist() == [time[1], time[2]]
    assert late.book["book"].tolist() == [0, 0.5, 0]
    assert late.daily["turnover"].sum() == pytest.approx(1.0)


def test_position_that_leaves_on_its_own_filling_tick_pays_twice():
    time = make.hours(FEB, 0, 1, 2)
    ticks = make.ticks(time, [100.0, 80.0, 80.0])
    result = walk(FEB, ticks, make.predictions([signal(time[0])]), fee_bps=10.0)
    assert result.trades[["exit_reason", "gross_bps"]].to_numpy().tolist() == [["stop_loss", 0.0]]
    assert result.equity["equity"].iloc[-1] == pytest.approx(0.999**2)
    assert result.book["book"].tolist() == [0.0]
    assert result.daily["turnover"][0] == 2.0


def test_ruin_is_the_end_and_no_debt():
    time = make.hours(FEB, 0, 1, 2, 26)
    ticks = make.ticks(time, [100.0, 100.0, 250.0, 100.0])
    result = walk(FEB, ticks, make.predictions([signal(time[0], side=-1)]))
    assert result.equity["equity"].iloc[-1] == 0
    assert result.daily["net_return"][:3].tolist() == [-1, 0, 0]


# ---------------------------------------------------------------------------- month ends
def test_position_carried_over_a_month_end_starts_the_month_at_equity_one():
    time = np.append(make.hours(FEB, -3, -2, -1), make.hours(FEB, 1, 2, 40))
    ticks = make.ticks(time, [100.0, 100.0, 104.0, 104.0, 112.0, 90.0])
    signals = make.predictions([signal(time[0], weight=0.5)])
    jan, feb = walk(JAN, ticks, signals), walk(FEB, ticks, signals)
    assert jan.positions["carried"].tolist() == ["out"]
    assert jan.trades.empty
    assert jan.equity["equity"].iloc[-1] == pytest.approx(1.02)
    assert feb.positions["carried"].tolist() == ["in"]
    assert feb.positions["entry_time_ns"].tolist() == jan.positions["entry_time_ns"].tolist()
    assert feb.trades["exit_reason"].tolist() == ["take_profit"]
    assert feb.trades["gross_bps"].tolist() == pytest.approx([1000])
    # The month starts at the last price before it, 104, with half the capital in it.
    assert feb.book.iloc[0].tolist() == [FEB.start_ns, 104.0, 0.5]
    gross = (1 + 0.5 * (112 / 104 - 1)) * (1 - 0.5 * 2 / 112)
    assert feb.equity["equity"].iloc[-1] == pytest.approx(gross)
    # History is not told twice.
    assert walk(MAR, ticks, signals).trades.empty


def test_without_a_later_tick_a_position_goes_stale_at_the_end_of_the_next_month():
    time = make.hours(FEB, -3, -2, 5)
    ticks = make.ticks(time, [100.0, 100.0, 101.0])
    signals = make.predictions([signal(time[0], weight=0.5, horizon_hours=48)])
    feb = walk(FEB, ticks, signals, fee_bps=100.0)
    assert feb.positions["carried"].tolist() == ["in"]
    trade = feb.trades.iloc[0]
    assert (trade["exit_reason"], trade["exit_price"]) == ("stale", 101.0)
    assert trade["exit_time_ns"] == trade["known_at"] == FEB.end_ns
    assert feb.book["time_ns"].iloc[-1] == FEB.end_ns
    assert feb.book[["price", "book"]].iloc[-1].tolist() == [101.0, 0.0]
    assert feb.equity["equity"].iloc[-1] == pytest.approx((1 + 0.005) * 0.995)
    assert (1 + feb.daily["net_return"]).prod() == pytest.approx(feb.equity["equity"].iloc[-1])
    assert feb.daily["cost"].iloc[-1] > 0


def test_stale_in_a_month_without_a_single_tick():
    time = make.hours(FEB, -3, -2)
    ticks = make.ticks(time, [100.0, 100.0])
    feb = walk(FEB, ticks, make.predictions([signal(time[0])]))
    assert feb.trades["exit_reason"].tolist() == ["stale"]
    assert feb.equity["time_ns"].tolist() == [FEB.end_ns]
    assert (feb.daily["market_return"] == 0).all()


def covered_days(result):
    first = result.daily["day_ns"].iloc[0]
    held = result.daily["covered"].to_numpy()
    return ((result.daily["day_ns"][held] - first) // (24 * HOUR) + 1).tolist()


def test_days_without_a_trade_are_none():
    time = np.append(make.hours(JAN, 40 * 12), make.hours(FEB, 1, 30, 31, 100))
    ticks = make.ticks(time, [100.0, 100.0, 104.0, 103.0, 102.0])
    result = walk(FEB, ticks, PREDICTIONS.empty())
    assert len(result.daily) == 29
    assert covered_days(result) == [1, 2, 5]


def test_a_last_mark_on_a_day_without_a_trade_is_its_result():
    """The open bar is marked at the month's end, long after its last trade."""
    time = make.hours(FEB, 0, 1, 2)
    ticks = make.ticks(time, [100.0, 100.0, 108.0])
    signals = make.predictions([signal(time[0], weight=0.5, horizon_hours=24 * 27)])
    result = walk(FEB, ticks, signals)
    assert covered_days(result) == [1, 29]
    last = result.daily["net_return"].iloc[-1]
    assert last == pytest.approx(0.5 * 0.08)
    assert (1 + result.daily["net_return"]).prod() - 1 == pytest.approx(last)


def test_cancelled_trades_are_told_in_the_month_of_their_cancellation():
    time = np.append(make.hours(FEB, -3), make.hours(FEB, 30))
    ticks = make.ticks(time, [100.0, 100.0])
    signals = make.predictions([signal(time[0], horizon_hours=10)])
    assert walk(JAN, ticks, signals).trades.empty
    trade = walk(FEB, ticks, signals).trades.iloc[0]
    assert (trade["exit_reason"], trade["net_bps"]) == ("cancelled", 0.0)
    assert pd.isna(trade["entry_time_ns"])
    assert trade["exit_time_ns"] == make.hours(FEB, 7)[0]


# ---------------------------------------------------------------------------- the look
@pytest.mark.parametrize("asset", [None, "predictions", "labels"])
@pytest.mark.parametrize("warm_up", [None, "only 12 samples"])
def test_a_month_is_written_down_when_it_is_traded(tmp_path, asset, warm_up):
    time = make.hours(FEB, 0, 1, 2, 30)
    ticks = make.ticks(time, [100.0, 100.0, 105.0, 112.0])
    signals = make.predictions([signal(time[0], weight=0.5)])
    past = past_of(
        {
            PREDICTIONS: {FEB: signals},
            TICKS: {FEB: ticks},
            BARS: {FEB: make.bars(ticks, FEB)},
            LABELS: {FEB: NO_LABELS},
        },
        warm_up={"predictions": {FEB: warm_up}},
        marks={asset: {FEB: {"in_sample"}}} if asset else {},
    )
    who = Look(tmp_path, "t", "s", "study", "market", None, "ticks", False)
    made = build_walk_forward(make.study(), make_market(), FEB, past, look=who)
    entries = read_entries(tmp_path)
    assert len(entries) == (warm_up is None)
    assert bool(made.document("look")["entry"]) is (warm_up is None)
    if entries:
        daily = made.table("daily")
        assert entries[0]["n_days"] == daily["covered"].sum() == 2
        assert entries[0]["in_sample"] is (asset is not None)
        won = sum(entries[0].get("block_sums", {}).values())
        assert won == (0.0 if asset else pytest.approx(daily["net_return"].sum()))


# ---------------------------------------------------------------------------- empties
def test_warm_up_months_are_flat_and_whole():
    time = make.hours(FEB, 0, 1, 30)
    ticks = make.ticks(time, [100.0, 101.0, 102.0])
    result = walk(FEB, ticks, PREDICTIONS.empty(), warm_up="only 12 samples")
    assert result.warm_up == "only 12 samples"
    assert result.trades.empty
    assert result.book["book"].tolist() == [0.0]
    assert (result.equity[["equity", "gross_equity"]] == 1).all(axis=None)
    assert result.daily["market_return"][:2].tolist() == pytest.approx([0.01, 102 / 101 - 1])


def test_a_market_that_has_never_traded():
    result = walk(JAN, TICKS.empty(), PREDICTIONS.empty())
    assert len(result.daily) == 31
    assert not result.daily.drop(columns=["day_ns", "known_at"]).any(axis=None)
    assert result.equity.empty
    assert result.book.empty
    for field in fields(MonthWalk):
        frame = getattr(result, field.name)
        if field.name != "warm_up" and frame.empty:
            expected = SCHEMAS[field.name].empty().dtypes
            same_or_nullable = [
                str(a).lower() == str(b).lower()
                for a, b in zip(frame.dtypes, expected, strict=True)
            ]
            assert all(same_or_nullable)


def test_scores_join_predictions_of_both_months_with_labels():
    events = [JAN.end_ns - HOUR, FEB.start_ns + HOUR]
    ticks = make.ticks(events, [100.0, 100.0])
    signals = make.predictions([signal(e, side=s) for e, s in zip(events, (0, 1), strict=True)])
    labels = make.labels([events[0] - 5, *events], [1, -1, 1], [9.0, -2.0, 1.5])
    scored = walk(FEB, ticks, signals, labels).scored
    assert scored["event_time_ns"].tolist() == events
    assert scored["label"].tolist() == [-1, 1]
    assert scored["side"].tolist() == [0, 1]
    assert scored["outcome_bps"].tolist() == pytest.approx([-400.0, 300.0])


@pytest.mark.parametrize(
    ("values", "label_side", "stated", "returned"),
    [
        ((15.0, 11.0), 1, 15.0, 300.0),  # neither is worth its cost, and the long less short of it
        ((11.0, 15.0), 1, 15.0, -250.0),  # the short's own outcome, not the long's mirrored
        ((24.0, np.nan), 1, 24.0, 300.0),
        ((np.nan, -10.0), -1, -10.0, 300.0),  # the primary model says short: the label is its own
    ],
)
def test_every_signal_says_what_it_promised_before_costs_and_what_came(
    values, label_side, stated, returned
):
    event = FEB.start_ns + HOUR
    signals = make.predictions([signal(event, side=0)])
    long, short = values
    signals = signals.assign(gross_value_long_bps=long, gross_value_short_bps=short)
    labels = make.labels([event], [1], [1.5])
    labels = labels.assign(side=np.int8(label_side), outcome_short_atr=-1.25)
    ticks = make.ticks([event], [100.0])
    scored = walk(FEB, ticks, signals, labels, fee_bps=7.0, slippage_bps=3.0).scored
    assert scored["stated_bps"].tolist() == pytest.approx([stated])
    assert scored["returned_bps"].tolist() == pytest.approx([returned])


def test_what_no_network_predicted_is_not_scored():
    events = [FEB.start_ns + HOUR, FEB.start_ns + 2 * HOUR]
    signals = make.predictions([signal(event, side=0) for event in events])
    signals = signals.assign(by_network=[False, True])
    scored = walk(
        FEB, make.ticks(events, [100.0, 100.0]), signals, make.labels(events, [1, -1], [1.5, -2.0])
    ).scored
    assert scored["event_time_ns"].tolist() == events[1:]


def test_signals_at_the_close_of_time_bars_are_traded():
    """Their events are instants of the clock, and there need not be a trade at them."""
    time = make.hours(FEB, 0.1, 0.4, 1.1, 1.6, 2.2, 3.3)
    ticks = make.ticks(time, [100.0, 101.0, 101.0, 104.0, 112.0, 90.0])
    config = TimeBars(kind="time", interval_minutes=60)
    bars = bars_of_ticks(config, FEB, {FEB: [ticks]})
    signals = make.predictions([signal(bars["close_time_ns"][0], weight=0.5)])
    study = make.study().model_copy(update={"bars": config})
    tables = {PREDICTIONS: {FEB: signals}, TICKS: {FEB: ticks}, BARS: {FEB: bars}}
    result = walked(study, FEB, tables)
    trade = result.trades.iloc[0]
    assert (trade["entry_time_ns"], trade["entry_price"]) == (time[2], 101.0)
    assert (trade["exit_time_ns"], trade["exit_reason"]) == (time[4], "take_profit")


def test_horizons_of_bars_let_out_after_the_instant_that_closes_the_last():
    """Bars of two ticks; the horizon's last bar closes on the second of three ticks at hour 3."""
    time = make.hours(FEB, 0, 1, 2, 3, 3, 3, 4, 5)
    ticks = make.ticks(time, [100.0, 100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0])
    bars = make.bars(ticks, FEB)
    assert bars["close_time_ns"].tolist()[1:3] == [time[3], time[5]]
    signals = make.predictions([signal(time[1], weight=0.5, horizon_hours=28 * 24)])
    study = make.study().model_copy(update={"labels": LabelsConfig(horizon_bars=2)})
    tables = {PREDICTIONS: {FEB: signals}, TICKS: {FEB: ticks}, BARS: {FEB: bars}}
    result = walked(study, FEB, tables)
    trade = result.trades.iloc[0]
    assert (trade["entry_time_ns"], trade["exit_reason"]) == (time[2], "time_out")
    assert (trade["exit_time_ns"], trade["exit_price"]) == (time[6], 105.0)


def test_bars_that_miss_ticks_are_refused():
    time = make.hours(FEB, 0, 1, 2)
    ticks = make.ticks(time, [100.0, 101.0, 102.0])
    tables = {PREDICTIONS: {FEB: PREDICTIONS.empty()}, TICKS: {FEB: ticks}}
    with pytest.raises(StoreError, match="hold 2 ticks"):
        walked(make.study(), FEB, {**tables, BARS: {FEB: make.bars(ticks[:2], FEB)}})


# ---------------------------------------------------------------------------- drawn at random
def random_market(seed):
    """Up to 40 ticks around the end of January, about half of them events, and a latency."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 41))
    quarters = np.sort(rng.integers(-4 * 60, 4 * 60 + 1, n))
    ticks = make.ticks(make.hours(FEB, *(quarters / 4)), rng.integers(92, 109, n).astype(float))
    rows = [
        signal(
            event,
            side=int(rng.choice([-1, 1])),
            weight=float(rng.choice([0.25, 0.5, 0.875])),
            upper=100.0 + rng.integers(1, 7),
            lower=100.0 - rng.integers(1, 7),
            horizon_hours=int(rng.integers(1, 61)),
        )
        for event in sorted(set(ticks["time_ns"]))
        if rng.random() < 0.5
    ]
    walk_forward = {
        "fee_bps": float(rng.choice([0.0, 50.0])),
        "latency_ms": 3.6e6 * int(rng.choice([0, 0, 1, 3])),
    }
    return ticks, make.predictions(rows), walk_forward


def expected(month, ticks, signals, walk_forward):
    """Results of the naive references: fates of signals, equity after every tick, the account."""
    study = make.study(**walk_forward)
    seen = ticks[ticks["time_ns"] < month.stop_ns]
    signals = signals[signals["event_time_ns"] < month.stop_ns]
    signals = signals[signals["event_time_ns"] >= (month - 1).start_ns]
    time, price = seen["time_ns"].tolist(), seen["price"].tolist()
    fates = []
    for row in signals.itertuples():
        fate = naive.signal(row, time, price, study.walk_forward.latency_ns, month.end_ns)
        if fate["state"] == "live" and row.event_time_ns < month.start_ns:
            end = {"exit": len(time), "price": price[-1], "time": month.end_ns}
            fate |= end | {"state": "stale"}
        fates.append(fate)
    first = int((seen["time_ns"] < month.start_ns).sum())
    if not price:
        return signals, fates, [], None
    weight = (signals["side"] * signals["size"]).tolist()
    equities, account = naive.month_equity(
        fates, weight, [*price, price[-1]], first, study.walk_forward.cost_a_side
    )
    return signals, fates, equities, account


@pytest.mark.slow
@settings(deadline=None, max_examples=50)
@given(SEEDS)
def test_every_month_equals_the_naive_account(seed):
    ticks, signals, walk_forward = random_market(seed)
    for month in (JAN, FEB):
        result = walk(month, ticks, signals, **walk_forward)
        rows, fates, equities, account = expected(month, ticks, signals, walk_forward)

        told = [
            (int(row.event_time_ns), fate["state"], fate["time"], fate["price"])
            for row, fate in zip(rows.itertuples(), fates, strict=True)
            if fate.get("time", -1) >= month.start_ns
        ]
        trades = result.trades[["event_time_ns", "exit_reason", "exit_time_ns", "exit_price"]]
        got = [(e, r, t, None if np.isnan(p) else p) for e, r, t, p in trades.to_numpy().tolist()]
        assert got == sorted(told, key=lambda told: (told[2], told[0]))

        if account is None:
            assert result.equity.empty
            continue
        n_ticks = within(ticks, "time_ns", month).shape[0]
        marked = [*range(1, n_ticks, 2), n_ticks]  # the second tick of every bar, the month's end
        assert result.equity["equity"].tolist() == pytest.approx([equities[i] for i in marked])
        assert result.daily["turnover"].sum() == pytest.approx(account.turnover, abs=1e-12)
        assert result.equity["book"].iloc[-1] == pytest.approx(account.book)
        for column, day_column in (("equity", "net_return"), ("gross_equity", "gross_return")):
            grown = (1 + result.daily[day_column]).prod()
            assert grown == pytest.approx(result.equity[column].iloc[-1], rel=1e-12)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(SEEDS)
def test_months_chain(seed):
    """Positions that leave January enter February; no trade is lost or counted twice."""
    ticks, signals, walk_forward = random_market(seed)
    jan, feb = (walk(m, ticks, signals, **walk_forward) for m in (JAN, FEB))
    out = jan.positions[jan.positions["carried"] == "out"]
    into = feb.positions[feb.positions["carried"] == "in"]
    same = ["event_time_ns", "side", "weight", "entry_time_ns", "entry_price"]
    assert out[same].to_numpy().tolist() == into[same].to_numpy().tolist()
    told = [*jan.trades["event_time_ns"], *feb.trades["event_time_ns"]]
    assert len(told) == len(set(told))
    left = set(feb.positions.loc[feb.positions["carried"] == "out", "event_time_ns"])
    open_still = set(signals["event_time_ns"]) - set(told)
    assert left <= open_still
    assert all(e >= FEB.start_ns for e in open_still)  # nothing of January stays open
    jan_end = jan.equity["book"].iloc[-1] if len(jan.equity) else 0.0
    feb_start = feb.book["book"].iloc[0] if len(feb.book) else 0.0
    assert feb_start == pytest.approx(jan_end)


@pytest.mark.slow
@settings(deadline=None, max_examples=30)
@given(SEEDS, st.integers(-4 * 60, 4 * 60))
def test_later_ticks_change_nothing_known_before(seed, cut):
    """Tamper with every tick after a moment: rows known by then stay the same."""
    ticks, signals, walk_forward = random_market(seed)
    moment = int(make.hours(FEB, cut / 4)[0])
    rng = np.random.default_rng(seed)
    later = ticks["time_ns"] > moment
    kept = ~later | (rng.random(len(ticks)) < 0.6)
    tampered = ticks.copy()
    tampered.loc[later, "price"] = rng.uniform(90, 110, int(later.sum()))
    tampered = tampered[kept].reset_index(drop=True)
    signals = signals[signals["event_time_ns"] <= moment].reset_index(drop=True)
    for month in (JAN, FEB):
        before = walk(month, ticks, signals, **walk_forward)
        after = walk(month, tampered, signals, **walk_forward)
        for name, schema in SCHEMAS.items():
            tables = [getattr(result, name) for result in (before, after)]
            known = [schema.to_arrow(t[t[schema.known_at] <= moment]) for t in tables]
            assert known[0].equals(known[1]), name
