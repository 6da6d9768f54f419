"""The stage `images`: which events of a month have an image, and proof of what it looks like.

Only a few golden images are stored: a render takes microseconds, so whoever needs images renders
them from the bars. The model normalises with the channel statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from price_physics.events.times import event_times
from price_physics.frames import FloatArray, IntArray, conform, stack
from price_physics.images.contact_sheet import contact_sheet
from price_physics.images.golden import checksums, evenly_spaced, render_array
from price_physics.images.render import Renderer, specification
from price_physics.images.threads import one_cpu_thread
from price_physics.images.windows import window_ends
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import DROPPED_WINDOWS, IMAGE_WINDOWS
from price_physics.store.artefact import Artefact

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study

N_GOLDEN = 256
N_GOLDEN_RENDERS = 16
"""All 256 images would be 30 MB a month: checksums prove all of them, sixteen are kept to see."""

MAX_STATISTICS_WINDOWS = 2048
_BATCH = 128


@one_cpu_thread()
def build_images(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Index the windows of the events of `month` and measure their images.

    Parameters
    ----------
    study, market, month
    past : Past
        Bars of `month`, and of the month before it where there is one.

    Returns
    -------
    Artefact
        IMAGE_WINDOWS, DROPPED_WINDOWS (the events without enough bars behind them), the render
        `specification`, channel `statistics`, `checksums`, golden renders and a contact sheet.
    """
    bars = past.table(BARS)
    visible = {m: bars[m] for m in sorted(bars) if month - 1 <= m <= month}
    own = visible.get(month)
    times = np.empty(0, np.int64) if own is None else event_times(own, study.events)
    series, ends = window_ends(visible, times)
    longest = max(study.images.windows_bars)
    enough = ends + 1 >= longest
    kept, kept_times = ends[enough], times[enough]
    windows = _windows(visible, kept, kept_times, longest)
    dropped = _dropped(ends[~enough], times[~enough], month, longest)
    renderer = Renderer(study.images)
    proved = evenly_spaced(len(kept), N_GOLDEN)
    shown = proved[evenly_spaced(len(proved), N_GOLDEN_RENDERS)]
    drawn = (month, renderer, series, kept, kept_times)
    return Artefact(
        tables=((IMAGE_WINDOWS, windows), (DROPPED_WINDOWS, dropped)),
        documents={
            "specification": specification(study.images),
            "statistics": {
                **_statistics(renderer, series, kept),
                "dropped": {str(r): int(n) for r, n in dropped["reason"].value_counts().items()},
                "known_at": month.end_ns,
            },
            "checksums": checksums(renderer, series, kept[proved], kept_times[proved]),
        },
        tensors={
            "golden": {
                "renders": render_array(renderer, series, kept[shown]),
                "event_time_ns": kept_times[shown],
            }
        },
        files={"contact_sheet.png": contact_sheet(*drawn)},
        highlights={"contact_sheet": contact_sheet(*drawn, n_events=1)},
    )


def _windows(
    bars: dict[Month, pd.DataFrame], ends: IntArray, times: IntArray, longest: int
) -> pd.DataFrame:
    """IMAGE_WINDOWS of events, from the ends of their windows in the joined bars."""
    (open_time,) = stack(BARS, bars, sorted(bars), "open_time_ns")
    columns = {"event_time_ns": times, "window_start_ns": open_time[ends - longest + 1]}
    return conform(IMAGE_WINDOWS, **columns)


def _dropped(ends: IntArray, times: IntArray, month: Month, longest: int) -> pd.DataFrame:
    """DROPPED_WINDOWS of events with too few bars behind them."""
    reason = f"the longest window needs {longest} bars in {month - 1} and {month}"
    columns = {"event_time_ns": times, "n_bars": ends + 1, "reason": [reason] * len(times)}
    return conform(DROPPED_WINDOWS, **columns)


def _statistics(renderer: Renderer, series: FloatArray, ends: IntArray) -> dict[str, Any]:
    """Mean and standard deviation of each channel's pixels; NumPy sums in a fixed order."""
    chosen = evenly_spaced(len(ends), MAX_STATISTICS_WINDOWS)
    total = np.zeros(renderer.n_channels)
    squares = np.zeros(renderer.n_channels)
    for start in range(0, len(chosen), _BATCH):
        batch = ends[chosen[start : start + _BATCH]]
        images = render_array(renderer, series, batch).astype(np.float64)
        total += images.sum(axis=(0, 2, 3))
        squares += np.square(images).sum(axis=(0, 2, 3))
    n_pixels = len(chosen) * renderer.size_pixels**2
    mean = total / n_pixels if n_pixels else total
    std = np.sqrt(np.maximum(squares / n_pixels - mean**2, 0)) if n_pixels else squares
    return {
        "n": len(ends),
        "n_measured": len(chosen),
        "channels": renderer.channel_names,
        "mean": mean.tolist(),
        "std": std.tolist(),
    }
