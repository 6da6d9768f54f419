"""Other events, other horizons, other barriers: what is in the labels, and what they may know."""

import numpy as np
import pandas as pd
import pytest

from price_physics.events.times import event_times
from price_physics.labels.events import NOT_ENDED, count_endless, vertical_barriers
from price_physics.months import Month
from price_physics.study.barriers import FixedBarriers, PercentBarriers
from price_physics.study.events import CusumEvents
from price_physics.study.labels import LabelsConfig
from price_physics.study.study import Study

from .stages import DEMO, MONTHS, Ticks, assert_known_stays, run_stages, sample_ticks

DAY_NS = 86_400 * 10**9
SECTIONS = {
    "cusum": {"events": CusumEvents(kind="cusum", cusum_bps=150)},
    "horizon in bars": {"labels": LabelsConfig(horizon_bars=25)},
    "fixed": {
        "barrier_policy": FixedBarriers(
            kind="fixed", take_profit_multiple=2.5, stop_loss_multiple=1.5
        )
    },
    "percent": {
        "barrier_policy": PercentBarriers(
            kind="percent", take_profit_percent=2.0, stop_loss_percent=1.0
        )
    },
    "bars, drop": {
        "labels": LabelsConfig(horizon_minutes=1440, path="bars", both_touched="drop"),
        "barrier_policy": FixedBarriers(
            kind="fixed", take_profit_multiple=0.5, stop_loss_multiple=0.5
        ),
    },
    "bars, a side, a horizon in bars": {
        "labels": LabelsConfig(
            horizon_bars=25, path="bars", both_touched="stop_loss_first", side="trend"
        ),
        "model": DEMO.model.model_copy(update={"head": "binary_take_profit"}),
    },
}


def variant(name: str) -> Study:
    return DEMO.model_copy(update=SECTIONS[name])


@pytest.fixture(scope="module")
def ticks() -> Ticks:
    return sample_ticks()


@pytest.fixture(scope="module")
def tables(ticks: Ticks) -> dict[str, dict[str, pd.DataFrame]]:
    return {name: run_stages(variant(name), ticks) for name in SECTIONS}


@pytest.mark.slow
@pytest.mark.parametrize("days", [31, 45.3, 61.5])
@pytest.mark.parametrize("name", SECTIONS)
def test_nothing_known_depends_on_later_ticks(name: str, days: float, ticks: Ticks) -> None:
    assert_known_stays(variant(name), ticks, days)


# ---------------------------------------------------------------------------- CUSUM
def test_cusum_events_are_closes_after_a_run(tables) -> None:
    bars = tables["cusum"]["bars"]
    month = bars[bars["close_time_ns"] < MONTHS[0].stop_ns]
    events = event_times(month, SECTIONS["cusum"]["events"])
    assert 20 < len(events) < len(month) / 2
    assert np.isin(tables["cusum"]["labels"]["event_time_ns"], bars["close_time_ns"]).all()
    close = month.groupby("close_time_ns")["close"].last()
    runs = np.abs(np.diff(np.log(close[events])))
    assert np.median(runs) >= 150e-4 * 0.9


# ---------------------------------------------------------------------------- horizons in bars
def test_a_horizon_of_bars_ends_with_the_nth_whole_bar(tables) -> None:
    bars, labels = (tables["horizon in bars"][name] for name in ("bars", "labels"))
    closes = bars.loc[~bars["partial"], "close_time_ns"].to_numpy()
    last = np.searchsorted(closes, labels["event_time_ns"], side="right") - 1
    np.testing.assert_array_equal(labels["horizon_end_ns"], closes[last + 25])
    assert (labels["label_end_ns"] <= labels["horizon_end_ns"]).all()


def test_no_event_is_lost_or_labelled_twice_across_months(tables, ticks) -> None:
    for name, whole in tables.items():
        study, labels = variant(name), whole["labels"]
        assert labels["event_time_ns"].is_unique
        bars = whole["bars"]
        by_month = {m: bars[bars["close_time_ns"].between(m.start_ns, m.end_ns)] for m in MONTHS}
        expected = []
        for frame in by_month.values():
            times = event_times(frame, study.events)
            ends = vertical_barriers(study, MONTHS[-1], times, by_month)
            expected += times[ends < MONTHS[-1].stop_ns].tolist()
        known = whole["excursions"]["event_time_ns"]
        dropped = [whole["dropped"][reason] for reason in ("both_touched", "no_side")]
        assert set(labels["event_time_ns"]) <= set(known) <= set(expected)
        assert len(known) - len(labels) == sum(dropped)
        assert [n > 0 for n in dropped] == ["drop" in name, "side" in name]
        warming_up = study.labels.atr_period_bars
        assert len(expected) - len(known) <= warming_up


def test_a_horizon_of_bars_over_28_days_is_dropped_and_counted() -> None:
    month = Month(2012, 1)
    closes = {
        month: month.start_ns + np.array([0, 1, 2]) * DAY_NS,
        month + 1: (month + 1).start_ns + np.array([10, 11]) * DAY_NS,
    }
    bars = {
        m: pd.DataFrame({"close_time_ns": c, "partial": False, "close": 5.0})
        for m, c in closes.items()
    }
    study = DEMO.model_copy(update={"labels": LabelsConfig(horizon_bars=2)})
    ends = vertical_barriers(study, month + 1, closes[month], bars)
    assert ends.tolist() == [closes[month][2], NOT_ENDED, NOT_ENDED]
    assert count_endless(study, month, bars) == 2  # 28 days later it is still January
    assert count_endless(study, month + 1, bars) == 0
    by_clock = DEMO.model_copy(update={"labels": LabelsConfig(horizon_minutes=60)})
    assert count_endless(by_clock, month, bars) == 0


# ---------------------------------------------------------------------------- barriers
def test_fixed_barriers_stand_at_multiples_of_atr(tables) -> None:
    labels = tables["fixed"]["labels"]
    np.testing.assert_allclose(labels["upper"], labels["price"] + 2.5 * labels["atr"], rtol=1e-12)
    np.testing.assert_allclose(labels["lower"], labels["price"] - 1.5 * labels["atr"], rtol=1e-12)


def test_percent_barriers_stand_at_percentages_of_the_price(tables) -> None:
    labels = tables["percent"]["labels"]
    np.testing.assert_allclose(labels["upper"], labels["price"] * 1.02, rtol=1e-12)
    np.testing.assert_allclose(labels["lower"], labels["price"] * 0.99, rtol=1e-12)
    assert {-1, 0, 1} == set(labels["label"])


def test_no_kind_of_policy_minds_being_told_that_it_is_not_in_sample() -> None:
    fixed = {"kind": "fixed", "take_profit_multiple": 1.0, "stop_loss_multiple": 1.0}
    told = FixedBarriers(**fixed, in_sample=False)
    assert told == FixedBarriers(**fixed)
    assert told.model_dump() == fixed
