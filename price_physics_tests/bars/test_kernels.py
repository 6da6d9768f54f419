"""kernel == its plain self == the naive, chunks do not matter, nor does what comes later."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.bars import kernels
from price_physics.bars.kernels import add_amounts, dollar_bars, imbalance_bars
from price_physics.study.bars import DollarFlowBars

from . import naive
from .helpers import CONFIGS

POSITIVE = st.floats(1e-6, 1e6)
AMOUNT = st.floats(1e-12, 1e12) | st.sampled_from([1.0, 2.0])
TICK = st.tuples(st.integers(0, 200), POSITIVE | st.just(1.0), AMOUNT, st.sampled_from([-1, 1]))
TICKS = st.lists(TICK, max_size=40).map(sorted)
UNITS = {"tick": kernels.TICKS, "volume": kernels.BASE, "dollar": kernels.QUOTE}
KINDS = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


def arrays(ticks):
    time_ns, price, qty, sign = zip(*ticks, strict=True) if ticks else ((), (), (), ())
    return (
        np.array(time_ns, np.int64),
        np.array(price, float),
        np.array(qty, float),
        np.array(sign, np.int8),
    )


def sampling(config, plain=False):
    """One pass of the kind with fresh state, jitted or not."""
    choose = (lambda kernel: kernel.py_func) if plain else (lambda kernel: kernel)
    unit, _, family = config.kind.partition("_")
    if unit == "time":
        return partial(choose(kernels.time_bars), 0, 50)
    if not family:
        return partial(choose(kernels.threshold_bars), UNITS[unit], config.scale)
    against = kernels.IMBALANCE if family == "imbalance" else kernels.RUN
    rule = kernels.FlowRule(UNITS[unit], against, 4.0, config.min_ticks, config.max_ticks, 0.5)
    size = config.expected_size
    expected = choose(kernels.first_expectations)(rule, size, config.expected_buy_fraction)
    return partial(choose(kernels.flow_bars), rule, expected, np.zeros(3))


def feed(config, ticks, cuts=(), plain=False):
    """Closed bars and the open one, from chunks between the cuts."""
    run, open_bar, closed = sampling(config, plain), kernels.NO_BAR, []
    edges = [0, *sorted(cuts), len(ticks)]
    for start, stop in pairwise(edges):
        if start < stop:
            times, values = run(open_bar, arrays(ticks[start:stop]))
            closed.append(np.hstack([times[:-1], values[:-1].view(np.int64)]))
            open_bar = times[-1], values[-1]
    rows = np.concatenate(closed) if closed else np.empty((0, 10), np.int64)
    n_open = open_bar[0][2]
    return rows, (open_bar[0], open_bar[1].view(np.int64)) if n_open else None


def equal(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    assert (one[1] is None) == (other[1] is None)
    if one[1] is not None:
        np.testing.assert_array_equal(one[1][0], other[1][0])
        np.testing.assert_array_equal(one[1][1], other[1][1])


# ---------------------------------------------------------------------------- the fused passes
@KINDS
@given(ticks=TICKS)
@settings(deadline=None, max_examples=30)
def test_a_pass_equals_its_plain_self(config, ticks):
    equal(feed(config, ticks), feed(config, ticks, plain=True))


@pytest.mark.slow
@KINDS
@given(ticks=TICKS, data=st.data())
@settings(deadline=None, max_examples=50)
def test_chunks_do_not_matter(config, ticks, data):
    cuts = data.draw(st.lists(st.integers(0, len(ticks)), max_size=6))
    equal(feed(config, ticks, cuts), feed(config, ticks))


@KINDS
@given(ticks=TICKS, data=st.data())
@settings(deadline=None, max_examples=30)
def test_a_longer_array_has_the_same_beginning(config, ticks, data):
    cut = data.draw(st.integers(0, len(ticks)))
    whole, beginning = feed(config, ticks)[0], feed(config, ticks[:cut])[0]
    n_seen = np.cumsum(whole[:, 2])  # the clock needs one tick more to know that a bar is over
    known = n_seen < cut if config.kind == "time" else n_seen <= cut
    np.testing.assert_array_equal(beginning, whole[known])


# ---------------------------------------------------------------------------- positions
@given(TICKS, POSITIVE)
@settings(deadline=None)
def test_dollar_bars_equal_the_naive(ticks, threshold):
    _, price, qty, _ = arrays(ticks)
    found = dollar_bars(price, qty, threshold)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, dollar_bars.py_func(price, qty, threshold))
    assert found.tolist() == naive.threshold_ends(ticks, "dollar", threshold)


@given(st.integers(0, 2**32), st.booleans(), st.data())
@settings(deadline=None, max_examples=50)
def test_blocks_close_where_the_sum_in_tick_order_does(seed, on_a_grid, data):
    """A threshold that this sum just reaches, or just misses, is the worst there is."""
    rng = np.random.default_rng(seed)
    price, qty = rng.lognormal(2, 1, 300), rng.lognormal(-3, 2, 300)
    if on_a_grid:
        price, qty = np.round(price) + 1.0, np.full(300, 0.5)
    reached = float(np.cumsum(price * qty)[data.draw(st.integers(0, 299))])
    for threshold in (np.nextafter(reached, 0.0), reached, np.nextafter(reached, np.inf)):
        ticks = list(zip(range(300), price.tolist(), qty.tolist(), [1] * 300, strict=True))
        expected = naive.threshold_ends(ticks, "dollar", threshold)
        assert dollar_bars(price, qty, threshold).tolist() == expected


@given(TICKS, st.integers(1, 4), st.integers(4, 12), AMOUNT)
@settings(deadline=None)
def test_imbalance_bars_equal_the_naive_and_the_pass(ticks, min_ticks, max_ticks, size):
    _, price, qty, sign = arrays(ticks)
    settings_ = (4.0, size, 3.0, min_ticks, max_ticks)
    found = imbalance_bars(price, qty, sign, *settings_)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, imbalance_bars.py_func(price, qty, sign, *settings_))
    config = DollarFlowBars(
        kind="dollar_imbalance",
        expected_ticks=4,
        expected_quote=size,
        span_bars=3,
        min_ticks=min_ticks,
        max_ticks=max_ticks,
    )
    assert found.tolist() == naive.imbalance_ends(ticks, "dollar", config, 4.0)
    assert found.tolist() == (np.cumsum(feed(config, ticks)[0][:, 2]) - 1).tolist()


@given(TICKS, POSITIVE, st.data())
@settings(deadline=None)
def test_positions_do_not_depend_on_later_ticks(ticks, size, data):
    _, price, qty, sign = arrays(ticks)
    cut = data.draw(st.integers(0, len(ticks)))
    whole = dollar_bars(price, qty, size)
    np.testing.assert_array_equal(dollar_bars(price[:cut], qty[:cut], size), whole[whole < cut])
    rule = (4.0, size, 3.0, 1, 10)
    whole = imbalance_bars(price, qty, sign, *rule)
    beginning = imbalance_bars(price[:cut], qty[:cut], sign[:cut], *rule)
    np.testing.assert_array_equal(beginning, whole[whole < cut])


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


@given(TICKS, st.sampled_from(sorted(UNITS)), st.data())
@settings(deadline=None, max_examples=50)
def test_amounts_add_up_in_tick_order(ticks, unit, data):
    _, price, qty, _ = arrays(ticks)
    total = 0.0
    for _, p, q, _ in ticks:
        total += naive.amount(unit, p, q)
    cut = data.draw(st.integers(0, len(ticks)))
    first = add_amounts(UNITS[unit], price[:cut], qty[:cut], 0.0)
    assert add_amounts(UNITS[unit], price[cut:], qty[cut:], first) == total
    assert add_amounts.py_func(UNITS[unit], price, qty, 0.0) == total


# ---------------------------------------------------------------------------- guards
def test_a_bar_has_at_least_min_and_at_most_max_ticks():
    price, qty = np.ones(1_000), np.ones(1_000)
    same = np.ones(1_000, np.int8)
    ends = imbalance_bars(price, qty, same, 9.0, 1.0, 20.0, 7, 50)
    assert set(np.diff(ends)) == {7}  # one-sided flow reaches its threshold sooner
    alternating = np.where(np.arange(1_000) % 2, 1, -1).astype(np.int8)
    ends = imbalance_bars(price, qty, alternating, 9.0, 1.0, 20.0, 7, 50)
    assert set(np.diff(ends)) == {50}  # and an imbalance that never grows is cut
