"""The exact odds of an outcome against simulation, and shares of the attainable log loss."""

import numpy as np
import pytest

from price_physics.truth.markets import ceiling_auc
from price_physics.truth.odds import gain, outcome_odds


def simulated(theta, steps, n_ticks, n_paths, seed):
    """Shares of [down, none, up] among paths."""
    rng = np.random.default_rng(seed)
    path = np.where(rng.random((n_paths, n_ticks)) < (1 + theta) / 2, 1, -1).cumsum(axis=1)
    hit = np.abs(path) >= steps
    label = np.sign(path[np.arange(n_paths), hit.argmax(axis=1)]) * hit.any(axis=1)
    return np.bincount(label + 1, minlength=3) / n_paths


@pytest.mark.parametrize(("theta", "steps", "n_ticks"), [(0.025, 9, 128), (0.2, 4, 17), (0, 3, 9)])
def test_odds_are_those_of_simulated_paths(theta, steps, n_ticks):
    odds, n = outcome_odds(theta, steps, n_ticks), 40_000
    assert odds.sum() == pytest.approx(1, abs=1e-12)
    error = np.sqrt(odds * (1 - odds) / n)
    assert (np.abs(simulated(theta, steps, n_ticks, n, seed=1) - odds) < 4 * error).all()


def test_odds_of_short_paths_by_hand():
    assert outcome_odds(0.5, 1, 1).tolist() == [0.25, 0, 0.75]
    assert outcome_odds(0.0, 2, 2).tolist() == [0.25, 0.5, 0.25]
    assert outcome_odds(0.5, 2, 2).tolist() == [0.0625, 0.375, 0.5625]
    assert outcome_odds(0.5, 3, 2).tolist() == [0, 1, 0]


def test_of_those_that_touch_the_share_is_the_gamblers():
    down, _, up = outcome_odds(0.025, 12)
    assert up / (up + down) == pytest.approx(ceiling_auc("trend"), abs=1e-12)
    assert outcome_odds(-0.025, 12) == pytest.approx(outcome_odds(0.025, 12)[::-1])


@pytest.fixture(scope="module")
def outcomes():
    """Classes that came, an oracle's odds and those without the pattern."""
    rng = np.random.default_rng(2)
    up = outcome_odds(0.1, 9)
    oracle = np.where(rng.random((8_000, 1)) < 0.5, up, up[::-1])
    classes = (rng.random((8_000, 1)) > oracle.cumsum(axis=1)).sum(axis=1)
    return classes, oracle, np.broadcast_to(outcome_odds(0.0, 9), oracle.shape)


def test_the_oracle_gains_all_and_the_driftless_nothing(outcomes):
    classes, oracle, free = outcomes
    best, none = gain(oracle, oracle, free, classes), gain(free, oracle, free, classes)
    assert (best.share, best.share_error) == (1, 0)
    assert (none.share, none.share_error) == (0, 0)
    assert none.predicted == pytest.approx(outcome_odds(0.0, 9))
    assert none.observed == pytest.approx(np.bincount(classes) / len(classes))


def test_who_mistakes_the_barriers_loses_more_than_nothing(outcomes):
    classes, oracle, free = outcomes
    up = outcome_odds(0.1, 16)
    far = np.where(oracle[:, 2:] > oracle[:, :1], up, up[::-1])
    found = gain(far, oracle, free, classes)
    assert found.share < -3 * found.share_error
    assert found.predicted[1] > found.observed[1] + 0.1


def test_the_error_is_that_of_many_samples(outcomes):
    classes, oracle, free = outcomes
    blend = 0.6 * oracle + 0.4 * free
    found, rng = gain(blend, oracle, free, classes), np.random.default_rng(3)
    draws = (rng.integers(len(classes), size=len(classes)) for _ in range(300))
    shares = [gain(blend[i], oracle[i], free[i], classes[i]).share for i in draws]
    assert np.std(shares) == pytest.approx(found.share_error, rel=0.15)


def test_without_anything_to_gain_there_is_no_share(outcomes):
    classes, oracle, free = outcomes
    with pytest.raises(ValueError, match=r"8000 events: .* nothing to share"):
        gain(oracle, free, free, classes)
