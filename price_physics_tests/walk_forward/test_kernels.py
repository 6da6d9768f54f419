import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.walk_forward.kernels import book_path, equity_path


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_kernels_equal_their_plain_functions_bit_for_bit(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 20))
    weight, count = rng.normal(0, 0.5, n), rng.integers(-1, 2, n)
    book = book_path(weight, count, 0.3, 2)
    assert book.tolist() == book_path.py_func(weight, count, 0.3, 2).tolist()
    assert ((book >= -1) & (book <= 1)).all()
    price, fill = rng.uniform(50, 150, (2, n))
    arguments = (book, price, fill, 0.3, 100.0, 0.001)
    for fast, plain in zip(equity_path(*arguments), equity_path.py_func(*arguments), strict=True):
        assert fast == pytest.approx(plain, rel=1e-12)


def test_a_book_without_positions_is_exactly_flat():
    weight = np.array([0.1, 0.2, -0.1, -0.2])
    assert weight.cumsum()[-1] != 0  # what floats leave
    book = book_path(weight, np.array([1, 1, -1, -1]), 0.0, 0)
    assert book[-1] == 0
    assert book[:2].tolist() == [0.1, 0.1 + 0.2]


def test_orders_that_cancel_out_leave_the_book_as_it_was():
    book = book_path(np.array([0.1, 0.2, 0.3 - 0.1 - 0.2]), np.array([1, 1, 1]), 0.0, 0)
    assert book[1] == book[2]


def test_equity_by_hand():
    # Half long from 100 to 110, then flat at 110 filled at 108, one percent a side.
    equity, paid = equity_path(
        np.array([0.5, 0.0]), np.array([100.0, 110.0]), np.array([100.0, 108.0]), 0.0, 90.0, 0.01
    )
    first = 1 - 0.005
    before = first * 1.05
    assert paid == pytest.approx([0.005, 0.005 * before])
    assert equity == pytest.approx([first, before * (1 - 0.5 * 2 / 110 - 0.005)])
