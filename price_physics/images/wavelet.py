"""Continuous wavelet transform by Ricker wavelets: scales down the picture, time across it.

The transform is one product with a constant matrix. Its entries and the scaled prices lie on
binary grids so coarse that float64 holds every sum exactly: the order in which a library adds,
which changes with the batch and with the device, changes no pixel. No FFT.
"""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from price_physics.images.scaling import block_mean, check, replicated, unit_range

MOST_SCALES = 32
"""At 64 bars two neighbours differ by 9 %: more of them would look the same."""

_PRICE_GRID, _WEIGHT_GRID = 2.0**24, 2.0**27
_REACH = 8
"""A wavelet of scale a ends ``_REACH * a`` bars from its middle, where it is below 1e-12."""


def wavelet(windows: Tensor, size: int) -> Tensor:
    """Continuous wavelet transform, sign kept: rows are scales, columns bars.

    The window, block-averaged where it is longer than the image, is scaled to [0, 1] by its own
    extremes; bar x_t of its n bars, extended by its first and last price, gives at scale a

        c(a, t) = sum_u w_a(u) x_(t+u),   w_a(u) ~ (1 - (u/a)^2) exp(-(u/a)^2 / 2),

    where the positive weights add up to 1 and the negative ones to -1. So a pixel says how far
    prices about bar t are above those around them, as a share of the window's range, in [-1, 1]; a
    constant window is all 0, and an inverted window gives the negative image. Scales are
    geometric from 1 bar (top row) to n/4 bars (bottom row), `MOST_SCALES` of them or n; row r
    shows scale ``r * n_scales // n``. Parameters otherwise as `gasf`.

    References
    ----------
    Ricker (1953), "The form and laws of propagation of seismic wavelets".

    Examples
    --------
    >>> top = wavelet(torch.tensor([[0.0, 0, 0, 0, 1, 0, 0, 0]]), 8)[0, 0]
    >>> [round(pixel, 2) for pixel in top.tolist()]
    [-0.01, -0.09, -0.41, 0.0, 1.0, 0.0, -0.41, -0.09]
    """
    check(windows, size)
    unit = unit_range(block_mean(windows, size)).double()
    n_bars = unit.shape[1]
    transformed = _transform(unit)
    n_scales = min(MOST_SCALES, n_bars)
    picture = transformed.to(windows.dtype).view(-1, n_scales, n_bars)
    rows = replicated(n_bars, size, unit.device) * n_scales // n_bars
    picture = picture.index_select(1, rows)
    if n_bars < size:
        picture = picture.index_select(2, replicated(n_bars, size, unit.device))
    return picture


def scales(n_bars: int) -> npt.NDArray[np.float64]:
    """Scales of a window of `n_bars`, in bars, smallest first.

    Examples
    --------
    >>> scales(64)[[0, 1, -1]].round(2).tolist()
    [1.0, 1.09, 16.0]
    """
    return np.geomspace(1, max(n_bars / 4, 1), min(MOST_SCALES, n_bars))


# A custom operator, as a compiler would trace into the cache of the weights.
@torch.library.custom_op("price_physics::ricker", mutates_args=())
def _transform(unit: Tensor) -> Tensor:
    """Coefficients of windows in [0, 1], (B, n_bars): float64 (B, n_scales * n_bars)."""
    on_grid = torch.round(unit * _PRICE_GRID) / _PRICE_GRID
    return on_grid @ _weights(unit.shape[1], unit.device)  # exact in any order


@_transform.register_fake
def _(unit: Tensor) -> Tensor:
    n_bars = unit.shape[1]
    return unit.new_empty(len(unit), min(MOST_SCALES, n_bars) * n_bars)


def _backward(ctx: Any, gradient: Tensor) -> Tensor:
    return gradient @ _weights(ctx.n_bars, gradient.device).T


def _remember(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
    ctx.n_bars = inputs[0].shape[1]


_transform.register_autograd(_backward, setup_context=_remember)


@lru_cache(maxsize=64)
def _weights(n_bars: int, device: torch.device) -> Tensor:
    """Weight of every bar in every coefficient: float64 (n_bars, n_scales * n_bars)."""
    found = scales(n_bars)
    weights = np.zeros((len(found), n_bars, n_bars))
    times = np.arange(n_bars)
    for i, scale in enumerate(found):
        reach = math.ceil(_REACH * scale)
        offsets = np.arange(-reach, reach + 1)
        square = (offsets / scale) ** 2
        shape = (1 - square) * np.exp(-square / 2)
        shape = np.where(shape > 0, shape / shape[shape > 0].sum(), shape / -shape[shape < 0].sum())
        bars = np.clip(times[:, None] + offsets, 0, n_bars - 1)
        np.add.at(weights[i], (times[:, None], bars), shape)
    on_grid = np.round(weights * _WEIGHT_GRID) / _WEIGHT_GRID
    with torch.inference_mode(False):  # kept for callers that need gradients, too
        return torch.from_numpy(on_grid.reshape(-1, n_bars).T.copy()).to(device)
