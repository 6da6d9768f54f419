"""Classes, direction and scores of probabilities, by hand and against scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss

from price_physics.frames import conform
from price_physics.schemas.table import ODDS
from price_physics.schemas.walk_forward import SCORED
from price_physics.scores.auc import auc_pairs_within_groups
from price_physics.scores.probabilities import (
    brier_score,
    class_probabilities,
    confusion_matrix,
    direction,
    log_loss,
    log_softmax,
)

RNG = np.random.default_rng(0)


def scored(p_up, p_flat, p_down, label):
    n = len(label)
    return conform(
        SCORED,
        event_time_ns=np.arange(n),
        p_up=p_up,
        p_flat=p_flat,
        p_down=p_down,
        **dict.fromkeys(ODDS, np.full(n, 1 / 3)),
        side=np.zeros(n),
        label=label,
        label_side=np.ones(n),
        outcome_atr=np.zeros(n),
        outcome_bps=np.zeros(n),
        stated_bps=np.zeros(n),
        returned_bps=np.zeros(n),
        known_at=np.arange(n),
    )


def binary(p, label):
    return scored(p, np.full(len(p), np.nan), np.full(len(p), np.nan), label)


THREE = scored([0.6, 0.2, 0.2, 0.5], [0.1, 0.5, 0.2, 0.1], [0.3, 0.3, 0.6, 0.4], [1, 0, -1, -1])


def direction_of(frame):
    return direction(*class_probabilities(frame))


def confusion_of(frame):
    return confusion_matrix(*class_probabilities(frame))


def direction_auc(months):
    return auc_pairs_within_groups(direction_of(month)[:2] for month in months)


def test_log_loss_equals_scikit_learn():
    p = np.exp(log_softmax(RNG.normal(size=(500, 3))))
    classes = RNG.integers(0, 3, 500)
    assert log_loss(p, classes) == pytest.approx(sklearn_log_loss(classes, p), rel=1e-12)


def test_direction_leaves_time_outs_out_and_takes_the_ratio():
    score, positive, counted = direction_of(THREE)
    assert score == pytest.approx(np.log([2.0, 1 / 3, 1.25]))
    assert positive.tolist() == [True, False, False]
    assert counted.tolist() == [True, False, True, True]
    score, positive, counted = direction_of(binary([0.2, 0.7, 0.1], [1, 0, -1]))
    assert score.tolist() == [0.2, 0.7, 0.1]
    assert positive.tolist() == [True, False, False]
    assert counted.all()


def test_certain_probabilities_make_a_score_all_the_same():
    found = direction_of(scored([1.0, 0.0], [0, 0], [0.0, 1.0], [1, -1]))
    assert np.isfinite(found.score).all()


def test_direction_auc_is_averaged_within_months_never_pooled():
    high = binary([0.8, 0.9], [-1, 1])
    low = binary([0.1, 0.2], [-1, 1])
    assert direction_auc([high, low]) == 1.0
    pooled = pd.concat([high, low], ignore_index=True)
    assert direction_auc([pooled]) == 0.75
    assert direction_auc([high, binary([0.5], [1])]) == 1.0
    assert direction_auc([SCORED.empty(), binary([0.5], [1])]) is None
    # Weighted by pairs: one pair right, three of six wrong.
    wide = binary([0.1, 0.5, 0.9, 0.2, 0.6], [1, 1, 1, -1, -1])
    assert direction_auc([high, wide]) == pytest.approx((1 + 3) / 7)


def test_confusion_matrix_in_class_order():
    assert confusion_of(THREE).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert confusion_of(binary([0.2, 0.7, 0.6], [1, 0, 1])).tolist() == [[0, 1], [1, 1]]
    assert confusion_of(SCORED.empty()).sum() == 0


def test_brier_and_log_loss_by_hand():
    one, three = class_probabilities(THREE[:1]), class_probabilities(THREE)
    assert brier_score(*one) == pytest.approx(0.4**2 + 0.1**2 + 0.3**2)
    assert log_loss(*three) == pytest.approx(-np.log([0.6, 0.5, 0.6, 0.4]).mean())
    assert log_loss(*class_probabilities(binary([0.2], [-1]))) == pytest.approx(-np.log(0.8))
    nothing = class_probabilities(SCORED.empty())
    assert brier_score(*nothing) is None
    assert log_loss(*nothing) is None
