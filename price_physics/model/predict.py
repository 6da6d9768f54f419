"""Rebuild a stored model, and predict events that it has not seen: logits and probabilities.

Which side to trade is decided in `walk_forward`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from price_physics.errors import StaleInputs
from price_physics.frames import rows_of
from price_physics.images.render import RENDERER_VERSION, Renderer
from price_physics.images.windows import window_ends
from price_physics.labels.odds import class_odds, log_offset
from price_physics.model.calibration import Calibration
from price_physics.model.dataset import NetworkInputs, Scales
from price_physics.model.device import resolve_device
from price_physics.model.inference import infer
from price_physics.model.networks import Network, NetworkConfig, build_network, network_config
from price_physics.months import Month
from price_physics.schemas.regimes import FEATURE_COLUMNS
from price_physics.study.images import ImagesConfig

if TYPE_CHECKING:
    from price_physics.past import Known
    from price_physics.study.study import Study

_CPU = torch.device("cpu")
_PROBABILITIES = ["event_time_ns", "p_up", "p_flat", "p_down"]


class TrainedModel:
    """An ensemble with all it needs to turn bars and features into probabilities.

    Attributes
    ----------
    device : torch.device
        Where it is asked; what it answers is on the CPU.
    members : list of Network
        In evaluation mode; their logits are averaged.
    network : Network
        The first member, which attributions explain.
    architecture : dict
        The stored document.
    renderer : Renderer
        Draws what the network sees: pooled where it asks for that.
    """

    def __init__(
        self,
        members: list[Network],
        architecture: dict[str, Any],
        device: torch.device = _CPU,
    ) -> None:
        self.device = device
        self.members = [_placed(network, device).eval() for network in members]
        self.network = self.members[0]
        self.architecture = architecture
        self.renderer = Renderer(images_config(architecture["images"]), self.network.config.pool)
        self._scales = Scales.read(architecture)
        self._calibration = Calibration(architecture["temperature"], architecture["bias"])

    @classmethod
    def load(
        cls,
        weights: Mapping[str, np.ndarray],
        architecture: dict[str, Any],
        device: torch.device = _CPU,
    ) -> TrainedModel:
        """Rebuild a model; every tensor and number must be present, finite and of the right shape.

        Raises
        ------
        StaleInputs
            When the weights do not fit the architecture, or the model was trained with another
            version of the renderer.
        """
        version = architecture.get("images", {}).get("renderer_version")
        if version != RENDERER_VERSION:
            raise StaleInputs(
                f"the model was trained on images of renderer version {version!r}, this code draws "
                f"{RENDERER_VERSION!r}"
            )
        config = network_config(architecture["network"])
        members = [build_network(config) for _ in range(architecture["n_members"])]
        expected = {
            f"{number}.{name}": value
            for number, network in enumerate(members)
            for name, value in network.state_dict().items()
        }
        problems = _weight_problems(weights, {n: v.numpy() for n, v in expected.items()})
        problems += _number_problems(architecture, config)
        if problems:
            raise StaleInputs(
                f"the model's weights do not fit its architecture: {'; '.join(problems[:5])} "
                f"({len(problems)} in all)"
            )
        for name, tensor in expected.items():
            tensor.copy_(torch.from_numpy(np.array(weights[name])))
        return cls(members, architecture, device)

    def inputs(
        self,
        series: npt.ArrayLike | Tensor,
        window_ends: npt.ArrayLike | Tensor,
        features: npt.ArrayLike | Tensor,
    ) -> NetworkInputs:
        """Return what the networks see of events, scaled as in training.

        Parameters
        ----------
        series : float64 array or tensor of shape (2, N)
            Closes and volumes of all bars.
        window_ends : int64 array or tensor of shape (B,)
            Position of each event's own bar.
        features : float64 array or tensor of shape (B, n_features)
            Not scaled, with columns FEATURE_COLUMNS.
        """
        return NetworkInputs(
            self.renderer, series, window_ends, features, self._scales, self.device
        )

    def logits(
        self,
        series: npt.ArrayLike | Tensor,
        window_ends: npt.ArrayLike | Tensor,
        features: npt.ArrayLike | Tensor,
    ) -> Tensor:
        """Return the mean logits (B, n_classes) of the members, float64, without gradients.

        The logits of an event are bit-identical however many events follow it. Parameters as
        `inputs`.
        """
        seen = self.inputs(series, window_ends, features)
        return infer(self.members, seen, np.arange(len(seen)))

    def probabilities(self, logits: Tensor, events: pd.DataFrame) -> Tensor:
        """Return calibrated probabilities (B, n_classes) in float64; differentiable.

        `events` (B rows) holds `side` and the columns ODDS; the offset made from them is added
        last.
        """
        bias = torch.tensor(self._calibration.bias, dtype=torch.float64)
        kind, n_classes = self.architecture["offset"], self.network.config.n_classes
        offset = torch.from_numpy(log_offset(kind, events, n_classes))
        scaled = logits.double() / self._calibration.temperature
        return torch.softmax(scaled + bias + offset, dim=1)


def serving_model(trained: Known | None, device: str) -> TrainedModel | None:
    """Rebuild the model of a month; None in warm-up, and before the first.

    `device` is the study's ``model.device``. Raises as `load` and `resolve_device`.
    """
    if trained is None or trained.warm_up:
        return None
    weights, architecture = trained.arrays("network"), trained.document("architecture")
    return TrainedModel.load(weights, architecture, resolve_device(device))


def predict(
    study: Study,
    month: Month,
    model: TrainedModel | None,
    bars: Mapping[Month, pd.DataFrame],
    events: pd.DataFrame,
    features: pd.DataFrame,
) -> pd.DataFrame:
    """Predict events of `month` that have an image.

    Parameters
    ----------
    study : Study
    month : Month
    model : TrainedModel or None
        Trained through an earlier month; None in warm-up, and then nothing is predicted.
    bars : mapping of month to BARS
        Of the month before, where there is one, and of `month`.
    events : DataFrame of event_time_ns, side and the columns ODDS
        Of `month`.
    features : DataFrame
        REGIME_FEATURES of `month`.

    Returns
    -------
    DataFrame of event_time_ns, p_up, p_flat, p_down
        The last two are NaN with the binary head.

    Raises
    ------
    StaleInputs
        When the study asks for another head or other images than the model has, or an event has no
        features.
    """
    times = events["event_time_ns"].to_numpy(np.int64)
    if model is None or not len(times):
        return _frame(times[:0], np.empty((0, 3)))
    stored = [model.architecture[name] for name in ("head", "offset")]
    stored.append(images_config(model.architecture["images"]))
    if stored != [study.model.head, study.model.offset, study.images]:
        raise StaleInputs(
            f"study {study.name!r} asks for head {study.model.head}, offset {study.model.offset} "
            f"and images {study.images}, the model was trained with {stored}"
        )
    series, ends = window_ends({m: bars[m] for m in sorted(bars) if m <= month}, times)
    rows = rows_of(times, features["event_time_ns"].to_numpy(np.int64), "regime_features")
    values = features[FEATURE_COLUMNS].to_numpy(np.float64)[rows]
    p = model.probabilities(model.logits(series, ends, values), events).numpy()
    return _frame(times, p)


def driftless_probabilities(study: Study, events: pd.DataFrame) -> pd.DataFrame:
    """Return the driftless odds: the prediction of a network that has learnt nothing yet.

    Parameters
    ----------
    study : Study
    events : DataFrame of event_time_ns, side and the columns ODDS

    Returns
    -------
    DataFrame of event_time_ns, p_up, p_flat, p_down
        As from `predict`.
    """
    odds = class_odds(events, study.model.n_classes)
    return _frame(events["event_time_ns"].to_numpy(np.int64), odds)


def probability_columns(probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """Name probabilities (n, n_classes) as the tables do; NaN where the head has no such class."""
    if probabilities.shape[1] == 3:
        down, flat, up = probabilities.T
    else:
        up = probabilities[:, 1]
        down = flat = np.full(len(up), np.nan)
    return {"p_up": up.copy(), "p_flat": flat.copy(), "p_down": down.copy()}


def images_config(specification: Mapping[str, Any]) -> ImagesConfig:
    """Rebuild the images' configuration from a stored render specification."""
    known = {k: v for k, v in specification.items() if k in ImagesConfig.model_fields}
    return ImagesConfig.model_validate(known)


