"""Scores of all out-of-sample predictions as JSON numbers, by the month their model served.

The scores themselves are defined in ``walk_forward.metrics``; this groups, averages, bins.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.schemas.walk_forward import SCORED
from price_physics.scores.effective_sample import (
    effective_sample_size,
    largest_overlap,
    smallest_detectable_auc,
)
from price_physics.walk_forward.metrics import (
    area_under_curve,
    confusion_matrix,
    direction_auc,
    direction_scores,
    is_binary,
    reliability_table,
)


def by_event_month(scored: Mapping[Month, pd.DataFrame]) -> dict[Month, pd.DataFrame]:
    """Regroup SCORED, stored by the month of the label, by the month of the event.

    One model serves a month's events; scores of two models are never compared.
    """
    full = [scored[m] for m in sorted(scored) if len(scored[m])]
    if not full:
        return {}
    rows = pd.concat(full, ignore_index=True).sort_values("event_time_ns", ignore_index=True)
    month = pd.Series([Month.of(int(t)) for t in rows["event_time_ns"]], dtype=object)
    return {m: rows[(month == m).to_numpy()].reset_index(drop=True) for m in sorted(set(month))}


def score_numbers(scored: Mapping[Month, pd.DataFrame]) -> dict[str, Any]:
    """Score every predicted event whose label is known.

    Parameters
    ----------
    scored : mapping of month to SCORED

    Returns
    -------
    dict
        `direction` (averaged within months), `month_auc` by month of the event, `reliability`
        and `confusion`; the last two None without an event.
    """
    months = by_event_month(scored)
    rows = pd.concat(months.values(), ignore_index=True) if months else SCORED.empty()
    return {
        "direction": direction_numbers(list(months.values())),
        "month_auc": {m: area_under_curve(*direction_scores(s)) for m, s in months.items()},
        "reliability": reliability_numbers(rows) if len(rows) else None,
        "confusion": confusion_numbers(rows) if len(rows) else None,
    }


def direction_numbers(months: list[pd.DataFrame]) -> dict[str, Any]:
    """Direction AUC within months, and what so few effective events could tell from chance."""
    n_effective, n_scored, n_positive = 0.0, 0, 0
    for scored in months:
        score, positive = direction_scores(scored)
        kept = np.ones(len(scored), dtype=bool) if is_binary(scored) else scored["label"] != 0
        lag = largest_overlap(*scored.loc[kept, ["event_time_ns", "known_at"]].to_numpy(np.int64).T)
        n_effective += effective_sample_size(score, positive.astype(np.float64), lag)
        n_scored, n_positive = n_scored + len(score), n_positive + int(positive.sum())
    return {
        "direction_auc": direction_auc(months),
        "n_direction": n_scored,
        "n_eff": n_effective if n_scored else None,
        "smallest_detectable_auc": smallest_detectable_auc(n_effective, n_positive / n_scored)
        if n_scored
        else None,
    }


def reliability_numbers(scored: pd.DataFrame) -> dict[str, Any]:
    """Stated and observed frequency of a take-profit; the calibration error and its floor.

    The floor is the error that perfectly calibrated probabilities would show on average in the
    same bins: ``sum of n_b/N * sqrt(2/pi) * sqrt(p_b (1 - p_b) / n_b)``.
    """
    up = scored["label"].to_numpy() == 1
    bins = reliability_table(scored["p_up"].to_numpy(dtype=np.float64), up)
    n, p = bins["n_events"].to_numpy(), bins["mean_probability"].to_numpy()
    share = n / n.sum()
    gap = np.abs(bins["frequency"].to_numpy() - p)
    return {
        "bins": bins.to_dict("records"),
        "calibration_error": float((share * gap).sum()),
        "floor": float((share * np.sqrt(2 / np.pi * p * (1 - p) / n)).sum()),
    }


def confusion_numbers(scored: pd.DataFrame) -> dict[str, Any]:
    """Counts by class that came out (rows) and likeliest class (columns)."""
    counts = confusion_matrix(scored)
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    classes = ["other", "take-profit"] if len(counts) == 2 else ["down", "flat", "up"]
    return {"classes": classes, "counts": counts, "row_shares": shares}
