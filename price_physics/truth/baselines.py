"""Simpler models on the same windows: the images must match or beat them.

Both learn the direction from events whose label is not 0, and score events they have not seen.
"""

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Floats = npt.NDArray[np.float64]


def logistic_regression(train: Floats, up: npt.NDArray[np.bool_], test: Floats) -> Floats:
    """Log-odds of a rise by logistic regression on the windows' returns.

    Parameters
    ----------
    train, test : float64 array of shape (n, W)
        Closes of the windows, oldest first.
    up : bool array of shape (n_train,)
        Whether +1 came out.

    Returns
    -------
    float64 array of shape (n_test,)
    """
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(np.diff(np.log(train), axis=1), up)
    return np.asarray(model.decision_function(np.diff(np.log(test), axis=1)))


def boosted_trees(train: Floats, up: npt.NDArray[np.bool_], test: Floats, seed: int) -> Floats:
    """Log-odds of a rise by boosted trees on the windows' normalised cumulative returns.

    Parameters as `logistic_regression`; `seed` draws the samples that stop the boosting early.
    """
    model = HistGradientBoostingClassifier(
        learning_rate=0.05, max_leaf_nodes=15, max_iter=300, early_stopping=True, random_state=seed
    )
    model.fit(normalised_path(train), up)
    return np.asarray(model.decision_function(normalised_path(test)))


def normalised_path(closes: Floats) -> Floats:
    """Cumulative log returns (n, W - 1) in standard deviations of the window's own returns.

    Examples
    --------
    >>> normalised_path(np.exp([[0.0, 1.0, 0.0], [5.0, 5.0, 5.0]])).round(3)
    array([[1., 0.],
           [0., 0.]])
    """
    returns = np.diff(np.log(closes), axis=1)
    spread = returns.std(axis=1, keepdims=True)
    return np.cumsum(returns, axis=1) / np.where(spread > 0, spread, 1.0)
