import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from price_physics.frames import conform
from price_physics.schemas.walk_forward import SCORED, TRADES
from price_physics.walk_forward import metrics


def scored(p_up, p_flat, p_down, label):
    n = len(label)
    return conform(
        SCORED,
        event_time_ns=np.arange(n),
        p_up=p_up,
        p_flat=p_flat,
        p_down=p_down,
        side=np.zeros(n),
        label=label,
        outcome_atr=np.zeros(n),
        outcome_bps=np.zeros(n),
        known_at=np.arange(n),
    )


def binary(p, label):
    return scored(p, np.full(len(p), np.nan), np.full(len(p), np.nan), label)


THREE = scored([0.6, 0.2, 0.2, 0.5], [0.1, 0.5, 0.2, 0.1], [0.3, 0.3, 0.6, 0.4], [1, 0, -1, -1])


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_auc_equals_sklearn_s(rows):
    score, positive = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    if positive.all() or not positive.any():
        assert metrics.area_under_curve(score, positive) is None
    else:
        expected = roc_auc_score(positive, score)
        assert metrics.area_under_curve(score, positive) == pytest.approx(expected)


def test_direction_leaves_time_outs_out_and_takes_the_ratio():
    score, positive = metrics.direction_scores(THREE)
    assert score == pytest.approx(np.log([2.0, 1 / 3, 1.25]))
    assert positive.tolist() == [True, False, False]
    score, positive = metrics.direction_scores(binary([0.2, 0.7, 0.1], [1, 0, -1]))
    assert score.tolist() == [0.2, 0.7, 0.1]
    assert positive.tolist() == [True, False, False]


def test_certain_probabilities_make_a_score_all_the_same():
    score, _ = metrics.direction_scores(scored([1.0, 0.0], [0, 0], [0.0, 1.0], [1, -1]))
    assert np.isfinite(score).all()


def test_auc_is_averaged_within_months_never_pooled():
    high = binary([0.8, 0.9], [-1, 1])
    low = binary([0.1, 0.2], [-1, 1])
    assert metrics.direction_auc([high, low]) == 1.0
    pooled = pd.concat([high, low], ignore_index=True)
    assert metrics.direction_auc([pooled]) == 0.75
    assert metrics.direction_auc([high, binary([0.5], [1])]) == 1.0
    assert metrics.direction_auc([SCORED.empty(), binary([0.5], [1])]) is None
    # Weighted by pairs: one pair right, three of six wrong.
    wide = binary([0.1, 0.5, 0.9, 0.2, 0.6], [1, 1, 1, -1, -1])
    assert metrics.direction_auc([high, wide]) == pytest.approx((1 + 3) / 7)


def test_confusion_matrix_in_class_order():
    assert metrics.confusion_matrix(THREE).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert metrics.confusion_matrix(binary([0.2, 0.7, 0.6], [1, 0, 1])).tolist() == [[0, 1], [1, 1]]
    assert metrics.confusion_matrix(SCORED.empty()).sum() == 0


def test_brier_and_log_loss_by_hand():
    one = THREE[:1]
    assert metrics.brier_score(one) == pytest.approx(0.4**2 + 0.1**2 + 0.3**2)
    assert metrics.log_loss(THREE) == pytest.approx(-np.log([0.6, 0.5, 0.6, 0.4]).mean())
    assert metrics.log_loss(binary([0.2], [-1])) == pytest.approx(-np.log(0.8))
    assert metrics.brier_score(SCORED.empty()) is None
    assert metrics.log_loss(SCORED.empty()) is None


def test_reliability_table():
    table = metrics.reliability_table(np.array([0.0, 0.05, 0.55, 1.0]), np.array([0, 1, 1, 1]))
    assert table["n_events"].tolist() == [2, 1, 1]
    assert table["lower"].tolist() == [0.0, 0.5, 0.9]
    assert table["mean_probability"].tolist() == pytest.approx([0.025, 0.55, 1.0])
    assert table["frequency"].tolist() == [0.5, 1.0, 1.0]
    assert metrics.reliability_table(np.empty(0), np.empty(0)).empty


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
    precision, break_even = metrics.trade_precision(trades(rows))
    assert precision == pytest.approx(1 / 3)
    assert break_even == pytest.approx((10 + 2) / (30 + 10))
    # At that precision the strategy earns exactly its costs.
    assert break_even * 30 - (1 - break_even) * 10 - 2 == pytest.approx(0)


def test_break_even_of_nothing():
    assert metrics.trade_precision(TRADES.empty()) == (None, None)
    assert metrics.trade_precision(trades([("take_profit", 5)])) == (1.0, None)
    assert metrics.break_even_precision(1.0, -2.0, 0.0) is None
