"""The networks a study may name: each whole in one file, its configuration beside it.

Every network has ``features(images)``, its last feature map, and ``classify(feature_map,
features)``, which gives the logits; calling it does both. About training they know nothing.

What none may contain: a stride-2 1x1 convolution (its backward pass crashes torch 2.13 on the CPU
in channels_last) and AdaptiveAvgPool (no deterministic version on CUDA).
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from price_physics.errors import StoreError
from price_physics.model.networks.patchify import Patchify, PatchifyConfig
from price_physics.model.networks.resnet_lite import ResNetLite, ResNetLiteConfig

Network = ResNetLite | Patchify
NetworkConfig = ResNetLiteConfig | PatchifyConfig

CONFIGS: dict[str, type[NetworkConfig]] = {
    "resnet_lite": ResNetLiteConfig,
    "patchify": PatchifyConfig,
}


def build_network(config: NetworkConfig) -> Network:
    """Make a network with random weights."""
    return ResNetLite(config) if isinstance(config, ResNetLiteConfig) else Patchify(config)


def network_json(config: NetworkConfig) -> dict[str, Any]:
    """Describe a configuration for an architecture document."""
    names = {kind: name for name, kind in CONFIGS.items()}
    return {"architecture": names[type(config)], **asdict(config)}


def network_config(document: Mapping[str, Any]) -> NetworkConfig:
    """Read back what `network_json` wrote.

    Raises
    ------
    StoreError
        When the document names no network of this code, or other settings than it has.

    Examples
    --------
    >>> config = ResNetLiteConfig(n_channels=1, n_features=0, n_classes=2)
    >>> network_config(network_json(config)) == config
    True
    """
    settings = dict(document)
    name = settings.pop("architecture", None)
    try:
        return CONFIGS[name](**settings)
    except (KeyError, TypeError) as error:
        raise StoreError(
            f"the model's architecture {name!r} with settings {sorted(settings)} is none of "
            f"{sorted(CONFIGS)}: {error}; materialise the model again"
        ) from error
