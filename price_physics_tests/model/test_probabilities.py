"""The stage `probabilities`: the model of the month before, asked about this one."""

import numpy as np
import pandas as pd
import pytest

from price_physics.frames import conform
from price_physics.labels.odds import class_odds
from price_physics.labels.offers import offered_events
from price_physics.model.predict import TrainedModel, predict
from price_physics.model.probabilities import build_probabilities
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY
from price_physics.schemas.probabilities import PROBABILITIES
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.source import closure
from price_physics_tests.model.toy import MARKET, MONTH, fit_toy, make_study, make_tables
from price_physics_tests.past import past_of

P = ["p_up", "p_flat", "p_down"]


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


def built(study, tables, trained=None, policies=None, warm_up=None):
    """Probabilities of MONTH by a model that is said to be of the month before."""
    model = {} if trained is None else {MONTH - 1: trained}
    past = past_of(
        {
            BARRIER_POLICY: policies or {},
            BARS: tables["bars"],
            IMAGE_WINDOWS: {MONTH: tables["windows"][MONTH]},
            REGIME_FEATURES: {MONTH: tables["features"][MONTH]},
        },
        {("model", "architecture"): {m: fit.architecture for m, fit in model.items()}},
        tensors={("model", "network"): {m: fit.weights for m, fit in model.items()}},
        warm_up={"model": dict.fromkeys(model, warm_up)},
    )
    return build_probabilities(study, MARKET, MONTH, past)


@pytest.mark.parametrize("in_sample", [False, True])
def test_the_model_of_the_month_before_and_the_policy_in_force(tables, trained, in_sample):
    study = make_study()
    rule = study.barrier_policy.model_copy(update={"in_sample": in_sample})
    study = study.model_copy(update={"barrier_policy": rule})
    policies = {MONTH - 1: policy_of(2.5), MONTH: policy_of(4.5)}
    found = built(study, tables, trained, policies)
    model = TrainedModel.load(trained.weights, trained.architecture)
    bars, features = tables["bars"], tables["features"][MONTH]
    policy = policies[MONTH if in_sample else MONTH - 1]
    times = tables["windows"][MONTH]["event_time_ns"].to_numpy()
    events = offered_events(study, MONTH, times, policy, bars, features)
    p = predict(study, MONTH, model, bars, events, features)
    frame = found.table("probabilities")
    PROBABILITIES.to_arrow(frame)
    assert len(frame) == 200
    assert frame["by_network"].all()
    pd.testing.assert_frame_equal(frame[events.columns], events, check_exact=True)
    pd.testing.assert_frame_equal(frame[P], p[P], check_exact=True)
    assert set(frame["take_profit_multiple"]) == {4.5 if in_sample else 2.5}
    assert found.warm_up is None


def test_without_a_policy_the_multiples_are_the_studys(tables, trained):
    frame = built(make_study(), tables, trained).table("probabilities")
    assert set(frame["take_profit_multiple"]) == {3.0}


def test_without_a_model_the_driftless_odds_are_served_and_it_is_said_why(tables, trained):
    study = make_study()
    first, young = built(study, tables), built(study, tables, trained, warm_up="too few samples")
    assert first.warm_up == "first month of the market: no model was trained before it"
    assert young.warm_up == "too few samples"
    for found in (first, young):
        frame = found.table("probabilities")
        assert PROBABILITIES.to_arrow(frame).num_rows == 200
        assert not frame["by_network"].any()
        odds = class_odds(frame, 3)
        np.testing.assert_array_equal(frame[["p_down", "p_flat", "p_up"]].to_numpy(), odds)


def test_what_decides_a_number_is_of_its_version():
    """Also where it is a property of a section of the study; what decides a trade is not."""
    names = closure("price_physics.model.probabilities")
    sections = {f"price_physics.study.{name}" for name in ("labels", "barriers", "images")}
    assert names >= {"price_physics.model.inference", *sections}
    assert not any("walk_forward" in name for name in names)
