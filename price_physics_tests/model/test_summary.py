"""The summary of out-of-fold probabilities."""

import numpy as np
import pytest

from price_physics.model.summary import summarise


def test_summary_of_three_classes_ignores_time_outs_in_the_direction_auc():
    labels = np.array([-1, 0, 1, -1, 0, 1], dtype=np.int8)
    folds = np.array([0, 0, 0, 1, 1, 1], dtype=np.int32)
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.3, 0.3, 0.4]] * 2)
    summary = summarise(p, labels, folds)
    assert summary["direction_auc_mean_of_folds"] == 1.0
    assert set(summary["calibration_by_class"]) == {"down", "flat", "up"}
    assert summary["log_loss_of_base_rates"] == pytest.approx(np.log(3))


def test_summary_of_the_binary_head_uses_its_probability():
    labels = np.array([-1, 0, 1, -1], dtype=np.int8)
    p = np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.8, 0.2]])
    summary = summarise(p, labels, np.zeros(4, np.int32))
    assert summary["direction_auc_mean_of_folds"] == pytest.approx(2 / 3)
    assert set(summary["calibration_by_class"]) == {"other", "take_profit"}
