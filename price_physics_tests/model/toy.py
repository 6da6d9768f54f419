"""A market of short trends with an obvious pattern, as the tables that a fit reads."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from price_physics.folds.runs import as_runs
from price_physics.images.build import build_images
from price_physics.model.fit import fit_model
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.weights import WEIGHTS
from price_physics.study.market import TradeMarket
from price_physics.study.study import Study
from price_physics_tests.past import past_of

MONTH = Month(2012, 3)
MINUTE = 60_000_000_000
N_SPLITS = 3
WINDOW = 16


def make_study(**model):
    settings = {
        "width": 4,
        "batch_size": 40,
        "max_epochs": 5,
        "learning_rate": 0.02,
        "device": "cpu",
        **model,
    }
    return Study.model_validate(
        {
            "name": "toy",
            "market": "toy",
            "bars": {"threshold_quote": 50},
            "events": {"every_n_bars": WINDOW, "offset_bars": WINDOW - 1},
            "labels": {"horizon_minutes": 1},
            "barrier_policy": {
                "take_profit_bounds": (1, 8),
                "stop_loss_bounds": (1, 8),
                "fallback_take_profit": 3,
                "fallback_stop_loss": 2,
            },
            "folds": {"embargo_minutes": 1, "n_splits": N_SPLITS, "min_training_samples": 60},
            "images": {"windows_bars": [WINDOW], "size_pixels": WINDOW, "channels": ["gadf"]},
            "model": settings,
            "walk_forward": {"fee_bps": 20, "slippage_bps": 5},
        }
    )


MARKET = TradeMarket(
    name="toy", symbol="TOY", vendor="generic", files=["toy.csv"], first_month=MONTH - 1
)
BY_MONTH = {
    "windows": IMAGE_WINDOWS,
    "bars": BARS,
    "features": REGIME_FEATURES,
    "labels": LABELS,
}
OF_MONTH = {"weights": WEIGHTS, "members": FOLD_MEMBERS, "roles": FOLD_ROLES}


def past(tables, month=MONTH):
    """The input of `fit_model`, from the tables of `make_tables`."""
    frames = {schema: tables[name] for name, schema in BY_MONTH.items()}
    frames |= {schema: {month: tables[name]} for name, schema in OF_MONTH.items()}
    documents = {
        ("images", "statistics"): tables["statistics"],
        ("folds", "manifest"): {month: {"folds": N_SPLITS}},
    }
    return past_of(frames, documents)


class Fit(NamedTuple):
    """The output of `fit_model`."""

    warm_up: str | None
    weights: dict
    architecture: dict
    summary: dict
    out_of_fold: pd.DataFrame
    curves: pd.DataFrame


def fit_toy(study, tables, month=MONTH, **call):
    """Fit the model of a month."""
    artefact = fit_model(study, MARKET, month, past(tables, month), **call)
    return Fit(
        artefact.warm_up,
        artefact.arrays("network"),
        artefact.document("architecture"),
        artefact.document("summary"),
        artefact.table("out_of_fold"),
        artefact.table("learning_curves"),
    )


def make_tables(study, n_a_month=200, seed=0, random_labels=False, outcomes=(-1, 0, 1)):
    """Two months of every table that a fit reads: one trend of 16 bars per event."""
    rng = np.random.default_rng(seed)
    bars, features, labels, windows, statistics = {}, {}, {}, {}, {}
    for month in (MONTH - 1, MONTH):
        drift = rng.choice(outcomes, n_a_month)
        bars[month] = make_bars(month, drift, rng)
        label = rng.choice(outcomes, n_a_month) if random_labels else drift
        event = bars[month].iloc[WINDOW - 1 :: WINDOW].reset_index(drop=True)
        features[month] = make_features(event["close_time_ns"], rng)
        labels[month] = make_labels(event, label)
        images = build_images(study, MARKET, month, past_of({BARS: {month: bars[month]}}))
        windows[month], statistics[month] = images.table("windows"), images.document("statistics")
        assert len(windows[month]) == n_a_month
    known = pd.concat([labels[m] for m in sorted(labels)], ignore_index=True)
    end = np.full(len(known), MONTH.end_ns)
    weights = pd.DataFrame(
        {
            "event_time_ns": known["event_time_ns"],
            "average_uniqueness": rng.uniform(0.2, 1.0, len(known)),
            "known_at": end,
        }
    )
    members = known[["event_time_ns", "label_end_ns"]].assign(known_at=end)
    tables = {
        "windows": windows,
        "bars": bars,
        "features": features,
        "labels": labels,
        "weights": weights,
        "members": members,
        "roles": make_roles(known["event_time_ns"].to_numpy()),
        "statistics": statistics,
    }
    WEIGHTS.to_arrow(weights)
    FOLD_MEMBERS.to_arrow(members)
    FOLD_ROLES.to_arrow(tables["roles"])
    return tables


def make_bars(month, drift, rng):
    n = len(drift) * WINDOW
    steps = np.repeat(drift, WINDOW) * 0.02 + rng.normal(0, 0.01, n)
    close_time = month.start_ns + (1 + np.arange(n)) * 5 * MINUTE
    frame = pd.DataFrame({name: np.ones(n) for name in BARS.columns})
    frame["close"] = 5 * np.exp(np.cumsum(steps))
    frame["open_time_ns"] = close_time - MINUTE
    frame["close_time_ns"] = close_time
    frame["known_at"] = close_time
    frame["n_ticks"] = np.ones(n, np.int64)
    frame["partial"] = False
    BARS.to_arrow(frame)
    return frame


def as_events(windows):
    """IMAGE_WINDOWS as events that are longs with even odds."""
    return windows.assign(side=1, p0_up=1 / 3, p0_none=1 / 3, p0_down=1 / 3)


def make_features(event_time_ns, rng):
    n = len(event_time_ns)
    frame = pd.DataFrame({name: rng.normal(3, 2, n) for name in REGIME_FEATURES.columns})
    frame["event_time_ns"] = event_time_ns
    frame["day_of_week_cos"] = 0.5  # a feature that never changes
    frame["regime"] = np.ones(n, np.int8)
    REGIME_FEATURES.to_arrow(frame)
    return frame


def make_labels(event, label):
    frame = pd.DataFrame({name: np.ones(len(event)) for name in LABELS.columns})
    frame["event_time_ns"] = event["close_time_ns"]
    frame["label_end_ns"] = frame["known_at"] = event["close_time_ns"] + MINUTE
    frame["horizon_end_ns"] = event["close_time_ns"] + MINUTE
    frame["label"] = label.astype(np.int8)
    frame["price"] = event["close"]
    frame["outcome_atr"] = label * 1.5
    frame["outcome_short_atr"] = label * -1.5
    frame["p0_up"] = frame["p0_none"] = frame["p0_down"] = 1 / 3
    frame["crosses_outage"] = frame["at_fallback"] = False
    LABELS.to_arrow(frame)
    return frame


def make_roles(event_time_ns):
    """Contiguous test blocks; the last sixth of the rest, after a purged gap, stops early."""
    rows = []
    for fold, test in enumerate(np.array_split(np.arange(len(event_time_ns)), N_SPLITS)):
        rest = np.setdiff1d(np.arange(len(event_time_ns)), test)
        n_train = len(rest) * 5 // 6
        role = np.full(len(event_time_ns), "train", dtype=object)
        role[rest[n_train:]] = "early_stop"
        role[rest[n_train - 2 : n_train]] = "purged_by_early_stop"
        role[test] = "test"
        rows.append(pd.DataFrame({"event_time_ns": event_time_ns, "role": role}).assign(fold=fold))
    return as_roles(pd.concat(rows, ignore_index=True))


def as_roles(rows):
    """FOLD_ROLES of rows with a fold, an event and its role."""
    columns = (rows[name].to_numpy() for name in ("fold", "event_time_ns", "role"))
    return as_runs(*columns, MONTH.end_ns)
