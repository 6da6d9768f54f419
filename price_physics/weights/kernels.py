"""Concurrency, average uniqueness and class balance: arrays in, arrays out.

Every kernel keeps its plain function as ``.py_func``.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def concurrency(label_start, label_end, n_bars):
    """Count the labels alive at each bar.

    Parameters
    ----------
    label_start, label_end : int64 array of shape (n_labels,)
        Bar positions, both inclusive, in [0, n_bars).
    n_bars : int
        Number of bars.

    Returns
    -------
    int64 array of shape (n_bars,)
        Labels per bar.

    Notes
    -----
    O(n_labels + n_bars). The caller checks positions.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippet 4.1.

    Examples
    --------
    >>> concurrency(np.array([0, 2, 4]), np.array([2, 3, 5]), 6)
    array([1, 1, 2, 1, 1, 1])
    """
    alive = np.zeros(n_bars + 1, dtype=np.int64)
    for i in range(len(label_start)):
        alive[label_start[i]] += 1
        alive[label_end[i] + 1] -= 1
    for t in range(1, n_bars):
        alive[t] += alive[t - 1]
    return alive[:n_bars]


def average_uniqueness(label_start, label_end, n_bars):
    """Mean of ``1 / concurrency`` over the bars of each label.

    Parameters
    ----------
    label_start, label_end : int64 array of shape (n_labels,)
        Bar positions, both inclusive, in [0, n_bars), ``label_start <= label_end``.
    n_bars : int
        Number of bars.

    Returns
    -------
    float64 array of shape (n_labels,)
        In (0, 1].

    Notes
    -----
    O(n_labels + n_bars), by a prefix sum. The caller checks positions. Fresh memory is the main
    cost: so no array of `concurrency` is made, one array holds first changes and then sums, and
    numpy makes both arrays, as it asks for huge pages.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippet 4.2.

    Examples
    --------
    >>> average_uniqueness(np.array([0, 2, 4]), np.array([2, 3, 5]), 6).round(6)
    array([0.833333, 0.75    , 1.      ])
    """
    total = np.zeros(n_bars + 2)
    uniqueness = np.empty(len(label_start))
    _fill_uniqueness(label_start, label_end, total, uniqueness)
    return uniqueness


@njit(cache=True, nogil=True)
def _fill_uniqueness(label_start, label_end, total, uniqueness):
    """Fill uniqueness; `total` comes in as zeros and ends as the sum before each bar."""
    one = np.uint64(1)  # numba tests whether a signed position counts from the end
    for i in range(len(label_start)):
        total[np.uint64(label_start[i]) + one] += 1.0
        total[np.uint64(label_end[i]) + one + one] -= 1.0
    alive = before = 0.0
    for t in range(1, len(total) - 1):
        alive += total[t]
        before += 1.0 / alive if alive > 0 else 0.0
        total[t] = before
    for i in range(len(label_start)):
        start, stop = np.uint64(label_start[i]), np.uint64(label_end[i]) + one
        # The difference of two sums can round a lone label to just above one.
        uniqueness[i] = min((total[stop] - total[start]) / np.int64(stop - start), 1.0)


def class_balance(labels, weights):
    """Find the factors of the weights that give every class that occurs the same total.

    Parameters
    ----------
    labels : array of shape (n_labels,)
        Classes.
    weights : float64 array of shape (n_labels,)
        Positive weights so far; ones balance the counts.

    Returns
    -------
    float64 array of shape (n_labels,)
        Positive, one value a class; the weights' total stays what it is.

    References
    ----------
    King and Zeng (2001), Logistic Regression in Rare Events Data.

    Examples
    --------
    >>> class_balance(np.array([1, -1, 1, 0, 1, 0]), np.ones(6))
    array([0.66666667, 2.        , 0.66666667, 1.        , 0.66666667,
           1.        ])
    """
    classes, position = np.unique(labels, return_inverse=True)
    of_class = np.bincount(position, weights=weights, minlength=len(classes))
    return (weights.sum() / (len(classes) * of_class))[position]
