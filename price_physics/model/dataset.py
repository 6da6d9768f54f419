"""Training samples, on the device from the start: no loader, no image files.

The bars of all months lie in one array; a sample is a position in it, and its image is drawn inside
the step. Which sample plays which role in which fold is not known here.
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from price_physics.errors import StoreError
from price_physics.frames import rows_of, stack
from price_physics.images.render import RENDERER_VERSION, Renderer
from price_physics.images.windows import window_ends
from price_physics.months import Month
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.regimes import FEATURE_COLUMNS, REGIME_FEATURES
from price_physics.scores.probabilities import Floats

CACHE_BYTES = 1 << 30
_RENDER_BATCH = 256
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation by channel or by feature; a constant one keeps its scale."""

    mean: list[float]
    std: list[float]

    def scale(self, values: Tensor, axis: int) -> Tensor:
        """Shift and scale a tensor whose `axis` runs over channels or features."""
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        mean = values.new_tensor(self.mean).view(shape)
        std = values.new_tensor(self.std).view(shape)
        return (values - mean) / std


@dataclass(frozen=True)
class Samples:
    """The members of the training set, one row each, sorted by event time.

    `label_rows` holds the matching rows of LABELS; `features` is not scaled yet.
    """

    event_time_ns: npt.NDArray[np.int64]
    series: Floats  # (2, n_bars)
    ends: npt.NDArray[np.int64]
    features: Floats
    uniqueness: Floats
    label_rows: pd.DataFrame


def gather_samples(
    month: Month,
    members: pd.DataFrame,
    *,
    windows: Mapping[Month, pd.DataFrame],
    bars: Mapping[Month, pd.DataFrame],
    features: Mapping[Month, pd.DataFrame],
    labels: Mapping[Month, pd.DataFrame],
    weights: pd.DataFrame,
) -> Samples:
    """Find everything known about the members in tables of months up to `month`.

    Raises
    ------
    StoreError
        When a table lacks a member: it was built from something else.
    ValueError
        When a feature is not a number.
    """
    times = np.sort(members["event_time_ns"].to_numpy(np.int64))
    past = [m for m in sorted(bars) if m <= month]
    visible = {m: bars[m] for m in past}
    series, ends = window_ends(visible, times)

    def months_of(tables: Mapping[Month, pd.DataFrame]) -> list[Month]:
        return [m for m in sorted(tables) if m <= month]

    (window_time,) = stack(IMAGE_WINDOWS, windows, months_of(windows), "event_time_ns")
    rows_of(times, window_time, "images")
    feature_time, *columns = stack(
        REGIME_FEATURES, features, months_of(features), "event_time_ns", *FEATURE_COLUMNS
    )
    values = np.column_stack(columns)[rows_of(times, feature_time, "regime_features")]
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise ValueError(
            f"regime_features: {FEATURE_COLUMNS[column]} is {values[row, column]} at event_time_ns "
            f"{times[row]}; materialise regime_features of that month again"
        )
    label_columns = stack(LABELS, labels, months_of(labels), *LABELS.columns)
    label_frame = pd.DataFrame(dict(zip(LABELS.columns, label_columns, strict=True)))
    label_frame = label_frame.sort_values("event_time_ns", kind="stable", ignore_index=True)
    label_time = label_frame["event_time_ns"].to_numpy(np.int64)
    label_rows = label_frame.iloc[rows_of(times, label_time, "labels")].reset_index(drop=True)
    weights = weights.sort_values("event_time_ns", kind="stable", ignore_index=True)
    weight_rows = rows_of(times, weights["event_time_ns"].to_numpy(np.int64), "weights")
    uniqueness = weights["average_uniqueness"].to_numpy(np.float64)[weight_rows]
    return Samples(times, series, ends, values, uniqueness, label_rows)


