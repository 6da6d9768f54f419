"""One PNG that shows people what the network sees: beside each price path, its images.

It is drawn with Agg through `Figure`, so no global plotting state is touched and the bytes are the
same on every run. No other stage reads it.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from price_physics.images.render import Renderer
from price_physics.images.series import CLOSE, VOLUME
from price_physics.months import Month

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from price_physics.study.images import ImagesConfig

_Floats = npt.NDArray[np.float64]

_INK, _MUTED, _SPAN, _BARS = "#1c2430", "#5b6675", "#1763b6", "#aab4c0"
_COLOURS = {
    "gasf": ("RdBu_r", -1.0, 1.0),
    "gadf": ("PuOr_r", -1.0, 1.0),
    "mtf": ("magma", 0.0, 1.0),
    "recurrence": ("viridis", 0.0, 1.0),
    "wavelet": ("BrBG_r", -0.6, 0.6),
}
"""Colour map and the pixels at its ends; wavelets seldom reach further."""

_GAP = 0.1
"""Between two images, as a share of one."""


def contact_sheet(
    month: Month,
    renderer: Renderer,
    series: _Floats,
    ends: npt.NDArray[np.int64],
    times: npt.NDArray[np.int64],
    n_events: int = 4,
) -> bytes:
    """Draw events of the month: the path of the price, beside it a row of images a window.

    Parameters
    ----------
    month : Month
    renderer : Renderer
    series, ends : float64 array of shape (2, n_bars), int64 array of shape (n_events,)
        As `window_ends` gives them: closes and volumes, and the position of each event's own bar.
    times : int64 array of shape (n_events,)
        Event times, UTC ns.
    n_events : int
        Events shown at most, evenly spaced in the month.

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
        chosen = np.unique(np.linspace(0, len(ends) - 1, min(n_events, len(ends))).astype(int))
        sheet = _Sheet(config, len(chosen))
        noun = "event" if len(ends) == 1 else "events"
        sheet.title(f"{month}: what the network sees, {len(chosen)} of {len(ends):,} {noun}")
        sheet.header()
        with torch.no_grad():
            batch = torch.from_numpy(ends[chosen])
            images = renderer(torch.from_numpy(series), batch).numpy()
        longest = max(config.windows_bars)
        for place, event in enumerate(chosen):
            window = series[:, ends[event] - longest + 1 : ends[event] + 1]
            sheet.event(place, window, int(times[event]), images[place])
        return _png(sheet.figure)


