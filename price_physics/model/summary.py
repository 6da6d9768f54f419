"""Summarise out-of-fold probabilities, unweighted: log loss, skill, calibration, AUC.

The probabilities of each fold were calibrated on the other folds, so none is judged on the rows it
was fitted to. Labels overlap, so the floor of a calibration error is also given for the effective
sample. Nothing here is evidence of an edge: the walk-forward decides that, after costs.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.labels.odds import class_odds
from price_physics.scores.auc import auc_mean_of_groups
from price_physics.scores.calibration import calibration_error_equal_count
from price_physics.scores.effective_sample import effective_sample_size, largest_overlap
from price_physics.scores.probabilities import (
    Floats,
    class_index,
    class_names,
    class_probabilities,
    direction,
    log_loss,
)
from price_physics.scores.skill import skill_numbers


def summarise(
    probabilities: Floats, labels: npt.NDArray[np.int8], folds: npt.NDArray[np.int32]
) -> dict[str, Any]:
    """Summarise out-of-fold probabilities (n, n_classes) of labels -1, 0, +1.

    They are compared with the base rates of the same rows, a guess that has seen the labels.
    """
    n_classes = probabilities.shape[1]
    classes = class_index(labels, n_classes)
    score, positive, counted = direction(probabilities, classes)
    fold = folds[counted]
    by_class = {}
    for k, name in enumerate(class_names(n_classes)):
        found = calibration_error_equal_count(probabilities[:, k], classes == k)
        by_class[name] = found._asdict()
    shares = np.bincount(classes, minlength=n_classes) / len(classes)
    return {
        "n_out_of_fold": len(labels),
        "log_loss": log_loss(probabilities, classes),
        "log_loss_of_base_rates": log_loss(np.tile(shares, (len(classes), 1)), classes),
        "calibration_error_equal_count": float(np.mean([v["error"] for v in by_class.values()])),
        "calibration_floor_equal_count": float(np.mean([v["floor"] for v in by_class.values()])),
        "calibration_by_class": by_class,
        "direction_auc_mean_of_folds": auc_mean_of_groups(
            (score[fold == f], positive[fold == f]) for f in np.unique(fold)
        ),
    }


def judge_skill(out_of_fold: pd.DataFrame) -> dict[str, float | None]:
    """Compare out-of-fold probabilities with the driftless odds of the same events.

    Parameters
    ----------
    out_of_fold : DataFrame
        OUT_OF_FOLD.

    Returns
    -------
    dict
        As `scores.skill.skill_numbers` gives it.
    """
    p, classes = class_probabilities(out_of_fold)
    odds = class_odds(out_of_fold, p.shape[1])
    return skill_numbers(odds, p, classes, out_of_fold["event_time_ns"].to_numpy(np.int64))


def judge_calibration(out_of_fold: pd.DataFrame) -> dict[str, float]:
    """Return the effective sample of out-of-fold probabilities, and its calibration floor.

    Parameters
    ----------
    out_of_fold : DataFrame
        OUT_OF_FOLD; empty in a warm-up.

    Returns
    -------
    dict
        `n_effective`, the smallest over the classes; `calibration_floor_equal_count_effective`, the
        error that a perfectly calibrated model would show on a sample of that size, mean over the
        classes. Empty without rows.
    """
    floors, sizes = [], []
    for p, came, n_effective in by_class(out_of_fold).values():
        floor = calibration_error_equal_count(p, came).floor
        floors.append(floor * np.sqrt(len(p) / n_effective))
        sizes.append(n_effective)
    if not sizes:
        return {}
    return {
        "n_effective": float(min(sizes)),
        "calibration_floor_equal_count_effective": float(np.mean(floors)),
    }


def by_class(out_of_fold: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """Return for each class its probability, whether it came out, and the effective sample."""
    if not len(out_of_fold):
        return {}
    frame = out_of_fold.sort_values("event_time_ns", kind="stable")
    columns = {"up": frame["p_up"].to_numpy(np.float64)}
    if frame["p_flat"].notna().any():
        columns = {name: frame[f"p_{name}"].to_numpy(np.float64) for name in class_names(3)}
    else:
        columns = {"take_profit": columns["up"]}
    lag = largest_overlap(
        frame["event_time_ns"].to_numpy(np.int64), frame["label_end_ns"].to_numpy(np.int64)
    )
    n_classes = 3 if len(columns) == 3 else 2
    index = class_index(frame["label"].to_numpy(np.int8), n_classes)
    found = {}
    for name, p in columns.items():
        came = (index == class_names(n_classes).index(name)).astype(np.float64)
        found[name] = (p, came, effective_sample_size(p, came, lag))
    return found
