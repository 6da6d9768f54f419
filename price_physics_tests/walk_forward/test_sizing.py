import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from price_physics.walk_forward.sizing import bet_size, book_scale


def test_golden_bet_sizes():
    assert bet_size(np.array([0.6]), 2) == pytest.approx([0.1617], abs=5e-5)
    assert bet_size(np.array([0.5]), 3) == pytest.approx([0.2611], abs=5e-5)


def test_chance_and_less_get_nothing_and_certainty_everything():
    assert bet_size(np.array([0.0, 0.2, 1 / 3, 1.0]), 3).tolist() == [0, 0, 0, 1]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_size_grows_with_probability(p):
    sizes = bet_size(np.sort(p), 2)
    assert (np.diff(sizes) >= 0).all()
    assert ((sizes >= 0) & (sizes <= 1)).all()


def test_scale_counts_trades_that_end_at_the_instant_as_live():
    event, end = np.array([0, 10, 20]), np.array([10, 15, 30])
    # At 0: .5; at 10 the first is still live: .5 + .25; at 20: .5 alone.
    scale = book_scale(event, end, np.array([0.5, 0.25, 0.5]))
    assert scale == pytest.approx(np.quantile([0.5, 0.75, 0.5], 0.95))


def test_scale_skips_instants_where_the_book_is_flat():
    event, end = np.array([0, 10]), np.array([10, 15])
    assert book_scale(event, end, np.array([0.3, -0.3])) == pytest.approx(0.3)


def test_scale_without_trades_is_one():
    assert book_scale(np.array([0, 1]), np.array([5, 5]), np.zeros(2)) == 1.0
    empty = np.empty(0, dtype=np.int64)
    assert book_scale(empty, empty, np.empty(0)) == 1.0


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 20), st.sampled_from([-1, -0.5, 0, 0.25, 1])),
        max_size=25,
        unique_by=lambda row: row[0],
    )
)
def test_scale_equals_the_obvious_one(rows):
    event = np.array([r[0] for r in rows], dtype=np.int64)
    end = event + np.array([r[1] for r in rows], dtype=np.int64)
    size = np.array([r[2] for r in rows], dtype=np.float64)
    sums = [
        abs(sum(s for e, f, s in zip(event, end, size, strict=True) if e <= t <= f))
        for t, traded in zip(event, size, strict=True)
        if traded
    ]
    sums = [s for s in sums if s]
    expected = np.quantile(sums, 0.95) if sums else 1.0
    assert book_scale(event, end, size) == pytest.approx(expected)
