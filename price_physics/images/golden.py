"""Proof of what was drawn: one checksum an image.

A pixel depends on the bars and on the renderer, not on threads or batch: rendering a month again
must give the same checksums. On another kind of processor the last bit of a Gramian field may
differ (see `fields`).
"""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from price_physics.images.render import RENDERER_VERSION, Renderer

_BATCH = 128


def evenly_spaced(n: int, at_most: int) -> npt.NDArray[np.int64]:
    """Pick at most `at_most` of `n` positions, first and last among them.

    Examples
    --------
    >>> evenly_spaced(10, 4)
    array([0, 3, 6, 9])
    """
    return np.unique(np.linspace(0, n - 1, min(n, at_most)).round().astype(np.int64))


def render_array(
    renderer: Renderer, series: npt.NDArray[np.float64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Render events to a float32 array of shape (n, C, S, S), without gradients."""
    size = renderer.size_pixels
    images = np.empty((len(ends), renderer.n_channels, size, size), np.float32)
    bars = torch.from_numpy(np.ascontiguousarray(series))
    with torch.no_grad():
        for start in range(0, len(ends), _BATCH):
            batch = torch.from_numpy(ends[start : start + _BATCH])
            images[start : start + _BATCH] = renderer(bars, batch).numpy()
    return images


def checksums(
    renderer: Renderer,
    series: npt.NDArray[np.float64],
    ends: npt.NDArray[np.int64],
    times: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """The sha256 of the float32 pixels of each event's image, for JSON."""
    images = []
    for start in range(0, len(ends), _BATCH):
        part = slice(start, start + _BATCH)
        for time_ns, pixels in zip(
            times[part], render_array(renderer, series, ends[part]), strict=True
        ):
            digest = hashlib.sha256(pixels.tobytes()).hexdigest()
            images.append({"event_time_ns": int(time_ns), "sha256": digest})
    return {"renderer_version": RENDERER_VERSION, "images": images}
