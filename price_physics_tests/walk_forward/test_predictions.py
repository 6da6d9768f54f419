"""The stage `predictions`: the model of the month before, asked about this one."""

import numpy as np
import pandas as pd
import pytest

from price_physics.frames import conform
from price_physics.labels.odds import class_odds
from price_physics.model.predict import TrainedModel, predict
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.source import closure
from price_physics.walk_forward.predictions import build_predictions
from price_physics.walk_forward.signals import offered_events, prediction_table
from price_physics_tests.model.toy import MARKET, MONTH, fit_toy, make_study, make_tables
from price_physics_tests.past import past_of

MANIFEST = {"n_members": 400}


@pytest.fixture(scope="module")
def tables():
    return make_tables(make_study())


@pytest.fixture(scope="module")
def trained(tables):
    return fit_toy(make_study(max_epochs=1), tables)


def policy_of(take_profit):
    """One row for every regime, as a global policy has it."""
    numbers = {"take_profit_multiple": take_profit, "stop_loss_multiple": 1.5, "n_events": 9}
    columns = {"regime": -1, **numbers, "source": "quantile", "known_at": 1}
    return conform(BARRIER_POLICY, **{name: [value] for name, value in columns.items()})


def predicted(study, tables, trained=None, policies=None, warm_up=None):
    """Predictions of MONTH by a model that is said to be of the month before."""
    model = {} if trained is None else {MONTH - 1: trained}
    past = past_of(
        {
            OUT_OF_FOLD: {m: fit.out_of_fold for m, fit in model.items()},
            BARRIER_POLICY: policies or {},
            BARS: tables["bars"],
            IMAGE_WINDOWS: {MONTH: tables["windows"][MONTH]},
            REGIME_FEATURES: {MONTH: tables["features"][MONTH]},
        },
        {
            ("model", "summary"): {m: fit.summary for m, fit in model.items()},
            ("model", "architecture"): {m: fit.architecture for m, fit in model.items()},
            ("model", "fold_manifest"): dict.fromkeys(model, MANIFEST),
        },
        tensors={("model", "network"): {m: fit.weights for m, fit in model.items()}},
        warm_up={"model": dict.fromkeys(model, warm_up)},
    )
    return build_predictions(study, MARKET, MONTH, past)


@pytest.mark.parametrize("in_sample", [False, True])
def test_the_model_of_the_month_before_and_the_policy_in_force(tables, trained, in_sample):
    study = make_study()
    rule = study.barrier_policy.model_copy(update={"in_sample": in_sample})
    study = study.model_copy(update={"barrier_policy": rule})
    policies = {MONTH - 1: policy_of(2.5), MONTH: policy_of(4.5)}
    found = predicted(study, tables, trained, policies)
    model = TrainedModel.load(trained.weights, trained.architecture)
    bars, features = tables["bars"], tables["features"][MONTH]
    policy = policies[MONTH if in_sample else MONTH - 1]
    times = tables["windows"][MONTH]["event_time_ns"].to_numpy()
    events = offered_events(study, MONTH, times, policy, bars, features)
    p = predict(study, MONTH, model, bars, events, features)
    expected = prediction_table(study, events, p, trained.out_of_fold)
    assert len(expected) == 200
    assert expected["by_network"].all()
    frame = found.table("predictions")
    pd.testing.assert_frame_equal(frame, expected, check_exact=True)
    PREDICTIONS.to_arrow(frame)
    assert set(frame["take_profit_multiple"]) == {4.5 if in_sample else 2.5}
    assert found.warm_up is None
    assert found.document("provenance") == {
        "model_month": str(MONTH - 1),
        "warm_up": None,
        "summary": trained.summary,
        "folds": MANIFEST,
        "architecture": trained.architecture,
    }


def test_without_a_policy_the_multiples_are_the_studys(tables, trained):
    frame = predicted(make_study(), tables, trained).table("predictions")
    assert set(frame["take_profit_multiple"]) == {3.0}


def test_without_a_model_the_driftless_odds_are_served_and_it_is_said_why(tables, trained):
    study = make_study()
    first = predicted(study, tables)
    assert first.warm_up == "first month of the market: no model was trained before it"
    assert first.document("provenance") == {
        "model_month": None,
        "warm_up": first.warm_up,
        "summary": {},
        "folds": {},
        "architecture": {},
    }
    young = predicted(study, tables, trained, warm_up="too few samples")
    assert young.warm_up == "too few samples"
    assert young.document("provenance")["model_month"] == str(MONTH - 1)
    for found in (first, young):
        frame = found.table("predictions")
        assert PREDICTIONS.to_arrow(frame).num_rows == 200
        assert not frame["by_network"].any()
        odds = class_odds(frame.assign(side=1), 3)
        np.testing.assert_array_equal(frame[["p_down", "p_flat", "p_up"]].to_numpy(), odds)
        assert not frame["side"].any()


def test_torch_is_this_stages_and_not_its_packages():
    for module in ("build", "signals", "trial", "verdict", "ledger", "month"):
        names = closure(f"price_physics.walk_forward.{module}")
        packages = {name.split(".")[1] for name in names if "." in name}
        assert not packages & {"images", "model"}
    names = closure("price_physics.walk_forward.predictions")
    # What decides a number, also where it is a property of a section of the study.
    sections = {f"price_physics.study.{name}" for name in ("labels", "walk_forward", "barriers")}
    assert names >= {"price_physics.model.predict", *sections}
