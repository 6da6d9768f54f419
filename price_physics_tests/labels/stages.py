"""The stages from ticks to weights on three months of the sample, months one after the other."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from price_physics.bars.build import build_bars
from price_physics.labels.build import build_labels
from price_physics.labels.excursions import build_excursions
from price_physics.labels.policy import build_policy
from price_physics.months import Month
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.ticks import TICKS
from price_physics.store.artefact import Artefact
from price_physics.study.reading import load_market, load_study
from price_physics.study.study import Study
from price_physics.ticks.build import build_ticks
from price_physics.weights.build import build_weights

from ..past import only_table, past_of
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
    bars: dict = {}
    features: dict = {}
    excursions: dict = {}
    policies: dict = {}
    labels: dict = {}
    weights: dict = {}
    dropped: Counter = Counter()

    def made(build: Callable[..., Artefact], month: Month, policies: dict) -> Artefact:
        tables = {BARS: bars, TICKS: ticks, REGIME_FEATURES: features, EXCURSIONS: excursions}
        past = past_of({**tables, BARRIER_POLICY: policies, LABELS: labels})
        return build(study, MARKET, month, past)

    for m in MONTHS:
        bars[m] = only_table(made(build_bars, m, {}))
        features[m] = only_table(made(build_regime_features, m, {}))
        excursions[m] = only_table(made(build_excursions, m, {}))
        policies[m] = only_table(made(build_policy, m, {}))
        served = {k: v for k, v in policies.items() if k <= m - study.barrier_policy.lag_months}
        result = made(build_labels, m, served)
        labels[m] = only_table(result)
        dropped.update(result.document("counts")["dropped"])
        weights[m] = only_table(made(build_weights, m, {}))
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
