"""Building blocks that networks share; a change here changes every network that imports it."""

import torch.nn.functional as F
from torch import Tensor, nn

NORM_MOMENTUM = 0.2
"""Twice torch's default: an epoch of a few hundred samples has few steps to learn the norms."""


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut: a 1 x 1 convolution where the width changes."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(n_out, momentum=NORM_MOMENTUM)
        self.shortcut: nn.Module = nn.Identity()
        if n_in != n_out:
            self.shortcut = nn.Conv2d(n_in, n_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, n_in, h, h) to (B, n_out, h, h)."""
        y = F.relu(self.norm1(self.conv1(x)), inplace=True)  # fresh memory takes as long as a sum
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x), inplace=True)
