import numpy as np
import pytest

from price_physics.scores.effective_sample import (
    effective_sample_size,
    smallest_detectable_auc,
)


def test_by_hand():
    x = np.array([1.0, 1.0, -1.0, -1.0])
    rho = 1 / 4  # of lag 1: (1 - 1 + 1) / 4
    expected = 4 / (1 + 2 * 0.75 * rho * rho)
    assert effective_sample_size(x, x, 1) == pytest.approx(expected)


def test_overlapping_labels_are_worth_about_their_blocks():
    rng = np.random.default_rng(1)
    block = 10
    score, label = (np.repeat(rng.normal(size=400), block) for _ in range(2))
    # Both step every ten events: 1 + 2 * sum of (1 - k/10)**2 = 6.7 events are worth one.
    expected = 4_000 / (1 + 2 * sum((1 - k / 10) ** 2 for k in range(1, 10)))
    assert effective_sample_size(score, label, 12) == pytest.approx(expected, rel=0.1)


def test_independent_events_count_in_full():
    score, label = np.random.default_rng(2).normal(size=(2, 5_000))
    assert effective_sample_size(score, label, 20) == pytest.approx(5_000, rel=0.02)


def test_negative_dependence_is_no_gain():
    x = np.tile([1.0, -1.0], 50)
    y = np.repeat(np.random.default_rng(3).normal(size=25), 4)
    assert effective_sample_size(x, y, 1) == 100


def test_constants_and_empties():
    assert effective_sample_size(np.ones(9), np.arange(9), 3) == 9
    assert effective_sample_size(np.empty(0), np.empty(0), 3) == 0
    assert effective_sample_size(np.ones(1), np.ones(1), 3) == 1


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="2 scores, 3 labels"):
        effective_sample_size(np.ones(2), np.ones(3), 1)
    with pytest.raises(ValueError, match="max_lag = -1"):
        effective_sample_size(np.ones(2), np.ones(2), -1)


def test_smallest_detectable_auc_by_hand():
    error = np.sqrt(101 / (12 * 30 * 70))
    assert smallest_detectable_auc(100, 0.3) == pytest.approx(0.5 + 2.487 * error)
    assert smallest_detectable_auc(3, 0.5) == 1.0
    assert smallest_detectable_auc(0, 0.5) == 1.0
    assert smallest_detectable_auc(100, 0.0) == 1.0