class _Sheet:
    """A figure with a place, in inches, for everything on it; narrow events share a row."""

    def __init__(self, config: ImagesConfig, n_events: int) -> None:
        from matplotlib.figure import Figure

        self.config = config
        n_windows, n_channels = len(config.windows_bars), len(config.channels)
        self.cell = float(np.clip(6 / n_channels, 0.95, 2.2 if n_windows == 1 else 1.3))
        self.images_width = self.cell * (n_channels + _GAP * (n_channels - 1))
        self.images_height = self.cell * (n_windows + _GAP * (n_windows - 1))
        self.path_width = max(2.6, 6.2 - self.images_width)
        self.margin, self.labels, self.between, self.head = 0.25, 0.55, 0.5, 1.1
        self.block = self.path_width + self.labels + self.images_width + 2 * self.margin
        self.n_columns = min(2 if self.block < 9 else 1, n_events)
        self.width = self.n_columns * self.block
        n_rows = -(-n_events // self.n_columns)
        self.height = self.head + n_rows * (self.images_height + self.between)
        self.figure: Figure = Figure(figsize=(self.width, self.height), dpi=110)

    def axes(self, left: float, top: float, width: float, height: float) -> Any:
        """Axes without a frame; `top` counts from the top of the sheet."""
        axes = self.figure.add_axes(
            (
                left / self.width,
                1 - (top + height) / self.height,
                width / self.width,
                height / self.height,
            )
        )
        axes.set(xticks=[], yticks=[])
        axes.spines[["top", "right", "bottom", "left"]].set_visible(False)
        axes.patch.set_alpha(0)
        return axes

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        self.figure.text(left / self.width, 1 - top / self.height, text, **style)

    def title(self, text: str) -> None:
        self.text(self.margin, 0.3, text, fontsize=12, fontweight="bold", color=_INK, va="center")

    def header(self) -> None:
        """Name every channel, above a strip of its colours."""
        strips = _strips(self.config)
        for column in range(self.n_columns):
            axes = self.axes(self._left(column), 0.88, self.images_width, 0.05)
            axes.imshow(strips, aspect="auto", interpolation="nearest")
            for i, channel in enumerate(self.config.channels):
                left = self._left(column) + i * self.cell * (1 + _GAP)
                what, _, field = channel.rpartition("_")
                shown = field.upper() if field in ("gasf", "gadf", "mtf") else field
                self.text(left, 0.69, what, fontsize=7, color=_MUTED, va="baseline")
                self.text(left, 0.83, shown, fontsize=8.5, color=_INK, va="baseline")
                _, low, high = _COLOURS[field]
                style = {"fontsize": 5.5, "color": _MUTED, "va": "top"}
                self.text(left, 0.95, f"{low:g}", **style)
                self.text(left + self.cell, 0.95, f"{high:g}", ha="right", **style)

    def event(
        self, place: int, window: _Floats, time_ns: int, images: npt.NDArray[np.float32]
    ) -> None:
        """Fill one place of the sheet."""
        row, column = divmod(place, self.n_columns)
        top = self.head + row * (self.images_height + self.between) + 0.1
        left = column * self.block + self.margin
        axes = self.axes(left, top, self.path_width, self.images_height)
        _draw_path(axes, self.config.windows_bars, window)
        moment = datetime.fromtimestamp(time_ns // 1_000_000_000, tz=UTC)
        when = f"{moment:%Y-%m-%d %H:%M} UTC"
        self.text(left, top + self.images_height + 0.16, when, fontsize=7, color=_MUTED)
        left = self._left(column)
        axes = self.axes(left, top, self.images_width, self.images_height)
        axes.imshow(_mosaic(self.config, images), aspect="auto", interpolation="nearest")
        for i, n_bars in enumerate(self.config.windows_bars):
            middle = top + self.cell * (i * (1 + _GAP) + 0.5)
            style = {"fontsize": 7, "color": _MUTED, "ha": "right", "va": "center"}
            self.text(left - 0.08, middle, f"{n_bars}\nbars", **style)

    def _left(self, column: int) -> float:
        """Where the images of a column of events begin."""
        return column * self.block + self.margin + self.path_width + self.labels


def _strips(config: ImagesConfig) -> npt.NDArray[np.uint8]:
    """The colours of every channel side by side, as far apart as the images: one row."""
    from matplotlib import colormaps

    white = np.full((round(100 * _GAP), 3), 255, np.uint8)
    parts = []
    for channel in config.channels:
        colours = colormaps[_COLOURS[channel.rpartition("_")[2]][0]]
        parts += [colours(np.linspace(0, 1, 100), bytes=True)[:, :3], white]
    return np.concatenate(parts[:-1])[None]


def _mosaic(config: ImagesConfig, images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Join all channels of one event on white: one picture draws faster than thirty axes."""
    from matplotlib import colormaps

    n_rows, n_columns = len(config.windows_bars), len(config.channels)
    scale = max(1, 64 // config.size_pixels)  # small images keep their gaps narrow
    size = config.size_pixels * scale
    gap = round(size * _GAP)
    pitch = size + gap
    mosaic = np.full((n_rows * pitch - gap, n_columns * pitch - gap, 3), 255, np.uint8)
    for i, image in enumerate(images):
        row, column = divmod(i, n_columns)
        colours, low, high = _COLOURS[config.channels[column].rpartition("_")[2]]
        shade = colormaps[colours]((image - low) / (high - low), bytes=True)[..., :3]
        top, left = row * pitch, column * pitch
        large = shade.repeat(scale, 0).repeat(scale, 1)
        mosaic[top : top + size, left : left + size] = large
    return mosaic


def _draw_path(axes: Any, windows_bars: list[int], window: _Floats) -> None:
    """Draw the longest window's closes and volumes, and shade every window."""
    close, volume = window[CLOSE], window[VOLUME]
    bars = np.arange(1 - len(close), 1)
    for n_bars in windows_bars:
        axes.axvspan(0.5 - n_bars, 0.5, color=_SPAN, alpha=0.07, lw=0)
    low, high = close.min(), close.max()
    room = (high - low) or 0.01 * high
    bottom, top = low - 0.5 * room, high + 0.15 * room
    tall = 0.28 * room * volume / (volume.max() or 1.0)
    axes.fill_between(bars, bottom, bottom + tall, step="mid", color=_BARS, lw=0)
    axes.plot(bars, close, color=_INK, lw=1.1)
    axes.plot(0, close[-1], "o", color=_SPAN, ms=3.5, clip_on=False)
    axes.set_xlim(bars[0] - 0.5, 0.5)
    axes.set_ylim(bottom, top)
    style = {"transform": axes.get_yaxis_transform(), "fontsize": 6.5, "color": _MUTED}
    axes.text(0.01, high, f"{high:.6g}", va="bottom", **style)
    axes.text(0.01, low, f"{low:.6g}", va="top", **style)


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None})
    return buffer.getvalue()
