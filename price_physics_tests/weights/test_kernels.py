"""Concurrency and average uniqueness: golden cases and the slow reference."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.weights.kernels import average_uniqueness, concurrency
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
    np.testing.assert_array_equal(fast, average_uniqueness.py_func(start, end, n_bars))
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
