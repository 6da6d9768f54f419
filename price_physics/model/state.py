"""Save and restore the state of a fit: to repeat an epoch, or to resume after a kill.

Every fit has one safetensors file, replaced as a whole after each epoch. The file names its fit; a
file of another fit, or with a flipped bit, is ignored with a warning.
"""

import hashlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from torch import Tensor

from price_physics.model.networks import Dropout, Network
from price_physics.store.atomic import write_atomically

Arrays = dict[str, np.ndarray]
_log = logging.getLogger(__name__)


class TrainingState:
    """A network in training, its optimiser, the random states, and the best epoch so far.

    `generator` draws the order of the samples and, on the CPU, `dropout` draws the dropped units.
    So a fit on the CPU does not depend on the random state of the process, which fits side by side
    share.

    Attributes
    ----------
    epoch : int
        Epochs finished.
    best_epoch : int
        The epoch whose network is kept, from 1; 0 before the first.
    best_loss : float
    curve : list of dict
        One row per epoch.
    at_once : int
        How many samples at a time fit into the device's memory, as far as known; 0 before that. It
        decides which samples a batch normalisation sees together.
    """

    def __init__(
        self,
        network: Network,
        optimiser: torch.optim.Optimizer,
        generator: torch.Generator,
        dropout: torch.Generator,
    ) -> None:
        self.network, self.optimiser, self.generator = network, optimiser, generator
        self._dropout = dropout
        if self._device.type == "cpu":
            for layer in network.modules():
                if isinstance(layer, Dropout):
                    layer.generator = dropout
        self.epoch, self.best_epoch, self.best_loss = 0, 0, math.inf
        self.curve: list[dict[str, Any]] = []
        self.at_once = 0
        self._best = {k: v.detach().clone() for k, v in network.state_dict().items()}

    def finish_epoch(self, row: dict[str, Any], stop_loss: float, is_best: bool) -> None:
        """Count an epoch, and keep its network if it is the best."""
        self.epoch += 1
        self.curve.append({"epoch": self.epoch, **row})
        if is_best:
            self.best_epoch, self.best_loss = self.epoch, stop_loss
            for name, value in self.network.state_dict().items():
                self._best[name].copy_(value)

    def best_network(self) -> Network:
        """Return the network with the weights of the best epoch, in evaluation mode."""
        self.network.load_state_dict(self._best)
        return self.network.eval()

    def snapshot(self) -> tuple[Arrays, dict[str, Any]]:
        """Copy everything, as arrays and JSON."""
        arrays = {k: np.array(v.detach().cpu().numpy(), order="C") for k, v in self._tensors()}
        arrays["random.order"] = self.generator.get_state().numpy().copy()
        arrays["random.dropout"] = self._dropout.get_state().numpy().copy()
        if self._device.type == "cuda":
            arrays["random.cuda"] = torch.cuda.get_rng_state(self._device).numpy().copy()
        facts = ("epoch", "best_epoch", "best_loss", "curve", "at_once")
        return arrays, json.loads(json.dumps({name: getattr(self, name) for name in facts}))

    def restore(self, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Restore what `snapshot` copied, in place: a recorded step keeps using the same memory."""
        with torch.no_grad():
            for name, tensor in self._tensors():
                tensor.copy_(torch.from_numpy(arrays[name]))
        self.generator.set_state(torch.from_numpy(arrays["random.order"].copy()))
        self._dropout.set_state(torch.from_numpy(arrays["random.dropout"].copy()))
        if self._device.type == "cuda":
            state = torch.from_numpy(arrays["random.cuda"].copy())
            torch.cuda.set_rng_state(state, self._device)
        self.epoch, self.best_epoch = facts["epoch"], facts["best_epoch"]
        self.best_loss, self.curve = facts["best_loss"], list(facts["curve"])
        self.at_once = facts["at_once"]

    @property
    def _device(self) -> torch.device:
        return next(self.network.parameters()).device

    def _tensors(self) -> Iterator[tuple[str, Tensor]]:
        for name, value in self.network.state_dict().items():
            yield f"network.{name}", value
        for name, value in self._best.items():
            yield f"best.{name}", value
        for name, parameter in self.network.named_parameters():
            for key, value in sorted(self.optimiser.state[parameter].items()):
                yield f"optimiser.{name}.{key}", value


def adamw(network: Network, weight_decay: float) -> torch.optim.AdamW:
    """Make a fused AdamW whose moments exist from the start; on CUDA it can be recorded."""
    device = next(network.parameters()).device
    on_cuda = device.type == "cuda"
    rate = torch.tensor(0.0, device=device) if on_cuda else 0.0
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=rate, weight_decay=weight_decay, fused=True, capturable=on_cuda
    )
    for parameter in network.parameters():
        optimiser.state[parameter] = {
            "step": torch.zeros((), device=device),
            "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
        }
    return optimiser


# ---------------------------------------------------------------------------- files
@dataclass(frozen=True)
class Checkpoint:
    """Where a fit keeps its state, and the fingerprint of what decides the fit."""

    path: Path
    fingerprint: str

    def save(self, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Replace the file by this state; a kill leaves the old one or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(facts)
        metadata = {
            "fingerprint": self.fingerprint,
            "facts": text,
            "sha256": _checksum(arrays, text),
        }
        write_atomically(self.path, save(arrays, metadata))

    def load(self) -> tuple[Arrays, dict[str, Any]] | None:
        """Read the state of this fit; None if the file is missing, damaged or of another fit."""
        if not self.path.exists():
            return None
        try:
            with safe_open(self.path, framework="np") as file:
                metadata = file.metadata() or {}
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            found, facts = metadata["fingerprint"], metadata["facts"]
            whole = metadata["sha256"] == _checksum(arrays, facts)
        except (SafetensorError, KeyError, ValueError) as error:
            found, whole, problem = self.fingerprint, False, str(error)
        else:
            problem = "its checksum does not match"
        if found != self.fingerprint:
            problem = "it belongs to another fit: settings, data, code or machine have changed"
        if not whole or found != self.fingerprint:
            _log.warning("%s is ignored, this fit starts over: %s", self.path, problem)
            return None
        return arrays, json.loads(facts)


def _checksum(arrays: Arrays, text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"{name} {arrays[name].dtype} {arrays[name].shape}".encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()
