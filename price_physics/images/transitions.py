"""Markov transition fields: how often a price of bin a is followed by one of bin b.

Equal to pyts 0.14.1, to 1e-12 in float64. Counts are whole numbers and every sum runs oldest bar
first, so a pixel is the same on every processor.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, embedding_bag, pad

from price_physics.images.scaling import block_lengths, check, members

_EQUAL_EDGES = 1e-8
"""Closer bin edges count as one edge, as in pyts."""


def mtf(windows: Tensor, size: int, n_bins: int = 8, pool: int = 1) -> Tensor:
    """Markov transition field over quantile bins: P(bin of bar i -> bin of bar j).

    Longer windows are averaged in blocks of the finished field, as in pyts. The field is piecewise
    constant in the prices, so no gradient flows through it. Where all pixels show equally many bars
    it is drawn at the pooled size at once. Parameters otherwise as `gasf`.

    References
    ----------
    Wang & Oates (2015), "Encoding time series as images".

    Examples
    --------
    >>> mtf(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), 4, n_bins=2)[0]
    tensor([[0.5000, 0.5000, 0.5000, 0.5000],
            [0.5000, 0.5000, 0.5000, 0.5000],
            [0.0000, 0.0000, 1.0000, 1.0000],
            [0.0000, 0.0000, 1.0000, 1.0000]])
    """
    check(windows, size)
    n_bars = windows.shape[1]
    if pool > 1 and not _pools_evenly(n_bars, size, pool):
        return avg_pool2d(mtf(windows, size, n_bins), pool)
    size //= pool
    bins = quantile_bins(windows.detach(), n_bins)
    bars, present = members(n_bars, size, bins.device)
    behind = bins[:, bars].masked_fill(~present, n_bins)  # (B, S, L): bin n_bins is a row of zeros
    rows = _sum_rows(transition_matrix(bins, n_bins, windows.dtype), behind)  # (B, S, n_bins)
    field = _sum_rows(rows.transpose(1, 2), behind)  # (B, S, S), columns first
    if n_bars > size:
        lengths = block_lengths(n_bars, size, field)
        field.div_(lengths[:, None] * lengths[None, :])
    return field.transpose(1, 2)


def _pools_evenly(n_bars: int, size: int, pool: int) -> bool:
    """Whether every pooled pixel shows whole blocks of equally many bars, or one bar alone."""
    return size % pool == 0 and (n_bars % size == 0 or size % (n_bars * pool) == 0)


def quantile_bins(windows: Tensor, n_bins: int) -> Tensor:
    """Bin of every bar among the quantiles of its own window, as pyts: int64 (B, W)."""
    if n_bins < 2:
        raise ValueError(f"n_bins {n_bins} must be at least 2")
    n_bars = windows.shape[1]
    # numpy's linear percentile, step by step: the same rounding puts a price that equals an
    # edge on the same side of it.
    inner = torch.arange(1, n_bins, dtype=torch.float64, device=windows.device)
    virtual = (n_bars - 1) * (inner * (100 / n_bins) / 100)
    before = virtual.long()
    fraction = (virtual - before).to(windows.dtype)
    ranked = windows.sort(dim=1).values
    left, right = ranked[:, before], ranked[:, before + 1]
    gap = right - left
    edges = torch.where(fraction >= 0.5, right - gap * (1 - fraction), left + gap * fraction)
    if n_bins > 2:  # pyts merges equal edges only then
        merged = torch.diff(edges, dim=1).abs() <= _EQUAL_EDGES
        edges = torch.cat([edges[:, :-1].masked_fill(merged, math.inf), edges[:, -1:]], dim=1)
    return (edges[:, :, None] < windows[:, None, :]).sum(1)


def transition_matrix(bins: Tensor, n_bins: int, dtype: torch.dtype) -> Tensor:
    """Share of the moves out of each bin (row) that go to each bin (column): (B, n, n)."""
    pairs = bins[:, :-1] * n_bins + bins[:, 1:]
    counts = torch.zeros(len(bins), n_bins * n_bins, dtype=torch.int64, device=bins.device)
    counts.scatter_add_(1, pairs, torch.ones_like(pairs))  # whole numbers: exact in any order
    counts = counts.view(-1, n_bins, n_bins)
    return counts.to(dtype) / counts.sum(2, keepdim=True).clamp(min=1).to(dtype)


def _sum_rows(tables: Tensor, rows: Tensor) -> Tensor:
    """Sum rows (B, S, L) of each table (B, R, M) in order to (B, S, M); row R is of zeros."""
    n_tables, n_rows, width = tables.shape
    size, longest = rows.shape[1:]
    stacked = pad(tables, (0, 0, 0, 1)).reshape(-1, width)
    first = torch.arange(n_tables, device=rows.device) * (n_rows + 1)
    places = (rows + first[:, None, None]).view(-1, longest)
    return embedding_bag(places, stacked, mode="sum").view(-1, size, width)
