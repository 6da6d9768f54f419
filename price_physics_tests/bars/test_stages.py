"""Bars of every kind feed the stages after them, and none of those sees the future for it."""

import numpy as np
import pandas as pd
import pytest

from price_physics.bars.build import build_bars
from price_physics.labels.build import build_labels
from price_physics.labels.excursions import build_excursions
from price_physics.labels.policy import build_policy
from price_physics.months import Month
from price_physics.regimes.build import build_regime_features
from price_physics.schemas import TICKS
from price_physics.study import BarsConfig, load_market, load_study
from price_physics.ticks.build import build_ticks
from price_physics.weights.build import build_weights

from ..ticks.helpers import ROOT

MARKET = load_market(ROOT / "configs/markets/bitstamp_usd.yaml")
MARKET = MARKET.model_copy(update={"first_month": Month(2012, 3)})
MONTHS = Month.span(Month(2012, 3), Month(2012, 5))
DEMO = load_study(ROOT / "configs/studies/demo.yaml")
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
def ticks() -> dict[Month, pd.DataFrame]:
    return {month: build_ticks(MARKET, ROOT, month).ticks.frame() for month in MONTHS}


def stages(kind: str, ticks: dict[Month, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Every table up to the weights, months one after the other."""
    study = DEMO.model_copy(update={"bars": BarsConfig(kind=kind, **KINDS[kind])})
    chunks = {month: [frame] for month, frame in ticks.items()}
    bars, features, excursions, policies, labels, weights = {}, {}, {}, {}, {}, {}
    for m in MONTHS:
        bars[m] = build_bars(study.bars, m, chunks)
        features[m] = build_regime_features(study, m, bars)
        excursions[m] = build_excursions(study, m, bars, ticks)
        labels[m] = build_labels(study, MARKET, m, bars, ticks, features, policies)
        policies[m] = build_policy(study, m, excursions, features)
        weights[m] = build_weights(m, labels, bars)
    tables = {"bars": bars, "features": features, "excursions": excursions, "labels": labels}
    whole = {name: pd.concat(list(months.values())) for name, months in tables.items()}
    return whole | {"weights": weights[MONTHS[1]]}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_of_every_kind_of_bars(kind: str, ticks: dict[Month, pd.DataFrame]) -> None:
    whole = stages(kind, ticks)
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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("days", [31, 45.3])
def test_nothing_known_depends_on_later_ticks(
    kind: str, days: float, ticks: dict[Month, pd.DataFrame]
) -> None:
    cut_ns = MONTHS[0].start_ns + round(days * 86_400e9) - 1
    rng = np.random.default_rng(4)
    tampered = {}
    for month, frame in ticks.items():
        later = (frame["time_ns"] > cut_ns) & (rng.random(len(frame)) < 0.7)
        changed = frame[~((frame["time_ns"] > cut_ns) & ~later)].copy()
        where = changed["time_ns"] > cut_ns
        changed.loc[where, ["price", "qty"]] *= rng.uniform(0.5, 2.0, (where.sum(), 2))
        tampered[month] = changed[TICKS.columns]
    before, after = stages(kind, ticks), stages(kind, tampered)
    differs = False
    for name, table in before.items():
        known_at = "event_time_ns" if name == "features" else "known_at"
        known, known_after = (t[t[known_at] <= cut_ns] for t in (table, after[name]))
        assert len(known) > 20 or name == "weights"
        pd.testing.assert_frame_equal(known, known_after, check_exact=True)
        differs |= not table.reset_index(drop=True).equals(after[name].reset_index(drop=True))
    assert differs
