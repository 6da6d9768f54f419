"""Fields of pairs of bars: Gramian angular summation and difference, and recurrence.

Each pixel is two rounded products and a difference, or one difference: no reduction, no fused
multiplication. So recurrence is the same on every processor. The Gramian fields may differ in the
last bit of float32, as torch takes the square root from a library that fits the processor. In
float64 all equal pyts 0.14.1: recurrence to 1e-12, the Gramian fields to 1e-6, as the root
magnifies rounding.
"""

import torch
from torch import Tensor

from price_physics.images.scaling import block_mean, check, pooled, replicated, unit_range

_IMAGES_AT_ONCE = 64


def gasf(
    windows: Tensor, size: int, sample_range: tuple[float, float] = (-1, 1), pool: int = 1
) -> Tensor:
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
    pool : int
        Side of the squares of pixels that are averaged. A pixel is a sum of products of one number
        a bar, so their mean is drawn from averaged cosines and sines, at the smaller size at once.

    Returns
    -------
    float tensor of shape (B, size // pool, size // pool)
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
    cos, sin = _polar(windows, size, sample_range, pool)
    return _difference((cos, cos), (sin, sin))


def gadf(
    windows: Tensor, size: int, sample_range: tuple[float, float] = (-1, 1), pool: int = 1
) -> Tensor:
    """Gramian angular difference field: sin(phi_i - phi_j). Parameters as `gasf`.

    Examples
    --------
    >>> gadf(torch.tensor([[0.0, 1.0, 2.0]]), 3)[0].add(0.0)
    tensor([[ 0.,  1.,  0.],
            [-1.,  0.,  1.],
            [ 0., -1.,  0.]])
    """
    cos, sin = _polar(windows, size, sample_range, pool)
    return _difference((sin, cos), (cos, sin))


def recurrence(windows: Tensor, size: int) -> Tensor:
    """Recurrence plot without a threshold: how far apart two bars are, as a share of the range.

    The window, block-averaged where it is longer than the image, is scaled to [0, 1] by its own
    extremes, and a pixel is ``abs(x_i - x_j)``: pyts' `RecurrencePlot` of the scaled window. A
    constant window is all 0. Where two bars are equal the gradient is 0. Parameters as `gasf`.

    References
    ----------
    Eckmann, Kamphorst & Ruelle (1987), "Recurrence plots of dynamical systems".

    Examples
    --------
    >>> recurrence(torch.tensor([[3.0, 4.0, 7.0]]), 3)[0]
    tensor([[0.0000, 0.2500, 1.0000],
            [0.2500, 0.0000, 0.7500],
            [1.0000, 0.7500, 0.0000]])
    """
    check(windows, size)
    unit = _replicate(unit_range(block_mean(windows, size)), size)
    return (unit[:, :, None] - unit[:, None, :]).abs_()


def _polar(
    windows: Tensor, size: int, sample_range: tuple[float, float], pool: int
) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the polar angle of every pixel's price: two of shape (B, size // pool)."""
    check(windows, size)
    low, high = sample_range
    if not -1 <= low < high <= 1:
        raise ValueError(f"sample_range {tuple(sample_range)} must increase within [-1, 1]")
    cos = unit_range(block_mean(windows, size)) * (high - low) + low
    # The derivative of the root is infinite at 0; `where` alone would still multiply it in.
    square = (1 - cos) * (1 + cos)
    inside = square > 0
    root = torch.sqrt(torch.where(inside, square, torch.ones_like(square)))
    sin = torch.where(inside, root, torch.zeros_like(root))
    return pooled(_replicate(cos, size), pool), pooled(_replicate(sin, size), pool)


def _difference(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Tensor:
    """Draw ``a_i * b_j - c_i * d_j`` (B, S, S) of pairs ``(a, b)`` and ``(c, d)`` of (B, S).

    On the CPU a few images at a time, so that the products stay in its cache. A second field of
    fresh memory would take several times as long, as the system clears it page by page.
    """
    a, b = first[0][:, :, None], first[1][:, None, :]
    c, d = second[0][:, :, None], second[1][:, None, :]
    if a.requires_grad or not a.is_cpu or torch.compiler.is_compiling():
        return (a * b).sub_(c * d)
    field = a.new_empty(len(a), a.shape[1], b.shape[2])
    for start in range(0, len(field), _IMAGES_AT_ONCE):
        part = slice(start, start + _IMAGES_AT_ONCE)
        torch.mul(a[part], b[part], out=field[part])
        field[part].sub_(c[part] * d[part])
    return field


def _replicate(values: Tensor, size: int) -> Tensor:
    n_bars = values.shape[1]
    return values if n_bars == size else values[:, replicated(n_bars, size, values.device)]
