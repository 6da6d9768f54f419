"""Area under the ROC curve, and its two averages over groups whose scores are not comparable.

Ranks are computed here and nowhere else. `delong` gives the standard error of an AUC.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
Group = tuple[npt.ArrayLike, npt.ArrayLike]
"""Scores, and which of them are positive."""


def wins(score: npt.ArrayLike, positive: npt.ArrayLike) -> Floats:
    """Count, for each positive, the negatives with a lower score; ties count half.

    Examples
    --------
    >>> wins([0.1, 0.4, 0.4, 0.8], [False, False, True, True])
    array([1.5, 2. ])
    """
    values, is_positive = np.asarray(score, np.float64), np.asarray(positive, np.bool_)
    return np.asarray(rankdata(values)[is_positive] - rankdata(values[is_positive]))


def auc(score: npt.ArrayLike, positive: npt.ArrayLike) -> float | None:
    """Share of the pairs of a positive and a negative that a score orders correctly.

    Parameters
    ----------
    score : float array of shape (n,)
        Ties count half.
    positive : bool array of shape (n,)

    Returns
    -------
    float or None
        None without both classes.

    Examples
    --------
    >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    >>> auc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    n_pairs = _n_pairs(positive)
    return float(wins(score, positive).sum() / n_pairs) if n_pairs else None


def auc_mean_of_groups(groups: Iterable[Group]) -> float | None:
    """Plain mean of the AUCs inside the groups: every group counts the same.

    Scores of two models are not comparable, so a group holds the scores of one: pooled over
    models, pure noise shows 0.41. A group without both classes is left out.

    Parameters
    ----------
    groups : iterable of (score, positive)
        As `auc` takes them.

    Returns
    -------
    float or None
        None where no group has both classes.
    """
    values = [value for value, _ in _aucs(groups)]
    return float(np.mean(values)) if values else None


def auc_pairs_within_groups(groups: Iterable[Group]) -> float | None:
    """Share of the pairs inside the groups that are ordered correctly: every pair counts the same.

    A large group counts more than a small one; everything else as in `auc_mean_of_groups`.
    """
    total, pairs = 0.0, 0
    for value, n_pairs in _aucs(groups):
        total, pairs = total + n_pairs * value, pairs + n_pairs
    return total / pairs if pairs else None


def _aucs(groups: Iterable[Group]) -> Iterator[tuple[float, int]]:
    """AUC and number of pairs of every group that has both classes."""
    for score, positive in groups:
        value = auc(score, positive)
        if value is not None:
            yield value, _n_pairs(positive)


def _n_pairs(positive: npt.ArrayLike) -> int:
    n_positive, n = int(np.count_nonzero(positive)), int(np.size(positive))
    return n_positive * (n - n_positive)
