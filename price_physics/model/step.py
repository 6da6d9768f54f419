"""One step of a fit: draw the samples, go forward and back, move the weights.

On CUDA a full batch's step is recorded once and replayed: nothing in it waits for the host, whose
calls would otherwise take longer than the work. Images are drawn outside of the recording, while
the device is still busy with the step before.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from price_physics.model.dataset import SampleStore
from price_physics.model.networks import Network
from price_physics.model.state import TrainingState
from price_physics.study import ModelConfig

_WARM_UP_STEPS = 3  # as torch's documentation asks before a recording


def weighted_loss(logits: Tensor, classes: Tensor, weight: Tensor, focal_gamma: float) -> Tensor:
    """Cross-entropy times weight, averaged; focal where `focal_gamma` is positive.

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
    """Callable with the samples of a batch; adds up the loss on the device.

    Parameters
    ----------
    state : TrainingState
        Network and optimiser; its tensors stay where they are.
    store : SampleStore
    loss_weight : float32 tensor of shape (n_samples,)
    config : ModelConfig
    at_once : int
        Samples that pass through the network together. A larger batch's gradient is that of its
        parts, but batch normalisation sees one part at a time.
    recorded : bool
        Whether to record full batches; on CUDA only.
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
        self._recording = _Recording(self, state) if recorded else None

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
            self.train(*self.gather(index))

    def gather(self, index: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images, features, classes and loss weights of samples."""
        store = self.store
        images = store.images(index, torch.bfloat16 if self.half else torch.float32)
        return images, store.features[index], store.classes[index], self.loss_weight[index]

    def train(self, images: Tensor, features: Tensor, classes: Tensor, weight: Tensor) -> None:
        """Forward, backward and a move of the weights; waits for nothing."""
        n, gamma = len(images), self.config.focal_gamma
        n_parts = -(-n // self.at_once)
        self.optimiser.zero_grad(set_to_none=True)
        for part in range(n_parts):
            rows = slice(part * n // n_parts, (part + 1) * n // n_parts)
            with torch.autocast(
                images.device.type, torch.bfloat16, enabled=self.half, cache_enabled=False
            ):
                logits = self.network(images[rows], features[rows])
            loss = weighted_loss(logits.float(), classes[rows], weight[rows], gamma)
            share = rows.stop - rows.start
            (loss * (share / n)).backward()
            self.total_loss += loss.detach() * share
        if self.config.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip)
        self.optimiser.step()


class _Recording:
    """A full batch's step as one CUDA graph, made from the first batch it is given."""

    def __init__(self, step: Step, state: TrainingState) -> None:
        self._step, self._state = step, state
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Tensor, ...] = ()

    def replay(self, inputs: tuple[Tensor, ...]) -> None:
        if self._graph is None:
            self._graph = self._record(inputs)
        for place, value in zip(self._inputs, inputs, strict=True):
            place.copy_(value)
        self._graph.replay()

    def _record(self, inputs: tuple[Tensor, ...]) -> torch.cuda.CUDAGraph:
        self._inputs = tuple(value.clone() for value in inputs)
        step, before = self._step, self._state.snapshot()
        total = step.total_loss.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP_STEPS):
                step.train(*self._inputs)
        torch.cuda.current_stream().wait_stream(side)
        self._state.restore(*before)  # the steps to warm up did not happen
        step.total_loss.copy_(total)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step.train(*self._inputs)
        return graph


def uses_bfloat16(config: ModelConfig, device: torch.device) -> bool:
    """Whether training multiplies in bfloat16."""
    return config.precision == "bfloat16" or (config.precision == "auto" and device.type == "cuda")
