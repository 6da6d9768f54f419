"""One fit: the loop, its loss and its learning rate.

Weights act on the loss and on nothing else: the early-stopping slice is judged by unweighted
log loss. Which samples train and which stop is the caller's business.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from price_physics.errors import PricePhysicsError
from price_physics.model.calibration import training_log_odds
from price_physics.model.dataset import SampleStore
from price_physics.model.device import seeded
from price_physics.model.metrics import Floats, log_loss, log_softmax
from price_physics.model.network import NetworkConfig, ResNetLite
from price_physics.study import ModelConfig

_EVALUATION_BATCH = 256
_MAX_GRADIENT_NORM = 1.0
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fit:
    """A trained network and how it got there.

    `log_odds` are the logs of the weighted class shares its loss saw; `best_epoch` counts from 1.
    """

    network: ResNetLite
    log_odds: Floats
    best_epoch: int
    curve: list[dict[str, Any]]


def fit_network(
    store: SampleStore,
    config: ModelConfig,
    architecture: NetworkConfig,
    uniqueness: Floats,
    train: Index,
    early_stop: Index | None,
    n_epochs: int,
    seed: int,
    on_epoch: Callable[[int], None] = lambda epoch: None,
) -> Fit:
    """Train one network.

    Parameters
    ----------
    store : SampleStore
    config : ModelConfig
        The learning rate's cycle spans `max_epochs`, also when fewer are run: epoch k of the final
        fit then is what epoch k was in the folds.
    architecture : NetworkConfig
    uniqueness : float64 array of shape (n_samples,)
        Average uniqueness of every sample of the store.
    train : int64 array
        Samples that train.
    early_stop : int64 array, or None
        Samples whose log loss decides when to stop; the best epoch's network is kept. None runs
        all `n_epochs` and keeps the last.
    n_epochs, seed : int
    on_epoch : callable
        Called with the number of each finished epoch.

    Raises
    ------
    PricePhysicsError
        When the loss is no longer finite.
    """
    device, n_classes = store.device, architecture.n_classes
    classes = store.classes.cpu().numpy()
    weight = np.ones(len(store))
    weight[train] = uniqueness[train] / uniqueness[train].mean()
    weight *= np.asarray(config.class_weights or [1.0] * n_classes)[classes]
    log_odds = training_log_odds(classes[train], weight[train], n_classes)
    # Judged as it will be served: with class weights' shift of the logits taken back.
    shift = training_log_odds(classes[train], np.ones(len(train)), n_classes) - log_odds
    loss_weight = torch.as_tensor(weight, dtype=torch.float32, device=device)
    steps = config.steps_per_epoch or math.ceil(len(train) / config.batch_size)

    with seeded(seed, device):
        shuffle = torch.Generator().manual_seed(seed)
        network = ResNetLite(architecture).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=config.weight_decay)
        curve: list[dict[str, Any]] = []
        best_epoch, best_loss, best_state = 0, math.inf, _copy_state(network)
        for epoch in range(1, n_epochs + 1):
            rates = [
                one_cycle(step, config.max_epochs * steps, config.learning_rate)
                for step in range((epoch - 1) * steps, epoch * steps)
            ]
            order = batches(train, config.batch_size, steps, shuffle)
            loss = _run_epoch(
                network, optimiser, store, loss_weight, order, rates, config.focal_gamma
            )
            stop_loss = math.nan
            if early_stop is not None:
                logits = predict_logits(network, store, early_stop) + shift
                stop_loss = log_loss(np.exp(log_softmax(logits)), classes[early_stop])
            if not math.isfinite(loss) or (early_stop is not None and math.isnan(stop_loss)):
                raise PricePhysicsError(
                    f"training diverged: loss {loss}, early-stopping loss {stop_loss} in epoch "
                    f"{epoch}; lower model.learning_rate, which is {config.learning_rate}"
                )
            curve.append(
                {
                    "epoch": epoch,
                    "train_loss": loss,
                    "early_stop_loss": stop_loss,
                    "learning_rate": rates[-1],
                }
            )
            on_epoch(epoch)
            if early_stop is None or stop_loss < best_loss:
                best_epoch, best_loss, best_state = epoch, stop_loss, _copy_state(network)
            elif epoch - best_epoch >= config.patience_epochs:
                break
        network.load_state_dict(best_state)
    return Fit(network.eval(), log_odds, best_epoch, curve)


def predict_logits(network: ResNetLite, store: SampleStore, index: Index) -> Floats:
    """Logits (n, n_classes) of the given samples, in float64."""
    network.eval()
    parts = []
    with torch.no_grad():
        for batch in torch.as_tensor(index, device=store.device).split(_EVALUATION_BATCH):
            parts.append(network(store.images(batch), store.features[batch]).cpu().numpy())
    return np.concatenate(parts).astype(np.float64)


def batches(
    index: Index, batch_size: int, n_steps: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield `n_steps` batches of shuffled samples, reshuffling whenever all have been seen.

    Examples
    --------
    >>> generator = torch.Generator().manual_seed(0)
    >>> sorted(torch.cat(list(batches(np.arange(6), 4, 2, generator))).tolist())
    [0, 1, 2, 3, 4, 5]
    """
    samples = torch.as_tensor(index)
    n_rounds = math.ceil(n_steps * batch_size / len(samples))
    if (n_steps - 1) * batch_size < len(samples):
        n_rounds = 1  # an epoch ends with its short batch
    order = [samples[torch.randperm(len(samples), generator=generator)] for _ in range(n_rounds)]
    for batch in torch.cat(order).split(batch_size)[:n_steps]:
        # Batch normalisation needs two samples: a lone last one is joined by the first.
        yield batch if len(batch) > 1 else torch.cat([batch, order[0][:1]])


def one_cycle(step: int, n_steps: int, peak: float) -> float:
    """Learning rate: up to `peak` over the first 30 % of the steps, then down, as cosines.

    References
    ----------
    Smith & Topin (2017), "Super-convergence".

    Examples
    --------
    >>> [round(one_cycle(s, 100, 1.0), 3) for s in (0, 30, 65, 99)]
    [0.04, 1.0, 0.5, 0.001]
    """
    turn = 0.3 * n_steps
    if step < turn:
        low, progress = peak / 25, step / turn
    else:
        low, progress = peak / 1e4, 1 - (step - turn) / (n_steps - turn)
    return low + (peak - low) * (1 - math.cos(math.pi * progress)) / 2


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


def _run_epoch(
    network: ResNetLite,
    optimiser: torch.optim.Optimizer,
    store: SampleStore,
    loss_weight: Tensor,
    order: Iterator[Tensor],
    rates: list[float],
    focal_gamma: float,
) -> float:
    """One step a batch; give the mean weighted loss over the samples."""
    network.train()
    total, n_samples = torch.zeros((), device=store.device), 0
    for batch, rate in zip(order, rates, strict=True):
        index = batch.to(store.device)
        for group in optimiser.param_groups:
            group["lr"] = rate
        logits = network(store.images(index), store.features[index])
        loss = weighted_loss(logits, store.classes[index], loss_weight[index], focal_gamma)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), _MAX_GRADIENT_NORM)
        optimiser.step()
        total += loss.detach() * len(index)
        n_samples += len(index)
    return float(total) / n_samples


def _copy_state(network: ResNetLite) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in network.state_dict().items()}
