"""The stages from ticks to weights on three months of the sample, months one after the other."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from price_physics.bars.build import build_bars
from price_physics.labels.build import build_labels
from price_physics.labels.excursions import build_excursions
from price_physics.labels.policy import build_policy
from price_physics.months import Month
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.ticks import TICKS
from price_physics.study.reading import load_market, load_study
from price_physics.study.study import Study
from price_physics.ticks.build import build_ticks
from price_physics.weights.build import build_weights

from ..ticks.helpers import ROOT

MONTHS = Month.span(Month(2012, 3), Month(2012, 5))
MARKET = load_market(ROOT / "configs/markets/bitstamp_usd.yaml")
MARKET = MARKET.model_copy(update={"first_month": MONTHS[0]})
DEMO = load_study(ROOT / "configs/studies/demo.yaml")

Ticks = dict[Month, pd.DataFrame]


def sample_ticks() -> Ticks:
    return {month: build_ticks(MARKET, month, ROOT).table("ticks") for month in MONTHS}


def tampered(ticks: Ticks, cut_ns: int) -> Ticks:
    """Delete some ticks after a moment and change the price and quantity of the others."""
    rng = np.random.default_rng(4)
    changed = {}
    for month, frame in ticks.items():
        stays = (frame["time_ns"] <= cut_ns) | (rng.random(len(frame)) < 0.7)
        kept = frame[stays].copy()
        later = kept["time_ns"] > cut_ns
        kept.loc[later, ["price", "qty"]] *= rng.uniform(0.5, 2.0, (int(later.sum()), 2))
        changed[month] = kept[TICKS.columns]
    return changed


def run_stages(study: Study, ticks: Ticks) -> dict[str, Any]:
    """Every table, its months joined.

    Under "dropped" a count of what has no label, by reason.
    """
    chunks = {month: [frame] for month, frame in ticks.items()}
    bars: dict = {}
    features: dict = {}
    excursions: dict = {}
    policies: dict = {}
    labels: dict = {}
    weights: dict = {}
    dropped: Counter = Counter()
    for m in MONTHS:
        bars[m] = build_bars(study.bars, m, chunks)
        features[m] = build_regime_features(study, m, bars)
        excursions[m] = build_excursions(study, m, bars, ticks)
        policies[m] = build_policy(study, m, excursions, features)
        served = {k: v for k, v in policies.items() if k <= m - study.barrier_policy.lag_months}
        result = build_labels(study, MARKET, m, bars, ticks, features, served)
        labels[m] = result.labels
        dropped.update(result.counts["dropped"])
        weights[m] = build_weights(m, labels, bars)
    tables = {
        "bars": bars,
        "features": features,
        "excursions": excursions,
        "policies": policies,
        "labels": labels,
        "weights": weights,
    }
    whole = {name: pd.concat(list(months.values())) for name, months in tables.items()}
    return whole | {"dropped": dropped}


def assert_known_stays(study: Study, ticks: Ticks, days: float) -> None:
    """Tamper with all ticks after a moment: what was known at it stays, and the rest does not.

    The moment is after the first month: of every table something is known by then.
    """
    cut_ns = MONTHS[0].start_ns + round(days * 86_400e9) - 1
    before, after = run_stages(study, ticks), run_stages(study, tampered(ticks, cut_ns))
    differs = False
    for name, table in before.items():
        if name == "dropped":
            continue
        known_at = "event_time_ns" if name == "features" else "known_at"
        known, known_after = (
            t[t[known_at] <= cut_ns].reset_index(drop=True) for t in (table, after[name])
        )
        assert len(known) > (0 if name == "policies" else 20), name
        pd.testing.assert_frame_equal(known, known_after, check_exact=True, obj=name)
        differs |= not table.reset_index(drop=True).equals(after[name].reset_index(drop=True))
    assert differs
