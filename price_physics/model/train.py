"""Fit one network: run its epochs, stop early, and resume after a kill.

Weights act only on the loss or on the draw of the samples: early stopping uses the unweighted log
loss. The caller decides which samples train and which stop the fit.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from price_physics.errors import PricePhysicsError
from price_physics.model.calibration import training_log_odds
from price_physics.model.dataset import SampleStore
from price_physics.model.device import (
    algorithms,
    describe_device,
    exact_float32,
    halved,
    seeded,
)
from price_physics.model.inference import infer
from price_physics.model.networks import Network, NetworkConfig, build_network, network_json
from price_physics.model.schedules import batches, learning_rate
from price_physics.model.state import Checkpoint, TrainingState, adamw
from price_physics.model.step import Step
from price_physics.scores.probabilities import Floats, log_loss, log_softmax
from price_physics.source import source_version
from price_physics.store.artefact import canonical_json
from price_physics.weights.kernels import class_balance

if TYPE_CHECKING:
    from price_physics.study.model import ModelConfig

_CPU = torch.device("cpu")
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Task:
    """What one fit trains on.

    Attributes
    ----------
    train : int64 array
        Samples that train.
    early_stop : int64 array, or None
        Samples whose log loss decides when to stop; the best epoch's network is kept. None runs
        all `n_epochs` and keeps the last.
    n_epochs, seed : int
    at_once : int, optional
        Samples that pass through the network together; None is the whole batch. Halved where the
        device's memory does not suffice.
    """

    train: Index
    early_stop: Index | None
    n_epochs: int
    seed: int
    at_once: int | None = None


@dataclass(frozen=True)
class Fit:
    """A trained network, and how it was trained.

    `log_odds` comes from `training_log_odds`; `best_epoch` counts from 1; `at_once` is how many
    samples at a time fitted into the device's memory.
    """

    network: Network
    log_odds: Floats
    best_epoch: int
    curve: list[dict[str, Any]]
    at_once: int


@exact_float32()
def fit_network(
    store: SampleStore,
    config: ModelConfig,
    architecture: NetworkConfig,
    task: Task,
    on_epoch: Callable[[int], None] = lambda epoch: None,
    on_step: Callable[[], None] = lambda: None,
    checkpoint: Path | None = None,
) -> Fit:
    """Train one network.

    Parameters
    ----------
    store : SampleStore
    config : ModelConfig
        The schedule of the learning rate spans `max_epochs` even where fewer are run, so that epoch
        k of the final fit has the rates of epoch k in the folds.
    architecture : NetworkConfig
    task : Task
    on_epoch : callable
        Called with the number of each epoch finished in this call.
    on_step : callable
        Called after each step, and now and then while early stopping is judged, also from other
        threads; an exception from it ends the fit.
    checkpoint : Path, optional
        File that keeps the state after each epoch, and from which the fit resumes. On the CPU a
        resumed fit gives the same bytes as one that was never stopped.

    Raises
    ------
    PricePhysicsError
        When the loss is no longer finite.
    ValueError
        When the images are not pooled as the network asks.
    """
    if store.renderer.pool != architecture.pool:
        raise ValueError(
            f"images are pooled by {store.renderer.pool}, {type(architecture).__name__} asks for "
            f"{architecture.pool}; give Renderer its pool"
        )
    weight, log_odds, shift = _weights(store, config, task.train, architecture.n_classes)
    kept = None
    if checkpoint is not None:
        kept = Checkpoint(checkpoint, _fingerprint(store, config, architecture, task))
    on_cuda = store.device.type == "cuda"
    with (
        algorithms(store.device, config.deterministic),
        seeded(task.seed, store.device) if on_cuda else nullcontext(),
    ):
        with seeded(task.seed, _CPU):
            network = build_network(architecture)
            dropout = torch.Generator()
            dropout.set_state(torch.get_rng_state())  # continues after the draw of the weights
        network.to(store.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        shuffle = torch.Generator().manual_seed(task.seed)
        state = TrainingState(network, adamw(network, config.weight_decay), shuffle, dropout)
        state.at_once = task.at_once or config.batch_size
        if kept is not None and (found := kept.load()) is not None:
            state.restore(*found)
        epochs = _Epochs(store, config, state, task.train, weight, on_step)
        while not _is_over(state, config, task):
            loss, rate = epochs.run()
            stop_loss = math.nan
            if task.early_stop is not None:
                logits = infer([network], store, task.early_stop, on_step).numpy() + shift
                logits += _offset(store, task.early_stop)
                classes = store.classes.cpu().numpy()[task.early_stop]
                found_loss = log_loss(np.exp(log_softmax(logits)), classes)
                stop_loss = math.nan if found_loss is None else found_loss
            _check_finite(loss, stop_loss, state.epoch + 1, config, task)
            row = {"train_loss": loss, "early_stop_loss": stop_loss, "learning_rate": rate}
            state.finish_epoch(
                row, stop_loss, task.early_stop is None or stop_loss < state.best_loss
            )
            if kept is not None:
                kept.save(*state.snapshot())
            on_epoch(state.epoch)
        return Fit(state.best_network(), log_odds, state.best_epoch, state.curve, state.at_once)


class _Epochs:
    """The epochs of one fit, one after another."""

    def __init__(
        self,
        store: SampleStore,
        config: ModelConfig,
        state: TrainingState,
        train: Index,
        weight: Floats,
        on_step: Callable[[], None],
    ) -> None:
        device = store.device
        self.store, self.config, self.state = store, config, state
        self.samples = torch.as_tensor(train, device=device)
        self.n_steps = config.steps_per_epoch or math.ceil(len(train) / config.batch_size)
        self.draw: Tensor | None = None
        loss_weight = torch.as_tensor(weight, dtype=torch.float32, device=device)
        if config.weights_on == "sampler":
            self.draw = torch.as_tensor(weight[train])
            loss_weight = torch.ones_like(loss_weight)
        self.loss_weight = loss_weight
        self.on_step = on_step
        self.step: Step | None = None

    def run(self) -> tuple[float, float]:
        """Run an epoch; return the mean weighted loss and the last learning rate.

        Where the device's memory does not suffice, the epoch is repeated from its start with half
        as many samples at once. Later epochs keep that number, also after a restart.
        """
        before = self.state.snapshot()
        while True:
            try:
                return self._run()
            except torch.OutOfMemoryError:
                self.step = None  # and the graph that it recorded
                at_once = halved(self.state.at_once, "training")
                self.state.optimiser.zero_grad(set_to_none=True)
            # outside the handler nothing holds the failed step's tensors
            torch.cuda.empty_cache()
            self.state.restore(*before)
            self.state.at_once = at_once

    def _run(self) -> tuple[float, float]:
        config, n_steps, state = self.config, self.n_steps, self.state
        if self.step is None:
            recorded = self.store.device.type == "cuda" and not config.deterministic
            self.step = Step(state, self.store, self.loss_weight, config, state.at_once, recorded)
        state.network.train()
        self.step.total_loss.zero_()
        order = batches(self.samples, config.batch_size, n_steps, state.generator, self.draw)
        n_samples, rate = 0, 0.0
        for number, batch in enumerate(order, start=state.epoch * n_steps):
            rate = learning_rate(
                config.schedule, number, config.max_epochs * n_steps, config.learning_rate
            )
            self.step(batch, rate)
            self.on_step()
            n_samples += len(batch)
        return float(self.step.total_loss) / n_samples, rate


def _weights(
    store: SampleStore, config: ModelConfig, train: Index, n_classes: int
) -> tuple[Floats, Floats, Floats]:
    """Return the weights of all samples, the training log-odds, and the shift by class weights.

    With weights on the sampler, a class is drawn as often as its share of the weights. The network
    then learns the same shares as from the weighted loss, and one correction serves both.
    """
    classes = store.classes.cpu().numpy()
    weight = np.ones(len(store))
    weight[train] = store.uniqueness[train] / store.uniqueness[train].mean()
    if config.class_weights == "balanced":
        weight[train] *= class_balance(classes[train], weight[train])
    elif config.class_weights is not None:
        weight *= np.asarray(config.class_weights)[classes]
    offset = _offset(store, train)
    log_odds = training_log_odds(classes[train], weight[train], n_classes, offset)
    # Early stopping judges the model as served: without the shift that class weights cause.
    unweighted = np.ones(len(train))
    shift = training_log_odds(classes[train], unweighted, n_classes, offset) - log_odds
    return weight, log_odds, shift


def _offset(store: SampleStore, index: Index) -> Floats:
    return store.offset.cpu().numpy()[index].astype(np.float64)


def _is_over(state: TrainingState, config: ModelConfig, task: Task) -> bool:
    waited = state.epoch - state.best_epoch
    stopped = task.early_stop is not None and waited >= config.patience_epochs
    return state.epoch >= task.n_epochs or stopped


def _check_finite(
    loss: float, stop_loss: float, epoch: int, config: ModelConfig, task: Task
) -> None:
    if not math.isfinite(loss) or (task.early_stop is not None and math.isnan(stop_loss)):
        raise PricePhysicsError(
            f"training diverged: loss {loss}, early-stopping loss {stop_loss} in epoch {epoch}; "
            f"lower model.learning_rate, which is {config.learning_rate}"
        )


def _fingerprint(
    store: SampleStore, config: ModelConfig, architecture: NetworkConfig, task: Task
) -> str:
    """Hash everything that decides a fit: settings, samples, code that it can import, machine."""
    settings = {
        "config": config.model_dump(mode="json", exclude={"device"}),
        "architecture": network_json(architecture),
        "epochs": task.n_epochs,
        "seed": task.seed,
        "store": store.fingerprint(),
        "device": describe_device(store.device),
        "code": source_version(__name__, type(architecture).__module__),
    }
    digest = hashlib.sha256(canonical_json(settings))
    for part in (task.train, task.early_stop):
        digest.update(b"none" if part is None else np.ascontiguousarray(part).tobytes())
        digest.update(b"|")
    return digest.hexdigest()
