"""The CUSUM filter equals its plain self and the naive one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from price_physics.events.kernels import cusum_filter


def naive_cusum(log_price: list[float], threshold: float) -> list[int]:
    events, up, down = [], 0.0, 0.0
    for bar in range(1, len(log_price)):
        change = log_price[bar] - log_price[bar - 1]
        up, down = max(0.0, up + change), min(0.0, down + change)
        if max(up, -down) >= threshold:
            events.append(bar)
            up = down = 0.0
    return events


@given(st.lists(st.integers(-3, 3), max_size=40), st.integers(1, 6))
def test_the_filter_equals_the_naive_and_looks_back_only(steps, threshold):
    log_price = np.cumsum(steps).astype(float)
    events = cusum_filter(log_price, float(threshold))
    assert events.tolist() == naive_cusum(log_price.tolist(), threshold)
    assert events.tolist() == cusum_filter.py_func(log_price, float(threshold)).tolist()
    half = cusum_filter(log_price[: len(steps) // 2], float(threshold))
    assert events[: half.size].tolist() == half.tolist()
