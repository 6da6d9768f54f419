"""Build the `model` partition of a month: gather samples, fit, calibrate, summarise.

`crossfit` fits the folds; the package `folds` has decided which sample is in which fold.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from price_physics.images.render import Renderer, specification
from price_physics.images.threads import one_cpu_thread
from price_physics.labels.odds import log_offset
from price_physics.model.calibration import cross_calibrated, fit_calibration
from price_physics.model.crossfit import FoldedFit, Progress, fit_folds, read_folds
from price_physics.model.dataset import Samples, SampleStore, Scales
from price_physics.model.device import algorithms, describe_device, resolve_device
from price_physics.model.networks import NetworkConfig, config_class, network_json
from price_physics.model.predict import probability_columns
from price_physics.model.samples import channel_moments, feature_moments, gather_samples
from price_physics.model.summary import judge_calibration, judge_skill, summarise
from price_physics.model.train import Index
from price_physics.months import Month
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.scores.probabilities import Floats, class_index, class_names
from price_physics.store.artefact import Artefact
from price_physics.weights.draw import drawn_by_uniqueness

if TYPE_CHECKING:
    from price_physics.past import Known, Past
    from price_physics.study.market import Market
    from price_physics.study.model import ModelConfig
    from price_physics.study.study import Study


@one_cpu_thread()
def fit_model(
    study: Study,
    market: Market,
    month: Month,
    past: Past,
    *,
    progress: Progress | None = None,
    checkpoints: Path | None = None,
) -> Artefact:
    """Train the model of `month`, which serves the month after it, or carry the last one on.

    Until `refit_every_months` after a fit its model serves on: the same networks, out-of-fold
    predictions and documents, but for `carried_through` in the summary.

    Parameters
    ----------
    study, market, month
    past : Past
        Images, bars, regime features and labels up to `month`; weights and folds of `month`; the
        model of the month before where it may serve on.
    progress : callable, optional
        Called with (epochs done, epochs at most, text).
    checkpoints : Path, optional
        Folder where every fit saves its state after each epoch: a new call resumes a killed one
        from there and, on the CPU, gives the same bytes. The caller removes it once the result is
        stored.

    Returns
    -------
    Artefact
        The networks' weights, `architecture` (all that is needed to rebuild and serve them),
        OUT_OF_FOLD, LEARNING_CURVES, `summary`, and the manifest of the folds. In warm-up, when
        there is too little to train on, the summary says why and the rest is empty.

    Raises
    ------
    StoreError
        When the tables do not belong together.
    ConfigError
        When the device is not available, or the network lacks something it must have.
    """
    if study.model.refit_every_months > 1:
        last = past.of("model").get(month - 1)
        if last is not None and serves_on(study.model, last, month):
            return _carried(last, month)
    fold = past.of("folds")[month]
    members = past.table(FOLD_MEMBERS)[month]
    folds, reason = read_folds(study.folds, month, members, past.table(FOLD_ROLES)[month])
    if reason is not None:
        return _warming_up(fold, reason, len(members))
    samples = gather_samples(month, members, past)
    trained, least_weight = drawn_by_uniqueness(samples.uniqueness, study.folds.max_training_events)
    samples = replace(samples, uniqueness=np.maximum(samples.uniqueness, least_weight))
    folds = {
        f: {**parts, "train": np.intersect1d(parts["train"], trained)} for f, parts in folds.items()
    }
    channels = channel_moments(past.documents("images", "statistics"), month)
    scales = Scales(channels, feature_moments(samples.features))
    n_classes = study.model.n_classes
    device = resolve_device(study.model.device)
    renderer = Renderer(study.images, config_class(study.model.architecture).pool)
    network = choose_network(study.model, renderer.n_channels, samples.features.shape[1], n_classes)
    with algorithms(device, study.model.deterministic):
        offset = log_offset(study.model.offset, samples.label_rows, n_classes)
        classes = _classes(samples, n_classes)
        store = SampleStore(renderer, samples, classes, scales, device, offset=offset)
        fitted = fit_folds(study, month, store, network, folds, trained, progress, checkpoints)
    return _trained(study, month, fold, samples, scales, network, fitted)


def serves_on(config: ModelConfig, last: Known, month: Month) -> bool:
    """Whether the model of the month before was fitted recently enough to serve on."""
    if last.warm_up:
        return False
    fitted = Month.parse(last.document("architecture")["month"])
    return month < fitted + config.refit_every_months


def _carried(last: Known, month: Month) -> Artefact:
    """The model of the month before, as that of this month."""
    tables = tuple((table, last.table(table.name)) for table in (OUT_OF_FOLD, LEARNING_CURVES))
    documents = {name: last.document(name) for name in ("architecture", "fold_manifest")}
    documents["summary"] = {**last.document("summary"), "carried_through": str(month)}
    return Artefact(tables=tables, documents=documents, tensors={"network": last.arrays("network")})


def choose_network(
    config: ModelConfig, n_channels: int, n_features: int, n_classes: int
) -> NetworkConfig:
    """Return the configuration of the network that a study asks for."""
    width = {} if config.width is None else {"width": config.width}
    return config_class(config.architecture)(
        n_channels=n_channels,
        n_features=n_features,
        n_classes=n_classes,
        dropout=config.dropout,
        **width,
    )


def _trained(
    study: Study,
    month: Month,
    fold: Known,
    samples: Samples,
    scales: Scales,
    network: NetworkConfig,
    fitted: FoldedFit,
) -> Artefact:
    """Calibrate and summarise the fits of a month."""
    fold_of, index, logits = fitted.tested
    classes = _classes(samples, network.n_classes)[index]
    tested = samples.label_rows.iloc[index]
    offset = log_offset(study.model.offset, tested, network.n_classes)
    calibration = fit_calibration(logits, classes, offset)  # on all folds; this one is served
    probabilities = cross_calibrated(logits, classes, fold_of, offset)  # these are judged
    out_of_fold = _out_of_fold(month, samples, index, fold_of, probabilities, fold)
    fit = {**asdict(calibration), "epochs": fitted.epochs, **describe_device(fitted.device)}
    summary = {
        "n_training": len(samples.event_time_ns),
        "label_shares": _label_shares(samples),
        **summarise(probabilities, out_of_fold["label"].to_numpy(np.int8), fold_of),
        **judge_skill(out_of_fold),
        **judge_calibration(out_of_fold),
        **fit,
        "fold_epochs": fitted.fold_epochs,
        "samples_at_once": fitted.at_once,
    }
    architecture = {
        **_architecture(study, month, network),
        **scales.json(),
        **fit,
        "n_members": len(fitted.final),
        "training_log_odds": fitted.final[0].log_odds.tolist(),
    }
    return Artefact(
        tables=((OUT_OF_FOLD, out_of_fold), (LEARNING_CURVES, fitted.curves(month))),
        documents={
            "architecture": architecture,
            "summary": summary,
            "fold_manifest": fold.document("manifest"),
        },
        tensors={"network": _stored(fitted)},
        warm_up=fold.warm_up,
    )


def _classes(samples: Samples, n_classes: int) -> Index:
    return class_index(samples.label_rows["label"].to_numpy(np.int8), n_classes)


def _warming_up(fold: Known, reason: str, n_training: int) -> Artefact:
    return Artefact(
        tables=((OUT_OF_FOLD, OUT_OF_FOLD.empty()), (LEARNING_CURVES, LEARNING_CURVES.empty())),
        documents={
            "architecture": {},
            "summary": {"n_training": n_training, "warm_up": reason},
            "fold_manifest": fold.document("manifest"),
        },
        tensors={"network": {}},
        warm_up=fold.warm_up or reason,
    )


def _architecture(study: Study, month: Month, network: NetworkConfig) -> dict[str, Any]:
    return {
        "network": network_json(network),
        "n_channels": network.n_channels,
        "n_features": network.n_features,
        "head": study.model.head,
        "offset": study.model.offset,
        "classes": class_names(network.n_classes),
        "images": specification(study.images),
        "config": study.model.model_dump(mode="json"),
        "seed": study.seed,
        "month": str(month),
        "known_at": month.end_ns,
    }


def _stored(fitted: FoldedFit) -> dict[str, np.ndarray]:
    """Weights of every member of the final ensemble, by name."""
    return {
        f"{number}.{name}": np.array(value.cpu().numpy(), order="C")
        for number, fit in enumerate(fitted.final)
        for name, value in fit.network.state_dict().items()
    }


def _stands_for(fold: Known, fold_of: np.ndarray) -> Floats:
    """How many events of its fold's test block each tested one stands for."""
    roles = fold.table(FOLD_ROLES.name)
    block = roles[roles["role"].isin(["test", "thinned_test"])]
    tested = roles[roles["role"] == "test"].groupby("fold")["n_events"].sum()
    share = block.groupby("fold")["n_events"].sum() / tested
    return share.reindex(fold_of).to_numpy(np.float64)


def _out_of_fold(
    month: Month,
    samples: Samples,
    index: Index,
    fold_of: np.ndarray,
    probabilities: Floats,
    fold: Known,
) -> pd.DataFrame:
    rows = samples.label_rows.iloc[index].reset_index(drop=True)
    columns: dict[str, Any] = {
        "event_time_ns": samples.event_time_ns[index],
        "fold": fold_of,
        **probability_columns(probabilities),
        "stands_for": _stands_for(fold, fold_of),
        "known_at": np.full(len(index), month.end_ns, np.int64),
    }
    for name in OUT_OF_FOLD.columns:
        if name not in columns:
            columns[name] = rows[name].to_numpy()
    return pd.DataFrame(columns, columns=OUT_OF_FOLD.columns)


def _label_shares(samples: Samples) -> dict[str, float]:
    label = samples.label_rows["label"].to_numpy()
    return {
        name: float((label == value).mean())
        for name, value in (("down", -1), ("flat", 0), ("up", 1))
    }
