"""A model's out-of-fold probabilities judged.

The probabilities of each fold were calibrated on the other folds, so nothing is judged on the rows
it was fitted to. Labels overlap, so the floor under a calibration error is that of the effective
sample, not of the number of rows. None of this is evidence of an edge.
"""

import numpy as np
import pandas as pd

from price_physics.model.metrics import calibration_error, class_index, class_names
from price_physics.scores.effective_sample import effective_sample_size, largest_overlap


def judge_calibration(out_of_fold: pd.DataFrame) -> dict[str, float]:
    """Effective sample of out-of-fold probabilities, and the calibration floor that it sets.

    Parameters
    ----------
    out_of_fold : DataFrame
        OUT_OF_FOLD; empty in a warm-up.

    Returns
    -------
    dict
        `n_effective`, the smallest of the classes; `calibration_floor_effective`, the error that
        a perfectly calibrated model of so few events would show, mean over the classes. Empty
        without a row.
    """
    floors, sizes = [], []
    for p, came, n_effective in by_class(out_of_fold).values():
        _, floor = calibration_error(p, came)
        floors.append(floor * np.sqrt(len(p) / n_effective))
        sizes.append(n_effective)
    if not sizes:
        return {}
    return {
        "n_effective": float(min(sizes)),
        "calibration_floor_effective": float(np.mean(floors)),
    }


def by_class(out_of_fold: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """By class: probability, whether it came out, and how many events that is worth."""
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
