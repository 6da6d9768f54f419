"""The network `patchify` cuts the image into patches first, then works on few, wide cells.

One matrix product turns a 64 x 64 image into 8 x 8 cells, another into 4 x 4 cells. On these, four
fifths of the 1.2 million parameters are used sixteen times per image. It multiplies as often as
`resnet_lite`, which has a fourth of the parameters, but in fewer and larger steps, and keeps a
tenth of the activations. The price is a coarser feature map for attributions: 4 x 4 cells instead
of 8 x 8.

References
----------
Trockman & Kolter (2022), "Patches are all you need?".
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from price_physics.model.networks import Dropout, Network, NetworkConfig
from price_physics.model.networks._blocks import NORM_MOMENTUM, ResidualBlock

PATCH = 8
_MERGE = 2


@dataclass(frozen=True)
class PatchifyConfig(NetworkConfig):
    """Settings that decide the weights' shapes; `width` is w, and v = 5w / 2 after merging."""

    width: int = 64
    n_hidden: int = 32


class Patchify(Network):
    """A patch embedding, two residual stages, regime features in the head.

    S is padded to a multiple of 16 at the window's old end; the comments give the shapes at S = 64.
    """

    def __init__(self, config: PatchifyConfig) -> None:
        super().__init__()
        self.config = config
        w, v = config.width, 5 * config.width // 2
        self.embed = nn.Conv2d(config.n_channels * PATCH**2, w, 1, bias=False)
        self.embed_norm = nn.BatchNorm2d(w, momentum=NORM_MOMENTUM)
        self.stage1 = nn.Sequential(ResidualBlock(w, w), ResidualBlock(w, w))
        self.merge = nn.Conv2d(w * _MERGE**2, v, 1, bias=False)
        self.merge_norm = nn.BatchNorm2d(v, momentum=NORM_MOMENTUM)
        self.stage2 = nn.Sequential(ResidualBlock(v, v), ResidualBlock(v, v))
        self.hidden = nn.Linear(v + config.n_features, config.n_hidden)
        self.dropout = Dropout(config.dropout)
        self.output = nn.Linear(config.n_hidden, config.n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Map images (B, C, 64, 64) to the last feature map (B, v, 4, 4)."""
        x = patches(_padded(images), PATCH)  # (B, 64 C, 8, 8)
        x = F.relu(self.embed_norm(self.embed(x)))  # (B, w, 8, 8)
        x = patches(self.stage1(x), _MERGE)  # (B, 4w, 4, 4)
        x = F.relu(self.merge_norm(self.merge(x)))  # (B, v, 4, 4)
        feature_map: Tensor = self.stage2(x)  # (B, v, 4, 4)
        return feature_map

    def classify(self, feature_map: Tensor, features: Tensor) -> Tensor:
        """Map a feature map (B, v, h, h) and features (B, N) to logits (B, n_classes)."""
        x = feature_map.mean((2, 3))  # (B, v)
        x = F.relu(self.hidden(torch.cat([x, features], dim=1)))  # (B, n_hidden)
        logits: Tensor = self.output(self.dropout(x))  # (B, n_classes)
        return logits


def patches(x: Tensor, side: int) -> Tensor:
    """Stack the pixels of each side x side patch as channels: (B, c, S, S) -> (B, c side^2, s, s).

    A convolution of stride `side` is then a matrix product; in channels_last the rows of a patch
    are copied whole.

    Examples
    --------
    >>> patches(torch.arange(16.0).view(1, 1, 4, 4), 2)[0, :, 0, 0]
    tensor([0., 1., 4., 5.])
    """
    n, c, height, width = x.shape
    cells = x.permute(0, 2, 3, 1).reshape(n, height // side, side, width // side, side * c)
    cells = cells.transpose(2, 3).reshape(n, height // side, width // side, side * side * c)
    return cells.permute(0, 3, 1, 2)  # channels last, as `x`


def _padded(images: Tensor) -> Tensor:
    """Pad with zeros, the mean of a normalised channel, before the oldest pixels."""
    missing = -images.shape[-1] % (PATCH * _MERGE)
    return F.pad(images, (missing, 0, missing, 0)) if missing else images
