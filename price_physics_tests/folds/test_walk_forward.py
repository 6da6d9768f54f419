"""Walk-forward splits: training strictly before, spelled out sample by sample."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.folds.walk_forward import AnchoredWalkForward, RollingWalkForward
from price_physics_tests.folds.test_purged import intervals


def expected_training(start, end, first, embargo, window=None):
    """Samples before the test block that were over, longer than the embargo, by its start."""
    return [
        i
        for i in range(first)
        if start[first] - end[i] > embargo and (window is None or start[first] - start[i] <= window)
    ]


@settings(max_examples=100, deadline=None)
@given(intervals(min_size=5), st.integers(1, 4), st.integers(0, 8), st.integers(9, 40))
def test_training_is_what_was_over_before(labels, n_splits, embargo, window):
    start, end = labels
    blocks = np.array_split(np.arange(len(start)), n_splits + 1)[1:]
    anchored = AnchoredWalkForward(n_splits, start, end, embargo)
    rolling = RollingWalkForward(n_splits, window, start, end, embargo)
    splits = zip(anchored.split(start), rolling.split(start), blocks, strict=True)
    for (train, test), (recent, same_test), block in splits:
        np.testing.assert_array_equal(test, block)
        np.testing.assert_array_equal(same_test, block)
        assert train.tolist() == expected_training(start, end, block[0], embargo)
        assert recent.tolist() == expected_training(start, end, block[0], embargo, window)


def test_labels_that_share_the_instant_the_test_starts_do_not_train():
    start, end = np.array([0, 1, 2, 5, 5, 6]), np.array([3, 5, 4, 5, 7, 8])
    ((train, test),) = AnchoredWalkForward(1, start, end).split(start)
    assert (train.tolist(), test.tolist()) == ([0, 2], [3, 4, 5])
    ((train, _),) = AnchoredWalkForward(1, start, end, embargo_ns=1).split(start)
    assert train.tolist() == [0]  # the label that ends at 4 is within the embargo, ends included


def test_the_window_rolls_and_the_anchor_holds():
    start = np.arange(100)
    sizes = {
        name: [len(train) for train, _ in splitter.split(start)]
        for name, splitter in {
            "anchored": AnchoredWalkForward(4, start, start + 4),
            "rolling": RollingWalkForward(4, 15, start, start + 4),
        }.items()
    }
    assert sizes == {"anchored": [16, 36, 56, 76], "rolling": [11, 11, 11, 11]}


def test_a_window_shorter_than_the_embargo_is_refused():
    with pytest.raises(ValueError, match="training_ns = 5 must be longer than embargo_ns = 5"):
        RollingWalkForward(2, 5, np.arange(9), np.arange(9), embargo_ns=5)
