"""Gramian angular and Markov transition fields as batched, differentiable torch.

In float64 they equal pyts 0.14.1 (MTF to 1e-12, GASF and GADF to 1e-6, where the square root
magnifies rounding). Everything is elementwise, a gather, or a short loop over the bars of one
block, so the pixels do not depend on the number of threads. What belongs to a study (which
windows, which channels) is in `Renderer`; reading bars and writing files is not done here.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from price_physics.images.windows import CLOSE
from price_physics.study import ImagesConfig

RENDERER_VERSION = "1"
"""Changes whenever a pixel changes; part of the render specification."""

_CONSTANT_RANGE = 10 * np.finfo(np.float64).eps
_EQUAL_EDGES = 1e-8
"""Both as in pyts: a smaller range is a constant window, closer bin edges are one edge."""


# ---------------------------------------------------------------------------- fields
def gasf(windows: Tensor, size: int, sample_range: tuple[float, float] = (-1, 1)) -> Tensor:
    """Gramian angular summation field: cos(phi_i + phi_j).

    Parameters
    ----------
    windows : float tensor of shape (B, W)
        Prices, oldest first.
    size : int
        Pixels a side. Longer windows are block-averaged before scaling, shorter ones rendered
        at their own size, pixel i showing bar ``i * W // size``.
    sample_range : pair of float
        Range to which each window is scaled, within [-1, 1].

    Returns
    -------
    float tensor of shape (B, size, size)
        Of the dtype of `windows`, differentiable with finite gradients.

    Raises
    ------
    ValueError
        When the shape or the dtype cannot be rendered.

    References
    ----------
    Wang & Oates (2015), "Encoding time series as images".

    Examples
    --------
    >>> gasf(torch.tensor([[0.0, 1.0, 2.0]]), 3)[0].add(0.0)
    tensor([[ 1.,  0., -1.],
            [ 0., -1.,  0.],
            [-1.,  0.,  1.]])
    """
    cos, sin = _angles(windows, size, sample_range)
    return cos[:, :, None] * cos[:, None, :] - sin[:, :, None] * sin[:, None, :]


def gadf(windows: Tensor, size: int, sample_range: tuple[float, float] = (-1, 1)) -> Tensor:
    """Gramian angular difference field: sin(phi_i - phi_j). Parameters as `gasf`.

    Examples
    --------
    >>> gadf(torch.tensor([[0.0, 1.0, 2.0]]), 3)[0].add(0.0)
    tensor([[ 0.,  1.,  0.],
            [-1.,  0.,  1.],
            [ 0., -1.,  0.]])
    """
    cos, sin = _angles(windows, size, sample_range)
    return sin[:, :, None] * cos[:, None, :] - cos[:, :, None] * sin[:, None, :]


def mtf(windows: Tensor, size: int, n_bins: int = 8) -> Tensor:
    """Markov transition field over quantile bins: P(bin of bar i -> bin of bar j).

    Longer windows are averaged in blocks of the finished field, as in pyts. The field is piecewise
    constant in the prices, so no gradient flows through it. Parameters otherwise as `gasf`.

    Examples
    --------
    >>> mtf(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 4, n_bins=2)[0]
    tensor([[0.5000, 0.5000, 0.5000, 0.5000],
            [0.5000, 0.5000, 0.5000, 0.5000],
            [0.0000, 0.0000, 1.0000, 1.0000],
            [0.0000, 0.0000, 1.0000, 1.0000]])
    """
    _check(windows, size)
    bins = _quantile_bins(windows.detach(), n_bins)
    pairs = bins[:, :-1] * n_bins + bins[:, 1:]
    counts = torch.zeros(len(bins), n_bins * n_bins, dtype=torch.int64, device=bins.device)
    counts.scatter_add_(1, pairs, torch.ones_like(pairs))  # whole numbers: exact in any order
    counts = counts.view(-1, n_bins, n_bins)
    totals = counts.sum(2, keepdim=True).clamp(min=1)
    transition = counts.to(windows.dtype) / totals.to(windows.dtype)

    n_bars = bins.shape[1]
    rows = transition.gather(1, bins[:, :, None].expand(-1, -1, n_bins))  # (B, W, n_bins)
    if n_bars <= size:
        pixel = _replicated(n_bars, size, bins.device)
        rows, bins = rows[:, pixel], bins[:, pixel]
        return rows.gather(2, bins[:, None, :].expand(-1, size, -1))
    rows = _block_sum(rows.transpose(1, 2), size).transpose(1, 2)  # (B, S, n_bins)
    field = rows.gather(2, bins[:, None, :].expand(-1, size, -1))  # (B, S, W)
    lengths = torch.diff(_blocks(n_bars, size, bins.device))
    return _block_sum(field, size) / (lengths[:, None] * lengths[None, :]).to(windows.dtype)


# ---------------------------------------------------------------------------- renderer
class Renderer:
    """Render events: gather their windows from the closes, draw every channel.

    Prices are taken relative to the window's last, in float64, before they become float32: at
    60,000 a float32 resolves half a cent only. They are also scaled by a power of two, which is
    exact, so that pyts' absolute tolerance on bin edges cannot flatten a coin that costs 1e-5.

    Attributes
    ----------
    n_channels : int
    channel_names : list of str
        Window-major: all channels of the first window, then of the next, such as ``gasf_32``.
    """

    def __init__(self, config: ImagesConfig) -> None:
        self.config = config
        self.channel_names = [f"{c}_{w}" for w in config.windows_bars for c in config.channels]
        self.n_channels = len(self.channel_names)

    def __call__(self, series: Tensor, window_ends: Tensor) -> Tensor:
        """Render one image an event.

        Parameters
        ----------
        series : float64 tensor of shape (2, N)
            Closes and volumes of consecutive bars.
        window_ends : int64 tensor of shape (B,)
            Position of each event's own bar, the last bar it may see.

        Returns
        -------
        float32 tensor of shape (B, n_channels, S, S)

        Raises
        ------
        ValueError
            When `series` is not float64 or a window reaches outside it.
        """
        channels: list[Tensor] = []
        for n_bars in self.config.windows_bars:
            windows = self.windows(series[CLOSE], window_ends, n_bars)
            channels += [self._channel(name, windows) for name in self.config.channels]
        return torch.stack(channels, dim=1)

    def windows(self, close: Tensor, window_ends: Tensor, n_bars: int) -> Tensor:
        """Gather the last `n_bars` closes of each event, relative and scaled: (B, n_bars)."""
        if close.dtype != torch.float64:
            raise ValueError(f"close is {close.dtype}; give float64, float32 loses small moves")
        if len(window_ends):
            first, last = int(window_ends.min()) - n_bars + 1, int(window_ends.max())
            if first < 0 or last >= len(close):
                raise ValueError(
                    f"windows of {n_bars} bars span positions {first} to {last}, but there are "
                    f"closes 0 to {len(close) - 1}; drop events without enough bars behind them"
                )
        offsets = torch.arange(1 - n_bars, 1, device=close.device)
        prices = close[window_ends[:, None] + offsets]
        last_price = prices[:, -1:]
        exponent = torch.frexp(last_price.detach()).exponent
        scale = torch.ldexp(torch.ones_like(last_price), 20 - exponent)
        return ((prices - last_price) * scale).to(torch.float32)

    def _channel(self, name: str, windows: Tensor) -> Tensor:
        size = self.config.size_pixels
        if name == "mtf":
            return mtf(windows, size, self.config.mtf_bins)
        field = {"gasf": gasf, "gadf": gadf}[name]
        return field(windows, size, self.config.sample_range)


# ---------------------------------------------------------------------------- steps
def _check(windows: Tensor, size: int) -> None:
    if windows.ndim != 2 or windows.shape[1] < 2 or not windows.is_floating_point():
        raise ValueError(
            f"windows have shape {tuple(windows.shape)} and dtype {windows.dtype}; "
            "give a float tensor of shape (B, W) with W at least 2"
        )
    if size < 1:
        raise ValueError(f"size {size} must be at least 1 pixel")


def _angles(windows: Tensor, size: int, sample_range: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the polar angle of every pixel's price: two of shape (B, size)."""
    _check(windows, size)
    low, high = sample_range
    if not -1 <= low < high <= 1:
        raise ValueError(f"sample_range {tuple(sample_range)} must increase within [-1, 1]")
    n_bars = windows.shape[1]
    if n_bars > size:
        lengths = torch.diff(_blocks(n_bars, size, windows.device))
        windows = _block_sum(windows, size) / lengths.to(windows.dtype)
    lowest = windows.amin(1, keepdim=True)
    spread = windows.amax(1, keepdim=True) - lowest
    spread = torch.where(spread < _CONSTANT_RANGE, torch.ones_like(spread), spread)
    cos = (windows - lowest) / spread * (high - low) + low
    # The derivative of the root is infinite at 0; `where` alone would still multiply it in.
    square = (1 - cos) * (1 + cos)
    inside = square > 0
    root = torch.sqrt(torch.where(inside, square, torch.ones_like(square)))
    sin = torch.where(inside, root, torch.zeros_like(root))
    if n_bars < size:
        pixel = _replicated(n_bars, size, windows.device)
        cos, sin = cos[:, pixel], sin[:, pixel]
    return cos, sin


