"""K-folds over labels that overlap in time: every sample is tested, training is purged.

Splits that train on the past only are in `walk_forward`.
"""

from collections.abc import Iterator
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from price_physics.folds.splitter import (
    Blocks,
    BoolArray,
    IntArray,
    PurgedSplitter,
    fold_edges,
    purge,
)

__all__ = ["BoolArray", "CombinatorialPurgedCV", "IntArray", "PurgedKFold", "purge"]


class PurgedKFold(PurgedSplitter):
    """K-fold over labels that overlap in time: contiguous test blocks, training purged.

    Parameters
    ----------
    n_splits : int
        Folds, at least 2.
    label_start_ns, label_end_ns : int64 array of shape (n_samples,)
        The closed interval of each sample's label, sorted by start, UTC ns.
    embargo_ns : int
        A duration of at least the horizon; samples that start that soon after a test block do
        not train.

    Raises
    ------
    ValueError
        When the samples are not in time order, an interval ends before it starts, the arrays do
        not fit each other, or there are fewer samples than folds.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippet 7.3.

    Examples
    --------
    Labels of three bars each, five folds of two:

    >>> start = np.arange(10)
    >>> for train, test in PurgedKFold(5, start, start + 2).split(start):
    ...     print(train, test)
    [4 5 6 7 8 9] [0 1]
    [6 7 8 9] [2 3]
    [0 1 8 9] [4 5]
    [0 1 2 3] [6 7]
    [0 1 2 3 4 5] [8 9]
    """

    def __init__(
        self,
        n_splits: int,
        label_start_ns: npt.ArrayLike,
        label_end_ns: npt.ArrayLike,
        embargo_ns: int = 0,
    ) -> None:
        super().__init__(label_start_ns, label_end_ns, embargo_ns)
        self.n_splits = n_splits
        self.fold_edges = fold_edges(len(self.label_start_ns), n_splits, f"n_splits = {n_splits}")

    def test_blocks(self) -> Iterator[Blocks]:
        """Yield one fold after the other."""
        for first, stop in zip(self.fold_edges[:-1], self.fold_edges[1:], strict=True):
            yield [(first, stop)]


class CombinatorialPurgedCV(PurgedSplitter):
    """Test every choice of some folds out of many, and join the tests into whole paths.

    A k-fold backtests the period once; N folds of which k are tested at a time backtest it
    ``C(N, k) k / N`` times, each time by other models.

    Parameters
    ----------
    n_folds : int
        Contiguous folds, at least 2.
    n_test_folds : int
        Folds under test in each split, at least 1 and fewer than `n_folds`.
    label_start_ns, label_end_ns : int64 array of shape (n_samples,)
        The closed interval of each sample's label, sorted by start, UTC ns.
    embargo_ns : int
        A duration of at least the horizon; samples that start that soon after a test block do
        not train.

    Raises
    ------
    ValueError
        As `PurgedKFold` does, or when nothing would be tested or nothing trained.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, section 12.4.

    Examples
    --------
    Labels of two bars each, three folds of three, two of them under test:

    >>> start = np.arange(9)
    >>> cv = CombinatorialPurgedCV(3, 2, start, start + 1)
    >>> for train, test in cv.split(start):
    ...     print(train, test)
    [7 8] [0 1 2 3 4 5]
    [4] [0 1 2 6 7 8]
    [0 1] [3 4 5 6 7 8]
    >>> cv.backtest_paths()
    array([[0, 0, 1],
           [1, 2, 2]])
    """

    def __init__(
        self,
        n_folds: int,
        n_test_folds: int,
        label_start_ns: npt.ArrayLike,
        label_end_ns: npt.ArrayLike,
        embargo_ns: int = 0,
    ) -> None:
        super().__init__(label_start_ns, label_end_ns, embargo_ns)
        self.fold_edges = fold_edges(len(self.label_start_ns), n_folds, f"n_folds = {n_folds}")
        if not 1 <= n_test_folds < n_folds:
            raise ValueError(
                f"n_test_folds = {n_test_folds} must be at least 1 and less than n_folds = "
                f"{n_folds}: some folds are tested, the others train"
            )
        self.n_folds, self.n_test_folds = n_folds, n_test_folds
        self.n_splits = comb(n_folds, n_test_folds)
        self.n_paths = self.n_splits * n_test_folds // n_folds

    def test_blocks(self) -> Iterator[Blocks]:
        """Yield every choice of folds, in lexicographic order."""
        for tested in self._tested():
            yield [(self.fold_edges[fold], self.fold_edges[fold + 1]) for fold in tested]

    def backtest_paths(self) -> IntArray:
        """List the splits whose predictions make up each path.

        Returns
        -------
        int64 array of shape (n_paths, n_folds)
            The split that tests each fold on each path; every test of every split is used once.
            Fold f holds the samples ``[fold_edges[f], fold_edges[f + 1])``.
        """
        splits: list[list[int]] = [[] for _ in range(self.n_folds)]
        for split, tested in enumerate(self._tested()):
            for fold in tested:
                splits[fold].append(split)
        return np.array(splits, dtype=np.int64).T

    def _tested(self) -> Iterator[tuple[int, ...]]:
        return combinations(range(self.n_folds), self.n_test_folds)
