"""Runs labels, regimes, weights and folds over every month of a synthetic market."""

import numpy as np
import pandas as pd

from price_physics.events.times import event_times
from price_physics.folds.build import build_folds
from price_physics.labels.build import build_labels
from price_physics.labels.excursions import build_excursions
from price_physics.labels.policy import build_policy
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.ticks import TICKS
from price_physics.schemas.weights import WEIGHTS
from price_physics.weights.build import build_weights
from price_physics_tests.past import only_table, past_of


def run_chain(study, market, world):
    """Tables of every month: {stage: {month: frame}}; folds gives members and roles."""
    stages = (
        "regime_features",
        "excursions",
        "barrier_policy",
        "labels",
        "counts",
        "weights",
        "windows",
        "members",
        "roles",
        "folds",
    )
    out = {stage: {} for stage in stages}
    for m in world.months:

        def near(frames, first, last=m, m=m):
            return {k: v for k, v in frames.items() if m - first <= k <= last}

        def made(build, tables, m=m):
            return build(study, market, m, past_of(tables))

        upto = {BARS: {k: v for k, v in world.bars.items() if k <= m}}
        path = {BARS: near(world.bars, 2), TICKS: near(world.ticks, 1)}
        out["regime_features"][m] = only_table(made(build_regime_features, upto))
        out["excursions"][m] = only_table(made(build_excursions, path))
        known = {EXCURSIONS: out["excursions"], REGIME_FEATURES: out["regime_features"]}
        out["barrier_policy"][m] = only_table(made(build_policy, known))
        policies = near(out["barrier_policy"], 2, m - study.barrier_policy.lag_months)
        features = near(out["regime_features"], 1)
        known = {**path, REGIME_FEATURES: features, BARRIER_POLICY: policies}
        result = made(build_labels, known)
        out["labels"][m], out["counts"][m] = only_table(result), result.document("counts")
        out["weights"][m] = only_table(made(build_weights, {**upto, LABELS: out["labels"]}))
        out["windows"][m] = every_window(study, world.bars[m])
        known = {LABELS: out["labels"], IMAGE_WINDOWS: out["windows"], WEIGHTS: out["weights"]}
        folds = made(build_folds, known)
        out["members"][m], out["roles"][m] = folds.table("members"), folds.table("roles")
        out["folds"][m] = folds
    return out


def every_window(study, bars):
    """IMAGE_WINDOWS as if every event had one."""
    times = event_times(bars, study.events)
    columns = {"event_time_ns": times, "window_start_ns": times}
    return pd.DataFrame(columns, columns=IMAGE_WINDOWS.columns).astype(np.int64)
