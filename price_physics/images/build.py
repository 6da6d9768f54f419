"""The `images` partition of a month: which events have an image, and proof of what it looks like.

Stores no images but the golden ones: a render takes microseconds, so whoever needs images
renders them from the closes. Channel statistics are what the model normalises with.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from price_physics.images.contact_sheet import contact_sheet
from price_physics.images.render import RENDERER_VERSION, Renderer
from price_physics.images.threads import one_cpu_thread
from price_physics.images.windows import window_ends
from price_physics.labels.events import event_times
from price_physics.labels.frames import stack
from price_physics.months import Month
from price_physics.schemas import BARS, DROPPED_WINDOWS, IMAGE_WINDOWS
from price_physics.study import ImagesConfig, Study

N_GOLDEN = 16
MAX_STATISTICS_WINDOWS = 2048
_BATCH = 128


@dataclass(frozen=True)
class ImagesResult:
    """What the `images` partition of one month holds."""

    windows: pd.DataFrame
    dropped: pd.DataFrame
    specification: dict[str, Any]
    statistics: dict[str, Any]
    golden: dict[str, np.ndarray]
    contact_sheet: bytes


@one_cpu_thread()
def build_images(study: Study, month: Month, bars: Mapping[Month, pd.DataFrame]) -> ImagesResult:
    """Index the windows of the events of `month` and measure their images.

    Parameters
    ----------
    study : Study
    month : Month
    bars : mapping of month to BARS
        Of `month`, and of the month before it where there is one.

    Returns
    -------
    ImagesResult
        An event without enough bars behind it is in `dropped`, never in `windows`.
    """
    visible = {m: bars[m] for m in sorted(bars) if month - 1 <= m <= month}
    own = visible.get(month)
    times = np.empty(0, np.int64) if own is None else event_times(own, study.events)
    series, ends = window_ends(visible, times)
    longest = max(study.images.windows_bars)
    enough = ends + 1 >= longest
    kept = ends[enough]
    (open_time,) = stack(BARS, visible, sorted(visible), "open_time_ns")
    windows = pd.DataFrame(
        {
            "event_time_ns": times[enough],
            "window_start_ns": open_time[kept - longest + 1].astype(np.int64),
        },
        columns=IMAGE_WINDOWS.columns,
    )
    reason = f"the longest window needs {longest} bars in {month - 1} and {month}"
    dropped = pd.DataFrame(
        {
            "event_time_ns": times[~enough],
            "n_bars": ends[~enough] + 1,
            "reason": pd.Series([reason] * int((~enough).sum()), dtype=object),
        },
        columns=DROPPED_WINDOWS.columns,
    )
    renderer = Renderer(study.images)
    golden = _golden(renderer, series, kept, times[enough])
    statistics = _statistics(renderer, series, kept)
    statistics["known_at"] = month.end_ns
    statistics["golden_sha256"] = hashlib.sha256(golden["renders"].tobytes()).hexdigest()
    sheet = contact_sheet(month, renderer, series, kept, times[enough])
    return ImagesResult(windows, dropped, specification(study.images), statistics, golden, sheet)


def specification(config: ImagesConfig) -> dict[str, Any]:
    """Everything that decides a pixel, for JSON; `ImagesConfig` is rebuilt from it."""
    return {
        "windows_bars": list(config.windows_bars),
        "size_pixels": config.size_pixels,
        "channels": list(config.channels),
        "sample_range": list(config.sample_range),
        "mtf_bins": config.mtf_bins,
        "channel_names": Renderer(config).channel_names,
        "renderer_version": RENDERER_VERSION,
    }


def render_array(
    renderer: Renderer, series: npt.NDArray[np.float64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """Render events to a float32 array of shape (n, C, S, S), without gradients."""
    size = renderer.config.size_pixels
    images = np.empty((len(ends), renderer.n_channels, size, size), np.float32)
    bars = torch.from_numpy(np.ascontiguousarray(series))
    with torch.no_grad():
        for start in range(0, len(ends), _BATCH):
            batch = torch.from_numpy(ends[start : start + _BATCH])
            images[start : start + _BATCH] = renderer(bars, batch).numpy()
    return images


def evenly_spaced(n: int, at_most: int) -> npt.NDArray[np.int64]:
    """Pick at most `at_most` of `n` positions, first and last among them.

    Examples
    --------
    >>> evenly_spaced(10, 4)
    array([0, 3, 6, 9])
    """
    return np.unique(np.linspace(0, n - 1, min(n, at_most)).round().astype(np.int64))


def _golden(
    renderer: Renderer,
    series: npt.NDArray[np.float64],
    ends: npt.NDArray[np.int64],
    times: npt.NDArray[np.int64],
) -> dict[str, np.ndarray]:
    chosen = evenly_spaced(len(ends), N_GOLDEN)
    return {
        "renders": render_array(renderer, series, ends[chosen]),
        "event_time_ns": times[chosen].astype(np.int64),
    }


def _statistics(
    renderer: Renderer, series: npt.NDArray[np.float64], ends: npt.NDArray[np.int64]
) -> dict[str, Any]:
    """Mean and standard deviation of each channel's pixels; NumPy sums in a fixed order."""
    chosen = evenly_spaced(len(ends), MAX_STATISTICS_WINDOWS)
    total = np.zeros(renderer.n_channels)
    squares = np.zeros(renderer.n_channels)
    for start in range(0, len(chosen), _BATCH):
        batch = ends[chosen[start : start + _BATCH]]
        images = render_array(renderer, series, batch).astype(np.float64)
        total += images.sum(axis=(0, 2, 3))
        squares += np.square(images).sum(axis=(0, 2, 3))
    n_pixels = len(chosen) * renderer.config.size_pixels**2
    mean = total / n_pixels if n_pixels else total
    std = np.sqrt(np.maximum(squares / n_pixels - mean**2, 0)) if n_pixels else squares
    return {
        "n": len(ends),
        "n_measured": len(chosen),
        "channels": renderer.channel_names,
        "mean": mean.tolist(),
        "std": std.tolist(),
    }
