"""Schedule a fit: the learning rate of every step, and the samples that the step sees."""

import math
from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor


def learning_rate(
    schedule: Literal["one_cycle", "cosine"], step: int, n_steps: int, peak: float
) -> float:
    """Return the learning rate of `step`, counted from 0, of `n_steps`, by name of the schedule."""
    return {"one_cycle": one_cycle, "cosine": cosine}[schedule](step, n_steps, peak)


def one_cycle(step: int, n_steps: int, peak: float) -> float:
    """Rise to `peak` over the first 30 % of the steps, then fall, both as cosines.

    References
    ----------
    Smith & Topin (2017), "Super-convergence".

    Examples
    --------
    >>> [round(one_cycle(s, 100, 1.0), 3) for s in (0, 30, 65, 99)]
    [0.04, 1.0, 0.5, 0.001]
    """
    turn = 0.3 * n_steps
    if step < turn:
        low, progress = peak / 25, step / turn
    else:
        low, progress = peak / 1e4, 1 - (step - turn) / (n_steps - turn)
    return low + (peak - low) * (1 - math.cos(math.pi * progress)) / 2


def cosine(step: int, n_steps: int, peak: float) -> float:
    """Fall from `peak` to 0 as half a cosine.

    References
    ----------
    Loshchilov & Hutter (2017), "SGDR: stochastic gradient descent with warm restarts".

    Examples
    --------
    >>> [round(cosine(s, 100, 1.0), 3) for s in (0, 50, 99)]
    [1.0, 0.5, 0.0]
    """
    return peak * (1 + math.cos(math.pi * step / n_steps)) / 2


def batches(
    samples: Tensor,
    batch_size: int,
    n_steps: int,
    generator: torch.Generator,
    weight: Tensor | None = None,
) -> Iterator[Tensor]:
    """Yield the `n_steps` batches of an epoch.

    All of them are drawn beforehand and on the CPU, so their order is the same on every device.

    Parameters
    ----------
    samples : int64 tensor of shape (n,)
    batch_size, n_steps : int
        Where the last step would run past the end of the samples for the first time, its batch is
        short instead.
    generator : torch.Generator
        On the CPU.
    weight : float64 tensor of shape (n,), optional
        On the CPU. Samples are drawn with replacement, in proportion to it. None shuffles them, and
        shuffles again whenever all have been drawn.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> sorted(torch.cat(list(batches(torch.arange(6), 4, 2, generator))).tolist())
    [0, 1, 2, 3, 4, 5]
    """
    n = len(samples)
    n_drawn = n_steps * batch_size
    if n_drawn - batch_size < n:
        n_drawn = min(n_drawn, n)
    if weight is None:
        rounds = math.ceil(n_drawn / n)
        order = torch.cat([torch.randperm(n, generator=generator) for _ in range(rounds)])
        order = order[:n_drawn]
    else:
        reached = weight.cumsum(0)
        at = torch.rand(n_drawn, generator=generator, dtype=torch.float64) * reached[-1]
        order = torch.searchsorted(reached, at, right=True).clamp_(max=n - 1)
    drawn = samples[order.to(samples.device)]
    for batch in drawn.split(batch_size):
        # Batch normalisation needs two samples: a lone last one is joined by the first.
        yield batch if len(batch) > 1 else torch.cat([batch, drawn[:1]])
