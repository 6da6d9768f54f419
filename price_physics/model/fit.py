"""The `model` partition of a month: samples, fits, calibration, and what is told of them.

How the folds are fitted is in `crossfit`; who is in which fold was decided in the package `folds`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from price_physics.images.build import specification
from price_physics.images.render import Renderer
from price_physics.images.threads import one_cpu_thread
from price_physics.model.calibration import Calibration, cross_calibrated, fit_calibration
from price_physics.model.crossfit import FoldedFit, Progress, fit_folds, read_folds
from price_physics.model.dataset import (
    Moments,
    Samples,
    SampleStore,
    channel_moments,
    feature_moments,
    gather_samples,
)
from price_physics.model.device import algorithms, describe_device, resolve_device
from price_physics.model.networks import CONFIGS, NetworkConfig, network_json
from price_physics.model.predict import probability_columns
from price_physics.model.result import ModelResult
from price_physics.model.summary import summarise
from price_physics.model.train import Index
from price_physics.months import Month
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.scores.probabilities import Floats, class_index, class_names
from price_physics.study.model import ModelConfig
from price_physics.study.study import Study


@one_cpu_thread()
def fit_model(
    study: Study,
    month: Month,
    *,
    windows: Mapping[Month, pd.DataFrame],
    bars: Mapping[Month, pd.DataFrame],
    features: Mapping[Month, pd.DataFrame],
    labels: Mapping[Month, pd.DataFrame],
    weights: pd.DataFrame,
    members: pd.DataFrame,
    roles: pd.DataFrame,
    statistics: Mapping[Month, dict],
    progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> ModelResult:
    """Train the model of `month`, which serves the month after it.

    Parameters
    ----------
    study : Study
    month : Month
    windows, bars, features, labels : mapping of month to table
        IMAGE_WINDOWS, BARS, REGIME_FEATURES, LABELS of months up to `month`.
    weights : DataFrame
        WEIGHTS of `month`.
    members, roles : DataFrame
        FOLD_MEMBERS and FOLD_ROLES of `month`.
    statistics : mapping of month to dict
        The images' channel statistics.
    progress : callable, optional
        Called with (epochs done, epochs at most, text).
    checkpoints : Path, optional
        Folder where every fit keeps its state after each epoch: a call that was killed goes on
        from there and, on the CPU, gives the same bytes. Whoever has stored the result removes it.

    Returns
    -------
    ModelResult
        In warm-up, when there is too little to train on, with `warm_up` saying why.

    Raises
    ------
    StoreError
        When the tables do not belong together.
    ConfigError
        When the device is not there.
    """
    folds, reason = read_folds(study.folds, month, members, roles)
    if reason is not None:
        return ModelResult.warming_up(reason, len(members))
    samples = gather_samples(
        month,
        members,
        windows=windows,
        bars=bars,
        features=features,
        labels=labels,
        weights=weights,
    )
    n_classes = 3 if study.model.head == "three_class" else 2
    classes = class_index(samples.label_rows["label"].to_numpy(np.int8), n_classes)
    channels, heads = channel_moments(statistics, month), feature_moments(samples.features)
    device = resolve_device(study.model.device)
    renderer = Renderer(study.images)
    network = choose_network(study.model, renderer.n_channels, samples.features.shape[1], n_classes)
    with algorithms(device, study.model.deterministic):
        store = SampleStore(renderer, samples, classes, channels, heads, device)
        fitted = fit_folds(
            study, month, store, network, samples.uniqueness, folds, progress, checkpoints
        )
    fold_of, index, logits = fitted.tested
    calibration = fit_calibration(logits, classes[index])  # of all folds: what is served
    probabilities = cross_calibrated(logits, classes[index], fold_of)  # what is judged
    out_of_fold = _out_of_fold(month, samples, index, fold_of, probabilities)
    architecture = {
        "network": network_json(network),
        "n_members": len(fitted.final),
        "n_channels": network.n_channels,
        "n_features": network.n_features,
        "head": study.model.head,
        "classes": class_names(n_classes),
        "images": specification(study.images),
        **_moments_json(channels, heads),
        **_fit_json(study, month, fitted, calibration),
        **describe_device(device),
    }
    summary = {
        "n_training": len(samples.event_time_ns),
        "label_shares": _label_shares(samples),
        **summarise(probabilities, out_of_fold["label"].to_numpy(np.int8), fold_of),
        "temperature": calibration.temperature,
        "bias": calibration.bias,
        "epochs": fitted.epochs,
        "fold_epochs": fitted.fold_epochs,
        "samples_at_once": fitted.at_once,
        **describe_device(device),
    }
    curves = fitted.curves(month)
    return ModelResult(None, _stored(fitted), architecture, out_of_fold, curves, summary)


def choose_network(
    config: ModelConfig, n_channels: int, n_features: int, n_classes: int
) -> NetworkConfig:
    """Configuration of the network a study asks for."""
    width = {} if config.width is None else {"width": config.width}
    return CONFIGS[config.architecture](
        n_channels=n_channels,
        n_features=n_features,
        n_classes=n_classes,
        dropout=config.dropout,
        **width,
    )


def _stored(fitted: FoldedFit) -> dict[str, np.ndarray]:
    """Weights of every member of the final ensemble, by name."""
    return {
        f"{number}.{name}": np.array(value.cpu().numpy(), order="C")
        for number, fit in enumerate(fitted.final)
        for name, value in fit.network.state_dict().items()
    }


def _out_of_fold(
    month: Month, samples: Samples, index: Index, fold_of: np.ndarray, probabilities: Floats
) -> pd.DataFrame:
    rows = samples.label_rows.iloc[index].reset_index(drop=True)
    columns: dict[str, Any] = {
        "event_time_ns": samples.event_time_ns[index],
        "fold": fold_of,
        **probability_columns(probabilities),
        "known_at": np.full(len(index), month.end_ns, np.int64),
    }
    copied = ("side", "label", "label_end_ns", "price", "atr", "outcome_atr", "outcome_short_atr")
    for name in copied:
        columns[name] = rows[name].to_numpy()
    return pd.DataFrame(columns, columns=OUT_OF_FOLD.columns)


def _moments_json(channels: Moments, features: Moments) -> dict[str, list[float]]:
    return {
        "channel_mean": channels.mean,
        "channel_std": channels.std,
        "feature_mean": features.mean,
        "feature_std": features.std,
    }


def _fit_json(
    study: Study, month: Month, fitted: FoldedFit, calibration: Calibration
) -> dict[str, Any]:
    return {
        "config": study.model.model_dump(mode="json"),
        "temperature": calibration.temperature,
        "bias": calibration.bias,
        "training_log_odds": fitted.final[0].log_odds.tolist(),
        "epochs": fitted.epochs,
        "seed": study.seed,
        "month": str(month),
        "known_at": month.end_ns,
    }


def _label_shares(samples: Samples) -> dict[str, float]:
    label = samples.label_rows["label"].to_numpy()
    return {
        name: float((label == value).mean())
        for name, value in (("down", -1), ("flat", 0), ("up", 1))
    }
