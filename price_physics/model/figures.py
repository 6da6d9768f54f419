"""Plot a fit: its learning curves, and its calibration out of fold."""

import numpy as np
import pandas as pd

from price_physics.figures import LIGHT, new_figure, png, style
from price_physics.model.summary import by_class
from price_physics.scores.calibration import calibration_error_equal_count, equal_count_bins

_COLOURS = {"down": LIGHT.loss, "flat": LIGHT.market, "up": LIGHT.net}


def draw_calibration(out_of_fold: pd.DataFrame) -> bytes:
    """Draw the reliability of every class: stated and observed frequency, in bins of equal count.

    The band holds 95 % of the bins of a perfectly calibrated model, given the effective sample.
    """
    classes = by_class(out_of_fold)
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
    """Draw the loss by epoch: training loss of every fit, early-stopping loss of the folds."""
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
