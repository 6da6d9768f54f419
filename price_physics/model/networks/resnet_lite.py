"""`resnet_lite`: three residual stages of 3 x 3 convolutions on an image halved three times.

Average pools come before the convolutions, so that every convolution has stride 1; the first is
done in drawing, the pool of the head is a mean.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from price_physics.model.networks import Dropout, Network, NetworkConfig
from price_physics.model.networks._blocks import NORM_MOMENTUM, ResidualBlock


@dataclass(frozen=True)
class ResNetLiteConfig(NetworkConfig):
    """Settings that decide the shapes of the weights; `width` is w."""

    pool: ClassVar[int] = 2
    n_hidden: int = 32


class ResNetLite(Network):
    """A small residual network on S x S images, with regime features in its head.

    S must be at least 4; the comments give the shapes at S = 32, a study's 64 pixels pooled.
    """

    def __init__(self, config: ResNetLiteConfig) -> None:
        super().__init__()
        self.config = config
        w = config.width
        self.stem = nn.Conv2d(config.n_channels, w, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(w, momentum=NORM_MOMENTUM)
        self.stage1 = ResidualBlock(w, w)
        self.stage2 = ResidualBlock(w, 2 * w)
        self.stage3 = ResidualBlock(2 * w, 4 * w)
        self.hidden = nn.Linear(4 * w + config.n_features, config.n_hidden)
        self.dropout = Dropout(config.dropout)
        self.output = nn.Linear(config.n_hidden, config.n_classes)

    def features(self, images: Tensor) -> Tensor:
        """Map images (B, C, 32, 32) to the last feature map (B, 4w, 8, 8)."""
        x = F.relu(self.stem_norm(self.stem(images)), inplace=True)  # (B, w, 32, 32)
        x = self.stage1(F.avg_pool2d(x, 2))  # (B, w, 16, 16)
        x = self.stage2(F.avg_pool2d(x, 2))  # (B, 2w, 8, 8)
        feature_map: Tensor = self.stage3(x)  # (B, 4w, 8, 8): finer cells for attributions
        return feature_map

    def classify(self, feature_map: Tensor, features: Tensor) -> Tensor:
        """Map a feature map (B, 4w, h, h) and features (B, N) to logits (B, n_classes)."""
        x = feature_map.mean((2, 3))  # (B, 4w)
        x = F.relu(self.hidden(torch.cat([x, features], dim=1)))  # (B, n_hidden)
        logits: Tensor = self.output(self.dropout(x))  # (B, n_classes)
        return logits
