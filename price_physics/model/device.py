"""Where the network runs, and how to leave torch as it was found.

On the CPU two fits with equal seeds and equal thread counts are bit-identical. On CUDA the
convolutions are pinned to deterministic algorithms; bit-identity there is not promised.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from price_physics.errors import ConfigError


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
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Run a block on its own random state and deterministic convolutions, then restore both."""
    devices = [device] if device.type == "cuda" else []
    cudnn = torch.backends.cudnn
    before = cudnn.deterministic, cudnn.benchmark
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        cudnn.deterministic, cudnn.benchmark = True, False
        try:
            yield
        finally:
            cudnn.deterministic, cudnn.benchmark = before