def _placed(network: Network, device: torch.device) -> Network:
    placed: Network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return placed


def _weight_problems(
    weights: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> list[str]:
    """List what is wrong with stored weights."""
    problems = [f"{name} is missing" for name in expected if name not in weights]
    problems += [f"{name} is unknown" for name in weights if name not in expected]
    for name in sorted(expected.keys() & weights.keys()):
        value, like = weights[name], expected[name]
        if (value.dtype, value.shape) != (like.dtype, like.shape):
            problems.append(f"{name} is {value.dtype} {value.shape}, not {like.dtype} {like.shape}")
        elif not np.isfinite(value).all():
            problems.append(f"{name} holds values that are not finite")
    return problems


def _number_problems(architecture: Mapping[str, Any], config: NetworkConfig) -> list[str]:
    """List what is wrong with an architecture's calibration and moments."""
    lengths = {
        "bias": config.n_classes,
        "channel_mean": config.n_channels,
        "channel_std": config.n_channels,
        "feature_mean": config.n_features,
        "feature_std": config.n_features,
    }
    problems = []
    for name, length in lengths.items():
        values = np.asarray(architecture.get(name, []), dtype=np.float64)
        if values.shape != (length,):
            problems.append(f"{name} holds {values.size} numbers, not {length}")
        elif not np.isfinite(values).all() or (name.endswith("_std") and (values <= 0).any()):
            problems.append(f"{name} is {values.tolist()}")
    temperature = architecture.get("temperature", np.nan)
    if not 0 < temperature < np.inf:
        problems.append(f"temperature is {temperature}, not positive and finite")
    return problems


def _frame(times: npt.NDArray[np.int64], probabilities: np.ndarray) -> pd.DataFrame:
    columns = {"event_time_ns": times, **probability_columns(probabilities)}
    return pd.DataFrame(columns, columns=_PROBABILITIES)
