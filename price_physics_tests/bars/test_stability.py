"""Imbalance and run bars neither explode nor collapse: real flow, and flow without a side."""

from functools import cache

import pytest

from ..benchmarks import bar_stability

KINDS = pytest.mark.parametrize("kind", bar_stability.KINDS)
MARKETS = {
    "binance_btcusdc": (bar_stability.binance_btcusdc, 1 / 6, 6),
    "intersango_gbp": (bar_stability.intersango_gbp, 1 / 3, 3),
}


@cache
def flow(name):
    return bar_stability.balanced() if name == "balanced" else MARKETS[name][0]()


def rates(name, kind, build):
    months = flow(name).ticks
    return [bar_stability.relative_rate(flow(name), m, build(flow(name), kind, m)) for m in months]


@KINDS
def test_balanced_flow_gives_as_many_bars_every_month(kind):
    found = rates("balanced", kind, bar_stability.guarded)
    assert len(found) == 6
    assert min(found) > 1 / 2.5
    assert max(found) < 1.25
    assert max(found) < 1.2 * min(found)  # no drift, month after month


@pytest.mark.slow
@KINDS
@pytest.mark.parametrize("name", MARKETS)
def test_real_flow_gives_bars_within_bounds_every_month(kind, name):
    if not (bar_stability.SHARED / name).is_dir():
        pytest.skip(f"real ticks are not here: {bar_stability.SHARED / name}")
    _, least, most = MARKETS[name]
    found = rates(name, kind, bar_stability.guarded)
    assert len(found) == {"binance_btcusdc": 2, "intersango_gbp": 9}[name]
    assert least < min(found)
    assert max(found) < most


@KINDS
def test_without_guards_balanced_flow_explodes(kind):
    """What the guards are for: bars of a few ticks, though the rule and its start are the same."""
    assert min(rates("balanced", kind, bar_stability.unguarded)) > 3
