"""Splits that train on the past only: anchored at the beginning, or over a rolling window."""

from abc import abstractmethod
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from price_physics.folds.splitter import Blocks, IntArray, PurgedSplitter, fold_edges


class _WalkForward(PurgedSplitter):
    """Test one fold after the other, from the second, and train on what ended before it starts.

    Nothing after a test block trains, so the embargo lies before it: a label trains when it ended
    more than the embargo before the first test label starts.
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
        self.fold_edges = fold_edges(
            len(self.label_start_ns), n_splits + 1, f"n_splits = {n_splits}, and one fold before,"
        )

    @abstractmethod
    def oldest_ns(self, test_start_ns: int) -> int:
        """Return the earliest start of a label that trains."""

    def test_blocks(self) -> Iterator[Blocks]:
        """Yield every fold but the first, in time order."""
        for first, stop in zip(self.fold_edges[1:-1], self.fold_edges[2:], strict=True):
            yield [(first, stop)]

    def training(self, blocks: Blocks) -> IntArray:
        """Return the positions of the samples that ended before the test block starts."""
        first = blocks[0][0]
        test_start_ns = int(self.label_start_ns[first])
        begin = int(np.searchsorted(self.label_start_ns, self.oldest_ns(test_start_ns), "left"))
        limit_ns = test_start_ns - self.embargo_ns
        # Labels before `near` all end before the block: even the latest end so far does.
        near = max(begin, int(np.searchsorted(self._latest_end_ns, limit_ns, side="left")))
        over = self.label_end_ns[near:first] < limit_ns
        return np.concatenate([self._positions[begin:near], self._positions[near:first][over]])


class AnchoredWalkForward(_WalkForward):
    """Train on everything from the beginning until each test block.

    Parameters
    ----------
    n_splits : int
        Test blocks, at least 1. The samples are cut into one fold more; the first only trains.
    label_start_ns, label_end_ns : int64 array of shape (n_samples,)
        The closed interval of each sample's label, sorted by start, UTC ns.
    embargo_ns : int
        A duration: labels that end within it before a test block do not train.

    Raises
    ------
    ValueError
        When the samples are not in time order, an interval ends before it starts, the arrays do
        not fit each other, or there are not more samples than splits.

    Examples
    --------
    Labels of two bars each, the last of them purged:

    >>> start = np.arange(8)
    >>> for train, test in AnchoredWalkForward(3, start, start + 1).split(start):
    ...     print(train, test)
    [0] [2 3]
    [0 1 2] [4 5]
    [0 1 2 3 4] [6 7]
    """

    def oldest_ns(self, test_start_ns: int) -> int:
        """Return the start of the first label."""
        return int(self.label_start_ns[0])


class RollingWalkForward(_WalkForward):
    """Train on a window of fixed duration before each test block.

    Parameters
    ----------
    n_splits : int
        Test blocks, at least 1. The samples are cut into one fold more; the first only trains.
    training_ns : int
        A label trains when it starts at most this long before the first test label.
    label_start_ns, label_end_ns : int64 array of shape (n_samples,)
        The closed interval of each sample's label, sorted by start, UTC ns.
    embargo_ns : int
        A duration: labels that end within it before a test block do not train.

    Raises
    ------
    ValueError
        As `AnchoredWalkForward` does, or when the embargo leaves nothing of the window.

    Examples
    --------
    >>> start = np.arange(8)
    >>> for train, test in RollingWalkForward(3, 3, start, start + 1).split(start):
    ...     print(train, test)
    [0] [2 3]
    [1 2] [4 5]
    [3 4] [6 7]
    """

    def __init__(
        self,
        n_splits: int,
        training_ns: int,
        label_start_ns: npt.ArrayLike,
        label_end_ns: npt.ArrayLike,
        embargo_ns: int = 0,
    ) -> None:
        super().__init__(n_splits, label_start_ns, label_end_ns, embargo_ns)
        if training_ns <= embargo_ns:
            raise ValueError(
                f"training_ns = {training_ns} must be longer than embargo_ns = {embargo_ns}, "
                "which leaves no label to train on"
            )
        self.training_ns = training_ns

    def oldest_ns(self, test_start_ns: int) -> int:
        """Return the beginning of the window."""
        return test_start_ns - self.training_ns