def _quantile_bins(windows: Tensor, n_bins: int) -> Tensor:
    """Bin of every bar among the quantiles of its own window, as pyts: int64 (B, W)."""
    if n_bins < 2:
        raise ValueError(f"n_bins {n_bins} must be at least 2")
    n_bars = windows.shape[1]
    # numpy's linear percentile, step by step: the same rounding puts a price that equals an
    # edge on the same side of it.
    virtual = (n_bars - 1) * (np.linspace(0, 100, n_bins + 1)[1:-1] / 100)
    before = np.floor(virtual).astype(np.int64)
    fraction = windows.new_tensor(virtual - before)
    ranked = windows.sort(dim=1).values
    left = ranked[:, torch.as_tensor(before, device=windows.device)]
    right = ranked[:, torch.as_tensor(before + 1, device=windows.device)]
    gap = right - left
    edges = torch.where(fraction >= 0.5, right - gap * (1 - fraction), left + gap * fraction)
    if n_bins > 2:  # pyts merges equal edges only then
        merged = torch.diff(edges, dim=1).abs() <= _EQUAL_EDGES
        edges = torch.cat([edges[:, :-1].masked_fill(merged, math.inf), edges[:, -1:]], dim=1)
    bins = torch.zeros_like(windows, dtype=torch.int64)
    for k in range(n_bins - 1):
        bins += edges[:, k : k + 1] < windows
    return bins


def _replicated(n_bars: int, size: int, device: torch.device) -> Tensor:
    """Bar shown by each pixel of an image at least as large as its window."""
    return torch.arange(size, device=device) * n_bars // size


def _blocks(n_bars: int, size: int, device: torch.device) -> Tensor:
    """Boundaries of the block of bars behind each pixel, as pyts cuts them: (size + 1,)."""
    bounds = np.linspace(0, n_bars, size + 1).astype(np.int64)
    return torch.as_tensor(bounds, device=device)


def _block_sum(values: Tensor, size: int) -> Tensor:
    """Sum (..., W) over its blocks to (..., size), oldest bar first: the order never changes."""
    bounds = _blocks(values.shape[-1], size, values.device)
    start, stop = bounds[:-1], bounds[1:]
    total = values[..., start]
    for step in range(1, int((stop - start).max())):
        bar = start + step
        within = bar < stop
        term = values[..., torch.minimum(bar, stop - 1)]
        total = total + torch.where(within, term, torch.zeros_like(term))
    return total
