import numpy as np
import pytest

from price_physics.folds.paths import stitch_paths
from price_physics.folds.purged import CombinatorialPurgedCV


def splitter(n_samples, n_folds, n_test_folds):
    start = np.arange(n_samples)
    return CombinatorialPurgedCV(n_folds, n_test_folds, start, start + 2, embargo_ns=1)


def test_golden_paths_of_six_choose_two():
    # AFML, figure 12.1: 15 splits, 5 paths; the first fold is tested by the splits 1 to 5.
    cv = splitter(60, 6, 2)
    paths = stitch_paths(cv, [np.full(20, split + 1) for split in range(15)])
    assert paths.shape == (5, 60)
    by_fold = paths.reshape(5, 6, 10)
    assert (by_fold == by_fold[:, :, :1]).all()
    assert by_fold[:, 0, 0].tolist() == [1, 2, 3, 4, 5]
    assert by_fold[:, 1, 0].tolist() == [1, 6, 7, 8, 9]
    assert by_fold[:, 5, 0].tolist() == [5, 9, 12, 14, 15]
    assert (by_fold[:, :, 0] - 1 == cv.backtest_paths()).all()


@pytest.mark.parametrize(
    ("n_samples", "n_folds", "n_test_folds"), [(31, 5, 2), (17, 4, 3), (9, 3, 1)]
)
def test_every_test_is_used_once_and_every_path_is_whole(n_samples, n_folds, n_test_folds):
    cv = splitter(n_samples, n_folds, n_test_folds)
    x = np.arange(n_samples)
    tested = [
        np.stack([test, np.full(len(test), split)], axis=1)
        for split, (_, test) in enumerate(cv.split(x))
    ]
    paths = stitch_paths(cv, tested)
    assert paths.shape == (cv.n_paths, n_samples, 2)
    assert (paths[:, :, 0] == x).all()
    used = sorted(map(tuple, paths.reshape(-1, 2).tolist()))
    assert used == sorted(map(tuple, np.concatenate(tested).tolist()))


def test_missing_splits_and_values_are_refused():
    cv = splitter(12, 3, 2)
    with pytest.raises(ValueError, match="2 splits were tested, and there are 3"):
        stitch_paths(cv, [np.zeros(8)] * 2)
    with pytest.raises(ValueError, match="split 1 tests 8 samples and gave 7"):
        stitch_paths(cv, [np.zeros(8), np.zeros(7), np.zeros(8)])
