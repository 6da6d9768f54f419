"""A stored model: what it predicts, that nothing later touches it, and what it refuses to load."""

import numpy as np
import pandas as pd
import pytest
import torch

from price_physics.errors import StoreError
from price_physics.model.predict import TrainedModel, predict
from price_physics.schemas.regimes import FEATURE_COLUMNS
from price_physics_tests.model.toy import (
    MONTH,
    as_events,
    as_roles,
    fit_toy,
    make_study,
    make_tables,
)

STUDY = make_study()
PROBABILITIES = ["p_down", "p_flat", "p_up"]


def predicted(study, model, tables, n=None):
    windows, features = tables["windows"][MONTH].iloc[:n], tables["features"][MONTH].iloc[:n]
    return predict(study, MONTH, model, tables["bars"], as_events(windows), features)


# ---------------------------------------------------------------------------- predictions
def test_predictions_of_a_new_month(result, tables):
    model = TrainedModel.load(result.weights, result.architecture)
    fresh = make_tables(STUDY, seed=9)
    frame = predicted(STUDY, model, fresh)
    assert frame.columns.tolist() == ["event_time_ns", "p_up", "p_flat", "p_down"]
    np.testing.assert_array_equal(frame["event_time_ns"], fresh["windows"][MONTH]["event_time_ns"])
    np.testing.assert_allclose(frame[PROBABILITIES].sum(axis=1), 1)
    label = fresh["labels"][MONTH]["label"].to_numpy()
    best = frame[PROBABILITIES].to_numpy().argmax(axis=1) - 1
    assert (best == label).mean() > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("weights_on", ["loss", "sampler"])
def test_class_weights_do_not_reach_the_probabilities_of_fresh_events(weights_on):
    study = make_study(class_weights=[1, 1, 5], weights_on=weights_on, max_epochs=3)
    tables = make_tables(study, random_labels=True)
    result = fit_toy(study, tables)
    assert np.exp(result.architecture["training_log_odds"])[2] > 0.6
    model = TrainedModel.load(result.weights, result.architecture)
    frame = predicted(study, model, make_tables(study, seed=9))
    for column in PROBABILITIES:
        share = result.summary["label_shares"][column.removeprefix("p_")]
        assert frame[column].mean() == pytest.approx(share, abs=0.05)


# ---------------------------------------------------------------------------- nothing later
def test_predictions_do_not_see_later_bars(result):
    model = TrainedModel.load(result.weights, result.architecture)
    fresh = make_tables(STUDY, seed=9)
    before = predicted(STUDY, model, fresh, 50)
    tampered = fresh["bars"][MONTH].copy()
    later = tampered["close_time_ns"] > before["event_time_ns"].iloc[-1]
    tampered.loc[later, "close"] = 1e6
    changed = {**fresh, "bars": {**fresh["bars"], MONTH: tampered}}
    after = predicted(STUDY, model, changed, 50)
    pd.testing.assert_frame_equal(before, after, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["resnet_lite", "patchify"])
def test_predictions_do_not_depend_on_how_many_events_come_later(architecture):
    study = make_study(architecture=architecture, width=16, max_epochs=1)
    tables = make_tables(study, n_a_month=300)
    small = {**tables, "members": tables["members"].iloc[:90]}  # one quick epoch will do
    place = np.arange(90)
    roles = np.select([place % 6 == 0, place % 6 == 1], ["test", "early_stop"], "train")
    times = small["members"]["event_time_ns"].to_numpy()
    rows = pd.DataFrame({"event_time_ns": times})
    small["roles"] = as_roles(
        pd.concat([rows.assign(fold=f, role=np.roll(roles, 2 * f)) for f in range(2)])
    )
    result = fit_toy(study, small)
    model = TrainedModel.load(result.weights, result.architecture)
    whole = predicted(study, model, tables)
    for n in (1, 257, 258, 264):
        part = predicted(study, model, tables, n)
        pd.testing.assert_frame_equal(part, whole.iloc[:n], check_exact=True)


