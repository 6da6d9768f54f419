"""Backtest paths: the tests of combinatorial splits, joined into whole periods."""

from collections.abc import Sequence

import numpy as np

from price_physics.folds.purged import CombinatorialPurgedCV


def stitch_paths(cv: CombinatorialPurgedCV, tested: Sequence[np.ndarray]) -> np.ndarray:
    """Join what each split gave on its test samples into one series a path.

    Every path covers every sample exactly once, each by a model that did not train on it, and
    every test of every split is used on exactly one path. What a backtest shows then has a
    distribution instead of a single value.

    Parameters
    ----------
    cv : CombinatorialPurgedCV
    tested : sequence of array of shape (n_tested, ...)
        Per split, in the order of ``cv.split``: a value for every test sample, in its order.

    Returns
    -------
    array of shape (n_paths, n_samples, ...)

    Raises
    ------
    ValueError
        When a split is missing, or gives another number of values than it tests.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, sections 12.3 and 12.4.

    Examples
    --------
    Three folds of two samples, two of them under test; every split says its own number:

    >>> start = np.arange(6)
    >>> cv = CombinatorialPurgedCV(3, 2, start, start)
    >>> stitch_paths(cv, [np.full(4, split) for split in range(3)])
    array([[0, 0, 0, 0, 1, 1],
           [1, 1, 2, 2, 2, 2]])
    """
    if len(tested) != cv.n_splits:
        raise ValueError(f"{len(tested)} splits were tested, and there are {cv.n_splits}")
    edges = cv.fold_edges
    values = [np.asarray(value) for value in tested]
    path = np.empty((cv.n_paths, edges[-1], *values[0].shape[1:]), dtype=values[0].dtype)
    used = np.zeros(cv.n_folds, dtype=np.int64)
    for split, blocks in enumerate(cv.test_blocks()):
        n_tested = sum(stop - first for first, stop in blocks)
        if len(values[split]) != n_tested:
            raise ValueError(
                f"split {split} tests {n_tested} samples and gave {len(values[split])}"
            )
        taken = 0
        for first, stop in blocks:
            fold = int(np.searchsorted(edges, first, side="right")) - 1
            path[used[fold], first:stop] = values[split][taken : taken + stop - first]
            used[fold] += 1
            taken += stop - first
    return path
