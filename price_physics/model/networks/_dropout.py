"""Dropout that draws from its own network's generator on the CPU."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Dropout(nn.Module):
    """Zero a share `p` of the units in training, and scale the others up by 1 / (1 - p).

    torch's dropout draws from one generator for the whole process, so a fit would depend on those
    that run beside it. With a `generator` the draws come from that; without one they come from
    torch's, which a recorded step on CUDA can advance.

    References
    ----------
    Srivastava et al. (2014), "Dropout: a simple way to prevent neural networks from overfitting".
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map any shape to itself."""
        if self.generator is None or not self.training or self.p == 0:
            return F.dropout(x, self.p, self.training)
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * (kept / (1 - self.p))
