"""Where the network runs, and how to leave torch as it was found.

On the CPU two fits with equal seeds and equal thread counts are bit-identical; on CUDA only where
`deterministic` is asked for.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from price_physics.errors import ConfigError

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def resolve_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu`` or ``cuda`` into a device.

    Raises
    ------
    ConfigError
        When CUDA is asked for and not there.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError(
            "model.device = 'cuda', but torch sees no CUDA device here; set it to auto or cpu"
        )
    return torch.device("cuda" if name != "cpu" and available else "cpu")


def describe_device(device: torch.device) -> dict[str, str | int]:
    """Record what a fit depends on besides its seed."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {
        "device": device.type,
        "device_name": name,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


@contextmanager
def seeded(seed: int, device: torch.device, deterministic: bool = False) -> Iterator[None]:
    """Run a block on its own random state, then restore what it touched.

    `deterministic` forbids CUDA every algorithm whose result may vary; without it the fastest are
    looked for. The CPU has no others.
    """
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), _algorithms(device, deterministic):
        torch.manual_seed(seed)
        yield


@contextmanager
def _algorithms(device: torch.device, deterministic: bool) -> Iterator[None]:
    cudnn, on_cuda = torch.backends.cudnn, device.type == "cuda"
    before = cudnn.deterministic, cudnn.benchmark, torch.are_deterministic_algorithms_enabled()
    workspace = os.environ.get(_WORKSPACE)
    try:
        if on_cuda:
            cudnn.deterministic, cudnn.benchmark = deterministic, not deterministic
        if on_cuda and deterministic:
            os.environ[_WORKSPACE] = ":4096:8"  # else cuBLAS sums in any order
            torch.use_deterministic_algorithms(True)
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = before[:2]
        torch.use_deterministic_algorithms(before[2])
        if workspace is None:
            os.environ.pop(_WORKSPACE, None)
        else:
            os.environ[_WORKSPACE] = workspace
