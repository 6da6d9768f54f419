"""Runs labels, regimes, weights and folds over every month of a synthetic market."""

import numpy as np
import pandas as pd

from price_physics.folds.build import build_folds
from price_physics.labels.build import build_labels
from price_physics.labels.events import event_times
from price_physics.labels.excursions import build_excursions
from price_physics.labels.policy import build_policy
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.weights.build import build_weights


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

        upto = {k: v for k, v in world.bars.items() if k <= m}
        bars, ticks = near(world.bars, 2), near(world.ticks, 1)
        out["regime_features"][m] = build_regime_features(study, m, upto)
        out["excursions"][m] = build_excursions(study, m, bars, ticks)
        features = near(out["regime_features"], 1)
        out["barrier_policy"][m] = build_policy(study, m, out["excursions"], out["regime_features"])
        policies = near(out["barrier_policy"], 2, m - study.barrier_policy.lag_months)
        result = build_labels(study, market, m, bars, ticks, features, policies)
        out["labels"][m], out["counts"][m] = result.labels, result.counts
        out["weights"][m] = build_weights(m, out["labels"], upto)
        out["windows"][m] = every_window(study, world.bars[m])
        folds = build_folds(study, m, out["labels"], out["windows"])
        out["members"][m], out["roles"][m], out["folds"][m] = folds.members, folds.roles, folds
    return out


def every_window(study, bars):
    """IMAGE_WINDOWS as if every event had one."""
    times = event_times(bars, study.events)
    columns = {"event_time_ns": times, "window_start_ns": times}
    return pd.DataFrame(columns, columns=IMAGE_WINDOWS.columns).astype(np.int64)
