"""From bars to pixels: which bars a pixel shows, and a window scaled to its own range.

Positions are computed on the device, in the steps of NumPy and pyts, so that nothing is copied
there while a network trains. Sums run oldest bar first and are not left to a reduction: the
pixels depend on neither threads nor batch.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

_CONSTANT_RANGE = 10 * float(np.finfo(np.float64).eps)
"""A window that spans less counts as constant, as in pyts."""


def check(windows: Tensor, size: int) -> None:
    """Refuse what cannot be rendered. Raises ValueError."""
    if windows.ndim != 2 or windows.shape[1] < 2 or not windows.is_floating_point():
        raise ValueError(
            f"windows have shape {tuple(windows.shape)} and dtype {windows.dtype}; "
            "give a float tensor of shape (B, W) with W at least 2"
        )
    if size < 1:
        raise ValueError(f"size {size} must be at least 1 pixel")


def replicated(n_bars: int, size: int, device: torch.device) -> Tensor:
    """Bar shown by each pixel of an image at least as large as its window: int64 (size,)."""
    return torch.arange(size, device=device) * n_bars // size


def blocks(n_bars: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """First bar of the block behind each pixel, and the first one after it, as pyts cuts them."""
    start = (torch.arange(size, dtype=torch.float64, device=device) * (n_bars / size)).long()
    return start, pad(start[1:], (0, 1), value=n_bars)


def members(n_bars: int, size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Bars behind each pixel, and which are really there: int64, bool (size, longest block).

    Examples
    --------
    >>> bars, present = members(5, 2, torch.device("cpu"))
    >>> bars[present].tolist(), present.tolist()
    ([0, 1, 2, 3, 4], [[True, True, False], [True, True, True]])
    """
    if n_bars <= size:
        bars = replicated(n_bars, size, device)[:, None]
        return bars, torch.ones_like(bars, dtype=torch.bool)
    start, stop = blocks(n_bars, size, device)
    bars = start[:, None] + torch.arange(-(-n_bars // size), device=device)
    return torch.minimum(bars, stop[:, None] - 1), bars < stop[:, None]


def block_lengths(n_bars: int, size: int, like: Tensor) -> Tensor:
    """Bars behind each pixel of an image smaller than its window: (size,), dtype of `like`."""
    start, stop = blocks(n_bars, size, like.device)
    return (stop - start).to(like.dtype)


def block_mean(windows: Tensor, size: int) -> Tensor:
    """Average windows (B, W) longer than `size` in blocks to (B, size); others stay as they are."""
    n_bars = windows.shape[1]
    if n_bars <= size:
        return windows
    bars, present = members(n_bars, size, windows.device)
    values = torch.where(present, windows[:, bars], torch.zeros_like(windows[:, :1, None]))
    total = values[..., 0]
    for place in range(1, values.shape[2]):
        total = total + values[..., place]
    return total / block_lengths(n_bars, size, windows)


def pooled(values: Tensor, pool: int) -> Tensor:
    """Average every `pool` neighbours of values (B, S) to (B, S // pool), oldest first.

    Of a side that does not divide, the last values are left out, as torch's pooling does.
    """
    if pool == 1:
        return values
    whole = values[:, : values.shape[1] // pool * pool].unflatten(1, (-1, pool))
    total = whole[..., 0]
    for place in range(1, pool):
        total = total + whole[..., place]
    return total / pool


def unit_range(windows: Tensor) -> Tensor:
    """Scale each window (B, W) to [0, 1] by its own extremes; a constant one is 0."""
    lowest = windows.amin(1, keepdim=True)
    spread = windows.amax(1, keepdim=True) - lowest
    spread = torch.where(spread < _CONSTANT_RANGE, torch.ones_like(spread), spread)
    return (windows - lowest) / spread
