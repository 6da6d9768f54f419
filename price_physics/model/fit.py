"""The `model` partition of a month: folds, calibration, final fit.

Every fold trains, stops early on its own purged slice, and predicts what it has not seen; the
final fit uses all members for the folds' median number of epochs. Who is in which fold was
decided in `folds`.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from statistics import median_high
from typing import Any

import numpy as np
import pandas as pd

from price_physics.images.build import specification
from price_physics.images.render import Renderer
from price_physics.images.threads import one_cpu_thread
from price_physics.labels.frames import rows_of
from price_physics.model.calibration import Calibration, fit_calibration
from price_physics.model.dataset import (
    Moments,
    Samples,
    SampleStore,
    channel_moments,
    feature_moments,
    gather_samples,
)
from price_physics.model.device import describe_device, resolve_device
from price_physics.model.metrics import Floats, class_index, class_names, summarise
from price_physics.model.network import NetworkConfig
from price_physics.model.predict import probability_columns
from price_physics.model.result import ModelResult
from price_physics.model.train import Fit, Index, fit_network, predict_logits
from price_physics.months import Month
from price_physics.schemas import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.study import Study

Progress = Callable[[int, int, str], None]
"""Called with epochs done, epochs at most, and what is being done."""

FINAL = -1
"""The number of the final fit in the learning curves."""

_PARTS = ("train", "early_stop", "test")


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
    folds, reason = _read_folds(study, month, members, roles)
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
    store = SampleStore(renderer, samples, classes, channels, heads, device)
    network = NetworkConfig(
        n_channels=renderer.n_channels,
        n_features=samples.features.shape[1],
        n_classes=n_classes,
        width=study.model.width,
        dropout=study.model.dropout,
    )
    fits, tested = _fit_folds(study, month, store, network, samples.uniqueness, folds, progress)
    final = fits[FINAL]
    fold_of, index, logits = tested
    # From each fold's scale to the final model's, whose logits the calibration will serve.
    shift = np.stack([final.log_odds - fits[f].log_odds for f in sorted(folds)])
    logits = logits + shift[np.searchsorted(sorted(folds), fold_of)]
    calibration = fit_calibration(logits, classes[index])
    probabilities = calibration.probabilities(logits)
    out_of_fold = _out_of_fold(month, samples, index, fold_of, probabilities)
    architecture = {
        "network": asdict(network),
        "n_channels": network.n_channels,
        "n_features": network.n_features,
        "head": study.model.head,
        "classes": class_names(n_classes),
        "images": specification(study.images),
        **_moments_json(channels, heads),
        **_fit_json(study, month, final, calibration),
        **describe_device(device),
    }
    summary = {
        "n_training": len(samples.event_time_ns),
        "label_shares": _label_shares(samples),
        **summarise(probabilities, out_of_fold["label"].to_numpy(np.int8), fold_of),
        "temperature": calibration.temperature,
        "bias": calibration.bias,
        "epochs": final.best_epoch,
        "fold_epochs": [fits[f].best_epoch for f in sorted(folds)],
        **describe_device(device),
    }
    state = final.network.state_dict()
    stored = {name: np.array(value.cpu().numpy(), order="C") for name, value in state.items()}
    return ModelResult(None, stored, architecture, out_of_fold, _curves(month, fits), summary)


def _read_folds(
    study: Study, month: Month, members: pd.DataFrame, roles: pd.DataFrame
) -> tuple[dict[int, dict[str, Index]], str | None]:
    """Positions of each fold's parts among the sorted members, or why there is no model."""
    n, least = len(members), study.folds.min_training_samples
    if n < least or not len(roles):
        return {}, f"{n} labelled windows through {month}; training needs {least} and their folds"
    times = np.sort(members["event_time_ns"].to_numpy(np.int64))
    folds: dict[int, dict[str, Index]] = {}
    for fold, rows in roles.groupby("fold", sort=True):
        parts = {}
        for part in _PARTS:
            events = np.sort(rows.loc[rows["role"] == part, "event_time_ns"].to_numpy(np.int64))
            if not len(events):
                return {}, f"fold {fold} of {month} has no {part} sample among {n} members"
            parts[part] = rows_of(events, times, "folds")
        folds[int(str(fold))] = parts
    return folds, None


def _fit_folds(
    study: Study,
    month: Month,
    store: SampleStore,
    network: NetworkConfig,
    uniqueness: Floats,
    folds: dict[int, dict[str, Index]],
    progress: Progress | None,
) -> tuple[dict[int, Fit], tuple[np.ndarray, Index, Floats]]:
    """Fit every fold, then all members; give the fits and (fold, sample, logits) of the tests."""
    config, n_fits = study.model, len(folds) + 1

    def fit(number: int, name: str, train: Index, early_stop: Index | None, epochs: int) -> Fit:
        place = n_fits - 1 if number == FINAL else sorted(folds).index(number)

        def on_epoch(epoch: int) -> None:
            if progress is not None:
                done = place * config.max_epochs + epoch
                progress(done, n_fits * config.max_epochs, f"{month} {name}, epoch {epoch}")

        seed = int(np.random.SeedSequence([study.seed, place]).generate_state(1)[0])
        return fit_network(
            store, config, network, uniqueness, train, early_stop, epochs, seed, on_epoch
        )

    fits, tests = {}, []
    for fold in sorted(folds):
        parts = folds[fold]
        name = f"fold {fold + 1} of {len(folds)}"
        fits[fold] = fit(fold, name, parts["train"], parts["early_stop"], config.max_epochs)
        logits = predict_logits(fits[fold].network, store, parts["test"])
        tests.append((np.full(len(logits), fold, np.int32), parts["test"], logits))
    epochs = median_high(fits[f].best_epoch for f in folds)
    fits[FINAL] = fit(FINAL, "final fit", np.arange(len(store)), None, epochs)
    fold_of, index, logits = (np.concatenate(part) for part in zip(*tests, strict=True))
    order = np.lexsort((fold_of, index))
    return fits, (fold_of[order], index[order], logits[order])


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
    for name in ("label", "label_end_ns", "price", "atr", "outcome_atr", "outcome_short_atr"):
        columns[name] = rows[name].to_numpy()
    return pd.DataFrame(columns, columns=OUT_OF_FOLD.columns)


def _curves(month: Month, fits: dict[int, Fit]) -> pd.DataFrame:
    rows = [{"fold": fold, **row} for fold, fit in sorted(fits.items()) for row in fit.curve]
    frame = pd.DataFrame(rows)
    frame["known_at"] = month.end_ns
    types = {"fold": np.int32, "epoch": np.int32, "known_at": np.int64}
    return frame[LEARNING_CURVES.columns].astype(types)


def _moments_json(channels: Moments, features: Moments) -> dict[str, list[float]]:
    return {
        "channel_mean": channels.mean,
        "channel_std": channels.std,
        "feature_mean": features.mean,
        "feature_std": features.std,
    }


def _fit_json(study: Study, month: Month, final: Fit, calibration: Calibration) -> dict[str, Any]:
    return {
        "config": study.model.model_dump(mode="json"),
        "temperature": calibration.temperature,
        "bias": calibration.bias,
        "training_log_odds": final.log_odds.tolist(),
        "epochs": final.best_epoch,
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