def feature_moments(features: Floats) -> Moments:
    """Measure each feature (n, n_features) over the members."""
    std = features.std(axis=0)
    return Moments(features.mean(axis=0).tolist(), np.where(std > 0, std, 1.0).tolist())


def channel_moments(statistics: Mapping[Month, dict], month: Month) -> Moments:
    """Pool the channel statistics of the training months, each weighted by its windows.

    Raises
    ------
    StoreError
        When no month up to `month` has a window.
    """
    known = [statistics[m] for m in sorted(statistics) if m <= month]
    known = [s for s in known if s["n"] > 0]
    if not known:
        raise StoreError(
            f"images: no month up to {month} has channel statistics of any window; "
            "materialise images of the training months"
        )
    share = np.array([float(s["n"]) for s in known])[:, None] / sum(s["n"] for s in known)
    mean = np.array([s["mean"] for s in known], dtype=np.float64)
    square = np.array([s["std"] for s in known], dtype=np.float64) ** 2 + mean**2
    pooled = (share * mean).sum(axis=0)
    std = np.sqrt(np.maximum((share * square).sum(axis=0) - pooled**2, 0))
    return Moments(pooled.tolist(), np.where(std > 0, std, 1.0).tolist())


class SampleStore:
    """What the training loop reads: images, features and classes by sample number.

    Images are drawn when asked for, or once beforehand where all of them fit into `cache_bytes` and
    into the device's memory.
    """

    def __init__(
        self,
        renderer: Renderer,
        samples: Samples,
        classes: npt.NDArray[np.int64],
        channels: Moments,
        features: Moments,
        device: torch.device,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.device = device
        self.renderer = renderer
        self.series = torch.as_tensor(samples.series, device=device)
        self.ends = torch.as_tensor(samples.ends, device=device)
        renderer.check(self.series, self.ends)
        self._moments = channels
        self._mean = torch.tensor(channels.mean, device=device).view(-1, 1, 1)
        self._std = torch.tensor(channels.std, device=device).view(-1, 1, 1)
        raw = torch.as_tensor(samples.features, device=device)
        self.features = features.scale(raw, axis=1).to(torch.float32)
        self.classes = torch.as_tensor(classes, device=device)
        self._cache: Tensor | None = None
        try:
            self._cache = self._drawn(cache_bytes)
        except torch.OutOfMemoryError:
            _log.warning(
                "the device's memory does not suffice to keep the images of %d samples; every step "
                "draws its own",
                len(self),
            )
        if self._cache is None and device.type == "cuda":
            torch.cuda.empty_cache()

    def __len__(self) -> int:
        return len(self.ends)

    def _drawn(self, at_most: int) -> Tensor | None:
        """All images (n, S, S, C), if they take at most so many bytes."""
        size = self.renderer.config.size_pixels
        shape = (len(self), size, size, self.renderer.n_channels)
        if 4 * np.prod(shape, dtype=np.int64) > at_most:
            return None
        drawn = torch.empty(shape, device=self.device)
        for index in torch.arange(len(self), device=self.device).split(_RENDER_BATCH):
            drawn[index] = self._render(index, torch.float32).permute(0, 2, 3, 1)
        return drawn

    def images(self, index: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Normalised images of samples `index` (B,): (B, C, S, S), channels last."""
        if self._cache is None:
            return self._render(index, dtype)
        return self._cache.index_select(0, index).permute(0, 3, 1, 2).to(dtype)

    @torch.no_grad()
    def _render(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        images = self.renderer(self.series, self.ends[index], dtype=dtype, checked=True)
        images = images.contiguous(memory_format=torch.channels_last)
        return images.sub_(self._mean).div_(self._std)

    def fingerprint(self) -> str:
        """Hash all that a sample is: bars, positions, features, classes, how it is drawn."""
        drawn = (repr(self.renderer.config), RENDERER_VERSION, repr(self._moments))
        digest = hashlib.sha256("|".join(drawn).encode())
        for tensor in (self.series, self.ends, self.features, self.classes):
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()
