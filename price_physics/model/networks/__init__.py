"""Find and build the network that a study names; define what a network must have.

A network is one module of this folder: ``architecture: tiny`` in a study means ``tiny.py``. The
module defines a frozen dataclass that extends `NetworkConfig`, and a `Network` that is built from
it. `build_network` checks both, and its error names what is missing. A module whose name begins
with an underscore is not a network but a part that networks share.

No other module imports a network by its name. So its code affects only the versions of studies that
name it.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from price_physics.errors import ConfigError, StaleInputs
from price_physics.model.networks._dropout import Dropout
from price_physics.source import names_in


@dataclass(frozen=True)
class NetworkConfig:
    """Settings that decide the shapes of a network's weights; stored as JSON beside them.

    Fields without a default come from the samples; `width` and `dropout` from the study, where it
    sets them. A network gives `width` its own default, and may add fields that have defaults.
    """

    pool: ClassVar[int] = 1
    """Side of the squares of pixels that are averaged before the network sees the image.

    A network that would begin with `avg_pool2d` says so here instead: most channels are then drawn
    at the smaller size at once.
    """

    n_channels: int  # C: renderers x windows
    n_features: int  # N: regime features beside the image
    n_classes: int  # 3: down, flat, up; 2: other, take profit
    width: int = 32
    dropout: float = 0.1

    def activations(self, size_pixels: int) -> int:
        """Estimate how many numbers a training sample keeps in memory.

        `size_pixels` is the side of the image. The estimate decides how many fits run side by side,
        and changes no result.
        """
        return size_pixels**2 * self.width


class Network(nn.Module, ABC):
    """Base class: images and regime features to class logits. It knows nothing about training.

    A network may not contain `nn.Dropout` (fits that run side by side would share its random
    numbers), a strided 1 x 1 convolution (its backward pass crashes torch 2.13 on the CPU in
    channels_last) or AdaptiveAvgPool (no deterministic version on CUDA).

    Attributes
    ----------
    config : NetworkConfig
        The configuration it was built from.
    dropout : Dropout
        Zeroes a share `config.dropout` of some units in training; a network may have more of them.
    """

    config: NetworkConfig
    dropout: Dropout

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """Map images (B, C, S, S) to the last feature map (B, c, h, w).

        S is the study's `size_pixels`, at least 8, over `config.pool`.

        Motifs attribute an event to the cells of this map.
        """

    @abstractmethod
    def classify(self, feature_map: Tensor, features: Tensor) -> Tensor:
        """Map that feature map and the regime features (B, N) to logits (B, n_classes)."""

    def forward(self, images: Tensor, features: Tensor) -> Tensor:
        """Map images (B, C, S, S) and features (B, N) to logits (B, n_classes)."""
        return self.classify(self.features(images), features)


def config_class(architecture: str) -> type[NetworkConfig]:
    """Find the configuration of a network.

    Raises
    ------
    ConfigError
        When there is no such network, or its module defines none.
    """
    found: type[NetworkConfig] = _defined_in(architecture, NetworkConfig)
    return found


def build_network(config: NetworkConfig) -> Network:
    """Make a network with random weights.

    Raises
    ------
    ConfigError
        When it lacks something that a `Network` must have.
    """
    architecture = _name(config)
    kind: type[Network] = _defined_in(architecture, Network)
    if missing := sorted(kind.__abstractmethods__):
        raise _refused(architecture, f"{kind.__name__} defines no {' and no '.join(missing)}")
    network = kind(config)
    problems = [*_lacking(network, config), *_forbidden(network)]
    if problems or (problems := _misshapen(network, config)):
        raise _refused(architecture, "; ".join(problems))
    return network


def network_json(config: NetworkConfig) -> dict[str, Any]:
    """Describe a configuration for an architecture document."""
    return {"architecture": _name(config), **asdict(config)}


def network_config(document: Mapping[str, Any]) -> NetworkConfig:
    """Read back what `network_json` wrote.

    Raises
    ------
    StaleInputs
        When this code has no such network, or the network has other settings.

    Examples
    --------
    >>> config = config_class("patchify")(n_channels=1, n_features=0, n_classes=2)
    >>> network_config(network_json(config)) == config
    True
    """
    settings = dict(document)
    name = settings.pop("architecture", None)
    try:
        return config_class(name)(**settings)
    except (ConfigError, TypeError) as error:
        raise StaleInputs(
            f"the model's architecture {name!r} with settings {sorted(settings)} is none of "
            f"{names_in(__name__)}: {error}"
        ) from error


# ---------------------------------------------------------------------------- one module
def _name(config: NetworkConfig) -> str:
    return type(config).__module__.rpartition(".")[2]


def _defined_in(architecture: str | None, base: type) -> Any:
    """Return the one class of a network's module that extends `base`."""
    known = names_in(__name__)
    if architecture not in known:
        raise ConfigError(f"model.architecture = {architecture!r} is none of {known}")
    module = import_module(f"{__name__}.{architecture}")
    found = [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, base) and kind.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise _refused(
            architecture, f"it defines {len(found)} classes that extend {base.__name__}, not one"
        )
    return found[0]


def _refused(architecture: str | None, problem: str) -> ConfigError:
    return ConfigError(
        f"model.architecture = {architecture!r}: {problem}; what a network must have is said in "
        "price_physics/model/networks/__init__.py"
    )


def _lacking(network: Network, config: NetworkConfig) -> list[str]:
    """List the attributes that a network did not set."""
    problems = []
    if getattr(network, "config", None) != config:
        problems.append("it has no attribute config, what it was made from")
    if not isinstance(getattr(network, "dropout", None), Dropout):
        problems.append("it has no attribute dropout that is a networks.Dropout")
    return problems


def _forbidden(network: Network) -> list[str]:
    """List the layers that no network may contain."""
    problems = []
    for name, layer in network.named_modules():
        what = f"{name} is a {type(layer).__name__}"
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            problems.append(f"{what}, not a networks.Dropout")
        elif isinstance(layer, nn.modules.pooling._AdaptiveAvgPoolNd):
            problems.append(f"{what}; take mean((2, 3))")
        elif isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) != layer.stride:
            problems.append(f"{what} of 1 x 1 with stride {layer.stride}; pool before it")
    return problems


def _misshapen(network: Network, config: NetworkConfig) -> list[str]:
    """List outputs of the wrong shape, from a run on two small images; draws no random number."""
    side = 16 // config.pool
    images = torch.zeros(2, config.n_channels, side, side)
    try:
        with torch.no_grad():
            feature_map = network.eval().features(images)
            logits = network.classify(feature_map, torch.zeros(2, config.n_features))
    except RuntimeError as error:
        return [f"it fails on images of {tuple(images.shape)}: {error}"]
    finally:
        network.train()
    problems = []
    if feature_map.ndim != 4 or len(feature_map) != 2:
        problems.append(f"features gives {tuple(feature_map.shape)} of 2 images, not (2, c, h, w)")
    if logits.shape != (2, config.n_classes):
        expected = (2, config.n_classes)
        problems.append(f"classify gives {tuple(logits.shape)} of 2 events, not {expected}")
    return problems
