"""Concurrency and average uniqueness: arrays in, arrays out.

Every kernel keeps its plain function as ``.py_func``.
"""

import numpy as np
from numba import njit


@njit(cache=True)
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
    change = np.zeros(n_bars + 1, dtype=np.int64)
    for i in range(len(label_start)):
        change[label_start[i]] += 1
        change[label_end[i] + 1] -= 1
    return np.cumsum(change)[:n_bars]


@njit(cache=True)
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
    O(n_labels + n_bars), by a prefix sum. The caller checks positions.

    References
    ----------
    López de Prado (2018), Advances in Financial Machine Learning, snippet 4.2.

    Examples
    --------
    >>> average_uniqueness(np.array([0, 2, 4]), np.array([2, 3, 5]), 6).round(6)
    array([0.833333, 0.75    , 1.      ])
    """
    alive = concurrency(label_start, label_end, n_bars)
    total = np.zeros(n_bars + 1)
    for t in range(n_bars):
        total[t + 1] = total[t] + (1.0 / alive[t] if alive[t] > 0 else 0.0)
    uniqueness = np.empty(len(label_start))
    for i in range(len(label_start)):
        start, stop = label_start[i], label_end[i] + 1
        # The difference of two sums can round a lone label to just above one.
        uniqueness[i] = min((total[stop] - total[start]) / (stop - start), 1.0)
    return uniqueness
