"""The AUC equals that of scikit-learn; its averages never pool folds or months."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from price_physics.scores.auc import auc, auc_mean_of_groups, auc_pairs_within_groups

RNG = np.random.default_rng(0)


def test_auc_equals_scikit_learn():
    classes = RNG.integers(0, 3, 500)
    scores = np.round(RNG.normal(size=500), 1)  # with ties
    assert auc(scores, classes == 1) == pytest.approx(roc_auc_score(classes == 1, scores))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auc_equals_sklearn_s(rows):
    score, positive = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    if positive.all() or not positive.any():
        assert auc(score, positive) is None
    else:
        expected = roc_auc_score(positive, score)
        assert auc(score, positive) == pytest.approx(expected)


def test_an_auc_of_one_class_is_undefined():
    assert auc([0.1, 0.2], [True, True]) is None
    assert auc([], []) is None
    assert auc_mean_of_groups([([0.1], [True]), ([0.2], [False])]) is None


def test_auc_is_never_pooled_across_folds():
    # Perfect within each fold; the folds' scores lie on different levels.
    scores = np.r_[0.1, 0.2, 10.1, 10.2]
    positive = np.array([False, True, False, True])
    folds = [(scores[:2], positive[:2]), (scores[2:], positive[2:])]
    assert auc_mean_of_groups(folds) == 1.0
    assert auc(scores, positive) == 0.75


def test_auc_is_averaged_within_months_never_pooled():
    high, low, one = ([0.8, 0.9], [0, 1]), ([0.1, 0.2], [0, 1]), ([0.5], [1])
    assert auc_pairs_within_groups([high, low]) == 1.0
    pooled = ([0.8, 0.9, 0.1, 0.2], [0, 1, 0, 1])
    assert auc_pairs_within_groups([pooled]) == 0.75
    assert auc_pairs_within_groups([high, one]) == 1.0
    assert auc_pairs_within_groups([([], []), one]) is None
    # Weighted by pairs: one pair right, three of six wrong.
    wide = ([0.1, 0.5, 0.9, 0.2, 0.6], [1, 1, 1, 0, 0])
    assert auc_pairs_within_groups([high, wide]) == pytest.approx((1 + 3) / 7)
    assert auc_mean_of_groups([high, wide]) == pytest.approx((1 + 3 / 6) / 2)
