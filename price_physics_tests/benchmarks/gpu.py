"""``python -m price_physics_tests.benchmarks.gpu``: images and training on a CUDA device.

Needs torch, numpy, numba, pandas, pyarrow, pydantic, safetensors, scipy and tabulate, neither
dagster nor mlflow nor a network. Without a card it says so and measures nothing. Shares of
the roofline are of what this card reaches on a large matrix product and a large copy, measured
beside; operations and bytes of a step are counted, the bytes as its operators read and write them.
"""

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tabulate import tabulate
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from price_physics.images.render import RENDERER_VERSION
from price_physics.model.dataset import SampleStore
from price_physics.model.device import algorithms, seeded
from price_physics.model.fit import choose_network
from price_physics.model.inference import infer
from price_physics.model.networks import NetworkConfig, build_network, config_class
from price_physics.model.state import TrainingState, adamw
from price_physics.model.step import Step
from price_physics.model.train import Task, fit_network
from price_physics.study.images import ImagesConfig
from price_physics.study.model import ModelConfig
from price_physics_tests.benchmarks.harness import ROOT
from price_physics_tests.benchmarks.training_loops import N_CLASSES, N_FEATURES, random_store

SIX_CHANNELS = ImagesConfig(windows_bars=[64, 128], channels=["gasf", "gadf", "mtf"])
_MOVE_NOTHING = ("_unsafe_view", "empty", "empty_like", "empty_strided", "new_empty")
_GATHER = ("index", "index_select", "gather")


@dataclass(frozen=True)
class Sizes:
    """How much is measured; a test takes little."""

    n_samples: int = 930_000
    batch: int = 2_048
    n_steps: int = 200
    n_months: int = 7
    n_epochs: int = 10
    n_folds: int = 5
    matrix: int = 8_192
    copied: int = 1 << 30


@dataclass(frozen=True)
class Row:
    """One figure; `target` is None where it is to be known, not met; `stretch` is hoped for."""

    name: str
    text: str
    value: float
    unit: str
    target: float | None = None
    most: bool = False  # whether the target is the most that is allowed
    stretch: float | None = None

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        return self.value <= self.target if self.most else self.value >= self.target

    @property
    def stretched(self) -> bool | None:
        return None if self.stretch is None else self.value >= self.stretch


def measure(device: torch.device, sizes: Sizes, config: ModelConfig) -> list[Row]:
    """Measure everything on a device."""
    pool = config_class(config.architecture).pool
    store = random_store(sizes.n_samples, SIX_CHANNELS, device, pool)
    peaks = _peaks(device, sizes)
    rows = [
        _rendering(store, sizes),
        Row("peak_flops", "matrix product in bfloat16", peaks[0] / 1e12, "Tflop/s"),
        Row("peak_bytes", "copy on the device, read and written", peaks[1] / 1e12, "TB/s"),
    ]
    for name in ("resnet_lite", "patchify"):
        other = config.model_copy(update={"architecture": name})
        pool = config_class(name).pool
        its_own = random_store(sizes.n_samples, SIX_CHANNELS, device, pool)
        rows += _training(its_own, other, sizes, peaks, is_default=name == config.architecture)
    architecture = choose_network(config, store.renderer.n_channels, N_FEATURES, N_CLASSES)
    say("walk-forward: every month a fit of all samples up to it")
    alone, folds = _walk_forward(store, config, architecture, sizes)
    text = f"walk-forward, {sizes.n_months} months, {sizes.n_samples:,} samples"
    text += f", {sizes.n_epochs} epochs"
    rows.append(Row("walk_forward", text, alone, "s", 180, most=True))
    text += f", with {sizes.n_folds} out-of-fold fits"
    rows.append(Row("walk_forward_folds", text, alone + folds, "s", 900, most=True))
    return rows


def _rendering(store: SampleStore, sizes: Sizes) -> Row:
    say("rendering")
    ends = store.ends[_some(store, sizes)]
    seconds = _seconds(
        store.device,
        lambda: store.renderer(store.series, ends, dtype=torch.bfloat16, checked=True),
        sizes.n_steps,
    )
    text = f"rendered samples, {store.renderer.n_channels} channels, bfloat16"
    return Row("rendering", text, len(ends) / seconds / 1e6, "M/s", 5)


