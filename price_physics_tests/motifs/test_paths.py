"""Standardised price paths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from price_physics.motifs.paths import N_POINTS, standard_paths, volatility_ratio


def walk(n, seed):
    return 50 * np.exp(0.01 * np.random.default_rng(seed).standard_normal(n).cumsum())


def test_against_a_plain_loop():
    close, ends, window = walk(200, 3), np.array([70, 150, 199]), 64
    got = standard_paths(close, ends, window)
    for row, end in enumerate(ends):
        logs = np.log(close[end - window + 1 : end + 1])
        unit = np.sqrt(sum((logs[i] - logs[i - 1]) ** 2 for i in range(1, window)))
        times = np.linspace(0, window - 1, N_POINTS)
        want = np.interp(times, np.arange(window), (logs - logs[0]) / unit)
        np.testing.assert_allclose(got.path[row], want, atol=1e-12)


@given(seed=st.integers(0, 99), level=st.floats(1e-3, 1e6), power=st.floats(0.1, 5))
def test_free_of_level_and_volatility(seed, level, power):
    close, ends = walk(80, seed), np.array([40, 79])
    a = standard_paths(close, ends, 33)
    b = standard_paths(level * close**power, ends, 33)
    np.testing.assert_allclose(a.path, b.path, atol=1e-9)
    np.testing.assert_allclose(a.late, b.late, atol=1e-9)


def test_only_the_window_is_read():
    close, end = walk(100, 1), np.array([60])
    before = standard_paths(close, end, 32).path
    changed = close.copy()
    changed[61:] *= 2
    changed[: 60 - 31] *= 3
    np.testing.assert_array_equal(standard_paths(changed, end, 32).path, before)


def test_a_constant_window_is_flat_and_short_history_is_refused():
    still = standard_paths(np.full(40, 5.0), np.array([39]), 32)
    assert not still.path.any()
    assert volatility_ratio(still.early, still.late) == 1.0
    with pytest.raises(ValueError, match="window of 32 bars cannot end at bar 30"):
        standard_paths(np.full(40, 5.0), np.array([30]), 32)


def test_no_events_give_no_paths():
    assert standard_paths(walk(40, 0), np.empty(0, dtype=np.int64), 32).path.shape == (0, N_POINTS)


def test_volatility_ratio_compares_late_with_early():
    steps = np.concatenate([np.tile([1.0, -1.0], 48), np.tile([3.0, -3.0], 48)])
    close = np.exp(0.001 * steps.cumsum())
    got = standard_paths(close, np.array([191]), 190)
    assert volatility_ratio(got.early, got.late) == pytest.approx(3.0)
