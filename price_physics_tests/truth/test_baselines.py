import numpy as np
import pytest

from price_physics.scores.delong import compare_aucs
from price_physics.truth.baselines import boosted_trees, logistic_regression, normalised_path
from price_physics_tests.truth.lattice import split


@pytest.mark.parametrize("kind", ["trend", "exclusive_or", "volatility", "walk"])
def test_who_sees_what(kind):
    """A linear model sees a trend and no exclusive-or; nobody sees what is not there."""
    train, up, test, came_up, sign = split(kind, 900, seed=11)
    scores = {
        "oracle": sign,
        "logistic": logistic_regression(train, up, test),
        "trees": boosted_trees(train, up, test, seed=1),
    }
    found = compare_aucs(scores, came_up)
    linear, error = found.of("logistic")
    trees, trees_error = found.of("trees")
    if kind == "trend":
        assert found.share("logistic", "oracle")[0] > 0.9
    else:
        assert abs(linear - 0.5) <= 3 * error, "the market leaks to a linear model"
    if kind in ("trend", "exclusive_or"):
        assert found.share("trees", "oracle")[0] > 0.8
    else:
        assert abs(trees - 0.5) <= 3 * trees_error
        assert not sign.any()


def test_boosted_trees_depend_on_their_seed_alone():
    train, up, test, *_ = split("trend", 60, seed=12)
    a, b = (boosted_trees(train, up, test, seed=3) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_a_path_does_not_depend_on_price_or_amplitude():
    rng = np.random.default_rng(4)
    steps = rng.normal(size=(5, 32)).cumsum(axis=1)
    low, high = np.exp(steps * 1e-4), 7_000 * np.exp(steps * 3e-2)
    np.testing.assert_allclose(normalised_path(low), normalised_path(high), rtol=1e-9)
