"""Concurrency, average uniqueness, class balance: golden cases and the slow reference."""

from math import fsum

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.weights import kernels
from price_physics.weights.kernels import average_uniqueness, class_balance, concurrency
from price_physics_tests.weights import naive


@st.composite
def labels(draw):
    n_bars = draw(st.integers(1, 30))
    spans = draw(st.lists(st.tuples(st.integers(0, n_bars - 1), st.integers(0, 12)), max_size=25))
    start = np.array([s for s, _ in spans], dtype=np.int64)
    end = np.minimum(start + np.array([n for _, n in spans], dtype=np.int64), n_bars - 1)
    return start, end, n_bars


@settings(max_examples=100, deadline=None)
@given(labels())
def test_kernels_are_the_slow_ones(case):
    start, end, n_bars = case
    for kernel in (concurrency, concurrency.py_func):
        np.testing.assert_array_equal(kernel(start, end, n_bars), naive.concurrency(*case))
    fast = average_uniqueness(start, end, n_bars)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernels, "_fill_uniqueness", kernels._fill_uniqueness.py_func)
        np.testing.assert_array_equal(fast, average_uniqueness(start, end, n_bars))
    np.testing.assert_allclose(fast, naive.average_uniqueness(*case), rtol=1e-12)
    assert ((fast > 0) & (fast <= 1)).all()


def test_golden_case():
    """AFML's spans, as recomputed: labels 0-2, 2-3, 4-5."""
    start, end = np.array([0, 2, 4]), np.array([2, 3, 5])
    np.testing.assert_array_equal(concurrency(start, end, 6), [1, 1, 2, 1, 1, 1])
    np.testing.assert_allclose(average_uniqueness(start, end, 6), [5 / 6, 3 / 4, 1], rtol=1e-15)


def test_identical_labels_share_and_lone_ones_do_not():
    start = np.array([3, 3, 3, 3, 900_000])
    end = np.array([7, 7, 7, 7, 900_004])
    uniqueness = average_uniqueness(start, end, 1_000_000)
    np.testing.assert_allclose(uniqueness, [0.25] * 4 + [1.0], rtol=1e-12)
    assert uniqueness.max() <= 1


def test_no_labels():
    none = np.empty(0, dtype=np.int64)
    assert len(average_uniqueness(none, none, 5)) == 0
    assert len(average_uniqueness(none, none, 0)) == 0


def test_a_million_bars_cost_no_digits_that_matter():
    """The prefix sum grows with the bars: the last labels are checked against exact sums."""
    n_bars = 1_000_000
    start = np.arange(n_bars)
    end = np.minimum(start + np.random.default_rng(0).integers(0, 1_000, n_bars), n_bars - 1)
    uniqueness = average_uniqueness(start, end, n_bars)
    share = 1 / concurrency(start, end, n_bars)
    for i in range(n_bars - 5_000, n_bars, 7):
        exact = fsum(share[start[i] : end[i] + 1]) / (end[i] + 1 - start[i])
        assert uniqueness[i] == pytest.approx(exact, rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.floats(0.01, 1)), min_size=1, max_size=40)
)
def test_classes_weigh_the_same_together(rows):
    labels = np.array([value for value, _ in rows], dtype=np.int8)
    weights = np.array([weight for _, weight in rows])
    factor = class_balance(labels, weights)
    present = set(labels)
    for value in present:
        assert len(set(factor[labels == value])) == 1
        together = (factor * weights)[labels == value].sum()
        assert together == pytest.approx(weights.sum() / len(present))


def test_balanced_classes_weigh_one_and_no_labels_nothing():
    assert class_balance(np.array([1, -1, 0]), np.ones(3)).tolist() == [1, 1, 1]
    assert class_balance(np.array([1, 1]), np.ones(2)).tolist() == [1, 1]
    assert class_balance(np.array([0, 0, 0, 1]), np.ones(4)).tolist() == [2 / 3] * 3 + [2]
    assert len(class_balance(np.empty(0, dtype=np.int8), np.empty(0))) == 0
