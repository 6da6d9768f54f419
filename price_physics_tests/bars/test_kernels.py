"""kernel == its plain self == the naive, and a longer array has the same beginning."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.bars.kernels import bar_prices, bar_sums, dollar_bars

from . import naive

POSITIVE = st.floats(1e-6, 1e6)
TICK = st.tuples(st.integers(0, 10**18), POSITIVE, POSITIVE, st.sampled_from([-1, 1]))
TICKS = st.lists(TICK, max_size=40)


def arrays(ticks):
    _, price, qty, sign = zip(*ticks, strict=True) if ticks else ((), (), (), ())
    return np.array(price, float), np.array(qty, float), np.array(sign, np.int8)


@given(TICKS, POSITIVE)
@settings(deadline=None)
def test_dollar_bars_equal_the_naive(ticks, threshold):
    price, qty, _ = arrays(ticks)
    found = dollar_bars(price, qty, threshold)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, dollar_bars.py_func(price, qty, threshold))
    assert found.tolist() == naive.dollar_bars(price, qty, threshold)


@given(TICKS, POSITIVE, st.data())
@settings(deadline=None)
def test_a_longer_array_has_the_same_beginning(ticks, threshold, data):
    price, qty, _ = arrays(ticks)
    cut = data.draw(st.integers(0, len(ticks)))
    whole = dollar_bars(price, qty, threshold)
    beginning = dollar_bars(price[:cut], qty[:cut], threshold)
    np.testing.assert_array_equal(beginning, whole[whole < cut])


@given(TICKS.filter(bool), st.data())
@settings(deadline=None)
def test_contents_equal_the_naive_to_the_last_bit(ticks, data):
    price, qty, sign = arrays(ticks)
    ends = data.draw(st.sets(st.integers(0, len(ticks) - 1)))
    last_tick = np.array(sorted(ends), np.int64)
    prices, sums = bar_prices(price, last_tick), bar_sums(price, qty, sign, last_tick)
    np.testing.assert_array_equal(prices, bar_prices.py_func(price, last_tick))
    np.testing.assert_array_equal(sums, bar_sums.py_func(price, qty, sign, last_tick))
    expected = naive.bars(ticks, last_tick)
    names = ("open", "high", "low", "close", "volume", "notional", "buy_volume")
    for name, found in zip(names, [*prices, *sums], strict=True):
        assert found.tolist() == [bar[name] for bar in expected]


@pytest.mark.parametrize(
    ("qty", "threshold", "expected"),
    [
        ([1, 1, 1, 1], 2, [1, 3]),  # reaching it is enough
        ([5, 1, 1], 2, [0, 2]),  # what is over is not carried on: the sum restarts at zero
        ([1, 1], 1e9, []),
        ([], 2, []),
        ([1, 1, 1], 0.5, [0, 1, 2]),
    ],
)
def test_a_bar_closes_on_the_tick_that_reaches_the_threshold(qty, threshold, expected):
    price = np.ones(len(qty))
    assert dollar_bars(price, np.array(qty, float), threshold).tolist() == expected


def test_four_ticks_a_bar_on_the_price_lattice():
    """The markets with a known answer rest on it: notional 1,000 a tick, threshold 3,500."""
    steps = np.random.default_rng(3).choice([-1, 1], 4_000)
    price = 10_000 * 1.0002 ** np.cumsum(steps)
    assert dollar_bars(price, 1_000 / price, 3_500.0).tolist() == list(range(3, 4_000, 4))
