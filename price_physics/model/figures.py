"""A model's out-of-fold probabilities judged, and drawn: learning curves and calibration.

The probabilities of each fold were calibrated on the other folds, so nothing is judged on the rows
it was fitted to. Labels overlap, so the floor under a calibration error is that of the effective
sample, not of the number of rows. None of this is evidence of an edge.
"""

import numpy as np
import pandas as pd

from price_physics.figures import LIGHT, new_figure, png, style
from price_physics.scores.calibration import calibration_error_equal_count, equal_count_bins
from price_physics.scores.effective_sample import effective_sample_size, largest_overlap
from price_physics.scores.probabilities import class_index, class_names

_COLOURS = {"down": LIGHT.loss, "flat": LIGHT.market, "up": LIGHT.net}


def judge_calibration(out_of_fold: pd.DataFrame) -> dict[str, float]:
    """Effective sample of out-of-fold probabilities, and the calibration floor that it sets.

    Parameters
    ----------
    out_of_fold : DataFrame
        OUT_OF_FOLD; empty in a warm-up.

    Returns
    -------
    dict
        `n_effective`, the smallest of the classes; `calibration_floor_equal_count_effective`, the
        error that a perfectly calibrated model of so few events would show, mean over the
        classes. Empty without a row.
    """
    floors, sizes = [], []
    for p, came, n_effective in _classes(out_of_fold).values():
        found = calibration_error_equal_count(p, came)
        floors.append(found.floor * np.sqrt(len(p) / n_effective))
        sizes.append(n_effective)
    if not sizes:
        return {}
    return {
        "n_effective": float(min(sizes)),
        "calibration_floor_equal_count_effective": float(np.mean(floors)),
    }


def draw_calibration(out_of_fold: pd.DataFrame) -> bytes:
    """Reliability of every class: stated and observed frequency, in bins of equal count.

    The band holds nineteen of twenty bins of a perfectly calibrated model, at the effective sample.
    """
    classes = _classes(out_of_fold)
    with style(LIGHT):
        figure = new_figure(3.6 * len(classes), 3.9)
        every = figure.subplots(1, len(classes), squeeze=False)[0]
        for axes, (name, (p, came, n_effective)) in zip(every, classes.items(), strict=True):
            bins = equal_count_bins(p)
            stated = np.array([p[rows].mean() for rows in bins])
            observed = np.array([came[rows].mean() for rows in bins])
            half = 1.96 * np.sqrt(stated * (1 - stated) * len(bins) / n_effective)
            axes.fill_between(stated, stated - half, stated + half, color=LIGHT.shade, linewidth=0)
            axes.plot(stated, stated, color=LIGHT.muted, linestyle="--", linewidth=1.2)
            axes.plot(stated, observed, color=_COLOURS.get(name, LIGHT.net), marker="o")
            error, floor = calibration_error_equal_count(p, came)
            floor *= np.sqrt(len(p) / n_effective)
            axes.set_title(f"{name}: error {error:.3f}, floor {floor:.3f}")
            axes.set_xlabel("stated, out of fold")
        every[0].set_ylabel("observed")
        return png(figure)


def draw_learning_curves(curves: pd.DataFrame) -> bytes:
    """Loss by epoch: of training in every fit, and of the folds' early-stopping slices."""
    with style(LIGHT):
        figure = new_figure(8, 3.9)
        trained, stopped = figure.subplots(1, 2)
        for fold, rows in curves.groupby("fold"):
            is_final = int(str(fold)) < 0
            colour, width = (LIGHT.net, 2.2) if is_final else (LIGHT.gross, 1.2)
            label = "final fit" if is_final else None
            trained.plot(rows["epoch"], rows["train_loss"], color=colour, lw=width, label=label)
            if not is_final:
                stop = rows["early_stop_loss"]
                stopped.plot(rows["epoch"], stop, color=LIGHT.gross, lw=1.2)
                best = stop.idxmin()
                stopped.plot(rows["epoch"][best], stop[best], "o", color=LIGHT.attention)
        trained.set_title("Weighted training loss")
        trained.legend(loc="best")
        stopped.set_title("Early-stopping log loss, best epochs")
        for axes in (trained, stopped):
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
        return png(figure)


def _classes(frame: pd.DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray, float]]:
    """By class: probability, whether it came out, and how many events that is worth."""
    if not len(frame):
        return {}
    frame = frame.sort_values("event_time_ns", kind="stable")
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
