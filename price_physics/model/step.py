"""Run one step of a fit: draw the samples, go forward and back, update the weights.

On CUDA the step of a full batch is recorded once and replayed: otherwise the host's calls would
take longer than the work. Images are drawn outside the recording, while the device is still busy
with the step before. A batch that passes in parts is not recorded: it keeps the device busy anyway,
and is never in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from price_physics.model.dataset import SampleStore
from price_physics.model.networks import Network
from price_physics.model.state import TrainingState

if TYPE_CHECKING:
    from price_physics.study.model import ModelConfig

Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""Images, features, offsets, classes and loss weights of samples."""

_WARM_UP_STEPS = 3  # as torch's documentation asks before a recording


def weighted_loss(logits: Tensor, classes: Tensor, weight: Tensor, focal_gamma: float) -> Tensor:
    """Return the mean of cross-entropy times weight; focal loss where `focal_gamma` is positive.

    References
    ----------
    Lin et al. (2017), "Focal loss for dense object detection".
    """
    log_p = F.log_softmax(logits, dim=1)
    log_p = (log_p * F.one_hot(classes, logits.shape[1])).sum(1)
    if focal_gamma:
        # the floor keeps the gradient finite where a sample is certain and gamma below 1
        log_p = (1 - log_p.exp()).clamp(min=1e-6) ** focal_gamma * log_p
    return -(weight * log_p).mean()


class Step:
    """A training step, called with the samples of a batch; it adds up the loss on the device.

    Parameters
    ----------
    state : TrainingState
        Network and optimiser; its tensors stay where they are.
    store : SampleStore
    loss_weight : float32 tensor of shape (n_samples,)
    config : ModelConfig
    at_once : int
        Samples that are drawn and pass through the network together. The gradient of a larger batch
        is added up over its parts, but batch normalisation sees one part at a time.
    recorded : bool
        Whether to record full batches that pass together; on CUDA only.
    """

    def __init__(
        self,
        state: TrainingState,
        store: SampleStore,
        loss_weight: Tensor,
        config: ModelConfig,
        at_once: int,
        recorded: bool,
    ) -> None:
        self.network: Network = state.network
        self.optimiser = state.optimiser
        self.store, self.config, self.at_once = store, config, at_once
        self.loss_weight = loss_weight
        self.half = uses_bfloat16(config, store.device)
        self.total_loss = torch.zeros((), device=store.device)
        whole = at_once >= config.batch_size
        self._recording = _Recording(self, state) if recorded and whole else None

    def __call__(self, index: Tensor, rate: float) -> None:
        """Train on samples `index` (B,) at a learning rate."""
        for group in self.optimiser.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        if self._recording is not None and len(index) == self.config.batch_size:
            self._recording.replay(self.gather(index))
        else:
            n_parts = -(-len(index) // self.at_once)
            parts = index.tensor_split(n_parts)
            self.train(len(index), (self.gather(part) for part in parts))

    def gather(self, index: Tensor) -> Inputs:
        """Return the inputs of samples; their images are drawn."""
        store = self.store
        images = store.images(index, torch.bfloat16 if self.half else torch.float32)
        offset, classes = store.offset[index], store.classes[index]
        return images, store.features[index], offset, classes, self.loss_weight[index]

    def train(self, n: int, parts: Iterable[Inputs]) -> None:
        """Update the weights on `n` samples, given in parts, without waiting for the device."""
        self.optimiser.zero_grad(set_to_none=True)
        for images, features, offset, classes, weight in parts:
            with torch.autocast(
                images.device.type, torch.bfloat16, enabled=self.half, cache_enabled=False
            ):
                logits = self.network(images, features)
            added = logits.float() + offset
            loss = weighted_loss(added, classes, weight, self.config.focal_gamma)
            (loss * (len(classes) / n)).backward()
            self.total_loss += loss.detach() * len(classes)
            # free them before the next part is drawn
            del images, features, offset, classes, weight, logits, added, loss
        if self.config.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self.optimiser.step()


class _Recording:
    """The step of a full batch as one CUDA graph, recorded at the first batch."""

    def __init__(self, step: Step, state: TrainingState) -> None:
        self._step, self._state = step, state
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: Inputs | None = None

    def replay(self, inputs: Inputs) -> None:
        if self._graph is None or self._inputs is None:
            images, features, offset, classes, weight = (value.clone() for value in inputs)
            self._inputs = images, features, offset, classes, weight
            self._graph = self._record(self._inputs)
        for place, value in zip(self._inputs, inputs, strict=True):
            place.copy_(value)
        self._graph.replay()

    def _record(self, inputs: Inputs) -> torch.cuda.CUDAGraph:
        n, step, before = len(inputs[0]), self._step, self._state.snapshot()
        total = step.total_loss.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP_STEPS):
                step.train(n, [inputs])
        torch.cuda.current_stream().wait_stream(side)
        self._state.restore(*before)  # undo the warm-up steps
        step.total_loss.copy_(total)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step.train(n, [inputs])
        return graph


def uses_bfloat16(config: ModelConfig, device: torch.device) -> bool:
    """Whether training multiplies in bfloat16."""
    return config.precision == "bfloat16" or (config.precision == "auto" and device.type == "cuda")