def _training(
    store: SampleStore,
    config: ModelConfig,
    sizes: Sizes,
    peaks: tuple[float, float],
    is_default: bool,
) -> list[Row]:
    say(f"training steps of {config.architecture}")
    device, index = store.device, _some(store, sizes)
    architecture = choose_network(config, store.renderer.n_channels, N_FEATURES, N_CLASSES)
    with seeded(1, device), algorithms(device, deterministic=False):
        network = build_network(architecture)
        network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        generators = torch.Generator(device), torch.Generator()
        state = TrainingState(network, adamw(network, config.weight_decay), *generators)
        network.train()
        weight = torch.ones(len(store), device=device)
        plain = Step(state, store, weight, config, sizes.batch, recorded=False)
        flops, moved = _counted(lambda: plain(index, 1e-4))
        fast = plain
        if device.type == "cuda":
            fast = Step(state, store, weight, config, sizes.batch, recorded=True)
        step = _seconds(device, lambda: fast(index, 1e-4), sizes.n_steps)
        unrecorded = _seconds(device, lambda: plain(index, 1e-4), sizes.n_steps)
        drawn = _seconds(device, lambda: fast.gather(index), sizes.n_steps)
    name, n = config.architecture, len(index)
    least, stretch, most = (0.4, 0.8, 10) if is_default else (None, None, None)
    shares = 100 * flops / step / peaks[0], 100 * moved / step / peaks[1]
    found = [
        Row(
            "training",
            f"training samples, batch {n:,}",
            n / step / 1e6,
            "M/s",
            least,
            stretch=stretch,
        ),
        Row("unrecorded", "the same, step not recorded", n / unrecorded / 1e6, "M/s"),
        Row("flops", "operations a sample, forward and back", flops / n / 1e6, "M"),
        Row("bytes", "bytes a sample, as operators move them", moved / n / 1e6, "MB"),
        Row("arithmetic", "share of the arithmetic roofline", shares[0], "%"),
        Row("memory", "share of the memory roofline", shares[1], "%"),
        Row("drawing", "rendering's share of a step", 100 * drawn / step, "%", most, most=True),
    ]
    return [replace(row, name=f"{name}_{row.name}", text=f"{name}: {row.text}") for row in found]


