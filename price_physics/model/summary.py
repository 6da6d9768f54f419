"""What is told of out-of-fold probabilities; unweighted.

None of it is evidence of an edge: that is decided by the walk-forward after costs.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from price_physics.scores.auc import auc_mean_of_groups
from price_physics.scores.calibration import calibration_error_equal_count
from price_physics.scores.probabilities import (
    Floats,
    class_index,
    class_names,
    direction,
    log_loss,
)


def summarise(
    probabilities: Floats, labels: npt.NDArray[np.int8], folds: npt.NDArray[np.int32]
) -> dict[str, Any]:
    """Describe out-of-fold probabilities (n, n_classes) of labels -1, 0, +1.

    The base rates they are held against are those of the very rows: a guess that has seen them.
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
