"""Purging, embargo and the k-fold built on them, with scikit-learn's splitter protocol.

What the pipeline does with a split (early stopping, manifests) is in `roles` and `build`.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


def purge(
    label_start_ns: IntArray, label_end_ns: IntArray, test: BoolArray, embargo_ns: int = 0
) -> tuple[BoolArray, BoolArray]:
    """Find the labels that may not train because of what is tested.

    Every contiguous block of test labels reaches from its first start to its **largest** end: with
    labels that end early and late, the last one's end is not it. A label is purged when its closed
    interval meets that reach, embargoed when it merely starts within the embargo after it.

    Parameters
    ----------
    label_start_ns, label_end_ns : int64 array of shape (n_labels,)
        Closed intervals, sorted by start, UTC ns.
    test : bool array of shape (n_labels,)
        The labels under test, in any number of blocks.
    embargo_ns : int
        Both ends inclusive.

    Returns
    -------
    purged, embargoed : bool array of shape (n_labels,)
        Disjoint, and False for the labels under test.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippets 7.1 and 7.2.

    Examples
    --------
    >>> start = np.arange(6)
    >>> test = np.array([False, False, True, False, False, False])
    >>> purge(start, start + 1, test, embargo_ns=1)[0].astype(int)
    array([0, 1, 0, 1, 0, 0])
    >>> purge(start, start + 1, test, embargo_ns=1)[1].astype(int)
    array([0, 0, 0, 0, 1, 0])
    """
    purged = np.zeros(len(test), dtype=np.bool_)
    embargoed = np.zeros(len(test), dtype=np.bool_)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], test, [False]]).astype(np.int8)))
    for first, stop in edges.reshape(-1, 2):
        block_start, block_end = label_start_ns[first], label_end_ns[first:stop].max()
        after = np.searchsorted(label_start_ns, block_end, side="right")
        free = np.searchsorted(label_start_ns, block_end + embargo_ns, side="right")
        purged[:after] |= label_end_ns[:after] >= block_start
        embargoed[after:free] = True
    purged &= ~test
    return purged, embargoed & ~purged & ~test


class PurgedKFold:
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
        self.n_splits = n_splits
        self.label_start_ns = _times(label_start_ns, "label_start_ns")
        self.label_end_ns = _times(label_end_ns, "label_end_ns")
        self.embargo_ns = embargo_ns
        _check_intervals(self.label_start_ns, self.label_end_ns)
        if not 2 <= n_splits <= len(self.label_start_ns):
            raise ValueError(
                f"n_splits = {n_splits} must be between 2 and the number of samples, "
                f"{len(self.label_start_ns)}"
            )
        if embargo_ns < 0:
            raise ValueError(f"embargo_ns = {embargo_ns} must not be negative")

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds; the arguments are ignored, as scikit-learn has them."""
        return self.n_splits

    def test_masks(self) -> Iterator[BoolArray]:
        """Yield the samples under test in each fold, contiguous and in time order."""
        n_samples = len(self.label_start_ns)
        for block in np.array_split(np.arange(n_samples), self.n_splits):
            mask = np.zeros(n_samples, dtype=np.bool_)
            mask[block] = True
            yield mask

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield positions of the training and of the test samples of each fold.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Only its length is read; its rows are the labels given to the constructor.
        y, groups : ignored
            As scikit-learn has them.

        Raises
        ------
        ValueError
            When X has another number of rows than there are labels.
        """
        n_samples = X.shape[0] if hasattr(X, "shape") else len(X)
        if n_samples != len(self.label_start_ns):
            raise ValueError(
                f"X has {n_samples} rows, but this PurgedKFold was given "
                f"{len(self.label_start_ns)} labels; build it from the labels of these very rows"
            )
        for test in self.test_masks():
            purged, embargoed = purge(self.label_start_ns, self.label_end_ns, test, self.embargo_ns)
            yield np.flatnonzero(~(test | purged | embargoed)), np.flatnonzero(test)


def _times(values: npt.ArrayLike, name: str) -> IntArray:
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a one-dimensional array of int64 nanoseconds, not {array.dtype} of "
            f'shape {array.shape}; convert datetimes with .astype("datetime64[ns]").astype("int64")'
        )
    return array.astype(np.int64)


def _check_intervals(label_start_ns: IntArray, label_end_ns: IntArray) -> None:
    if label_start_ns.shape != label_end_ns.shape:
        raise ValueError(
            f"label_start_ns has {len(label_start_ns)} samples, label_end_ns {len(label_end_ns)}"
        )
    backwards = np.flatnonzero(np.diff(label_start_ns) < 0)
    if len(backwards):
        i = int(backwards[0]) + 1
        raise ValueError(
            f"label_start_ns is not sorted: sample {i} starts at {label_start_ns[i]}, before "
            f"sample {i - 1} at {label_start_ns[i - 1]}. Test blocks must be contiguous in time, "
            "so samples must be in time order: were they shuffled, or joined from several "
            "instruments? Sort X, y and both arrays by label_start_ns"
        )
    negative = np.flatnonzero(label_end_ns < label_start_ns)
    if len(negative):
        i = int(negative[0])
        raise ValueError(
            f"sample {i} ends at {label_end_ns[i]}, before its start {label_start_ns[i]}: were "
            "label_start_ns and label_end_ns given the wrong way round?"
        )
