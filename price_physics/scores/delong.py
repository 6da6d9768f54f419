"""AUCs of several scores on the same events, with standard errors after DeLong.

On the same events most of the error is common to all scores. So the covariance of the errors is
kept: the error of a ratio of two (`share`) is much smaller than theirs.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from price_physics.scores.auc import Floats, wins


@dataclass(frozen=True)
class ComparedAucs:
    """AUCs by name and the covariance of their errors.

    Attributes
    ----------
    names : list of str
    auc : float64 array of shape (k,)
    covariance : float64 array of shape (k, k)
    """

    names: list[str]
    auc: Floats
    covariance: Floats

    def of(self, name: str) -> tuple[float, float]:
        """AUC and its standard error."""
        i = self.names.index(name)
        return float(self.auc[i]), float(np.sqrt(self.covariance[i, i]))

    def share(self, name: str, of: str) -> tuple[float, float]:
        """Share of another score's excess over 0.5 that a score reaches, and its standard error.

        ``(auc - 0.5) / (auc of the other - 0.5)``; the error by the delta method.

        Raises
        ------
        ValueError
            When the other one has no excess.
        """
        i, j = self.names.index(name), self.names.index(of)
        excess = self.auc[j] - 0.5
        if excess <= 0:
            raise ValueError(f"{of} has an AUC of {self.auc[j]}: no excess over 0.5 to share")
        share = (self.auc[i] - 0.5) / excess
        slope = np.zeros(len(self.auc))
        slope[i] += 1 / excess
        slope[j] -= share / excess
        return float(share), math.sqrt(max(float(slope @ self.covariance @ slope), 0.0))


def compare_aucs(scores: dict[str, npt.ArrayLike], positive: npt.ArrayLike) -> ComparedAucs:
    """Measure scores by name on the same events; ties count half.

    Parameters
    ----------
    scores : dict of str to float array of shape (n,)
    positive : bool array of shape (n,)
        What came out.

    Raises
    ------
    ValueError
        With fewer than two events of a class.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44; by ranks as in Sun & Xu (2014).

    Examples
    --------
    >>> found = compare_aucs({"a": [0.1, 0.4, 0.3, 0.8], "b": [0, 0, 0, 0]}, [0, 0, 1, 1])
    >>> found.of("a")[0], found.of("b")
    (0.75, (0.5, 0.0))
    """
    came = np.asarray(positive, dtype=np.bool_)
    n_up, n_down = int(came.sum()), int((~came).sum())
    if min(n_up, n_down) < 2:
        raise ValueError(f"{n_up} events came out and {n_down} did not; two of each are needed")
    # For every event, the share of the other class that it is ordered correctly against.
    every = [np.asarray(values, dtype=np.float64) for values in scores.values()]
    above = np.stack([wins(score, came) for score in every]) / n_down
    below = np.stack([wins(-score, ~came) for score in every]) / n_up
    covariance = np.atleast_2d(np.cov(above)) / n_up + np.atleast_2d(np.cov(below)) / n_down
    return ComparedAucs(list(scores), above.mean(axis=1), covariance)
