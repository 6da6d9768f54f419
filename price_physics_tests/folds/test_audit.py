"""The audit equals the definition, and finds what the book and scikit-learn leave in.

What public packages get wrong is in `test_peers`, and that our own splits pass.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, TimeSeriesSplit

from price_physics.folds.audit import (
    INDEX_TWICE,
    INSIDE_EMBARGO,
    LEADING_EDGE,
    TRAILING_EDGE,
    TRAIN_IN_TEST,
    audit_split,
)
from price_physics_tests.folds.test_purged import intervals
from price_physics_tests.folds.validity import blocks


def found(start, end, train, test, embargo=0):
    """{kind: (number of labels, position of the first, position of its pair)}."""
    findings = audit_split(start, end, train, test, embargo)
    kinds = {f.kind: (f.n_labels, f.train, f.test) for f in findings}
    assert len(kinds) == len(findings)
    return kinds


# ---------------------------------------------------------------------------- the definition
def leaks(start, end, train, test, embargo):
    """Training positions by kind, label by label and block by block."""
    kinds = {LEADING_EDGE: set(), TRAILING_EDGE: set(), INSIDE_EMBARGO: set()}
    for block in blocks(test):
        first, last = start[block[0]], max(end[i] for i in block)
        for i in train:
            if i < block[0] and end[i] >= first:
                kinds[LEADING_EDGE].add(i)
            if i > block[-1] and start[i] <= last:
                kinds[TRAILING_EDGE].add(i)
            if last < start[i] <= last + embargo:
                kinds[INSIDE_EMBARGO].add(i)
    kinds[INSIDE_EMBARGO] -= kinds[TRAILING_EDGE]
    return {kind: positions for kind, positions in kinds.items() if positions}


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(intervals(), st.integers(0, 12), st.data())
def test_findings_are_those_of_the_definition(labels, embargo, data):
    start, end = labels
    roles = data.draw(
        st.lists(
            st.sampled_from(["train", "test", "none"]), min_size=len(start), max_size=len(start)
        )
    )
    train, test = (np.flatnonzero(np.array(roles) == role) for role in ("train", "test"))
    expected = leaks(start, end, train, test, embargo)
    findings = audit_split(start, end, train, test, embargo)
    assert {f.kind: f.n_labels for f in findings} == {k: len(v) for k, v in expected.items()}
    for f in findings:
        assert f.train == min(expected[f.kind])
        assert f.test in test
        assert f.train_ns == (start[f.train], end[f.train])
        assert f.test_ns == (start[f.test], end[f.test])
        # The pair is a proof on its own: it meets, or starts too soon after.
        gap = start[f.train] - end[f.test]
        if f.kind == INSIDE_EMBARGO:
            assert 0 < gap <= embargo
        else:
            assert gap <= 0
            assert end[f.train] >= start[f.test]


def test_order_does_not_matter():
    rng = np.random.default_rng(0)
    start = np.arange(30)
    train, test = np.arange(0, 14), np.arange(12, 20)
    expected = found(start, start + 3, train, test)
    assert expected == found(start, start + 3, rng.permutation(train), rng.permutation(test))


def test_positions_used_twice_or_for_both():
    start = np.arange(6) * 10
    kinds = found(start, start + 1, [0, 1, 1, 5, 5, 5], [3, 4, 4])
    assert kinds == {INDEX_TWICE: (3, 1, 1)}
    assert found(start, start + 1, [0, 3, 4], [3, 4, 5]) == {TRAIN_IN_TEST: (2, 3, 3)}
    assert found(start, start + 1, [], [3]) == found(start, start + 1, [3], []) == {}


def test_a_finding_names_the_pair_and_the_kind():
    start = np.arange(6)
    (finding,) = audit_split(start, start, [0, 3], [2], embargo_ns=1)
    assert str(finding) == (
        "inside embargo: 1 labels, the first at position 3, [3, 3], beside test label 2, [2, 2]"
    )


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        ([True, False, True], [1], "not bool of shape.*np.flatnonzero"),
        ([0], [3], "test holds position 3, and there are 3 labels"),
        ([-1], [2], "train holds position -1"),
    ],
)
def test_likely_misuse_is_explained(train, test, message):
    with pytest.raises(ValueError, match=message):
        audit_split([0, 1, 2], [0, 1, 2], train, test)


def test_labels_out_of_order_are_refused():
    with pytest.raises(ValueError, match="not sorted: sample 2"):
        audit_split([0, 2, 1], [3, 3, 3], [0], [1])


# ---------------------------------------------------------------------------- other splitters
def labels():
    """Sixty labels, one every ten; some last much longer than the one that starts next."""
    start = np.arange(60) * 10
    length = np.random.default_rng(3).choice([25, 45, 75, 155], 60)
    length[::20] = 25
    return start, start + length


def book_purged_k_fold(start, end, n_splits, pct_embargo=0.0):
    """AFML 7.3: labels that share an instant with the test train, and its embargo counts rows."""
    n, embargo = len(start), int(len(start) * pct_embargo)
    for block in np.array_split(np.arange(n), n_splits):
        before = np.searchsorted(start, start[end <= start[block[0]]])
        after = np.searchsorted(start, end[block].max())
        yield np.concatenate([before, np.arange(after + embargo, n)]), block


def test_the_book_lets_closed_intervals_share_an_instant():
    start = np.arange(12) * 10
    end = start + 20
    splits = list(book_purged_k_fold(start, end, 3))
    assert found(start, end, *splits[1]) == {LEADING_EDGE: (1, 2, 4), TRAILING_EDGE: (1, 9, 7)}
    open_ended = end - 1
    for train, test in book_purged_k_fold(start, open_ended, 3):
        assert found(start, open_ended, train, test) == {}


def test_an_embargo_of_rows_is_not_a_duration():
    """Ten rows are a hundred instants where trading is quiet, and ten where it is busy."""
    start = np.concatenate([np.arange(0, 500, 10), 500 + np.arange(50)])
    end = start + 1
    splits = list(book_purged_k_fold(start, end, 2, pct_embargo=0.1))
    assert found(start, end, *splits[0], embargo=100) == {INSIDE_EMBARGO: (40, 60, 49)}
    assert found(start, end, *splits[0], embargo=10) == {}


def test_scikit_learns_own_splitters_purge_nothing():
    start, end = labels()
    for train, test in KFold(3, shuffle=True, random_state=0).split(start):
        kinds = found(start, end, train, test)
        assert kinds.keys() == {LEADING_EDGE, TRAILING_EDGE}
        assert kinds[LEADING_EDGE][0] > 20
    for train, test in TimeSeriesSplit(2).split(start):
        assert found(start, end, train, test).keys() == {LEADING_EDGE}
    for train, test in TimeSeriesSplit(2, gap=15).split(start):
        assert found(start, end, train, test) == {}
