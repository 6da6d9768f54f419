"""What probabilities know beyond others, and the interval of a mean by blocks of days."""

import numpy as np
import pytest

from price_physics.scores.mean_by_blocks import BLOCK_NS, mean_by_blocks
from price_physics.scores.probabilities import log_loss
from price_physics.scores.skill import skill_over

RNG = np.random.default_rng(4)


def test_the_skill_is_the_difference_of_the_log_losses():
    free, said = RNG.dirichlet([2, 3, 4], 300), RNG.dirichlet([4, 3, 2], 300)
    classes = RNG.integers(0, 3, 300)
    found = skill_over(free, said, classes, np.arange(300) * BLOCK_NS // 10)
    assert found.saved == pytest.approx(
        log_loss(free, classes) - log_loss(said, classes), abs=1e-12
    )
    back = skill_over(said, free, classes, np.arange(300) * BLOCK_NS // 10)
    assert (back.saved, back.low, back.high) == pytest.approx(
        (-found.saved, -found.high, -found.low)
    )


def test_the_interval_covers_the_mean_of_blocks_that_move_together():
    """Ten events per block share its luck: an interval by events would be far too narrow."""
    n_blocks, a_block, covered = 60, 10, 0
    time_ns = np.repeat(np.arange(n_blocks), a_block) * BLOCK_NS
    for seed in range(400):
        rng = np.random.default_rng(seed)
        luck = np.repeat(rng.normal(size=n_blocks), a_block)
        found = mean_by_blocks(luck + rng.normal(size=len(luck)), time_ns)
        covered += found.low <= 0 <= found.high
    assert covered / 400 == pytest.approx(0.95, abs=0.035)


def test_the_order_of_the_events_does_not_matter():
    values, time_ns = RNG.normal(size=50), np.arange(50) * BLOCK_NS // 3
    order = RNG.permutation(50)
    assert mean_by_blocks(values[order], time_ns[order]) == pytest.approx(
        mean_by_blocks(values, time_ns)
    )


def test_one_block_tells_no_interval_and_nothing_no_mean():
    assert mean_by_blocks([1.0, 3.0], [0, 1]) == (2.0, -np.inf, np.inf)
    assert mean_by_blocks([], []) is None
    assert skill_over(np.empty((0, 2)), np.empty((0, 2)), np.empty(0, int), np.empty(0)) is None
