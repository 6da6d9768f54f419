"""Scores of a planted market: the network's, and of all it is held against, on the same events."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.scores.delong import ComparedAucs, compare_aucs
from price_physics.scores.probabilities import class_probabilities, direction
from price_physics.store.partitions import Store
from price_physics.truth.baselines import boosted_trees, logistic_regression
from price_physics.truth.judgement import BOOSTED, LOGISTIC, ORACLE, OURS
from price_physics.truth.markets import (
    OUTCOME_BARS,
    PATTERN_BARS,
    TICKS_A_BAR,
    Kind,
    n_episodes,
    outcome_signs,
)
from price_physics.truth.projects import TEST, TRAIN

BARS_AN_EPISODE = PATTERN_BARS + OUTCOME_BARS


def measure(
    store: Store, kind: Kind, seed: int, n_episodes_a_day: int
) -> tuple[ComparedAucs, dict[str, Any]]:
    """Score the test month's events that moved: by the network, and by what it is compared with.

    Raises
    ------
    StoreError
        When the tables do not belong together.
    """
    train, known = _events(store, kind, TRAIN), _events(store, kind, TEST)
    predictions = store.read((kind, "predictions"), TEST).table("predictions")
    test = known.merge(predictions[["event_time_ns", "p_up", "p_flat", "p_down"]])
    if len(test) < len(known):
        raise StoreError(
            f"{kind} {TEST}: {len(known)} events have a label, but only {len(test)} of them a "
            "prediction; materialise predictions again"
        )
    ours = direction(*class_probabilities(test))
    moved, unseen = train[train["label"] != 0], test[test["label"] != 0]
    before, after = np.stack(moved["window"].to_list()), np.stack(unseen["window"].to_list())
    up = moved["label"].to_numpy() > 0
    signs = outcome_signs(kind, TRAIN, TEST - TRAIN + 1, n_episodes_a_day, seed)
    signs = signs[-n_episodes(TEST, n_episodes_a_day) :]
    aucs = compare_aucs(
        {
            ORACLE: signs[unseen["episode"].to_numpy()],
            LOGISTIC: logistic_regression(before, up, after),
            BOOSTED: boosted_trees(before, up, after, seed),
            OURS: ours.score,
        },
        ours.positive,
    )
    summary = store.read((kind, "model"), TRAIN).document("summary")
    facts = {
        "events to train on": int(summary["n_training"]),
        "that moved": len(moved),
        "events to test on": len(test),
        "that moved there": len(unseen),
        "epochs": int(summary["epochs"]),
    }
    return aucs, facts


def _events(store: Store, kind: Kind, month: Month) -> pd.DataFrame:
    """Labelled events of a month, each with its episode and the closes of its window."""
    labels = store.read((kind, "labels"), month).table("labels", ["event_time_ns", "label"])
    bars = store.read((kind, "bars"), month).table("bars", ["close_time_ns", "close"])
    time_ns = labels["event_time_ns"].to_numpy(np.int64)
    bar = np.searchsorted(bars["close_time_ns"].to_numpy(np.int64), time_ns)
    in_episode = bar % BARS_AN_EPISODE
    if (in_episode != PATTERN_BARS - 1).any():
        raise StoreError(
            f"{kind} {month}: an event is bar {in_episode.max()} of an episode, the pattern ends "
            f"with bar {PATTERN_BARS - 1}: not all bars have {TICKS_A_BAR} ticks; rebuild the bars"
        )
    windows = sliding_window_view(bars["close"].to_numpy(np.float64), PATTERN_BARS)
    return labels.assign(
        episode=bar // BARS_AN_EPISODE, window=list(windows[bar - PATTERN_BARS + 1])
    )