def _walk_forward(
    store: SampleStore, config: ModelConfig, architecture: NetworkConfig, sizes: Sizes
) -> tuple[float, float]:
    """Seconds of the months' final fits, and of their folds' fits and predictions."""
    config = config.model_copy(
        update={
            "batch_size": sizes.batch,
            "max_epochs": sizes.n_epochs,
            "patience_epochs": sizes.n_epochs,  # every epoch is run
        }
    )
    alone, folds = 0.0, 0.0

    def timed(train: np.ndarray, early_stop: np.ndarray | None, test: np.ndarray | None) -> float:
        start = time.perf_counter()
        task = Task(train, early_stop, sizes.n_epochs, seed=1)
        fit = fit_network(store, config, architecture, task)
        if test is not None:
            infer([fit.network], store, test)
        _wait(store.device)
        return time.perf_counter() - start

    for month in range(1, sizes.n_months + 1):
        members = np.arange(len(store) * month // sizes.n_months)
        alone += timed(members, None, None)
        for test in np.array_split(members, sizes.n_folds):
            rest = np.setdiff1d(members, test)
            n_train = round(0.85 * len(rest))
            folds += timed(rest[:n_train], rest[n_train:], test)
        say(f"  month {month}: {alone:.1f} s, and {folds:.1f} s of out-of-fold fits so far")
    return alone, folds


# ---------------------------------------------------------------------------- measuring
class _Bytes(TorchDispatchMode):
    """Counts the bytes of every tensor that an operator reads or writes; views move nothing.

    Of what is gathered from, only some is read, and overlapping windows of it from the cache: what
    comes out is counted, and the indices.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if not (func.is_view or name in _MOVE_NOTHING):
            given = args[1:] if name in _GATHER else args
            tensors = [x for x in tree_leaves((given, kwargs, out)) if isinstance(x, Tensor)]
            self.total += sum(x.numel() * x.element_size() for x in tensors)
        return out


def _counted(work: Callable[[], None]) -> tuple[float, float]:
    """Operations and bytes of some work."""
    with FlopCounterMode(display=False) as flops:
        work()
    with _Bytes() as moved:
        work()
    return float(flops.get_total_flops()), float(moved.total)


def _peaks(device: torch.device, sizes: Sizes) -> tuple[float, float]:
    """Operations and bytes a second: a matrix product in bfloat16, a copy (read and write).

    Random numbers: a card draws less power, and so clocks higher, on bits that never change.
    """
    generator = torch.Generator(device).manual_seed(3)
    shape = (sizes.matrix, sizes.matrix)
    square = torch.randn(shape, generator=generator, device=device, dtype=torch.bfloat16)
    product = _seconds(device, lambda: square @ square, 10)
    source = torch.ones(sizes.copied, device=device, dtype=torch.uint8)
    target = torch.empty_like(source)
    copy = _seconds(device, lambda: target.copy_(source), 10)
    return 2 * sizes.matrix**3 / product, 2 * sizes.copied / copy


def _seconds(device: torch.device, work: Callable[[], Any], repeats: int) -> float:
    """Mean time of some work in a row, after a tenth as many turns to warm up."""
    for _ in range(max(1, repeats // 10)):
        work()
    _wait(device)
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    _wait(device)
    return (time.perf_counter() - start) / repeats


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _some(store: SampleStore, sizes: Sizes) -> Tensor:
    generator = torch.Generator(store.device).manual_seed(2)
    return torch.randperm(len(store), generator=generator, device=store.device)[: sizes.batch]


# ---------------------------------------------------------------------------- telling
def say(text: str) -> None:
    print(text, flush=True)


def circumstances(device: torch.device) -> dict[str, Any]:
    """What was measured on, and when."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "card": torch.cuda.get_device_name(device),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "renderer": RENDERER_VERSION,
        },
        "system": platform.platform(),
    }


def table(rows: list[Row]) -> str:
    """Lay the rows out for people."""
    words = {None: "", True: "yes", False: "NO"}
    cells = []
    for r in rows:
        asked = (_asked(r.target), words[r.met], _asked(r.stretch), words[r.stretched])
        cells.append([r.text, f"{r.value:,.3g} {r.unit}", *asked])
    headers = ["figure", "measured", "target", "met", "stretch", "met"]
    return tabulate(cells, headers, disable_numparse=True)


def _asked(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def document(rows: list[Row], where: dict[str, Any]) -> dict[str, Any]:
    """Shape rows and circumstances for JSON."""
    figures = {}
    for row in rows:
        figures[row.name] = {"value": row.value, "unit": row.unit, "met": row.met}
        if row.stretch is not None:
            figures[row.name] |= {"stretch": row.stretch, "stretch_met": row.stretched}
    return {**where, "figures": figures}


def main(arguments: list[str]) -> int:
    """Measure on the first card; exit status 1 without one."""
    parser = argparse.ArgumentParser(prog="make bench-gpu", description=__doc__)
    parser.add_argument("--accept", action="store_true", help="keep under benchmarks/results/")
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        say(f"torch {torch.__version__} sees no CUDA device here: nothing was measured")
        return 1
    device = torch.device("cuda")
    where = circumstances(device)
    sizes = Sizes()
    rows = measure(device, sizes, ModelConfig(batch_size=sizes.batch))
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    say(f"\n{where['card']}; {versions}; {where['date']}")
    say(table(rows))
    write(document(rows, where), ROOT, options.accept)
    return 0


def write(found: dict[str, Any], root: Path, accepted: bool) -> None:
    """Write the JSON below `root`, a copy to be kept where it was asked for."""
    paths = [root / "outputs" / "bench" / "gpu.json"]
    if accepted:
        paths.append(root / "benchmarks" / "results" / f"gpu-{found['date']}.json")
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        say(f"written: {path.relative_to(root)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
