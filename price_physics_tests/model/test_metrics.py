"""Metrics against scikit-learn and against what they must not do."""

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss
from sklearn.metrics import roc_auc_score

from price_physics.model.metrics import (
    auc,
    auc_within_folds,
    calibration_error,
    log_loss,
    log_softmax,
    summarise,
)

RNG = np.random.default_rng(0)


def test_log_loss_and_auc_equal_scikit_learn():
    p = np.exp(log_softmax(RNG.normal(size=(500, 3))))
    classes = RNG.integers(0, 3, 500)
    assert log_loss(p, classes) == pytest.approx(sklearn_log_loss(classes, p), rel=1e-12)
    scores = np.round(RNG.normal(size=500), 1)  # with ties
    assert auc(scores, classes == 1) == pytest.approx(roc_auc_score(classes == 1, scores))


def test_an_auc_of_one_class_is_undefined():
    assert auc([0.1, 0.2], [True, True]) is None
    assert auc([], []) is None
    assert auc_within_folds([0.1, 0.2], [True, False], [0, 1]) is None


def test_auc_is_never_pooled_across_folds():
    # Perfect within each fold; the folds' scores lie on different levels.
    scores = np.r_[0.1, 0.2, 10.1, 10.2]
    positive = np.array([False, True, False, True])
    assert auc_within_folds(scores, positive, [0, 0, 1, 1]) == 1.0
    assert auc(scores, positive) == 0.75


def test_perfect_calibration_shows_the_floor_and_overconfidence_more():
    errors, floors = [], []
    for _ in range(200):
        p = RNG.uniform(0.2, 0.8, 1_000)
        error, floor = calibration_error(p, RNG.random(1_000) < p)
        errors.append(error)
        floors.append(floor)
    assert np.mean(errors) == pytest.approx(np.mean(floors), rel=0.05)
    came = RNG.random(1_000) < 0.5
    error, floor = calibration_error(np.where(RNG.random(1_000) < 0.5, 0.9, 0.1), came)
    assert error > 5 * floor


def test_calibration_error_by_hand():
    error, floor = calibration_error([0.1, 0.2, 0.9, 0.8], [False, True, True, True], n_bins=2)
    assert error == pytest.approx((0.7 + 0.3) / 4)
    assert floor == pytest.approx(np.sqrt(2 / np.pi * np.mean([0.09, 0.16, 0.09, 0.16]) * 2 / 4))


def test_summary_of_three_classes_ignores_time_outs_in_the_direction_auc():
    labels = np.array([-1, 0, 1, -1, 0, 1], dtype=np.int8)
    folds = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]] * 2)
    summary = summarise(p, labels, folds)
    assert summary["direction_auc"] == 1.0
    assert set(summary["calibration_by_class"]) == {"down", "flat", "up"}
    assert summary["log_loss_of_base_rates"] == pytest.approx(np.log(3))


def test_summary_of_the_binary_head_uses_its_probability():
    labels = np.array([-1, 0, 1, -1], dtype=np.int8)
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.8, 0.2]])
    summary = summarise(p, labels, np.zeros(4, np.int32))
    assert summary["direction_auc"] == pytest.approx(2 / 3)
    assert set(summary["calibration_by_class"]) == {"other", "take_profit"}
