"""Proof that a split is clean, whoever made it: no training label touches what is tested.

It shares only the meaning of a block with the splitters: `splitter` says what to drop, this module
what should have been dropped and was not.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from price_physics.folds.splitter import IntArray, check_intervals, times

INDEX_TWICE = "index twice"
TRAIN_IN_TEST = "train in test"
LEADING_EDGE = "leading edge"
TRAILING_EDGE = "trailing edge"
INSIDE_EMBARGO = "inside embargo"


@dataclass(frozen=True)
class Finding:
    """One kind of leak in a split: how many training labels, and the first of them with its pair.

    Attributes
    ----------
    kind : str
        `INDEX_TWICE`, `TRAIN_IN_TEST`, `LEADING_EDGE` (the training label starts before the test
        block and lasts into it), `TRAILING_EDGE` (it starts while a test label before it still
        lasts) or `INSIDE_EMBARGO`.
    n_labels : int
        Training labels with this finding; for `INDEX_TWICE` those used twice in training or test.
    train, test : int
        Positions of the first such training label, and of a test label that forbids it.
    train_ns, test_ns : tuple of int
        Their closed intervals, UTC ns.
    """

    kind: str
    n_labels: int
    train: int
    test: int
    train_ns: tuple[int, int]
    test_ns: tuple[int, int]

    def __str__(self) -> str:
        return (
            f"{self.kind}: {self.n_labels} labels, the first at position {self.train}, "
            f"[{self.train_ns[0]}, {self.train_ns[1]}], beside test label {self.test}, "
            f"[{self.test_ns[0]}, {self.test_ns[1]}]"
        )


def audit_split(
    label_start_ns: npt.ArrayLike,
    label_end_ns: npt.ArrayLike,
    train: npt.ArrayLike,
    test: npt.ArrayLike,
    embargo_ns: int = 0,
) -> list[Finding]:
    """Find what is wrong with a split, of any splitter; an empty list proves that nothing is.

    A clean split trains on no label whose closed interval meets the interval from the first start
    to the largest end of a contiguous test block, nor on one that starts within the embargo after
    it, uses no position twice, and none for both.

    Parameters
    ----------
    label_start_ns, label_end_ns : int64 array of shape (n_labels,)
        Closed intervals of all labels, sorted by start, UTC ns.
    train, test : int array
        Positions, in any order.
    embargo_ns : int
        What the split claims to keep; both ends inclusive.

    Returns
    -------
    list of Finding
        At most one a kind.

    Raises
    ------
    ValueError
        When the labels are not sorted intervals, or a position is not that of a label.

    Notes
    -----
    O(n log n), also for shuffled splits, whose blocks are single labels.

    Examples
    --------
    >>> start = np.arange(6)
    >>> audit_split(start, start + 1, train=[0, 5], test=[2, 3])
    []
    >>> for finding in audit_split(start, start + 1, train=[0, 1, 4], test=[2, 3]):
    ...     print(finding)
    leading edge: 1 labels, the first at position 1, [1, 2], beside test label 2, [2, 3]
    trailing edge: 1 labels, the first at position 4, [4, 5], beside test label 3, [3, 4]
    """
    start_ns, end_ns = times(label_start_ns, "label_start_ns"), times(label_end_ns, "label_end_ns")
    check_intervals(start_ns, end_ns)
    n_trained = _uses(train, len(start_ns), "train")
    n_tested = _uses(test, len(start_ns), "test")
    repeated = np.flatnonzero((n_trained > 1) | (n_tested > 1))
    shared = np.flatnonzero((n_trained > 0) & (n_tested > 0))
    trained = np.flatnonzero((n_trained > 0) & (n_tested == 0))
    tested = np.flatnonzero(n_tested)
    pairs = {INDEX_TWICE: (repeated, repeated), TRAIN_IN_TEST: (shared, shared)}
    pairs[LEADING_EDGE] = _leading(start_ns, end_ns, trained, tested)
    pairs |= _trailing(start_ns, end_ns, trained, tested, embargo_ns)
    return [_finding(kind, start_ns, end_ns, *pair) for kind, pair in pairs.items() if len(pair[0])]


def _leading(
    start_ns: IntArray, end_ns: IntArray, train: IntArray, test: IntArray
) -> tuple[IntArray, IntArray]:
    """Training labels that last into a later block, and the first test label of that block.

    Starts are sorted, so a label that meets any later block lasts while the next one starts.
    """
    opening = test[np.diff(test, prepend=-2) > 1]
    following = np.searchsorted(opening, train)
    before = following < len(opening)
    train, opening = train[before], opening[following[before]]
    meets = end_ns[train] >= start_ns[opening]
    return train[meets], opening[meets]


def _trailing(
    start_ns: IntArray, end_ns: IntArray, train: IntArray, test: IntArray, embargo_ns: int
) -> dict[str, tuple[IntArray, IntArray]]:
    """Training labels that start too early after a block, and the test label that ends last.

    As starts are sorted, a label that starts by the largest end of earlier test labels meets it.
    """
    preceding = np.searchsorted(test, train)
    train, preceding = train[preceding > 0], preceding[preceding > 0]
    ends = end_ns[test]
    reach = np.maximum.accumulate(ends)
    record = np.maximum.accumulate(np.where(ends == reach, np.arange(len(test)), 0))
    last = test[record[preceding - 1]]
    after = start_ns[train] - end_ns[last]
    meets, soon = after <= 0, (after > 0) & (after <= embargo_ns)
    return {TRAILING_EDGE: (train[meets], last[meets]), INSIDE_EMBARGO: (train[soon], last[soon])}


def _finding(
    kind: str, start_ns: IntArray, end_ns: IntArray, train: IntArray, test: IntArray
) -> Finding:
    i, j = int(train[0]), int(test[0])
    train_ns, test_ns = ((int(start_ns[k]), int(end_ns[k])) for k in (i, j))
    return Finding(kind, len(train), i, j, train_ns, test_ns)


def _uses(values: npt.ArrayLike, n_labels: int, name: str) -> IntArray:
    """Count how often each label is named."""
    array = np.asarray(values)
    if array.size == 0:
        return np.zeros(n_labels, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(
            f"{name} must be a one-dimensional array of positions, not {array.dtype} of shape "
            f"{array.shape}; positions of a mask are np.flatnonzero(mask)"
        )
    stray = array[(array < 0) | (array >= n_labels)]
    if len(stray):
        raise ValueError(
            f"{name} holds position {stray[0]}, and there are {n_labels} labels: these are not "
            "the labels that were split"
        )
    return np.bincount(array, minlength=n_labels)
