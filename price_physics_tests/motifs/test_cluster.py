"""Who is explained, and who belongs together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from price_physics.motifs.cluster import cluster, cluster_features, confident_events, lean


def blobs(sizes, seed=0):
    rng = np.random.default_rng(seed)
    centres = 10 * np.eye(len(sizes))
    parts = [
        c + 0.1 * rng.standard_normal((n, len(sizes))) for n, c in zip(sizes, centres, strict=True)
    ]
    order = rng.permutation(sum(sizes))
    return np.concatenate(parts)[order], np.repeat(np.arange(len(sizes)), sizes)[order]


def test_blobs_are_found_and_ordered_by_size():
    features, truth = blobs([5, 20, 11])
    found = cluster(features, 3, seed=1)
    assert found.n_clusters == 3
    np.testing.assert_array_equal(found.member, np.array([2, 0, 1])[truth])
    assert (found.distance < 1).all()


def test_equal_sizes_are_ordered_by_their_first_event():
    features, _ = blobs([6, 6])
    assert cluster(features, 2, seed=3).member[0] == 0


def test_the_seed_decides_and_nothing_else():
    features = np.random.default_rng(4).standard_normal((60, 12))
    a, b = cluster(features, 4, seed=9), cluster(features, 4, seed=9)
    np.testing.assert_array_equal(a.member, b.member)
    np.testing.assert_array_equal(a.distance, b.distance)


def test_coinciding_events_ask_for_fewer_clusters():
    found = cluster(np.repeat([[0.0, 1.0], [1.0, 0.0]], 6, axis=0), 4, seed=0)
    assert found.n_clusters == 2


@given(
    values=st.lists(st.floats(-1, 1), max_size=40),
    side=st.sampled_from([1, -1]),
    most=st.integers(1, 40),
)
def test_the_chosen_lean_further_than_the_median_and_than_the_rest(values, side, most):
    leaning = np.array(values, dtype=np.float64)
    chosen = confident_events(leaning, side, most)
    assert len(chosen) <= most
    assert (np.diff(chosen) > 0).all()
    if len(chosen):
        rest = np.setdiff1d(np.arange(len(leaning)), chosen)
        assert (side * leaning[chosen] > side * np.median(leaning)).all()
        assert (side * leaning[rest]).max(initial=-np.inf) <= (side * leaning[chosen]).min()


def test_nobody_is_on_both_sides():
    leaning = np.random.default_rng(0).standard_normal(51)
    up, down = (set(confident_events(leaning, side, 100)) for side in (1, -1))
    assert not up & down
    assert len(up | down) == 50


def test_lean_of_both_heads():
    p_up, nothing = np.array([0.5, 0.2]), np.full(2, np.nan)
    np.testing.assert_allclose(lean(p_up, np.array([0.1, 0.6])), [0.4, -0.4])
    np.testing.assert_allclose(lean(p_up, nothing), [0.5, 0.2])


def test_shape_slope_and_attention_all_tell_events_apart():
    t = np.linspace(0, 1, 32)
    paths = np.stack([t, 2 * t, np.abs(t - 0.5), t])
    late = np.repeat([0.5, 1.5], 8) / 16
    profiles = np.stack([np.full(16, 1 / 16)] * 3 + [late])
    features = cluster_features(paths, profiles)
    assert features.shape == (4, 40)
    assert len(np.unique(features.round(9), axis=0)) == 4
    shifted = cluster_features(paths + 3.0, profiles)
    np.testing.assert_allclose(shifted, features, atol=1e-12)


def test_constant_blocks_are_zero_and_not_noise():
    features = cluster_features(np.ones((3, 32)), np.full((3, 16), 1 / 16))
    assert not features.any()
