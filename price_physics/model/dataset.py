"""Hold the training samples on the device: no loader, no image files.

The bars of all months are in one array; a sample is a position in it, and its image is drawn in the
training step. The roles of samples in folds are not known here.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from price_physics.frames import FloatArray, IntArray
from price_physics.images.render import RENDERER_VERSION, Renderer

if TYPE_CHECKING:
    import pandas as pd

CACHE_BYTES = 1 << 30
_RENDER_BATCH = 256
_AT_ONCE = {"cpu": 64, "cuda": 4096}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moments:
    """Mean and standard deviation by channel or by feature; 1 instead of a deviation of 0."""

    mean: list[float]
    std: list[float]

    def scale(self, values: Tensor, axis: int) -> Tensor:
        """Shift and scale a tensor whose `axis` runs over channels or features."""
        shape = [-1 if i == axis else 1 for i in range(values.ndim)]
        mean = values.new_tensor(self.mean).view(shape)
        std = values.new_tensor(self.std).view(shape)
        return (values - mean) / std


@dataclass(frozen=True)
class Scales:
    """Moments that scale images and regime features before the network sees them."""

    channels: Moments
    features: Moments

    @classmethod
    def read(cls, architecture: Mapping[str, Any]) -> Scales:
        """Read back what `json` wrote."""
        channels = Moments(architecture["channel_mean"], architecture["channel_std"])
        return cls(channels, Moments(architecture["feature_mean"], architecture["feature_std"]))

    def json(self) -> dict[str, list[float]]:
        """Return the four entries of an architecture document."""
        return {
            "channel_mean": self.channels.mean,
            "channel_std": self.channels.std,
            "feature_mean": self.features.mean,
            "feature_std": self.features.std,
        }


@dataclass(frozen=True)
class Samples:
    """The members of the training set, one row each, sorted by event time.

    `label_rows` holds the matching rows of LABELS; `features` is not scaled yet.
    """

    event_time_ns: IntArray
    series: FloatArray  # (2, n_bars)
    ends: IntArray
    features: FloatArray
    uniqueness: FloatArray
    label_rows: pd.DataFrame


class NetworkInputs:
    """What a network sees of samples: images, drawn on request and normalised, and scaled features.

    Parameters
    ----------
    renderer : Renderer
        Pools as the network asks: see `NetworkConfig.pool`.
    series : float64 array of shape (2, n_bars)
        Closes and volumes of all bars.
    ends : int64 array of shape (n,)
        Position of each sample's own bar.
    features : float64 array of shape (n, n_features)
        Not scaled.
    scales : Scales
    device : torch.device

    Attributes
    ----------
    features : float32 tensor of shape (n, n_features)
        Scaled, on the device.
    at_once : int
        Samples that pass through a network together when it is asked, not trained.
    """

    def __init__(
        self,
        renderer: Renderer,
        series: ArrayLike | Tensor,
        ends: ArrayLike | Tensor,
        features: ArrayLike | Tensor,
        scales: Scales,
        device: torch.device,
    ) -> None:
        self.device = device
        self.renderer = renderer
        self.series = torch.as_tensor(series, dtype=torch.float64, device=device)
        self.ends = torch.as_tensor(ends, dtype=torch.int64, device=device)
        renderer.check(self.series, self.ends)
        self._moments = scales.channels
        self._mean = torch.tensor(scales.channels.mean, device=device).view(-1, 1, 1)
        self._std = torch.tensor(scales.channels.std, device=device).view(-1, 1, 1)
        raw = torch.as_tensor(features, dtype=torch.float64, device=device)
        self.features = scales.features.scale(raw, axis=1).to(torch.float32)
        self.at_once = _AT_ONCE[device.type]

    def __len__(self) -> int:
        return len(self.ends)

    def images(self, index: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Normalised images of samples `index` (B,): (B, C, S, S), channels last."""
        return self._render(index, dtype)

    @torch.no_grad()
    def _render(self, index: Tensor, dtype: torch.dtype) -> Tensor:
        images = self.renderer(self.series, self.ends[index], dtype=dtype, checked=True)
        images = images.contiguous(memory_format=torch.channels_last)
        return images.sub_(self._mean).div_(self._std)


class SampleStore(NetworkInputs):
    """Serve images, features, classes and uniqueness to the training loop, by sample number.

    `offset` (n, n_classes) is added to the logits; without it nothing is. Images are drawn on
    request, or all beforehand if they fit into `cache_bytes` and into the device's memory.
    Everything is on the device except the average uniqueness, a float64 array.
    """

    def __init__(
        self,
        renderer: Renderer,
        samples: Samples,
        classes: IntArray,
        scales: Scales,
        device: torch.device,
        cache_bytes: int = CACHE_BYTES,
        offset: FloatArray | None = None,
    ) -> None:
        super().__init__(renderer, samples.series, samples.ends, samples.features, scales, device)
        self.uniqueness = samples.uniqueness
        self.classes = torch.as_tensor(classes, device=device)
        added = np.zeros((len(samples.ends), 1)) if offset is None else offset
        self.offset = torch.as_tensor(added, dtype=torch.float32, device=device)
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

    def _drawn(self, at_most: int) -> Tensor | None:
        """Draw all images (n, S, S, C); return None if they take more than `at_most` bytes."""
        size = self.renderer.size_pixels
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

    def fingerprint(self) -> str:
        """Hash the samples: bars, positions, features, classes, offsets, weights, renderer."""
        drawn = (
            repr(self.renderer.config),
            self.renderer.pool,
            RENDERER_VERSION,
            repr(self._moments),
        )
        digest = hashlib.sha256("|".join(map(str, drawn)).encode())
        for tensor in (self.series, self.ends, self.features, self.classes, self.offset):
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        digest.update(np.ascontiguousarray(self.uniqueness).tobytes())
        return digest.hexdigest()
