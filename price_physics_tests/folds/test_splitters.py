"""What every splitter has in common: valid splits, scikit-learn's protocol, likely misuse."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from price_physics.folds.audit import audit_split
from price_physics.folds.purged import CombinatorialPurgedCV, PurgedKFold
from price_physics.folds.splitter import PurgedSplitter
from price_physics.folds.walk_forward import AnchoredWalkForward, RollingWalkForward
from price_physics_tests.folds.test_purged import intervals
from price_physics_tests.folds.validity import check_valid_split

SPLITTERS = {
    "k-fold": lambda *labels: PurgedKFold(4, *labels),
    "combinatorial": lambda *labels: CombinatorialPurgedCV(4, 2, *labels),
    "anchored": lambda *labels: AnchoredWalkForward(3, *labels),
    "rolling": lambda *labels: RollingWalkForward(3, 60, *labels),
}
every_splitter = pytest.mark.parametrize("make", SPLITTERS.values(), ids=SPLITTERS.keys())


@pytest.mark.slow
@every_splitter
@settings(max_examples=60, deadline=None)
@given(labels=intervals(), embargo=st.integers(0, 12))
def test_every_split_passes_the_audit(make, labels, embargo):
    start, end = labels
    splitter = make(start, end, embargo)
    splits = list(splitter.split(np.zeros((len(start), 2))))
    assert len(splits) == splitter.get_n_splits()
    for (train, test), mask in zip(splits, splitter.test_masks(), strict=True):
        assert audit_split(start, end, train, test, embargo) == []
        assert (train.dtype, test.dtype) == (np.int64, np.int64)
        np.testing.assert_array_equal(test, np.flatnonzero(mask))


@every_splitter
def test_scikit_learn_takes_it(make):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 3)), rng.integers(0, 2, 120)
    start = np.arange(120)
    splitter = make(start, start + 2, 2)
    scores = cross_val_score(LogisticRegression(), x, y, cv=splitter)
    assert len(scores) == splitter.get_n_splits(x, y, None)
    assert np.isfinite(scores).all()
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=splitter).fit(x, y)
    assert search.n_splits_ == splitter.get_n_splits()
    expected = list(splitter.split(x))
    for rows in (pd.DataFrame(x), list(x)):
        for found, split in zip(splitter.split(rows), expected, strict=True):
            for one, other in zip(found, split, strict=True):
                np.testing.assert_array_equal(one, other)


@every_splitter
def test_what_a_split_gives_is_the_callers_own(make):
    """Shuffling the positions in place must not spoil the splits that follow."""
    start = np.arange(40)
    splitter = make(start, start + 3)
    before = [(train.copy(), test.copy()) for train, test in splitter.split(start)]
    for train, test in splitter.split(start):
        train[:], test[:] = -1, -1
    for found, split in zip(splitter.split(start), before, strict=True):
        for one, other in zip(found, split, strict=True):
            np.testing.assert_array_equal(one, other)


@every_splitter
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (([0, 2, 1, 3, 4], [3, 3, 3, 3, 4]), "not sorted: sample 2 starts at 1.*shuffled"),
        (([0, 1, 2, 3, 4], [3, 0, 3, 4, 5]), "sample 1 ends at 0, before its start 1"),
        (([0, 1, 2, 3, 4], [3, 3]), "5 samples, label_end_ns 2"),
        (([0, 1, 2, 3, 4], [3, 3, 3, 4, 5], -1), "embargo_ns = -1"),
        (([0.0, 1.0, 2.0, 3.0], [3, 3, 3, 4]), "int64 nanoseconds, not float64"),
        (([0, 1, 2], [3, 3, 3]), "makes 4 folds.*number of samples, 3"),
    ],
)
def test_likely_misuse_is_explained(make, labels, message):
    with pytest.raises(ValueError, match=message):
        make(*labels)


@every_splitter
def test_other_rows_than_the_labels_are_refused(make):
    splitter = make(np.arange(5), np.arange(5) + 1)
    with pytest.raises(ValueError, match=f"X has 4 rows, but this {type(splitter).__name__}"):
        next(splitter.split(np.zeros((4, 1))))


class AnyBlocks(PurgedSplitter):
    """Tests the blocks it is given, in one split."""

    n_splits = 1

    def __init__(self, blocks, *labels):
        super().__init__(*labels)
        self.blocks = blocks

    def test_blocks(self):
        yield self.blocks


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(intervals(), st.integers(0, 12), st.data())
def test_a_new_splitter_is_one_method_and_purged_by_the_base(labels, embargo, data):
    """Any blocks, also side by side: exactly the samples that may train do."""
    start, end = labels
    cuts = sorted(data.draw(st.sets(st.integers(0, len(start)), min_size=2, max_size=8)))
    blocks = list(pairwise(cuts))
    keep = data.draw(st.lists(st.booleans(), min_size=len(blocks), max_size=len(blocks)))
    blocks = [block for block, kept in zip(blocks, keep, strict=True) if kept] or blocks[:1]
    ((train, test),) = AnyBlocks(blocks, start, end, embargo).split(start)
    check_valid_split(train, test, start, end, embargo)
