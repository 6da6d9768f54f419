"""Temperature and bias: what turns logits into probabilities.

Temperature alone cannot undo class weights: they shift logits, they do not stretch them. Nothing
here is weighted; uniqueness and class weights train the network and nothing else.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from price_physics.scores.probabilities import Floats, log_softmax

_INVERSE_TEMPERATURE = (1e-3, 1e3)
_BIAS = (-30.0, 30.0)


@dataclass(frozen=True)
class Calibration:
    """Probabilities are ``softmax(logits / temperature + bias)``."""

    temperature: float
    bias: list[float]

    def probabilities(self, logits: npt.ArrayLike) -> Floats:
        """Probabilities (n, n_classes) of logits (n, n_classes), in float64."""
        z = np.asarray(logits, dtype=np.float64) / self.temperature + np.asarray(self.bias)
        return np.exp(log_softmax(z))


def training_log_odds(
    classes: npt.ArrayLike, loss_weights: npt.ArrayLike, n_classes: int
) -> Floats:
    """Log of the weighted class shares that the loss saw: the logits of knowing nothing.

    Parameters
    ----------
    classes : int array of shape (n,)
    loss_weights : float array of shape (n,)
        Uniqueness times class weight.
    n_classes : int
        A class that never occurs counts half a sample, so that its log is finite.

    Returns
    -------
    float64 array of shape (n_classes,)

    Examples
    --------
    >>> np.exp(training_log_odds([0, 0, 0, 1], [1, 1, 1, 3], 2))
    array([0.5, 0.5])
    """
    index = np.asarray(classes, dtype=np.int64)
    weight = np.asarray(loss_weights, dtype=np.float64)
    shares = np.bincount(index, weights=weight, minlength=n_classes) / weight.sum()
    return np.log(np.maximum(shares, 0.5 / len(index)))


def cross_calibrated(logits: npt.ArrayLike, classes: npt.ArrayLike, folds: npt.ArrayLike) -> Floats:
    """Probabilities (n, n_classes), each fold's calibrated on the other folds alone.

    A calibration judged on the rows it was fitted to is flattered: of pure noise it seems to know
    more than the base rates.

    Parameters
    ----------
    logits, classes
        As in `fit_calibration`.
    folds : int array of shape (n,)
        The fold that tested each row; two of them at least.
    """
    z, index, fold = np.asarray(logits, dtype=np.float64), np.asarray(classes), np.asarray(folds)
    probabilities = np.empty_like(z)
    for number in np.unique(fold):
        own = fold == number
        probabilities[own] = fit_calibration(z[~own], index[~own]).probabilities(z[own])
    return probabilities


def fit_calibration(
    logits: npt.ArrayLike, classes: npt.ArrayLike, fit_bias: bool = True
) -> Calibration:
    """Minimise the unweighted log loss of ``softmax(logits / temperature + bias)``.

    The problem is convex in the inverse temperature and the bias, so the start does not matter.

    Parameters
    ----------
    logits : float array of shape (n, n_classes)
        Out of fold, less each fold's training log-odds, plus those of the final model: on the
        scale of the model that will be served.
    classes : int array of shape (n,)
    fit_bias : bool
        False fixes the bias at zero: plain temperature scaling (Guo et al. 2017).

    Returns
    -------
    Calibration
        The temperature is positive; the bias sums to zero, as only differences matter.
    """
    z = np.asarray(logits, dtype=np.float64)
    target = np.eye(z.shape[1])[np.asarray(classes, dtype=np.int64)]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        log_p = log_softmax(z * parameters[0] + parameters[1:])
        excess = np.exp(log_p) - target
        gradient = np.r_[(excess * z).sum(), excess.sum(axis=0) * fit_bias]
        return float(-(target * log_p).sum() / len(z)), gradient / len(z)

    start = np.r_[1.0, np.zeros(z.shape[1])]
    bounds = [_INVERSE_TEMPERATURE] + [_BIAS] * z.shape[1]
    options = {"maxiter": 1000, "ftol": 1e-15, "gtol": 1e-9}
    best = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    bias = best[1:] - best[1:].mean()
    return Calibration(temperature=float(1 / best[0]), bias=bias.tolist())
