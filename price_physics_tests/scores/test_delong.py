import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from price_physics.scores.auc import auc
from price_physics.scores.delong import compare_aucs


def naive_components(score, came):
    """Share of the other class that each event is ranked correctly against, pair by pair."""
    up, down = score[came], score[~came]
    wins = (up[:, None] > down[None, :]) + 0.5 * (up[:, None] == down[None, :])
    return wins.mean(axis=1), wins.mean(axis=0)


@pytest.mark.slow
@given(
    hnp.arrays(np.int8, st.tuples(st.just(2), st.integers(8, 40)), elements=st.integers(-3, 3)),
    st.integers(0, 2**32 - 1),
)
def test_equals_delong_by_pairs(scores, seed):
    n = scores.shape[1]
    came = np.random.default_rng(seed).permutation(np.arange(n) % 3 == 0)
    found = compare_aucs({"a": scores[0], "b": scores[1]}, came)
    parts = [naive_components(score, came) for score in scores]
    up, down = (np.cov(np.stack(p)) for p in zip(*parts, strict=True))
    assert found.auc == pytest.approx([p[0].mean() for p in parts])
    assert found.auc[0] == pytest.approx(auc(scores[0], came))
    expected = up / came.sum() + down / (~came).sum()
    assert found.covariance == pytest.approx(expected, abs=1e-12)


@pytest.mark.slow
def test_errors_are_those_of_repeated_draws():
    rng = np.random.default_rng(1)
    aucs, shares, errors, share_errors = [], [], [], []
    for _ in range(300):
        came = rng.random(600) < 0.5
        best = came + rng.normal(size=600)
        found = compare_aucs({"best": best, "worse": best + rng.normal(size=600)}, came)
        for name, values, least in (("worse", aucs, errors), ("share", shares, share_errors)):
            pair = found.of("worse") if name == "worse" else found.share("worse", "best")
            values.append(pair[0])
            least.append(pair[1])
    assert np.mean(errors) == pytest.approx(np.std(aucs), rel=0.12)
    assert np.mean(share_errors) == pytest.approx(np.std(shares), rel=0.12)


def test_a_share_of_itself_is_one_without_error():
    rng = np.random.default_rng(2)
    came = rng.random(500) < 0.5
    found = compare_aucs({"a": came + rng.normal(size=500)}, came)
    share, error = found.share("a", "a")
    assert share == 1
    assert error == pytest.approx(0, abs=1e-9)


def test_there_is_no_share_of_nothing():
    found = compare_aucs({"a": [0, 1, 0, 1], "flat": [0, 0, 0, 0]}, [0, 0, 1, 1])
    with pytest.raises(ValueError, match=r"no excess over 0\.5"):
        found.share("a", "flat")


def test_both_classes_are_needed():
    with pytest.raises(ValueError, match="1 events came out and 3 did not"):
        compare_aucs({"a": [0, 1, 2, 3]}, [0, 0, 1, 0])
