"""Bars of every kind feed the stages after them, and none of those sees the future for it."""

import pandas as pd
import pytest

from price_physics.study.study import Study
from price_physics_tests.study.make import bars_of

from ..labels.stages import DEMO, Ticks, assert_known_stays, run_stages, sample_ticks

FLOW = {"expected_ticks": 10.0, "span_bars": 20.0, "min_ticks": 2, "max_ticks": 100}
KINDS = {
    "time": {"interval_minutes": 180},
    "tick": {"threshold_ticks": 10},
    "volume": {"threshold_base": 10.0},
    "dollar": {"threshold_quote": 50.0},
    "tick_imbalance": FLOW,
    "volume_imbalance": FLOW | {"expected_base": 5.0},
    "dollar_imbalance": FLOW | {"expected_quote": 25.0},
    "tick_run": FLOW,
    "volume_run": FLOW | {"expected_base": 5.0},
    "dollar_run": FLOW | {"expected_quote": 25.0},
}


@pytest.fixture(scope="module")
def ticks() -> Ticks:
    return sample_ticks()


def study_of(kind: str) -> Study:
    return DEMO.model_copy(update={"bars": bars_of(kind=kind, **KINDS[kind])})


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_every_kind_of_bars(kind: str, ticks: Ticks) -> None:
    whole = run_stages(study_of(kind), ticks)
    labels = whole["labels"]
    assert len(labels) > 100
    assert {-1, 1} <= set(labels["label"])
    bars = whole["bars"][~whole["bars"]["partial"]]
    assert (bars["known_at"] == bars["close_time_ns"]).all()
    assert labels["event_time_ns"].isin(bars["known_at"]).all()
    touched = labels[labels["label"] != 0]
    times = pd.concat(list(ticks.values()))["time_ns"]
    assert touched["label_end_ns"].isin(times).all()
    assert (touched["label_end_ns"] > touched["event_time_ns"]).all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("days", [31, 45.3, 61.5])
def test_nothing_known_depends_on_later_ticks(kind: str, days: float, ticks: Ticks) -> None:
    assert_known_stays(study_of(kind), ticks, days)
