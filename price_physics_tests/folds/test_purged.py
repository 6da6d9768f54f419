"""PurgedKFold: golden splits, invariants, scikit-learn's protocol, and likely misuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from price_physics.folds.purged import PurgedKFold, purge
from price_physics_tests.folds.validity import check_valid_split


@st.composite
def intervals(draw, min_size=4):
    n = draw(st.integers(min_size, 30))
    start = sorted(draw(st.lists(st.integers(0, 40), min_size=n, max_size=n)))
    length = draw(st.lists(st.integers(0, 15), min_size=n, max_size=n))
    start = np.array(start, dtype=np.int64)
    return start, start + np.array(length, dtype=np.int64)


@settings(max_examples=100, deadline=None)
@given(intervals(), st.integers(2, 4), st.integers(0, 12))
def test_every_split_is_valid(labels, n_splits, embargo):
    start, end = labels
    splitter = PurgedKFold(n_splits, start, end, embargo_ns=embargo)
    tested = []
    for train, test in splitter.split(np.zeros((len(start), 2))):
        check_valid_split(train, test, start, end, embargo)
        tested.extend(test)
    # Each sample is tested once, in blocks that follow time.
    assert tested == list(range(len(start)))


@settings(max_examples=100, deadline=None)
@given(intervals(), st.integers(0, 12), st.data())
def test_purge_of_scattered_blocks_is_valid(labels, embargo, data):
    start, end = labels
    n = len(start)
    test = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    if not test.any():
        test[0] = True
    purged, embargoed = purge(start, end, test, embargo)
    assert not (purged & embargoed).any()
    assert not ((purged | embargoed) & test).any()
    train = np.flatnonzero(~(test | purged | embargoed))
    check_valid_split(train, np.flatnonzero(test), start, end, embargo)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ([0, 1, 4, 5], [2, 3]),  # 1 reaches 2
        ([0, 5], [2, 3]),  # 4 meets nothing: needlessly dropped
        ([0, 4, 5], [3, 2]),
        ([0, 2, 4, 5], [2, 3]),
    ],
)
def test_the_check_itself_refuses_bad_splits(train, test):
    """Labels of one or two bars: 0-0, 1-2, 2-3, 3-3, 4-4, 5-5."""
    start, end = list(range(6)), [0, 2, 3, 3, 4, 5]
    check_valid_split([0, 4, 5], [2, 3], start, end)
    with pytest.raises(AssertionError):
        check_valid_split(train, test, start, end)


def test_a_block_reaches_to_its_largest_end_not_to_its_last():
    """Sample 2 starts first in its block and lives longest: 4 and 5 meet it, 6 does not."""
    start = np.arange(8)
    end = np.array([0, 1, 5, 3, 4, 5, 6, 7])
    test = (start == 2) | (start == 3)
    purged, embargoed = purge(start, end, test, embargo_ns=1)
    assert np.flatnonzero(purged).tolist() == [4, 5]
    assert np.flatnonzero(embargoed).tolist() == [6]


def test_a_long_training_label_from_before_the_block_is_purged():
    start, end = np.arange(6), np.array([4, 1, 2, 3, 4, 5])
    purged, _ = purge(start, end, start == 3)
    assert np.flatnonzero(purged).tolist() == [0]


def test_intervals_are_closed_and_the_embargo_too():
    start = np.array([0, 10, 20, 21, 25, 26])
    end = np.array([10, 20, 21, 25, 26, 30])
    purged, embargoed = purge(start, end, start == 10, embargo_ns=5)
    assert np.flatnonzero(purged).tolist() == [0, 2]  # they share the instants 10 and 20
    assert np.flatnonzero(embargoed).tolist() == [3, 4]  # 25 is the last instant of it


def test_scikit_learn_takes_it():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(120, 3)), rng.integers(0, 2, 120)
    start = np.arange(120) * 10
    splitter = PurgedKFold(4, start, start + 25, embargo_ns=25)
    scores = cross_val_score(LogisticRegression(), x, y, cv=splitter)
    assert len(scores) == splitter.get_n_splits(x, y) == 4
    # Two labels reach into a block, two start while it lasts, three more within the embargo.
    for rows in (x, pd.DataFrame(x), list(x)):
        sizes = [(len(train), len(test)) for train, test in splitter.split(rows)]
        assert sizes == [(85, 30), (83, 30), (83, 30), (88, 30)]


def test_purging_stops_the_leak_that_shuffling_shows():
    """Neighbours share nine tenths of their label: a nearest neighbour is an oracle unless purged.

    Features are the time itself; labels are signs of sums over ten steps of pure noise.
    """
    rng = np.random.default_rng(11)
    n, horizon = 2000, 10
    noise = rng.normal(size=n + horizon)
    y = np.array([noise[i : i + horizon].sum() > 0 for i in range(n)])
    order, time = rng.permutation(n), np.arange(n)
    nearest = {}
    for name, splits in {
        "shuffled": [(np.setdiff1d(order, test), test) for test in np.array_split(order, 5)],
        "purged": PurgedKFold(5, time, time + horizon, embargo_ns=horizon).split(time),
    }.items():
        hits = []
        for train, test in splits:
            gap = np.abs(time[test][:, None] - time[train][None, :])
            hits.append((y[train][gap.argmin(axis=1)] == y[test]).mean())
        nearest[name] = np.mean(hits)
    assert nearest["shuffled"] > 0.8
    assert abs(nearest["purged"] - 0.5) < 0.1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, [0, 2, 1], [3, 3, 3]), "not sorted: sample 2 starts at 1.*shuffled"),
        ((2, [0, 1, 2], [3, 0, 3]), "sample 1 ends at 0, before its start 1.*wrong way round"),
        ((2, [0, 1, 2], [3, 3]), "3 samples, label_end_ns 2"),
        ((1, [0, 1, 2], [3, 3, 3]), "n_splits = 1"),
        ((4, [0, 1, 2], [3, 3, 3]), "n_splits = 4"),
        ((2, [0, 1, 2], [3, 3, 3], -1), "embargo_ns = -1"),
        ((2, [0.0, 1.0, 2.0], [3, 3, 3]), "int64 nanoseconds, not float64"),
        ((2, pd.date_range("2020", periods=3), [3, 3, 3]), "convert datetimes"),
        ((2, [[0, 1, 2]], [3, 3, 3]), "one-dimensional"),
    ],
)
def test_likely_misuse_is_explained(arguments, message):
    with pytest.raises(ValueError, match=message):
        PurgedKFold(*arguments)


def test_other_rows_than_the_labels_are_refused():
    with pytest.raises(ValueError, match="X has 4 rows"):
        next(PurgedKFold(2, [0, 1, 2], [1, 2, 3]).split(np.zeros((4, 1))))
