"""Driftless odds as classes, and what is known beyond them."""

import numpy as np
import pandas as pd
import pytest

from price_physics.labels.odds import LEAST_ODDS, class_odds, log_offset
from price_physics.schemas.table import ODDS
from price_physics.scores.mean_by_blocks import BLOCK_NS
from price_physics.scores.skill import skill_over

EVENTS = pd.DataFrame(
    {
        "side": [1, -1, 1, -1],
        "p0_up": [0.5, 0.5, 0.25, 1.0],
        "p0_none": [0.2, 0.2, 0.0, 0.0],
        "p0_down": [0.3, 0.3, 0.75, 0.0],
    }
)


def test_the_class_of_a_short_s_take_profit_is_the_lower_barrier():
    three, two = class_odds(EVENTS, 3), class_odds(EVENTS, 2)
    np.testing.assert_allclose(three[:2], [[0.3, 0.2, 0.5], [0.5, 0.2, 0.3]])
    np.testing.assert_allclose(two[:2], [[0.5, 0.5], [0.7, 0.3]])
    np.testing.assert_allclose(two[:, 0], three[:, 0] + three[:, 1], atol=2 * LEAST_ODDS)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_odds_of_nothing_have_a_floor_and_a_finite_log(n_classes):
    odds = class_odds(EVENTS, n_classes)
    np.testing.assert_allclose(odds.sum(axis=1), 1, rtol=1e-15)
    assert odds.min() == pytest.approx(LEAST_ODDS, rel=1e-3)
    offset = log_offset("driftless", EVENTS, n_classes)
    assert np.isfinite(offset).all()
    np.testing.assert_allclose(np.exp(offset), odds)
    assert (log_offset("none", EVENTS, n_classes) == np.zeros((4, n_classes))).all()


def test_skill_by_hand():
    free = np.array([[0.5, 0.5]] * 6)
    said = np.array([[0.2, 0.8], [0.8, 0.2], [0.5, 0.5], [0.4, 0.6], [0.9, 0.1], [0.3, 0.7]])
    classes, block = np.array([1, 0, 1, 1, 1, 0]), np.array([0, 0, 0, 1, 1, 2])
    saved = np.log(said[np.arange(6), classes] / 0.5)
    found = skill_over(free, said, classes, 10**18 // BLOCK_NS * BLOCK_NS + block * BLOCK_NS + 7)
    mean = saved.mean()
    sums = [(saved[block == b] - mean).sum() for b in range(3)]
    error = np.sqrt(sum(s * s for s in sums) * 3 / 2) / 6
    assert found == pytest.approx((mean, mean - 1.96 * error, mean + 1.96 * error))
    assert skill_over(free, said, classes, np.arange(6)).low == -np.inf
    assert skill_over(free[:0], said[:0], classes[:0], np.arange(0)) is None


def test_the_interval_holds_what_it_says_although_days_are_alike():
    """Events of a block share their luck: an interval by events would be too narrow."""
    rng, missed = np.random.default_rng(5), 0
    time_ns = np.arange(60).repeat(20) * BLOCK_NS
    for _ in range(300):
        p = np.clip(rng.normal(0.5, 0.1, 60), 0.05, 0.95).repeat(20)[:, None]
        classes = (rng.random(60) < 0.5).repeat(20).astype(int)
        said = np.hstack([1 - p, p])
        found = skill_over(np.full((1200, 2), 0.5), said, classes, time_ns)
        truth = 0.5 * np.log(4 * p[:, 0] * (1 - p[:, 0])).mean()
        missed += not found.low <= truth <= found.high
    assert missed / 300 == pytest.approx(0.05, abs=0.035)


def test_the_side_that_was_traded_is_not_the_side_of_the_odds():
    """Of an untraded event it is 0: the odds would be turned about without a word."""
    events = pd.DataFrame({"side": [1, 0], **{name: [1 / 3] * 2 for name in ODDS}})
    with pytest.raises(ValueError, match="side = 0: the odds of an event need its own side"):
        class_odds(events, 3)
