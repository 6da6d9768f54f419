"""Scores of out-of-sample probabilities and trades, as a report shows them.

Descriptions only: none of them is evidence of an edge, which is ``verdict``'s business.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from price_physics.walk_forward.fills import CANCELLED, TAKE_PROFIT

_CLASSES = ["p_down", "p_flat", "p_up"]


def area_under_curve(score: np.ndarray, positive: np.ndarray) -> float | None:
    """AUC of a score, ties counting half; None where a class is absent.

    Examples
    --------
    >>> area_under_curve(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    positive = np.asarray(positive, dtype=bool)
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return None
    ranks = rankdata(score)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(ranks / (n_positive * n_negative))


def direction_scores(scored: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Score and truth of the direction: ``log(p_up / p_down)`` where the label is not 0.

    With the binary head: the probability of a take-profit against all other exits.
    """
    label = scored["label"].to_numpy()
    p_up = scored["p_up"].to_numpy(dtype=np.float64)
    if is_binary(scored):
        return p_up, label == 1
    moved = label != 0
    p_down = scored["p_down"].to_numpy(dtype=np.float64)
    tiny = np.finfo(np.float64).tiny
    score = np.log(np.maximum(p_up[moved], tiny)) - np.log(np.maximum(p_down[moved], tiny))
    return score, label[moved] == 1


def direction_auc(months: Iterable[pd.DataFrame]) -> float | None:
    """Direction AUC within months of events, averaged by the pairs each can compare.

    Scores of different models are never compared with one another: pooled, pure noise shows
    0.41. A month without both classes counts nothing.

    Parameters
    ----------
    months : iterable of DataFrame
        SCORED, one a month of events (the rows of one model).

    Returns
    -------
    float or None
    """
    total, pairs = 0.0, 0
    for scored in months:
        score, positive = direction_scores(scored)
        auc = area_under_curve(score, positive)
        if auc is not None:
            weight = int(positive.sum()) * int((~positive).sum())
            total, pairs = total + weight * auc, pairs + weight
    return total / pairs if pairs else None


def class_probabilities(scored: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities in class order and the class that came out.

    Returns
    -------
    probabilities : float64 array of shape (n, 3), or (n, 2) with the binary head
        [down, flat, up], or [other, take profit].
    truth : int64 array of shape (n,)
        Column of the class that came out.
    """
    label = scored["label"].to_numpy(dtype=np.int64)
    if is_binary(scored):
        p = scored["p_up"].to_numpy(dtype=np.float64)
        return np.stack([1 - p, p], axis=1), (label == 1).astype(np.int64)
    return scored[_CLASSES].to_numpy(dtype=np.float64), label + 1


def confusion_matrix(scored: pd.DataFrame) -> np.ndarray:
    """Count events by class that came out (rows) and likeliest class (columns)."""
    probabilities, truth = class_probabilities(scored)
    n_classes = probabilities.shape[1]
    cell = truth * n_classes + probabilities.argmax(axis=1)
    return np.bincount(cell, minlength=n_classes**2).reshape(n_classes, n_classes)


def brier_score(scored: pd.DataFrame) -> float | None:
    """Mean squared distance of the probabilities from what came out, summed over classes."""
    probabilities, truth = class_probabilities(scored)
    if not len(truth):
        return None
    return float(((probabilities - np.eye(probabilities.shape[1])[truth]) ** 2).sum(axis=1).mean())


def log_loss(scored: pd.DataFrame) -> float | None:
    """Mean of minus the log of the probability given to what came out."""
    probabilities, truth = class_probabilities(scored)
    if not len(truth):
        return None
    given = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(given, np.finfo(np.float64).tiny)).mean())


def reliability_table(
    probability: np.ndarray, happened: np.ndarray, n_bins: int = 10
) -> pd.DataFrame:
    """Compare stated probabilities with frequencies, in bins of equal width.

    Returns
    -------
    DataFrame
        `lower`, `upper`, `n_events`, `mean_probability`, `frequency`; bins that hold events only.
    """
    probability = np.asarray(probability, dtype=np.float64)
    happened = np.asarray(happened, dtype=np.float64)
    cell = np.minimum((probability * n_bins).astype(np.int64), n_bins - 1)
    n_events = np.bincount(cell, minlength=n_bins)
    held = n_events > 0
    return pd.DataFrame(
        {
            "lower": (np.arange(n_bins) / n_bins)[held],
            "upper": ((np.arange(n_bins) + 1) / n_bins)[held],
            "n_events": n_events[held],
            "mean_probability": np.bincount(cell, probability, n_bins)[held] / n_events[held],
            "frequency": np.bincount(cell, happened, n_bins)[held] / n_events[held],
        }
    )


def break_even_precision(win: float, loss: float, cost: float) -> float | None:
    """Share of take-profits at which a strategy earns nothing: ``(L + c) / (W + L)``.

    Parameters
    ----------
    win : float
        W, mean gross return of take-profits.
    loss : float
        L, minus the mean gross return of **all other** exits, time-outs included.
    cost : float
        c of a round trip, in the same unit.

    Returns
    -------
    float or None
        May lie outside [0, 1]: such a strategy always or never earns. None where ``W + L`` is
        not positive.

    Examples
    --------
    >>> break_even_precision(30.0, 10.0, 2.0)
    0.3
    """
    return (loss + cost) / (win + loss) if win + loss > 0 else None


def trade_precision(trades: pd.DataFrame) -> tuple[float | None, float | None]:
    """Share of filled trades that took profit, and the share at which they break even.

    Parameters
    ----------
    trades : DataFrame
        TRADES.

    Returns
    -------
    precision, break_even : float or None
        None without a trade, and no break-even unless there are take-profits and others.
    """
    filled = trades[trades["exit_reason"] != CANCELLED]
    if filled.empty:
        return None, None
    gross, won = filled["gross_bps"].to_numpy(), (filled["exit_reason"] == TAKE_PROFIT).to_numpy()
    if won.all() or not won.any():
        return float(won.mean()), None
    cost = float(filled["cost_bps"].mean())
    return float(won.mean()), break_even_precision(
        float(gross[won].mean()), -float(gross[~won].mean()), cost
    )


def is_binary(scored: pd.DataFrame) -> bool:
    """Whether the probabilities come from the binary head, which has no `p_down`."""
    return bool(scored["p_down"].isna().all()) and len(scored) > 0
