"""Calibration: how far stated probabilities are from observed frequencies, bin by bin.

There are two kinds of bins, and their errors are different numbers. Bins of equal count are all
equally certain: they measure a model out of fold. Bins of equal width say what became of "20 to
30 %": they show people the probabilities out of sample.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

N_BINS = 10


class CalibrationError(NamedTuple):
    """Mean distance of stated probabilities from observed frequencies, and its floor.

    A perfectly calibrated model still shows the floor on average: read the error against it.
    """

    error: float
    floor: float


def calibration_error_equal_count(
    probability: npt.ArrayLike, happened: npt.ArrayLike, n_bins: int = N_BINS
) -> CalibrationError:
    """Expected calibration error of one class over bins of equal count.

    The floor is about ``sqrt(2/pi) sqrt(p (1-p) bins / N)``.

    Parameters
    ----------
    probability : float array of shape (n,)
        Predicted probability of the class.
    happened : bool array of shape (n,)
        Whether the class came out.
    n_bins : int
        Bins; fewer where there are fewer samples.

    Examples
    --------
    >>> found = calibration_error_equal_count([0.1, 0.2, 0.8, 0.9], [0, 1, 1, 1], n_bins=2)
    >>> round(found.error, 3), round(found.floor, 3)
    (0.25, 0.199)
    """
    p, came = np.asarray(probability, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    bins = equal_count_bins(p, n_bins)
    gaps = [abs((came[rows] - p[rows]).sum()) for rows in bins]
    floor = np.sqrt(2 / np.pi * (p * (1 - p)).mean() * len(bins) / len(p))
    return CalibrationError(float(sum(gaps) / len(p)), float(floor))


def equal_count_bins(
    probability: npt.NDArray[np.float64], n_bins: int = N_BINS
) -> list[npt.NDArray[np.int64]]:
    """Positions of the events in each bin of equal count, by increasing probability."""
    order = np.argsort(probability, kind="stable")
    return np.array_split(order, min(n_bins, len(probability)))


def calibration_error_equal_width(bins: pd.DataFrame) -> CalibrationError:
    """Expected calibration error over the bins of a `reliability_table`.

    The floor is ``sum of n_b/N * sqrt(2/pi) * sqrt(p_b (1 - p_b) / n_b)``.
    """
    n, p = bins["n_events"].to_numpy(), bins["mean_probability"].to_numpy()
    share = n / n.sum()
    gap = np.abs(bins["frequency"].to_numpy() - p)
    floor = share * np.sqrt(2 / np.pi * p * (1 - p) / n)
    return CalibrationError(float((share * gap).sum()), float(floor.sum()))


def reliability_table(
    probability: npt.ArrayLike, happened: npt.ArrayLike, n_bins: int = N_BINS
) -> pd.DataFrame:
    """Compare stated probabilities with frequencies, in bins of equal width.

    Returns
    -------
    DataFrame
        `lower`, `upper`, `n_events`, `mean_probability`, `frequency`; empty bins are left out.
    """
    p, came = np.asarray(probability, dtype=np.float64), np.asarray(happened, dtype=np.float64)
    cell = np.minimum((p * n_bins).astype(np.int64), n_bins - 1)
    n_events = np.bincount(cell, minlength=n_bins)
    held = n_events > 0
    return pd.DataFrame(
        {
            "lower": (np.arange(n_bins) / n_bins)[held],
            "upper": ((np.arange(n_bins) + 1) / n_bins)[held],
            "n_events": n_events[held],
            "mean_probability": np.bincount(cell, p, n_bins)[held] / n_events[held],
            "frequency": np.bincount(cell, came, n_bins)[held] / n_events[held],
        }
    )
