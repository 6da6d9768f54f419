"""Score all out-of-sample predictions, by the month that their model served, as JSON numbers.

The package ``scores`` defines the scores; this module groups and names them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from price_physics.labels.odds import class_odds
from price_physics.months import Month
from price_physics.schemas.walk_forward import SCORED
from price_physics.scores.auc import auc, auc_pairs_within_groups
from price_physics.scores.calibration import (
    calibration_error_equal_width,
    equal_count_bins,
    reliability_table,
)
from price_physics.scores.effective_sample import (
    effective_sample_size,
    largest_overlap,
    smallest_detectable_auc,
)
from price_physics.scores.mean_by_blocks import mean_by_blocks
from price_physics.scores.probabilities import (
    Direction,
    class_probabilities,
    confusion_matrix,
    direction,
    log_loss,
)
from price_physics.scores.skill import skill_numbers


def by_event_month(scored: Mapping[Month, pd.DataFrame]) -> dict[Month, pd.DataFrame]:
    """Regroup SCORED by the month of the event; it is stored by the month of the label.

    One model serves a month's events, and scores of two models are never compared.
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
        `direction` (of pairs within months), `month_auc` by month of the event, `skill`, `values`,
        `reliability` and `confusion`. The last four are None without an event.
    """
    months = by_event_month(scored)
    rows = pd.concat(months.values(), ignore_index=True) if months else SCORED.empty()
    directions = {m: _direction(s) for m, s in months.items()}
    return {
        "direction": direction_numbers(list(months.values())),
        "month_auc": {m: auc(d.score, d.positive) for m, d in directions.items()},
        "skill": gain_numbers(rows) if len(rows) else None,
        "values": value_numbers(rows) if len(rows) else None,
        "reliability": reliability_numbers(rows) if len(rows) else None,
        "confusion": confusion_numbers(rows) if len(rows) else None,
    }


def direction_numbers(months: list[pd.DataFrame]) -> dict[str, Any]:
    """Compute direction AUC within months, and the smallest AUC that their events could detect."""
    n_effective, n_scored, n_positive = 0.0, 0, 0
    groups = []
    for scored in months:
        score, positive, counted = _direction(scored)
        interval_ns = scored.loc[counted, ["event_time_ns", "known_at"]].to_numpy(np.int64)
        lag = largest_overlap(*interval_ns.T)
        n_effective += effective_sample_size(score, positive.astype(np.float64), lag)
        n_scored, n_positive = n_scored + len(score), n_positive + int(positive.sum())
        groups.append((score, positive))
    return {
        "direction_auc_pairs_within_months": auc_pairs_within_groups(groups),
        "n_direction": n_scored,
        "n_eff": n_effective if n_scored else None,
        "smallest_detectable_auc": smallest_detectable_auc(n_effective, n_positive / n_scored)
        if n_scored
        else None,
    }


def gain_numbers(scored: pd.DataFrame) -> dict[str, Any]:
    """Compare probabilities with the driftless odds of the same events, out of sample."""
    p, classes = class_probabilities(scored)
    odds = class_odds(scored.assign(side=scored["label_side"]), p.shape[1])
    skill = skill_numbers(odds, p, classes, scored["event_time_ns"].to_numpy(dtype=np.int64))
    return {"log_loss": log_loss(p, classes), **skill}


def value_numbers(scored: pd.DataFrame) -> dict[str, Any]:
    """Compare stated values of events with what they returned, both before costs.

    Events are sorted by the stated value of the side that the network preferred, traded or not, and
    grouped into tenths.
    """
    stated, returned = (
        scored[f"{name}_bps"].to_numpy(np.float64) for name in ("stated", "returned")
    )
    time_ns = scored["event_time_ns"].to_numpy(dtype=np.int64)
    rows = []
    for tenth in equal_count_bins(stated):
        came = mean_by_blocks(returned[tenth], time_ns[tenth])
        rows.append(
            {
                "n_events": len(tenth),
                "mean_stated_bps": stated[tenth].mean(),
                "mean_returned_bps": came.mean if came else None,
                "returned_low_bps": came.low if came else None,
                "returned_high_bps": came.high if came else None,
            }
        )
    return {"tenths": rows}


def reliability_numbers(scored: pd.DataFrame) -> dict[str, Any]:
    """Compare stated and observed frequency of a take-profit; give calibration error and floor."""
    up = scored["label"].to_numpy() == 1
    bins = reliability_table(scored["p_up"].to_numpy(dtype=np.float64), up)
    error, floor = calibration_error_equal_width(bins)
    return {
        "bins": bins.to_dict("records"),
        "calibration_error_equal_width": error,
        "calibration_floor_equal_width": floor,
    }


def confusion_numbers(scored: pd.DataFrame) -> dict[str, Any]:
    """Count events by the class that came out (rows) and the likeliest class (columns)."""
    counts = confusion_matrix(*class_probabilities(scored))
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    classes = ["other", "take-profit"] if len(counts) == 2 else ["down", "flat", "up"]
    return {"classes": classes, "counts": counts, "row_shares": shares}


def _direction(scored: pd.DataFrame) -> Direction:
    return direction(*class_probabilities(scored))
