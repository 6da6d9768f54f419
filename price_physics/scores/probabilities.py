"""Predicted probabilities: their classes, what they say of the direction, and how good they are.

Every score is a plain mean over the events it is given, in float64.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]
_TINY = np.finfo(np.float64).tiny


# ---------------------------------------------------------------------------- classes
def log_softmax(logits: npt.ArrayLike) -> Floats:
    """Log-probabilities of logits (n, n_classes)."""
    z = np.asarray(logits, dtype=np.float64)
    z = z - z.max(axis=1, keepdims=True)
    return np.asarray(z - np.log(np.exp(z).sum(axis=1, keepdims=True)))


def class_names(n_classes: int) -> list[str]:
    """Name the network's outputs, in their order."""
    return ["down", "flat", "up"] if n_classes == 3 else ["other", "take_profit"]


def class_index(labels: npt.NDArray[np.integer], n_classes: int) -> Classes:
    """Class of each label: ``label + 1``, or with two classes whether it is +1.

    Examples
    --------
    >>> labels = np.array([-1, 0, 1], dtype=np.int8)
    >>> class_index(labels, 3), class_index(labels, 2)
    (array([0, 1, 2]), array([0, 0, 1]))
    """
    index = labels + 1 if n_classes == 3 else labels == 1
    return index.astype(np.int64)


def class_probabilities(scored: pd.DataFrame) -> tuple[Floats, Classes]:
    """Probabilities in class order and the class that came out.

    Parameters
    ----------
    scored : DataFrame
        `p_up`, `p_flat`, `p_down` and `label` of SCORED; the binary head has no `p_down`.

    Returns
    -------
    probabilities : float64 array of shape (n, 3), or (n, 2) with the binary head
        [down, flat, up], or [other, take profit].
    classes : int64 array of shape (n,)
        Column of the class that came out.
    """
    label = scored["label"].to_numpy(dtype=np.int64)
    if len(scored) and scored["p_down"].isna().all():
        p = scored["p_up"].to_numpy(dtype=np.float64)
        return np.stack([1 - p, p], axis=1), class_index(label, 2)
    columns = [f"p_{name}" for name in class_names(3)]
    return scored[columns].to_numpy(dtype=np.float64), class_index(label, 3)


# ---------------------------------------------------------------------------- direction
class Direction(NamedTuple):
    """Score and truth of the direction, for the events that have one.

    `score` and `positive` cover those events alone; `counted` tells of every event whether it is
    among them.
    """

    score: Floats
    positive: npt.NDArray[np.bool_]
    counted: npt.NDArray[np.bool_]


def direction(probabilities: npt.ArrayLike, classes: npt.ArrayLike) -> Direction:
    """Score and truth of the direction: ``log(p_up / p_down)`` where the label is not 0.

    With the binary head: the probability of a take-profit against all other exits.

    Examples
    --------
    >>> found = direction([[0.2, 0.4, 0.4], [0.2, 0.4, 0.4]], [2, 1])
    >>> found.score.round(4), found.positive, found.counted
    (array([0.6931]), array([ True]), array([ True, False]))
    """
    p, index = np.asarray(probabilities, dtype=np.float64), np.asarray(classes)
    if p.shape[1] == 2:
        return Direction(p[:, 1], index == 1, np.ones(len(p), dtype=np.bool_))
    counted = index != 1
    up, down = (np.log(np.maximum(p[counted, k], _TINY)) for k in (2, 0))
    return Direction(up - down, index[counted] == 2, counted)


# ---------------------------------------------------------------------------- scores
def log_loss(probabilities: npt.ArrayLike, classes: npt.ArrayLike) -> float | None:
    """Mean of -log p of the class that came out; None without an event.

    Examples
    --------
    >>> round(log_loss([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 4)
    0.4904
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if not len(p):
        return None
    given = p[np.arange(len(p)), np.asarray(classes)]
    return float(-np.log(np.maximum(given, _TINY)).mean())


def brier_score(probabilities: npt.ArrayLike, classes: npt.ArrayLike) -> float | None:
    """Mean squared distance of the probabilities from what came out, summed over classes.

    None without an event.

    Examples
    --------
    >>> round(brier_score([[0.5, 0.5], [0.25, 0.75]], [0, 1]), 4)
    0.3125
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if not len(p):
        return None
    return float(((p - np.eye(p.shape[1])[np.asarray(classes)]) ** 2).sum(axis=1).mean())


def confusion_matrix(probabilities: npt.ArrayLike, classes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Count events by class that came out (rows) and likeliest class (columns)."""
    p = np.asarray(probabilities, dtype=np.float64)
    n_classes = p.shape[1]
    cell = np.asarray(classes) * n_classes + p.argmax(axis=1)
    return np.bincount(cell, minlength=n_classes**2).reshape(n_classes, n_classes)
