"""The loops of sections ``training`` and ``inference``, ours and their peers', and samples."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from price_physics.images.render import Renderer
from price_physics.model.dataset import Moments, Samples, SampleStore, Scales
from price_physics.model.device import exact_float32
from price_physics.model.fit import choose_network
from price_physics.model.inference import infer
from price_physics.model.networks import Network, build_network, config_class
from price_physics.model.side_by_side import Check, side_by_side
from price_physics.model.train import Task, fit_network
from price_physics.study.images import ImagesConfig
from price_physics.study.model import ModelConfig
from price_physics_tests.benchmarks.contender import Job

N_FEATURES, N_CLASSES, SEED = 6, 3, 5


def random_store(n: int, config: ImagesConfig, device: torch.device, pool: int) -> SampleStore:
    """Samples of a random walk, an event at every bar; images are drawn when asked for."""
    rng, longest = np.random.default_rng([SEED, n]), max(config.windows_bars)
    close = 40_000 * np.exp(np.cumsum(rng.normal(0, 5e-4, n + longest)))
    series = np.stack([close, rng.exponential(1.0, n + longest)])
    samples = Samples(
        event_time_ns=np.arange(n),
        series=series,
        ends=np.arange(longest, n + longest),
        features=rng.normal(size=(n, N_FEATURES)),
        uniqueness=np.ones(n),
        label_rows=None,  # type: ignore[arg-type]  # not read by a store
    )
    renderer = Renderer(config, pool)
    plain = Moments([0.0] * renderer.n_channels, [0.5] * renderer.n_channels)
    scales = Scales(plain, Moments([0.0] * N_FEATURES, [1.0] * N_FEATURES))
    classes = rng.integers(0, N_CLASSES, n)
    return SampleStore(renderer, samples, classes, scales, device, cache_bytes=0)


def drawn(n: int, network: str, batch: int, n_fits: int) -> Job:
    """An epoch of fits side by side, as the stage runs them, making the networks included."""
    store = random_store(n, ImagesConfig(), torch.device("cpu"), config_class(network).pool)
    config = ModelConfig(architecture=network, batch_size=batch, max_epochs=1, device="cpu")  # type: ignore[arg-type]
    architecture = choose_network(config, store.renderer.n_channels, N_FEATURES, N_CLASSES)

    def fit(seed: int, check: Check) -> None:
        task = Task(np.arange(n), None, n_epochs=1, seed=seed)
        fit_network(store, config, architecture, task, on_step=check)

    def job() -> int:
        with _threads(1), exact_float32():
            side_by_side([partial(fit, SEED + number) for number in range(n_fits)], n_fits)
        return n_fits * n

    return job


def stored_images(n: int, folder: Path) -> Path:
    """Write the images of a store, whole, normalised, as one float32 .npy; return its path."""
    target = folder / f"images-{n}.npy"
    if not target.exists():
        store = random_store(n, ImagesConfig(), torch.device("cpu"), pool=1)
        images = [store.images(index).numpy() for index in torch.arange(n).split(256)]
        folder.mkdir(parents=True, exist_ok=True)
        beside = target.with_suffix(".part.npy")
        np.save(beside, np.ascontiguousarray(np.concatenate(images)))
        beside.rename(target)
    return target


class StoredImages(Dataset):
    """Images of one .npy, a sample at a time."""

    def __init__(self, path: Path, features: NDArray, classes: NDArray, weight: NDArray) -> None:
        self.images = np.load(path, mmap_mode="r")
        self.features, self.classes, self.weight = features, classes, weight

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple:
        return np.array(self.images[i]), self.features[i], self.classes[i], self.weight[i]


def loader(
    n: int, folder: Path, network: str, batch: int, n_fits: int, threads: int | None, workers: int
) -> Job:
    """An epoch of the loop that torch's tutorials show, of one fit after another."""
    path = stored_images(n, folder)
    store = random_store(n, ImagesConfig(), torch.device("cpu"), pool=1)
    arrays = store.features.numpy(), store.classes.numpy(), np.ones(n, np.float32)
    samples = StoredImages(path, *arrays)
    config = ModelConfig(architecture=network)  # type: ignore[arg-type]
    pool = config_class(network).pool

    def fit() -> None:
        model = build_network(choose_network(config, 9, N_FEATURES, N_CLASSES))
        optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
        model.train()
        total = 0.0
        for images, features, classes, weight in DataLoader(
            samples, batch_size=batch, shuffle=True, num_workers=workers
        ):
            optimiser.zero_grad()
            pooled = F.avg_pool2d(images, pool) if pool > 1 else images
            loss = F.cross_entropy(model(pooled, features), classes, reduction="none")
            loss = (loss * weight).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            total += loss.item()

    def job() -> int:
        with _threads(threads):
            for _ in range(n_fits):
                fit()
        return n_fits * n

    return job


def asked(n: int, n_threads: int) -> Job:
    """Logits of `n` samples, on `n_threads` threads of one torch thread each."""
    network = _default_network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    store = random_store(n, ImagesConfig(), torch.device("cpu"), network.config.pool)

    def job() -> list[float]:
        return _looked_at(infer([network], store, np.arange(n), n_threads=n_threads))

    return job


def asked_in_a_loop(n: int) -> Job:
    """The same logits by a plain loop on one thread: whole images, torch's layout."""
    network = _default_network()
    pool = network.config.pool
    store = random_store(n, ImagesConfig(), torch.device("cpu"), pool=1)
    scale = store._moments.scale

    @torch.no_grad()
    def job() -> list[float]:
        network.eval()
        logits = []
        with _threads(1):
            for index in torch.arange(n).split(64):
                images = scale(store.renderer(store.series, store.ends[index]), axis=1)
                logits.append(network(F.avg_pool2d(images, pool), store.features[index]))
        return _looked_at(torch.cat(logits).double())

    return job


def _default_network() -> Network:
    torch.manual_seed(SEED)
    return build_network(choose_network(ModelConfig(), 9, N_FEATURES, N_CLASSES))


def _looked_at(logits: Tensor) -> list[float]:
    """Their mean by class, and every so many: what both must agree on."""
    return [*logits.mean(0).tolist(), *logits.flatten()[::97].tolist()]


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    """None leaves torch its own choice."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
