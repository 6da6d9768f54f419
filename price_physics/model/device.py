"""Choose the device, and change torch's settings for the length of a block only.

On one CPU model, two fits with equal seeds and equal thread counts are bit-identical; on CUDA they
are only with `deterministic`.
"""

import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import RLock

import torch

from price_physics.errors import ConfigError, PricePhysicsError

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
_CPU_FACTS = Path("/proc/cpuinfo")
_RANDOM_STATE = RLock()
_FEWEST_AT_ONCE = 8
_log = logging.getLogger(__name__)


def resolve_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu`` or ``cuda`` into a device.

    On CUDA it sets the environment variable that deterministic fits need, unless it is already set:
    cuBLAS reads it once, before its first product, and sums in any order without it.

    Raises
    ------
    ConfigError
        When CUDA is asked for but not available.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError(
            "model.device = 'cuda', but torch sees no CUDA device here; set it to auto or cpu"
        )
    if name == "cpu" or not available:
        return torch.device("cpu")
    os.environ.setdefault(_WORKSPACE, ":4096:8")
    return torch.device("cuda")


def describe_device(device: torch.device) -> dict[str, str | int]:
    """Describe what a fit depends on besides its seed; `cpu_capability` sets the order of sums."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _cpu_name()
    return {
        "device": device.type,
        "device_name": name,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


@cache
def _cpu_name() -> str:
    """Return the name of the CPU model; Linux gives it in a file only."""
    if _CPU_FACTS.exists():
        for line in _CPU_FACTS.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def halved(at_once: int, what: str) -> int:
    """Halve the samples that pass through a network together, and say so; refuse fewer than 8."""
    if at_once // 2 < _FEWEST_AT_ONCE:
        raise PricePhysicsError(
            f"the device's memory does not suffice for {what} with {at_once} samples at once; "
            "free some, or set model.device to cpu"
        )
    _log.warning(
        "the device's memory does not suffice for %s with %d samples at once; going on with %d",
        what,
        at_once,
        at_once // 2,
    )
    return at_once // 2


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run a block on its own random state, then restore the old one.

    The state belongs to the process, so only one thread at a time runs such a block.
    """
    devices = [device] if device.type == "cuda" else []
    with _RANDOM_STATE, torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def algorithms(device: torch.device, deterministic: bool) -> Iterator[None]:
    """Run a block with deterministic or with the fastest algorithms, then restore the choice.

    With `deterministic`, CUDA uses no algorithm whose result may vary. On the CPU the choice
    changes nothing.
    """
    cudnn, on_cuda = torch.backends.cudnn, device.type == "cuda"
    before = cudnn.deterministic, cudnn.benchmark, torch.are_deterministic_algorithms_enabled()
    try:
        if on_cuda:
            cudnn.deterministic, cudnn.benchmark = deterministic, not deterministic
        if on_cuda and deterministic:
            torch.use_deterministic_algorithms(True)
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before[:2]
        torch.use_deterministic_algorithms(before[2])


@contextmanager
def exact_float32() -> Iterator[None]:
    """Run a block in true float32: by default CUDA rounds a convolution's factors to ten bits."""
    conv = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    matmul = torch.backends.cuda.matmul
    before = conv.fp32_precision, matmul.fp32_precision
    try:
        conv.fp32_precision = matmul.fp32_precision = "ieee"
        yield
    finally:
        conv.fp32_precision, matmul.fp32_precision = before
