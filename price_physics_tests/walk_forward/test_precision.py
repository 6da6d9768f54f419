import numpy as np
import pytest

from price_physics.frames import conform
from price_physics.schemas.walk_forward import TRADES
from price_physics.walk_forward.precision import break_even_precision, trade_precision


def trades(rows, cost=2.0):
    n = len(rows)
    gross = np.array([g for _, g in rows], dtype=float)
    return conform(
        TRADES,
        event_time_ns=np.arange(n),
        side=np.ones(n),
        weight=np.ones(n),
        entry_time_ns=np.arange(n),
        entry_price=np.ones(n),
        exit_time_ns=np.arange(n),
        exit_price=np.ones(n),
        exit_reason=[r for r, _ in rows],
        gross_bps=gross,
        cost_bps=np.full(n, cost),
        net_bps=gross - cost,
        known_at=np.arange(n),
    )


def test_break_even_counts_time_outs_among_the_losses():
    rows = [("take_profit", 30), ("stop_loss", -20), ("time_out", 0), ("cancelled", 0)]
    precision, break_even = trade_precision(trades(rows))
    assert precision == pytest.approx(1 / 3)
    assert break_even == pytest.approx((10 + 2) / (30 + 10))
    # At that precision the strategy earns exactly its costs.
    assert break_even * 30 - (1 - break_even) * 10 - 2 == pytest.approx(0)


def test_break_even_of_nothing():
    assert trade_precision(TRADES.empty()) == (None, None)
    assert trade_precision(trades([("take_profit", 5)])) == (1.0, None)
    assert break_even_precision(1.0, -2.0, 0.0) is None
