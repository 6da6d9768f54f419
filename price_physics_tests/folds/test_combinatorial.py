"""Combinatorial purged cross-validation: golden counts, invariants, whole paths."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.folds.purged import CombinatorialPurgedCV, PurgedKFold
from price_physics_tests.folds.test_purged import intervals
from price_physics_tests.folds.validity import check_valid_split


@settings(max_examples=100, deadline=None)
@given(intervals(min_size=6), st.sampled_from([(3, 1), (4, 2), (5, 3), (6, 2)]), st.integers(0, 12))
def test_every_split_is_valid(labels, folds, embargo):
    start, end = labels
    cv = CombinatorialPurgedCV(*folds, start, end, embargo_ns=embargo)
    choices = combinations(np.array_split(np.arange(len(start)), folds[0]), folds[1])
    for (train, test), tested in zip(cv.split(start), choices, strict=True):
        np.testing.assert_array_equal(test, np.concatenate(tested))
        check_valid_split(train, test, start, end, embargo)


def test_golden_case():
    """AFML 12.4: six folds, two of them under test, make 15 splits and 5 paths."""
    start = np.arange(12)
    cv = CombinatorialPurgedCV(6, 2, start, start)
    assert (cv.get_n_splits(), cv.n_paths) == (15, 5)
    paths = cv.backtest_paths()
    # AFML, figure 12.2: the first path takes the first five splits' first test of each group.
    assert paths[0].tolist() == [0, 0, 1, 2, 3, 4]
    assert paths.tolist() == [
        [0, 0, 1, 2, 3, 4],
        [1, 5, 5, 6, 7, 8],
        [2, 6, 9, 9, 10, 11],
        [3, 7, 10, 12, 12, 13],
        [4, 8, 11, 13, 14, 14],
    ]


@pytest.mark.parametrize(("n_folds", "n_test_folds"), [(2, 1), (5, 1), (6, 2), (6, 3), (7, 6)])
def test_paths_use_every_test_once(n_folds, n_test_folds):
    start = np.arange(23)
    cv = CombinatorialPurgedCV(n_folds, n_test_folds, start, start + 2)
    paths = cv.backtest_paths()
    assert paths.shape == (cv.n_paths, n_folds)
    assert cv.n_paths == comb(n_folds - 1, n_test_folds - 1)
    tests = [set(test.tolist()) for _, test in cv.split(start)]
    used = [(split, fold) for path in paths.tolist() for fold, split in enumerate(path)]
    assert len(set(used)) == len(used) == cv.n_splits * n_test_folds
    for split, fold in used:
        assert set(range(cv.fold_edges[fold], cv.fold_edges[fold + 1])) <= tests[split]


def test_predictions_strung_together_are_whole_backtests():
    """Every path predicts every sample, out of sample."""
    rng = np.random.default_rng(1)
    start = np.arange(50)
    cv = CombinatorialPurgedCV(5, 2, start, start + rng.integers(0, 6, 50), embargo_ns=5)
    trained = np.full((cv.n_splits, 50), -1)
    for split, (train, test) in enumerate(cv.split(start)):
        trained[split, test] = np.isin(test, train)
    for path in cv.backtest_paths():
        folds = [
            trained[split, cv.fold_edges[f] : cv.fold_edges[f + 1]] for f, split in enumerate(path)
        ]
        np.testing.assert_array_equal(np.concatenate(folds), np.zeros(50))


def test_one_fold_at_a_time_is_the_k_fold():
    rng = np.random.default_rng(2)
    start = np.sort(rng.integers(0, 200, 60))
    labels = start, start + rng.integers(0, 30, 60)
    one = CombinatorialPurgedCV(5, 1, *labels, embargo_ns=10)
    other = PurgedKFold(5, *labels, embargo_ns=10)
    for found, expected in zip(one.split(start), other.split(start), strict=True):
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_array_equal(a, b)
    assert one.backtest_paths().tolist() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("n_test_folds", [0, 4, 5])
def test_something_is_tested_and_something_trains(n_test_folds):
    with pytest.raises(ValueError, match=f"n_test_folds = {n_test_folds} must be at least 1"):
        CombinatorialPurgedCV(4, n_test_folds, np.arange(8), np.arange(8))
