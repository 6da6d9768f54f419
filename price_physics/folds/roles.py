"""The role of every sample in a fold; for those left out, why.

`build` says which samples there are, `purged` which of them overlap.
"""

from math import ceil

import numpy as np
import numpy.typing as npt

from price_physics.folds.purged import BoolArray, IntArray, purge

ROLES = (
    "train",
    "early_stop",
    "test",
    "purged_by_test",
    "embargoed_by_test",
    "purged_by_early_stop",
    "embargoed_by_early_stop",
    "thinned_early_stop",
    "thinned_test",
)
TRAIN, EARLY_STOP, TEST = range(3)
THINNED = {EARLY_STOP: 7, TEST: 8}
BY_TEST, BY_EARLY_STOP = (3, 4), (5, 6)
NO_FOLD = -1
"""The fold of labels that are no samples; their role says why."""


def fold_roles(
    label_start_ns: IntArray,
    label_end_ns: IntArray,
    test: BoolArray,
    embargo_ns: int,
    early_stop_fraction: float,
) -> npt.NDArray[np.int8]:
    """Give every sample its role in the fold that tests on `test`.

    The test leaves samples for training; the last of these stop the training early, and the rest
    is purged against them in turn, so that neither slice has seen the other. A sample that both
    the test and the early stopping rule out counts as ruled out by the test, which comes first.

    Parameters
    ----------
    label_start_ns, label_end_ns : int64 array of shape (n_samples,)
        Closed intervals, sorted by start, UTC ns.
    test : bool array of shape (n_samples,)
    embargo_ns : int
    early_stop_fraction : float
        Share of the samples left for training, in (0, 1), rounded up.

    Returns
    -------
    int8 array of shape (n_samples,)
        Positions in ROLES.

    Examples
    --------
    >>> start = np.arange(10)
    >>> test = start < 2
    >>> roles = fold_roles(start, start + 1, test, embargo_ns=1, early_stop_fraction=0.3)
    >>> [ROLES[role] for role in roles]  # doctest: +NORMALIZE_WHITESPACE
    ['test', 'test', 'purged_by_test', 'embargoed_by_test', 'train', 'train', 'train',
     'purged_by_early_stop', 'early_stop', 'early_stop']
    """
    role = np.full(len(test), TRAIN, dtype=np.int8)
    role[test] = TEST
    _drop(role, purge(label_start_ns, label_end_ns, test, embargo_ns), BY_TEST)
    remaining = np.flatnonzero(role == TRAIN)
    n_early_stop = ceil(early_stop_fraction * len(remaining))
    role[remaining[len(remaining) - n_early_stop :]] = EARLY_STOP
    stops = role == EARLY_STOP
    _drop(role, purge(label_start_ns, label_end_ns, stops, embargo_ns), BY_EARLY_STOP)
    return role


def thin(role: npt.NDArray[np.int8], most: int) -> npt.NDArray[np.int8]:
    """Keep at most so many samples that stop early, and so many that are tested, evenly spaced.

    Labels overlap, so that most of what neighbours say is the same: evenly spaced ones keep nearly
    all of the effective sample. The others keep out of training as before.

    Parameters
    ----------
    role : int8 array of shape (n_samples,)
        From `fold_roles`.
    most : int

    Returns
    -------
    int8 array of shape (n_samples,)

    Examples
    --------
    >>> role = np.array([TEST, TEST, TEST, TEST, EARLY_STOP], dtype=np.int8)
    >>> [ROLES[number] for number in thin(role, 2)]
    ['test', 'thinned_test', 'test', 'thinned_test', 'early_stop']
    """
    thinned = role.copy()
    for evaluated, left_out in THINNED.items():
        rows = np.flatnonzero(role == evaluated)
        if len(rows) > most:
            thinned[rows] = left_out
            thinned[rows[np.arange(most) * len(rows) // most]] = evaluated
    return thinned


def _drop(
    role: npt.NDArray[np.int8], dropped: tuple[BoolArray, BoolArray], reasons: tuple[int, int]
) -> None:
    for mask, reason in zip(dropped, reasons, strict=True):
        role[mask & (role == TRAIN)] = reason
