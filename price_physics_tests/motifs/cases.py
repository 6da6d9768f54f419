"""A small market and a network with random weights; every number follows from a seed."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from price_physics.images.render import Renderer, specification
from price_physics.images.windows import window_ends
from price_physics.model.networks import build_network, network_json
from price_physics.model.networks.resnet_lite import ResNetLiteConfig
from price_physics.model.predict import TrainedModel, probability_columns
from price_physics.months import Month
from price_physics.motifs.build import build_motifs
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.probabilities import PROBABILITIES
from price_physics.schemas.regimes import FEATURE_COLUMNS, REGIME_FEATURES
from price_physics_tests.past import past_of
from price_physics_tests.report.cases import market
from price_physics_tests.report.cases import study as toy_study
from price_physics_tests.walk_forward.make import even_odds

MONTH = Month(2012, 3)
HOUR = 3_600_000_000_000
LONGEST = 32
N_CARRIED = 4


def study(head="three_class"):
    return toy_study(
        head,
        images={"windows_bars": [8, 16, LONGEST], "size_pixels": 16},
        motifs={"max_events": 40, "max_motifs_a_side": 2, "min_events_a_motif": 8},
    )


def bars_of(month, seed, n=150):
    close_time = month.start_ns + (np.arange(n) + 1) * 4 * HOUR
    close = 100 * np.exp(0.01 * np.random.default_rng(seed).standard_normal(n).cumsum())
    columns = dict.fromkeys(BARS.columns, 1.0)
    frame = pd.DataFrame({**columns, "close_time_ns": close_time, "close": close})
    return frame.assign(partial=False, n_ticks=1, known_at=close_time)[BARS.columns]


def model(config, seed=5):
    return TrainedModel.load(*stored_model(config, seed))


def stored_model(config, seed=5):
    """Weights by name and architecture."""
    images, head = config.images, config.model.head
    n_channels, n_classes = Renderer(images).n_channels, 3 if head == "three_class" else 2
    network = ResNetLiteConfig(n_channels, len(FEATURE_COLUMNS), n_classes, width=4)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        state = build_network(network).state_dict()
    architecture = {
        "network": network_json(network),
        "n_members": 1,
        "head": head,
        "offset": "driftless",
        "images": specification(images),
        "channel_mean": [0.0] * n_channels,
        "channel_std": [1.0] * n_channels,
        "feature_mean": [0.0] * len(FEATURE_COLUMNS),
        "feature_std": [1.0] * len(FEATURE_COLUMNS),
        "temperature": 1.0,
        "bias": [0.0] * n_classes,
    }
    return {f"0.{k}": v.numpy() for k, v in state.items()}, architecture


def frame(schema, **columns):
    """A table with the columns given and ones elsewhere."""
    n = len(columns["event_time_ns"])
    rest = {f.name: np.ones(n) for f in schema.arrow if f.name not in columns}
    types = {f.name: f.type.to_pandas_dtype() for f in schema.arrow if f.name in rest}
    filled = {name: values.astype(types[name]) for name, values in rest.items()}
    return pd.DataFrame({**filled, **columns})[schema.columns]


def arguments(head="three_class", n_events=100):
    """Everything `motifs_of` takes: the labels of MONTH belong to events of it and before.

    Those before were predicted by an older model, which knew nothing.
    """
    config, rng = study(head), np.random.default_rng(2)
    weights, architecture = stored_model(config)
    trained = TrainedModel.load(weights, architecture)
    bars = {m: bars_of(m, m.month) for m in (MONTH - 2, MONTH - 1, MONTH)}
    windows, features, probabilities = {}, {}, {}
    for month in (MONTH - 1, MONTH):
        time = bars[month]["close_time_ns"].to_numpy()
        raw = rng.standard_normal((len(time), len(FEATURE_COLUMNS)))
        series, ends = window_ends(bars, time)
        odds = pd.DataFrame({"side": np.ones(len(time)), **even_odds(len(time))})
        p = trained.probabilities(trained.logits(series, ends, raw), odds).numpy()
        if month < MONTH:
            p = np.full_like(p, 1 / p.shape[1])
        windows[month] = frame(IMAGE_WINDOWS, event_time_ns=time)
        features[month] = frame(
            REGIME_FEATURES, event_time_ns=time, **dict(zip(FEATURE_COLUMNS, raw.T, strict=True))
        )
        probabilities[month] = frame(
            PROBABILITIES, event_time_ns=time, **even_odds(len(time)), **probability_columns(p)
        )
    known = pd.concat([windows[MONTH - 1].tail(N_CARRIED), windows[MONTH]]).head(n_events)
    time = known["event_time_ns"].to_numpy()
    label = rng.choice([-1, 0, 1], size=len(time)).astype("int8")
    outcome = rng.normal(size=len(time)) + label
    return {
        "study": config,
        "model": (weights, architecture),
        "bars": bars,
        "windows": windows,
        "features": features,
        "probabilities": probabilities,
        "labels": {
            MONTH: frame(
                LABELS,
                event_time_ns=time,
                label=label,
                outcome_atr=outcome,
                atr=np.full(len(time), 3.0),
                price=np.full(len(time), 1000.0),
            )
        },
    }


def scored(given):
    """The labelled events of what `arguments` gave, as the explained model sees them."""
    trained = TrainedModel.load(*given["model"])
    labels = given["labels"][MONTH].drop(columns=list(even_odds(0)))
    features = pd.concat(given["features"].values()).set_index("event_time_ns")
    raw = features.loc[labels["event_time_ns"], FEATURE_COLUMNS].to_numpy()
    series, ends = window_ends(given["bars"], labels["event_time_ns"])
    odds = pd.DataFrame({"side": np.ones(len(ends)), **even_odds(len(ends))})
    p = trained.probabilities(trained.logits(series, ends, raw), odds).numpy()
    return labels.assign(outcome_bps=30 * labels["outcome_atr"], **probability_columns(p))


class Found(NamedTuple):
    """What `build_motifs` gave."""

    motifs: pd.DataFrame
    members: pd.DataFrame
    plots: dict
    markdown: str
    warm_up: str | None


BY_MONTH = {
    "bars": BARS,
    "windows": IMAGE_WINDOWS,
    "features": REGIME_FEATURES,
    "labels": LABELS,
    "probabilities": PROBABILITIES,
}


def motifs_of(study, model, marks=(), **tables):
    """Motifs of MONTH by a model that is stored, or that there is none of."""
    weights, architecture = model or ({}, {})
    past = past_of(
        {BY_MONTH[name]: months for name, months in tables.items()},
        {("model", "architecture"): {MONTH - 1: architecture}},
        tensors={("model", "network"): {MONTH - 1: weights}},
        warm_up={"model": {MONTH - 1: None if model else "too little"}},
        marks={"probabilities": {MONTH: marks}},
    )
    found = build_motifs(study, market(), MONTH, past)
    files = dict(found.files)
    text = files.pop("motifs.md").decode()
    assert found.highlights == {"motifs": text}
    return Found(found.table("motifs"), found.table("members"), files, text, found.warm_up)
