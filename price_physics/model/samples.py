"""Gather what is known about the members of a training set from the months of the past.

The roles of samples in folds and the drawing of images are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.errors import StaleInputs
from price_physics.frames import FloatArray, IntArray, rows_of, stack
from price_physics.images.windows import window_ends
from price_physics.model.dataset import Moments, Samples
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.regimes import FEATURE_COLUMNS, REGIME_FEATURES
from price_physics.schemas.weights import WEIGHTS

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.schemas.table import TableSchema


def gather_samples(month: Month, members: pd.DataFrame, past: Past) -> Samples:
    """Gather everything known about the members from the months up to `month`.

    Raises
    ------
    StaleInputs
        When a table lacks a member, which was built from other inputs, or a feature is not finite.
    """

    def up_to_month(schema: TableSchema, *columns: str) -> list[npt.NDArray[Any]]:
        tables = past.table(schema, *columns)
        return stack(schema, tables, [m for m in sorted(tables) if m <= month], *columns)

    times = np.sort(members["event_time_ns"].to_numpy(np.int64))
    bars = past.table(BARS)
    series, ends = window_ends({m: bars[m] for m in sorted(bars) if m <= month}, times)
    (window_time,) = up_to_month(IMAGE_WINDOWS, "event_time_ns")
    rows_of(times, window_time, "images")
    feature_time, *columns = up_to_month(REGIME_FEATURES, "event_time_ns", *FEATURE_COLUMNS)
    features = np.column_stack(columns)[rows_of(times, feature_time, "regime_features")]
    _check_finite(features, times)
    label_columns = up_to_month(LABELS, *LABELS.columns)
    labels = pd.DataFrame(dict(zip(LABELS.columns, label_columns, strict=True)))
    labels = labels.sort_values("event_time_ns", kind="stable", ignore_index=True)
    label_rows = rows_of(times, labels["event_time_ns"].to_numpy(np.int64), "labels")
    weights = past.table(WEIGHTS)[month]
    weights = weights.sort_values("event_time_ns", kind="stable", ignore_index=True)
    weight_rows = rows_of(times, weights["event_time_ns"].to_numpy(np.int64), "weights")
    return Samples(
        event_time_ns=times,
        series=series,
        ends=ends,
        features=features,
        uniqueness=weights["average_uniqueness"].to_numpy(np.float64)[weight_rows],
        label_rows=labels.iloc[label_rows].reset_index(drop=True),
    )


def _check_finite(features: FloatArray, times: IntArray) -> None:
    if not np.isfinite(features).all():
        row, column = np.argwhere(~np.isfinite(features))[0]
        raise StaleInputs(
            f"regime_features: {FEATURE_COLUMNS[column]} is {features[row, column]} at "
            f"event_time_ns {times[row]}"
        )


def feature_moments(features: FloatArray) -> Moments:
    """Compute mean and standard deviation of each feature (n, n_features) over the members."""
    std = features.std(axis=0)
    return Moments(features.mean(axis=0).tolist(), np.where(std > 0, std, 1.0).tolist())


def channel_moments(statistics: Mapping[Month, dict], month: Month) -> Moments:
    """Pool the channel statistics of the training months, weighted by their counts of windows.

    Raises
    ------
    StaleInputs
        When no month up to `month` has a window.
    """
    known = [statistics[m] for m in sorted(statistics) if m <= month]
    known = [s for s in known if s["n"] > 0]
    if not known:
        raise StaleInputs(f"images: no month up to {month} has channel statistics of any window")
    share = np.array([float(s["n"]) for s in known])[:, None] / sum(s["n"] for s in known)
    mean = np.array([s["mean"] for s in known], dtype=np.float64)
    square = np.array([s["std"] for s in known], dtype=np.float64) ** 2 + mean**2
    pooled = (share * mean).sum(axis=0)
    std = np.sqrt(np.maximum((share * square).sum(axis=0) - pooled**2, 0))
    return Moments(pooled.tolist(), np.where(std > 0, std, 1.0).tolist())
