"""The draw of what trains: exact counts, the most unique for certain, sums that are kept."""

import numpy as np
import pytest

from price_physics.weights.draw import drawn_by_uniqueness


def test_weights_after_the_draw_add_up_to_those_before_it():
    rng = np.random.default_rng(5)
    unique = np.where(rng.random(2_000) < 0.02, 1.0, rng.uniform(0.005, 0.05, 2_000))
    drawn, least = drawn_by_uniqueness(unique, 400)
    assert len(np.unique(drawn)) == 400
    assert (np.diff(drawn) > 0).all()
    assert set(np.flatnonzero(unique >= least)) <= set(drawn), "the most unique are certain"
    assert np.minimum(1, unique / least).sum() == pytest.approx(400)
    kept = np.maximum(unique[drawn], least)
    assert kept.sum() == pytest.approx(unique.sum(), rel=0.01)
    for part in np.array_split(np.arange(2_000), 5):  # over every fifth of the time too
        inside = np.isin(drawn, part)
        assert kept[inside].sum() == pytest.approx(unique[part].sum(), abs=1.01 * least)


@pytest.mark.parametrize("values", [3, 7, None], ids=["tied", "less tied", "all different"])
def test_as_many_as_wanted_are_drawn_and_nobody_twice(values):
    rng = np.random.default_rng(6)
    for _ in range(300):
        n = int(rng.integers(2, 60))
        most = int(rng.integers(1, n))
        unique = rng.random(n) + 1e-3 if values is None else rng.integers(1, values + 1, n) / values
        drawn, least = drawn_by_uniqueness(unique.astype(float), most)
        assert len(np.unique(drawn)) == len(drawn) == most
        assert set(np.flatnonzero(unique > least * (1 + 1e-9))) <= set(drawn)


def test_a_few_are_all_drawn():
    unique = np.array([0.5, 1.0])
    for most in (2, 3, None):
        drawn, least = drawn_by_uniqueness(unique, most)
        assert (drawn.tolist(), least) == ([0, 1], 0.0)
