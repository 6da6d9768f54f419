"""Draw events: cut their windows out of the bars, draw every channel, stack them as one image.

Rendering works on any device without waiting for it, and no shape depends on a value, so it can be
compiled together with a training step. The channels themselves are in `fields`, `transitions` and
`wavelet`; `build` decides which events have a window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from price_physics.images import pyts_engine
from price_physics.images.fields import gadf, gasf, recurrence
from price_physics.images.series import CLOSE, VOLUME
from price_physics.images.transitions import mtf
from price_physics.images.wavelet import wavelet

if TYPE_CHECKING:
    from price_physics.study.images import ImagesConfig

__all__ = [
    "RENDERER_VERSION",
    "Renderer",
    "gadf",
    "gasf",
    "mtf",
    "recurrence",
    "specification",
    "wavelet",
]

RENDERER_VERSION = "1"
"""Changes whenever a pixel changes; part of the render specification."""

_VOLUME = "volume_"
_GRAMIAN = {"gasf": gasf, "gadf": gadf}
_OTHER = {"recurrence": recurrence, "wavelet": wavelet}


class Renderer:
    """Render events: gather their windows from the bars, draw every channel.

    Prices are taken relative to the window's last, in float64, before they become float32: at
    60,000 a float32 resolves half a cent only. They are also scaled by a power of two, which is
    exact, so that pyts' absolute tolerance on bin edges cannot flatten a coin that costs 1e-5.
    Volumes are treated alike, scaled by their largest.

    Attributes
    ----------
    config : ImagesConfig
    pool : int
        Side of the squares of pixels that are averaged, for a network that begins with that: the
        images are what `avg_pool2d` makes of whole ones, but for rounding. Only Gramian fields and
        transitions are never drawn whole.
    size_pixels : int
        S, the side of what is drawn: the configured one over `pool`.
    n_channels : int
    channel_names : list of str
        Window-major: all channels of the first window, then of the next, such as ``gasf_32``.
    """

    def __init__(self, config: ImagesConfig, pool: int = 1) -> None:
        self.config = config
        self.pool = pool
        self.size_pixels = config.size_pixels // pool
        self.channel_names = [f"{c}_{w}" for w in config.windows_bars for c in config.channels]
        self.n_channels = len(self.channel_names)

    def __call__(
        self,
        series: Tensor,
        window_ends: Tensor,
        *,
        dtype: torch.dtype = torch.float32,
        checked: bool = False,
    ) -> Tensor:
        """Render one image an event.

        Parameters
        ----------
        series : float64 tensor of shape (2, N)
            Closes and volumes of consecutive bars.
        window_ends : int64 tensor of shape (B,)
            Position of each event's own bar, the last bar it may see.
        dtype : torch.dtype
            Type of the images. They are drawn in float32 and rounded once.
        checked : bool
            Whether the caller has already run `check` on these ends, say once before a training
            loop: `check` waits for the device.

        Returns
        -------
        tensor of shape (B, n_channels, S, S)
            On the device of `series`; differentiable with respect to it, except for MTF, which is
            piecewise constant, and for the engine pyts.

        Raises
        ------
        ValueError
            When `series` is not float64 or a window reaches outside it.
        """
        if not checked:
            self.check(series, window_ends)
        size = self.size_pixels
        shape = (len(window_ends), self.n_channels, size, size)
        images = torch.empty(shape, dtype=dtype, device=series.device)
        rows = sorted({_row(name) for name in self.config.channels})
        longest = max(self.config.windows_bars)
        bars = window_ends[:, None] + torch.arange(1 - longest, 1, device=series.device)
        cut = {row: series[row][bars] for row in rows}
        place = 0
        for n_bars in self.config.windows_bars:
            windows = {row: _relative(cut[row][:, -n_bars:], row) for row in rows}
            for name in self.config.channels:
                images[:, place] = self._draw(name.removeprefix(_VOLUME), windows[_row(name)])
                place += 1
        return images

    def check(self, series: Tensor, window_ends: Tensor) -> None:
        """Refuse bars and ends that cannot be rendered. Raises ValueError."""
        if series.ndim != 2 or len(series) != 2 or series.dtype != torch.float64:
            raise ValueError(
                f"series has shape {tuple(series.shape)} and dtype {series.dtype}; give closes and "
                "volumes, (2, N), as float64: float32 loses small moves"
            )
        if self.config.engine == "pyts" and series.requires_grad and torch.is_grad_enabled():
            raise ValueError("images.engine: pyts has no gradients; use engine: torch")
        if not len(window_ends):
            return
        longest, n_bars = max(self.config.windows_bars), series.shape[1]
        first, last = int(window_ends.min()) - longest + 1, int(window_ends.max())
        if first < 0 or last >= n_bars:
            raise ValueError(
                f"windows of {longest} bars span positions {first} to {last}, but there are "
                f"bars 0 to {n_bars - 1}; drop events without enough bars behind them"
            )

    def _draw(self, name: str, windows: Tensor) -> Tensor:
        """Draw one channel of float64 windows (B, W): (B, S, S)."""
        config, pool = self.config, self.pool
        size = config.size_pixels
        if config.engine == "pyts":
            whole = torch.from_numpy(pyts_engine.draw(name, windows.cpu().numpy(), config))
            return avg_pool2d(whole, pool) if pool > 1 else whole
        windows = windows.to(torch.float32)
        if name == "mtf":
            return mtf(windows, size, config.mtf_bins, pool)
        if name in _GRAMIAN:
            return _GRAMIAN[name](windows, size, config.sample_range, pool)
        whole = _OTHER[name](windows, size)
        return avg_pool2d(whole, pool) if pool > 1 else whole


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


def _row(channel: str) -> int:
    return VOLUME if channel.startswith(_VOLUME) else CLOSE


def _relative(window: Tensor, row: int) -> Tensor:
    """Subtract its last bar from each window (B, W), then scale by a power of two.

    That brings the last close, or the largest volume (the last may be 0), to just below 2^20.
    """
    last = window[:, -1:]
    measure = last if row == CLOSE else window.amax(1, keepdim=True)
    exponent = torch.frexp(measure.detach()).exponent
    return (window - last) * torch.ldexp(torch.ones_like(measure), 20 - exponent)
