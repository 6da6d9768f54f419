"""Balanced classes in a fit: none weighs more than another, and nothing of it is served."""

import numpy as np
import pytest
from pydantic import ValidationError

from price_physics.model.train import _weights
from price_physics.study.model import ModelConfig
from price_physics_tests.model.test_train import make_store
from price_physics_tests.model.toy import fit_toy, make_study, make_tables

TRAIN = np.arange(25)


@pytest.mark.parametrize(("head", "n"), [("three_class", 3), ("binary_take_profit", 2)])
def test_every_class_of_the_training_samples_weighs_the_same(head, n):
    store = make_store(n_classes=n)
    store.uniqueness = np.random.default_rng(2).uniform(0.1, 1, 60)
    config = ModelConfig(head=head, class_weights="balanced")
    weight, log_odds, shift = _weights(store, config, TRAIN, n)
    classes = store.classes.numpy()[TRAIN]
    together = np.bincount(classes, weights=weight[TRAIN])
    np.testing.assert_allclose(together, len(TRAIN) / n)
    np.testing.assert_allclose(log_odds, -np.log(n))
    # What the fit judges by: the shift gives the unweighted shares back.
    np.testing.assert_allclose(np.exp(log_odds + shift), np.bincount(classes) / len(TRAIN))
    # Of the samples that this fit trains on, and no others.
    other, _, _ = _weights(store, config, np.arange(40), n)
    assert not np.allclose(other[TRAIN], weight[TRAIN])


def test_a_class_that_never_trains_weighs_nothing():
    store = make_store(n_classes=2)
    config = ModelConfig(class_weights="balanced")
    weight, log_odds, _ = _weights(store, config, TRAIN, 3)
    together = np.bincount(store.classes.numpy()[TRAIN], weights=weight[TRAIN])
    np.testing.assert_allclose(together, len(TRAIN) / 2)
    assert np.isfinite(log_odds).all()


@pytest.mark.slow
@pytest.mark.parametrize("weights_on", ["loss", "sampler"])
def test_balance_does_not_survive_calibration(weights_on):
    """Two labels in three are up: the fit sees thirds, what is served has the market's shares."""
    study = make_study(class_weights="balanced", weights_on=weights_on, max_epochs=3)
    tables = make_tables(study, n_a_month=90, outcomes=(-1, 0, 1, 1, 1, 1))
    result = fit_toy(study, tables)
    shares = result.summary["label_shares"]
    assert shares["up"] > 0.55
    np.testing.assert_allclose(np.exp(result.architecture["training_log_odds"]), 1 / 3)
    for column in ("up", "flat", "down"):
        mean = result.out_of_fold[f"p_{column}"].mean()
        assert mean == pytest.approx(shares[column], abs=0.12), "a third, were it left out"


def test_other_words_are_refused():
    with pytest.raises(ValidationError, match="class_weights"):
        ModelConfig(class_weights="equal")
    dumped = ModelConfig(class_weights="balanced").model_dump(mode="json")
    assert dumped["class_weights"] == "balanced"
    assert ModelConfig.model_validate(dumped).class_weights == "balanced"
