"""Scores of a planted market: the network's, and of all it is held against, on the same events."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from price_physics.errors import StoreError
from price_physics.labels.odds import class_odds
from price_physics.months import Month
from price_physics.schemas.table import ODDS
from price_physics.scores.delong import ComparedAucs, compare_aucs
from price_physics.scores.probabilities import Floats, class_index, direction
from price_physics.store.partitions import Store
from price_physics.truth.baselines import boosted_trees, logistic_regression
from price_physics.truth.judgement import BLIND, BOOSTED, DRIFTLESS, LOGISTIC, ORACLE, OURS
from price_physics.truth.markets import (
    OUTCOME_BARS,
    PATTERN_BARS,
    THETA,
    TICKS_A_BAR,
    Kind,
    barrier_steps,
    n_episodes,
    outcome_signs,
    pace,
)
from price_physics.truth.odds import Gain, gain, outcome_odds
from price_physics.truth.projects import (
    TEST,
    TRAIN,
    blind_study,
    first_month,
    market_episodes,
    studies,
)

BARS_AN_EPISODE = PATTERN_BARS + OUTCOME_BARS


class Measured(NamedTuple):
    """What one market gives.

    Attributes
    ----------
    aucs : ComparedAucs
        Of the direction, by score.
    gains : dict of str to Gain
        Shares of the attainable log loss, by score; empty where nothing can be told.
    facts : dict
        Counts of events and of epochs.
    """

    aucs: ComparedAucs
    gains: dict[str, Gain]
    facts: dict[str, Any]


def measure(store: Store, kind: Kind, seed: int, n_episodes_a_day: int) -> Measured:
    """Score the test month's events: by the network, and by what it is compared with.

    AUCs are of the events that moved, log losses of all.

    Raises
    ------
    StoreError
        When the tables do not belong together.
    """
    first = first_month(kind)
    train = pd.concat([_events(store, kind, month) for month in Month.span(first, TRAIN)])
    test = _events(store, kind, TEST)
    scores = {study: BLIND if study == blind_study(kind) else OURS for study in studies(kind)}
    predicted = {name: _predictions(store, study, test) for study, name in scores.items()}
    classes = class_index(test["label"].to_numpy(np.int64), 3)
    ours = {name: direction(p, classes) for name, p in predicted.items()}
    moved, unseen = train[train["label"] != 0], test[test["label"] != 0]
    before, after = np.stack(moved["window"].to_list()), np.stack(unseen["window"].to_list())
    up, up_after = moved["label"].to_numpy() > 0, unseen["label"].to_numpy() > 0
    signs = _signs(kind, seed, n_episodes_a_day)[test["episode"].to_numpy()]
    aucs = compare_aucs(
        {
            ORACLE: signs[classes != 1],
            LOGISTIC: logistic_regression(before, up, after),
            BOOSTED: boosted_trees(before, up, after, seed),
            **{name: found.score for name, found in ours.items()},
        },
        up_after,
    )
    summary = store.read((kind, "model"), TRAIN).document("summary")
    facts = {
        "events to train on": int(summary["n_training"]),
        "that moved": len(moved),
        "events to test on": len(test),
        "that moved there": len(unseen),
        "epochs": int(summary["epochs"]),
    }
    return Measured(aucs, _gains(kind, test, predicted, signs), facts)


def _predictions(store: Store, study: str, test: pd.DataFrame) -> Floats:
    """Probabilities (n, 3) that a study's network gave the events of the test month."""
    columns = ["p_down", "p_flat", "p_up"]
    predicted = store.read((study, "probabilities"), TEST).table("probabilities")
    found = test[["event_time_ns"]].merge(predicted[["event_time_ns", *columns]])
    if len(found) < len(test):
        raise StoreError(
            f"{study} {TEST}: {len(test)} events have a label, but only {len(found)} of them a "
            f"prediction; {_remedy(store)}"
        )
    return found[columns].to_numpy(np.float64)


def _signs(kind: Kind, seed: int, n_episodes_a_day: int) -> np.ndarray:
    """Which way the outcome of every episode of the test month leans."""
    first, asked = first_month(kind), market_episodes(kind, n_episodes_a_day)
    signs = outcome_signs(kind, first, TEST - first + 1, asked, seed)
    return signs[-n_episodes(TEST, asked * pace(kind, TEST - first)) :]


def _gains(
    kind: Kind, test: pd.DataFrame, predicted: dict[str, Floats], signs: np.ndarray
) -> dict[str, Gain]:
    """Share of the attainable log loss of every network, and of the odds that it is offset by."""
    if not signs.any():
        return {}
    steps = barrier_steps(kind, TEST - first_month(kind))
    up = outcome_odds(THETA, steps)
    oracle = np.where(signs[:, None] > 0, up, up[::-1])
    free = np.broadcast_to(outcome_odds(0.0, steps), oracle.shape)
    classes = class_index(test["label"].to_numpy(np.int64), 3)
    scored = {DRIFTLESS: class_odds(test, 3)} | predicted
    return {name: gain(p, oracle, free, classes) for name, p in scored.items()}


def _remedy(store: Store) -> str:
    return f"run  rm -r '{store.root}'  and  make truth  to build all of it again"


def _events(store: Store, kind: Kind, month: Month) -> pd.DataFrame:
    """Labelled events of a month, each with its episode and the closes of its window."""
    columns = ["event_time_ns", "side", "label", *ODDS]
    labels = store.read((kind, "labels"), month).table("labels", columns)
    bars = store.read((kind, "bars"), month).table("bars", ["close_time_ns", "close"])
    time_ns = labels["event_time_ns"].to_numpy(np.int64)
    bar = np.searchsorted(bars["close_time_ns"].to_numpy(np.int64), time_ns)
    in_episode = bar % BARS_AN_EPISODE
    if (in_episode != PATTERN_BARS - 1).any():
        raise StoreError(
            f"{kind} {month}: an event is bar {in_episode.max()} of an episode, the pattern ends "
            f"with bar {PATTERN_BARS - 1}: not all bars have {TICKS_A_BAR} ticks; {_remedy(store)}"
        )
    windows = sliding_window_view(bars["close"].to_numpy(np.float64), PATTERN_BARS)
    return labels.assign(
        episode=bar // BARS_AN_EPISODE, window=list(windows[bar - PATTERN_BARS + 1])
    )
