"""The slow engine: the same images by pyts, in float64, for people who want to compare.

pyts is imported when the first image is drawn, as its import compiles for half a minute. It has no
gradients.
"""

from __future__ import annotations

import warnings
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from price_physics.study.images import ImagesConfig

_Array = npt.NDArray[np.float64]
_WARNINGS = Lock()  # warning filters belong to the whole process


def draw(name: str, windows: _Array, config: ImagesConfig) -> _Array:
    """Draw one channel of windows (n, W) as pyts does: (n, size_pixels, size_pixels).

    Windows shorter than the image are drawn at their own size and their pixels replicated;
    recurrence takes pyts' piecewise averages, those of its GAF, scaled to [0, 1] by pyts.

    Parameters
    ----------
    name : {"gasf", "gadf", "mtf", "recurrence"}
        What `ImagesConfig` allows for this engine.
    windows : float64 array of shape (n, W)
    config : ImagesConfig
    """
    with _WARNINGS, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies', and "some quantiles are equal"
        picture = _own_size(name, windows, min(config.size_pixels, windows.shape[1]), config)
    pixel = np.arange(config.size_pixels) * picture.shape[1] // config.size_pixels
    return picture[:, pixel[:, None], pixel]


def _own_size(name: str, windows: _Array, size: int, config: ImagesConfig) -> _Array:
    from pyts.approximation import PiecewiseAggregateApproximation
    from pyts.image import GramianAngularField, MarkovTransitionField, RecurrencePlot
    from pyts.preprocessing import MinMaxScaler

    if not len(windows):  # pyts refuses
        return np.empty((0, size, size))
    if name == "mtf":
        return MarkovTransitionField(size, n_bins=config.mtf_bins).transform(windows)
    if name == "recurrence":
        averages = PiecewiseAggregateApproximation(
            None, output_size=size, overlapping=False
        ).transform(windows)
        return RecurrencePlot().transform(MinMaxScaler((0, 1)).transform(averages))
    method = {"gasf": "summation", "gadf": "difference"}[name]
    return GramianAngularField(size, config.sample_range, method).transform(windows)
