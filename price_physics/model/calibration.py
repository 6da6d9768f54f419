"""Fit temperature and bias, which turn logits into probabilities.

Temperature alone cannot undo class weights: those shift logits, and do not stretch them.
Calibration is unweighted: uniqueness and class weights train the network and nothing else.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from price_physics.scores.probabilities import Floats, log_softmax

_INVERSE_TEMPERATURE = (1e-3, 1e3)
_BIAS = (-30.0, 30.0)
_ITERATIONS, _CONVERGED = 1000, 1e-10


@dataclass(frozen=True)
class Calibration:
    """Probabilities are ``softmax(logits / temperature + bias + offset)``.

    The offset of an event comes from `labels.odds`; neither temperature nor bias touches it.
    """

    temperature: float
    bias: list[float]

    def probabilities(self, logits: npt.ArrayLike, offset: npt.ArrayLike = 0.0) -> Floats:
        """Probabilities (n, n_classes) of logits and offsets (n, n_classes), in float64."""
        z = np.asarray(logits, dtype=np.float64) / self.temperature + np.asarray(self.bias)
        return np.exp(log_softmax(z + offset))


def training_log_odds(
    classes: npt.ArrayLike,
    loss_weights: npt.ArrayLike,
    n_classes: int,
    offset: npt.ArrayLike | None = None,
) -> Floats:
    """Return the constant logits that fit the classes best: one vector for all events.

    Without an offset they are the logs of the weighted class shares that the loss saw. With an
    offset they are added to it, and make the mean probabilities equal to those shares. They are the
    prior that a network still has to learn.

    Parameters
    ----------
    classes : int array of shape (n,)
    loss_weights : float array of shape (n,)
        Uniqueness times class weight.
    n_classes : int
        A class that never occurs counts half a sample, so that its log is finite.
    offset : float64 array of shape (n, n_classes), optional
        Finite.

    Returns
    -------
    float64 array of shape (n_classes,)
        They minimise the weighted log loss of ``softmax(log_odds + offset)``. Only differences
        matter; the exponentials add up to the sum of the shares.

    Examples
    --------
    >>> np.exp(training_log_odds([0, 0, 0, 1], [1, 1, 1, 3], 2))
    array([0.5, 0.5])

    Where the offset explains the shares, nothing is left to learn:

    >>> offset = np.log([[0.8, 0.2], [0.8, 0.2], [0.4, 0.6], [0.2, 0.8]])
    >>> np.exp(training_log_odds([0, 0, 1, 1], [1, 1, 0.5, 1], 2, offset)).round(2)
    array([0.5, 0.5])
    """
    index = np.asarray(classes, dtype=np.int64)
    weight = np.asarray(loss_weights, dtype=np.float64)
    shares = np.bincount(index, weights=weight, minlength=n_classes) / weight.sum()
    shares = np.maximum(shares, 0.5 / len(index))
    log_odds = np.log(shares)
    if offset is None:
        return log_odds
    weight, level = weight / weight.sum(), np.log(shares.sum())
    for _ in range(_ITERATIONS):  # every step raises the likelihood
        said = weight @ np.exp(log_softmax(log_odds + offset))
        step = np.log(shares) - level - np.log(said)
        log_odds = log_odds + step
        if np.abs(step).max() < _CONVERGED:
            break
    return np.asarray(log_odds + level - np.log(np.exp(log_odds).sum()))


def cross_calibrated(
    logits: npt.ArrayLike,
    classes: npt.ArrayLike,
    folds: npt.ArrayLike,
    offset: npt.ArrayLike = 0.0,
) -> Floats:
    """Calibrate each fold on the other folds; return probabilities (n, n_classes).

    A calibration that is judged on the rows it was fitted to looks too good: even on pure noise it
    seems to beat the base rates.

    Parameters
    ----------
    logits, classes
        As in `fit_calibration`.
    folds : int array of shape (n,)
        The fold that tested each row; at least two folds.
    offset
        As in `fit_calibration`.
    """
    z, index, fold = np.asarray(logits, dtype=np.float64), np.asarray(classes), np.asarray(folds)
    added = np.broadcast_to(np.asarray(offset, dtype=np.float64), z.shape)
    probabilities = np.empty_like(z)
    for number in np.unique(fold):
        own = fold == number
        fitted = fit_calibration(z[~own], index[~own], added[~own])
        probabilities[own] = fitted.probabilities(z[own], added[own])
    return probabilities


def fit_calibration(
    logits: npt.ArrayLike,
    classes: npt.ArrayLike,
    offset: npt.ArrayLike = 0.0,
    fit_bias: bool = True,
) -> Calibration:
    """Minimise the unweighted log loss of ``softmax(logits / temperature + bias + offset)``.

    The problem is convex in the inverse temperature and the bias, so the start does not matter.

    Parameters
    ----------
    logits : float array of shape (n, n_classes)
        Out of fold, less each fold's training log-odds, plus those of the final model: on the
        scale of the model that will be served. Without the offset.
    classes : int array of shape (n,)
    offset : float array of shape (n, n_classes), or float
        Added last, unscaled.
    fit_bias : bool
        False fixes the bias at zero: plain temperature scaling (Guo et al. 2017).

    Returns
    -------
    Calibration
        The temperature is positive; the bias sums to zero, because only differences matter.
    """
    z = np.asarray(logits, dtype=np.float64)
    target = np.eye(z.shape[1])[np.asarray(classes, dtype=np.int64)]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        log_p = log_softmax(z * parameters[0] + parameters[1:] + offset)
        excess = np.exp(log_p) - target
        gradient = np.r_[(excess * z).sum(), excess.sum(axis=0) * fit_bias]
        return float(-(target * log_p).sum() / len(z)), gradient / len(z)

    start = np.r_[1.0, np.zeros(z.shape[1])]
    bounds = [_INVERSE_TEMPERATURE] + [_BIAS] * z.shape[1]
    options = {"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-9}
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    bias = best[1:] - best[1:].mean()
    return Calibration(temperature=float(1 / best[0]), bias=bias.tolist())
