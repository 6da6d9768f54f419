"""The `images` partition of a month: which events have an image, and proof of what it looks like.

Stores no images but a few golden ones: a render takes microseconds, so whoever needs images
renders them from the bars. Channel statistics are what the model normalises with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.frames import stack
from price_physics.images.contact_sheet import contact_sheet
from price_physics.images.golden import checksums, evenly_spaced, render_array
from price_physics.images.render import RENDERER_VERSION, Renderer
from price_physics.images.threads import one_cpu_thread
from price_physics.images.windows import window_ends
from price_physics.labels.events import event_times
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import DROPPED_WINDOWS, IMAGE_WINDOWS
from price_physics.study.images import ImagesConfig
from price_physics.study.study import Study

N_GOLDEN = 256
N_GOLDEN_RENDERS = 16
"""All 256 images would be 30 MB a month; their checksums prove as much, sixteen show it."""

MAX_STATISTICS_WINDOWS = 2048
_BATCH = 128


@dataclass(frozen=True)
class ImagesResult:
    """What the `images` partition of one month holds, and a small picture for the UI."""

    windows: pd.DataFrame
    dropped: pd.DataFrame
    specification: dict[str, Any]
    statistics: dict[str, Any]
    checksums: dict[str, Any]
    golden: dict[str, np.ndarray]
    contact_sheet: bytes
    preview: bytes


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
    renderer, kept_times = Renderer(study.images), times[enough]
    statistics = _statistics(renderer, series, kept)
    statistics["dropped"] = {str(r): int(n) for r, n in dropped["reason"].value_counts().items()}
    statistics["known_at"] = month.end_ns
    proved = evenly_spaced(len(kept), N_GOLDEN)
    shown = proved[evenly_spaced(len(proved), N_GOLDEN_RENDERS)]
    return ImagesResult(
        windows=windows,
        dropped=dropped,
        specification=specification(study.images),
        statistics=statistics,
        checksums=checksums(renderer, series, kept[proved], kept_times[proved]),
        golden={
            "renders": render_array(renderer, series, kept[shown]),
            "event_time_ns": kept_times[shown],
        },
        contact_sheet=contact_sheet(month, renderer, series, kept, kept_times),
        preview=contact_sheet(month, renderer, series, kept, kept_times, n_events=1),
    )


def specification(config: ImagesConfig) -> dict[str, Any]:
    """Everything that decides a pixel, for JSON; `ImagesConfig` is rebuilt from it."""
    return {
        "windows_bars": list(config.windows_bars),
        "size_pixels": config.size_pixels,
        "channels": list(config.channels),
        "engine": config.engine,
        "sample_range": list(config.sample_range),
        "mtf_bins": config.mtf_bins,
        "channel_names": Renderer(config).channel_names,
        "renderer_version": RENDERER_VERSION,
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
