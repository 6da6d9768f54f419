"""Purging, the embargo, and the base of every splitter, with scikit-learn's protocol.

A new splitter is one method that says what is tested. What the pipeline does with a split (early
stopping, manifests) is in `roles` and `build`; the proof that a split is clean is in `audit`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Blocks = list[tuple[int, int]]


def purge(
    label_start_ns: IntArray, label_end_ns: IntArray, test: BoolArray, embargo_ns: int = 0
) -> tuple[BoolArray, BoolArray]:
    """Find the labels that may not train because of what is tested.

    Every contiguous block of test labels reaches from its first start to its **largest** end, which
    need not be the end of its last label. A label is purged when its closed interval meets that
    reach, embargoed when it merely starts within the embargo after it.

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
    edges = np.flatnonzero(np.diff(test, prepend=False, append=False))
    blocks = [(int(first), int(stop)) for first, stop in edges.reshape(-1, 2)]
    for gap in _gaps(label_start_ns, label_end_ns, blocks, embargo_ns):
        purged[gap.begin : gap.after] = True
        embargoed[gap.after : gap.free] = True
        if gap.stop < len(test):
            between = slice(gap.begin, gap.stop)
            purged[between] |= label_end_ns[between] >= label_start_ns[gap.stop]
    return purged, embargoed & ~purged


class _Gap(NamedTuple):
    """Positions of the labels between two test blocks, of which the later starts at `stop`.

    ``[begin, after)`` start while a block before them lasts, ``[after, free)`` within the embargo.
    """

    begin: int
    after: int
    free: int
    stop: int


def _gaps(
    label_start_ns: IntArray, label_end_ns: IntArray, blocks: Blocks, embargo_ns: int
) -> Iterator[_Gap]:
    """Yield what lies before, between and after the blocks, which are in time order.

    As starts are sorted, two blocks a gap are enough. Of those before it, the one that reaches
    furthest; of those after it, the next: a label that meets a later one meets the next one too.
    """
    n_labels = len(label_start_ns)
    begin, after, free = 0, 0, 0
    reach = np.iinfo(np.int64).min
    for first, stop in [*blocks, (n_labels, n_labels)]:
        yield _Gap(begin, min(max(begin, after), first), min(max(begin, free), first), first)
        if first < stop:
            reach = max(reach, int(label_end_ns[first:stop].max()))
            after, free = np.searchsorted(
                label_start_ns, [reach, reach + embargo_ns], side="right"
            ).tolist()
        begin = stop


class PurgedSplitter(ABC):
    """Base of the splitters: hold the labels, purge what a subclass does not test.

    A subclass sets `n_splits` and implements `test_blocks`.

    Parameters
    ----------
    label_start_ns, label_end_ns : int64 array of shape (n_samples,)
        The closed interval of each sample's label, sorted by start, UTC ns.
    embargo_ns : int
        A duration of at least the horizon.

    Raises
    ------
    ValueError
        When the samples are not in time order, an interval ends before it starts, or the arrays do
        not fit each other.

    Examples
    --------
    Leave one label out:

    >>> class LeaveOneOut(PurgedSplitter):
    ...     n_splits = 4
    ...     def test_blocks(self):
    ...         yield from ([(i, i + 1)] for i in range(4))
    >>> start = np.arange(4)
    >>> for train, test in LeaveOneOut(start, start + 1).split(start):
    ...     print(train, test)
    [2 3] [0]
    [3] [1]
    [0] [2]
    [0 1] [3]
    """

    n_splits: int

    def __init__(
        self, label_start_ns: npt.ArrayLike, label_end_ns: npt.ArrayLike, embargo_ns: int = 0
    ) -> None:
        self.label_start_ns = times(label_start_ns, "label_start_ns")
        self.label_end_ns = times(label_end_ns, "label_end_ns")
        self.embargo_ns = embargo_ns
        check_intervals(self.label_start_ns, self.label_end_ns)
        if embargo_ns < 0:
            raise ValueError(f"embargo_ns = {embargo_ns} must not be negative")
        self._positions = np.arange(len(self.label_start_ns))
        self._latest_end_ns = np.maximum.accumulate(self.label_end_ns)

    @abstractmethod
    def test_blocks(self) -> Iterator[Blocks]:
        """Yield, for each split, the blocks under test: (first, stop) positions in time order."""

    def training(self, blocks: Blocks) -> IntArray:
        """Return the positions of the samples that may train beside these test blocks."""
        kept = []
        for gap in _gaps(self.label_start_ns, self.label_end_ns, blocks, self.embargo_ns):
            if gap.stop == len(self._positions):
                kept.append(self._positions[gap.free :])
                continue
            opens_ns = self.label_start_ns[gap.stop]
            # Labels before `near` all end before the block: even the latest end so far does.
            near = max(gap.free, int(np.searchsorted(self._latest_end_ns, opens_ns, side="left")))
            over = self.label_end_ns[near : gap.stop] < opens_ns
            kept += [self._positions[gap.free : near], self._positions[near : gap.stop][over]]
        return np.concatenate(kept)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits; the arguments are ignored, as scikit-learn has them."""
        return self.n_splits

    def test_masks(self) -> Iterator[BoolArray]:
        """Yield the samples under test in each split, as booleans."""
        for blocks in self.test_blocks():
            mask = np.zeros(len(self._positions), dtype=np.bool_)
            for first, stop in blocks:
                mask[first:stop] = True
            yield mask

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[IntArray, IntArray]]:
        """Yield sorted positions of the training and of the test samples of each split.

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
        if n_samples != len(self._positions):
            raise ValueError(
                f"X has {n_samples} rows, but this {type(self).__name__} was given "
                f"{len(self._positions)} labels; build it from the labels of these very rows"
            )
        for blocks in self.test_blocks():
            test = np.concatenate([self._positions[first:stop] for first, stop in blocks])
            yield self.training(blocks), test


def fold_edges(n_samples: int, n_folds: int, name: str) -> list[int]:
    """Cut samples into contiguous folds of nearly equal size, the larger ones first.

    Fold f is ``[edges[f], edges[f + 1])``, as `numpy.array_split` has it.

    Raises
    ------
    ValueError
        When a fold would be empty, or there is only one; `name` says what to change.
    """
    if not 2 <= n_folds <= n_samples:
        raise ValueError(
            f"{name} makes {n_folds} folds; there must be between 2 and the number of samples, "
            f"{n_samples}"
        )
    size, larger = divmod(n_samples, n_folds)
    return [fold * size + min(fold, larger) for fold in range(n_folds + 1)]


def times(values: npt.ArrayLike, name: str) -> IntArray:
    """Take int64 nanoseconds; raise ValueError for anything else."""
    array = np.asarray(values)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a one-dimensional array of int64 nanoseconds, not {array.dtype} of "
            f'shape {array.shape}; convert datetimes with .astype("datetime64[ns]").astype("int64")'
        )
    return array.astype(np.int64)


def check_intervals(label_start_ns: IntArray, label_end_ns: IntArray) -> None:
    """Raise ValueError unless these are closed intervals sorted by start."""
    if label_start_ns.shape != label_end_ns.shape:
        raise ValueError(
            f"label_start_ns has {len(label_start_ns)} samples, label_end_ns {len(label_end_ns)}"
        )
    backwards = np.flatnonzero(label_start_ns[1:] < label_start_ns[:-1])
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
