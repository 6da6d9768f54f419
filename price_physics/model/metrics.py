"""Numbers that describe predicted probabilities; unweighted, in NumPy float64.

None of them is evidence of an edge: that is decided by the walk-forward after costs.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
N_BINS = 10


def log_softmax(logits: npt.ArrayLike) -> Floats:
    """Log-probabilities of logits (n, n_classes)."""
    z = np.asarray(logits, dtype=np.float64)
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


def log_loss(probabilities: npt.ArrayLike, classes: npt.ArrayLike) -> float:
    """Mean of -log p of the class that came out.

    Examples
    --------
    >>> round(log_loss([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 4)
    0.4904
    """
    p = np.asarray(probabilities, dtype=np.float64)
    chosen = p[np.arange(len(p)), np.asarray(classes)]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).mean())


def auc(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float | None:
    """Area under the ROC curve, ties counting half; None without both classes.

    Examples
    --------
    >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    is_positive = np.asarray(positive, dtype=np.bool_)
    n_positive = int(is_positive.sum())
    n_negative = len(is_positive) - n_positive
    if n_positive == 0 or n_negative == 0:
        return None
    ranks = rankdata(np.asarray(scores, dtype=np.float64))
    above = ranks[is_positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / (n_positive * n_negative))


def auc_within_folds(
    scores: npt.ArrayLike, positive: npt.ArrayLike, folds: npt.ArrayLike
) -> float | None:
    """Mean over folds of the AUC inside each, as scores of two models do not compare.

    Pooled over models, pure noise shows 0.41. None where no fold has both classes.
    """
    score, is_positive, fold = np.asarray(scores), np.asarray(positive), np.asarray(folds)
    values = [auc(score[fold == f], is_positive[fold == f]) for f in np.unique(fold)]
    defined = [v for v in values if v is not None]
    return float(np.mean(defined)) if defined else None


def calibration_error(
    probabilities: npt.ArrayLike, outcomes: npt.ArrayLike, n_bins: int = N_BINS
) -> tuple[float, float]:
    """Expected calibration error of one class over bins of equal count, and its floor.

    A perfectly calibrated model still shows about ``sqrt(2/pi) sqrt(p (1-p) bins / N)``:
    judge the first number against the second.

    Parameters
    ----------
    probabilities : float array of shape (n,)
        Predicted probability of the class.
    outcomes : bool array of shape (n,)
        Whether the class came out.
    n_bins : int
        Bins; fewer where there are fewer samples.

    Returns
    -------
    error, floor : float
    """
    p = np.asarray(probabilities, dtype=np.float64)
    came = np.asarray(outcomes, dtype=np.float64)
    n_bins = min(n_bins, len(p))
    order = np.argsort(p, kind="stable")
    gaps = [abs((came[i] - p[i]).sum()) for i in np.array_split(order, n_bins)]
    floor = np.sqrt(2 / np.pi * (p * (1 - p)).mean() * n_bins / len(p))
    return float(sum(gaps) / len(p)), float(floor)


def summarise(
    probabilities: Floats, labels: npt.NDArray[np.int8], folds: npt.NDArray[np.int32]
) -> dict[str, Any]:
    """Describe out-of-fold probabilities (n, n_classes) of labels -1, 0, +1.

    The base rates they are held against are those of the very rows: a guess that has seen them.
    """
    n_classes = probabilities.shape[1]
    classes = class_index(labels, n_classes)
    up, moved = labels == 1, np.ones(len(labels), dtype=np.bool_)
    scores = probabilities[:, -1]
    if n_classes == 3:
        moved = labels != 0
        tiny = np.finfo(np.float64).tiny
        scores = np.log(np.maximum(scores, tiny)) - np.log(np.maximum(probabilities[:, 0], tiny))
    by_class = {}
    for k, name in enumerate(class_names(n_classes)):
        error, floor = calibration_error(probabilities[:, k], classes == k)
        by_class[name] = {"error": error, "floor": floor}
    shares = np.bincount(classes, minlength=n_classes) / len(classes)
    return {
        "n_out_of_fold": len(labels),
        "log_loss": log_loss(probabilities, classes),
        "log_loss_of_base_rates": log_loss(np.tile(shares, (len(classes), 1)), classes),
        "calibration_error": float(np.mean([v["error"] for v in by_class.values()])),
        "calibration_floor": float(np.mean([v["floor"] for v in by_class.values()])),
        "calibration_by_class": by_class,
        "direction_auc": auc_within_folds(scores[moved], up[moved], folds[moved]),
    }


def class_names(n_classes: int) -> list[str]:
    """Name the network's outputs, in their order."""
    return ["down", "flat", "up"] if n_classes == 3 else ["other", "take_profit"]


def class_index(labels: npt.NDArray[np.int8], n_classes: int) -> npt.NDArray[np.int64]:
    """Class of each label: ``label + 1``, or with two classes whether it is +1.

    Examples
    --------
    >>> labels = np.array([-1, 0, 1], dtype=np.int8)
    >>> class_index(labels, 3), class_index(labels, 2)
    (array([0, 1, 2]), array([0, 0, 1]))
    """
    index = labels + 1 if n_classes == 3 else labels == 1
    return index.astype(np.int64)
