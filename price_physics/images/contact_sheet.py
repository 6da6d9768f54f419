"""One PNG that shows people what the network sees: price paths above their images.

Draws with Agg through `Figure`, so no global plotting state is touched and the bytes are the
same on every run. Computes nothing that another stage reads.
"""

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from price_physics.images.render import Renderer
from price_physics.images.windows import CLOSE
from price_physics.months import Month

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_EVENTS = 4
_INK, _SPAN = "#1b2733", "#3f7fbf"
_COLOURS = {"gasf": ("RdBu_r", -1, 1), "gadf": ("PuOr_r", -1, 1), "mtf": ("magma", 0, 1)}


def contact_sheet(
    month: Month,
    renderer: Renderer,
    series: npt.NDArray[np.float64],
    ends: npt.NDArray[np.int64],
    times: npt.NDArray[np.int64],
) -> bytes:
    """Draw four events of the month: the price path, below it one row of images a window.

    Parameters
    ----------
    month : Month
    renderer : Renderer
    series, ends : float64 array of shape (2, n_bars), int64 array of shape (n_events,)
        As `window_ends` gives them: closes and volumes, and the position of each event's own bar.
    times : int64 array of shape (n_events,)
        Event times, UTC ns.

    Returns
    -------
    bytes
        A PNG; without windows, one that says so.
    """
    import matplotlib
    from matplotlib.figure import Figure

    config = renderer.config
    with matplotlib.rc_context(matplotlib.rcParamsDefault):
        if not len(ends):
            figure = Figure(figsize=(8, 2), dpi=100)
            text = f"{month}: no windows, no event has {max(config.windows_bars)} bars behind it"
            figure.text(0.5, 0.5, text, ha="center", va="center", color=_INK)
            return _png(figure)
        chosen = np.unique(np.linspace(0, len(ends) - 1, min(N_EVENTS, len(ends))).astype(int))
        n_channels, n_windows = len(config.channels), len(config.windows_bars)
        block = max(1.05 * n_channels, 2.2)
        figure = Figure(figsize=(max(0.6 + block * len(chosen), 6), 1.9 + 1.1 * n_windows), dpi=100)
        figure.suptitle(
            f"{month}: what the network sees, {len(chosen)} of {len(ends):,} events",
            color=_INK,
            fontsize=11,
            x=0.03,
            y=0.975,
            ha="left",
        )
        grid = figure.add_gridspec(
            1, len(chosen), left=0.03, right=0.99, top=0.87, bottom=0.03, wspace=0.1
        )
        for column, event in enumerate(chosen):
            end, time_ns = int(ends[event]), int(times[event])
            _draw_event(figure, grid[column], renderer, series, end, time_ns)
        return _png(figure)


def _draw_event(
    figure: "Figure",
    cell: Any,
    renderer: Renderer,
    series: npt.NDArray[np.float64],
    end: int,
    time_ns: int,
) -> None:
    """Fill one block of the sheet: the path on top, a row of images for each window."""
    config = renderer.config
    inner = cell.subgridspec(2, 1, height_ratios=[1.2, len(config.windows_bars)], hspace=0.12)
    _draw_path(figure.add_subplot(inner[0]), config.windows_bars, series[CLOSE], end, time_ns)
    axes = figure.add_subplot(inner[1])
    mosaic, gap = _mosaic(renderer, series, end)
    axes.imshow(mosaic, aspect="auto", interpolation="nearest")
    pitch = config.size_pixels + gap
    axes.set_xticks(
        [config.size_pixels / 2 + i * pitch for i in range(len(config.channels))],
        [name.upper() for name in config.channels],
    )
    rows = range(len(config.windows_bars) if cell.is_first_col() else 0)
    axes.set_yticks(
        [config.size_pixels / 2 + i * pitch for i in rows],
        [f"{config.windows_bars[i]} bars" for i in rows],
        rotation=90,
        va="center",
    )
    axes.tick_params(length=0, pad=2, labelsize=7, labelcolor=_INK, top=True, labeltop=True)
    axes.tick_params(axis="x", bottom=False, labelbottom=False)
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)


def _mosaic(
    renderer: Renderer, series: npt.NDArray[np.float64], end: int
) -> tuple[npt.NDArray[np.float64], int]:
    """All channels of one event as colours on white, and the gap between them in pixels.

    One picture instead of one axes a channel: a sheet takes a third of a second, not two.
    """
    from matplotlib import colormaps

    config = renderer.config
    size, gap = config.size_pixels, max(config.size_pixels // 12, 1)
    n_rows, n_columns = len(config.windows_bars), len(config.channels)
    pitch = size + gap
    mosaic = np.ones((n_rows * pitch - gap, n_columns * pitch - gap, 3))
    with torch.no_grad():
        image = renderer(torch.from_numpy(series), torch.tensor([end]))[0].numpy()
    for i, name in enumerate(renderer.channel_names):
        row, column = divmod(i, n_columns)
        colours, low, high = _COLOURS[name.split("_")[0]]
        shade = colormaps[colours]((image[i] - low) / (high - low))[..., :3]
        top, left = row * pitch, column * pitch
        mosaic[top : top + size, left : left + size] = shade
    return mosaic, gap


def _draw_path(
    axes: Any, windows_bars: list[int], close: npt.NDArray[np.float64], end: int, time_ns: int
) -> None:
    """Draw the longest window's closes, shading where each window reaches back to."""
    longest = max(windows_bars)
    path = close[end - longest + 1 : end + 1]
    bars = np.arange(-longest + 1, 1)
    for n_bars in windows_bars:
        axes.axvspan(-n_bars + 0.5, 0.5, color=_SPAN, alpha=0.10, lw=0)
    axes.plot(bars, path, color=_INK, lw=1.0)
    axes.plot(0, path[-1], "o", color=_SPAN, ms=3)
    axes.set_xlim(-longest + 0.5, 0.5)
    low, high = path.min(), path.max()
    room = 0.25 * (high - low) or 0.01 * high
    axes.set_ylim(low - room, high + room)
    for price, height, side in ((high, 0.97, "top"), (low, 0.03, "bottom")):
        text = f"{price:.6g}"
        axes.text(0.01, height, text, transform=axes.transAxes, va=side, fontsize=6, color=_INK)
    axes.set(xticks=[], yticks=[])
    axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, tz=UTC)
    axes.set_title(f"{moment:%Y-%m-%d %H:%M} UTC", fontsize=8, color=_INK, pad=3)


def _png(figure: "Figure") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