def test_a_warm_up_or_an_empty_month_predicts_nothing(result, tables):
    model = TrainedModel.load(result.weights, result.architecture)
    for served, n in ((None, None), (model, 0)):
        frame = predicted(STUDY, served, tables, n)
        assert len(frame) == 0
        assert frame.dtypes.tolist() == [np.int64, np.float64, np.float64, np.float64]


def test_the_pieces_of_a_trained_model_fit_together(result, tables):
    model = TrainedModel.load(result.weights, result.architecture)
    series = torch.from_numpy(tables["bars"][MONTH][["close", "volume"]].to_numpy().T.copy())
    ends = torch.arange(15, 400, 16)
    features = tables["features"][MONTH][FEATURE_COLUMNS].to_numpy()[: len(ends)]
    seen = model.inputs(series, ends, features)
    feature_map = model.network.features(seen.images(torch.arange(len(ends))))
    with torch.no_grad():
        logits = model.network.classify(feature_map, seen.features)
    assert torch.allclose(logits.double(), model.logits(series, ends, features), atol=1e-6)
    odds = [{"side": 1, "p0_up": 0.2, "p0_none": 0.1, "p0_down": 0.7}] * len(ends)
    p = model.probabilities(logits, pd.DataFrame(odds)).numpy()
    z = logits.double().numpy() / model.architecture["temperature"] + model.architecture["bias"]
    z += np.log([0.7, 0.1, 0.2])
    np.testing.assert_allclose(p, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), atol=1e-12)


# ---------------------------------------------------------------------------- refused
def test_weights_load_strictly(result):
    stem, mean = result.weights["0.stem.weight"], "0.stem_norm.running_mean"
    broken = {
        "0.output.bias is missing": {"0.output.bias": None},
        "1.output.bias is unknown": {"1.output.bias": np.zeros(3, np.float32)},
        "0.stem.weight is float32": {"0.stem.weight": stem[:, :, :1]},
        "0.stem.weight is float16": {"0.stem.weight": stem.astype(np.float16)},
        "0.stem.weight is float64": {"0.stem.weight": stem.astype(np.float64)},
        "0.stem.weight holds values that are not finite": {"0.stem.weight": stem * np.nan},
        f"{mean} holds": {mean: result.weights[mean] + np.inf},
    }
    for message, change in broken.items():
        weights = {k: v for k, v in {**result.weights, **change}.items() if v is not None}
        with pytest.raises(StoreError, match=message):
            TrainedModel.load(weights, result.architecture)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bias", [0.0], "bias holds 1 numbers, not 3"),
        ("bias", [0.0, 0.0, float("nan")], "bias is"),
        ("channel_mean", [], "channel_mean holds 0 numbers, not 1"),
        ("channel_std", [0.0], "channel_std is"),
        ("channel_std", [1.0, 1.0], "channel_std holds 2"),
        ("feature_mean", [0.0], "feature_mean holds 1"),
        ("feature_mean", None, "feature_mean holds 0"),
        ("feature_std", [-1.0] * len(FEATURE_COLUMNS), "feature_std is"),
        ("temperature", 0.0, "temperature is 0.0"),
        ("temperature", float("nan"), "temperature is nan"),
        ("temperature", float("inf"), "temperature is inf"),
        ("temperature", None, "temperature is nan"),
        ("images", {"renderer_version": "0"}, "renderer version '0'"),
    ],
)
def test_numbers_load_strictly(result, name, value, message):
    architecture = {**result.architecture, name: value}
    if value is None:
        del architecture[name]
    with pytest.raises(StoreError, match=message):
        TrainedModel.load(result.weights, architecture)


def test_a_model_of_another_kind_is_refused(result, tables):
    model = TrainedModel.load(result.weights, result.architecture)
    study = make_study(head="binary_take_profit")
    with pytest.raises(StoreError, match="asks for head"):
        predicted(study, model, tables)
    lacking = {**tables, "features": {MONTH: tables["features"][MONTH].iloc[1:]}}
    with pytest.raises(StoreError, match="lacks"):
        predicted(STUDY, model, lacking)
