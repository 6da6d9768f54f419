"""Section ``training``: samples a second through forward, backward and a move of the weights.

Ours draws every image inside the step. The peer is the loop that a user writes after torch's
tutorials: a DataLoader in the same process over one stored .npy of the same images, already
normalised, read through the page cache; weights and images in torch's default layout, AdamW not
fused, the loss read every step. Network, batch, loss and clipping are the same. The row to be met
leaves the peer all of torch's threads, as it comes; the others hold it to our one.
"""

from pathlib import Path

from price_physics_tests.benchmarks.contender import Job
from price_physics_tests.benchmarks.harness import OURS, Arena, Call, Figure

SIZE, UNIT = 1_024, "samples an epoch"

BATCH = 128
PEERS = (
    ("as_they_come", None, 0, "as it comes: torch's own threads"),
    ("one_thread", 1, 0, "held to one thread"),
    ("worker", 1, 1, "held to one thread, and one worker process"),
)
"""Name, threads of torch, processes that load, and what to call it; ours has one thread always."""


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """Draw and store the images of `n` samples, and list what is to be measured."""
    given = {"n": n, "folder": str(folder)}
    arena.ask(Call(OURS, "store_images", given, alone=True))
    found: list[Figure] = []
    for network, text in (("resnet_lite", "default network"), ("patchify", "patchify")):
        settings = {**given, "network": network}
        ours = Call(OURS, "train_drawn", {**settings, "threads": 1})
        for name, threads, workers, beside in PEERS:
            if name == "as_they_come" and network != "resnet_lite":
                continue
            peer = {**settings, "threads": threads, "workers": workers}
            found.append(
                Figure(
                    f"training_{network}_{name}",
                    f"an epoch of {n:,}, {text} / plain DataLoader, {beside}",
                    ours,
                    Call(OURS, "train_loader", peer),
                    2.0 if name == "as_they_come" else None,
                )
            )
    return found


# ---------------------------------------------------------------------------- tasks
# torch is loaded by the process that trains, not by those that measure memory.
def store_images(n: int, folder: str) -> Job:
    """Store what the peer reads."""
    from price_physics_tests.benchmarks.training_loops import stored_images

    return lambda: str(stored_images(n, Path(folder)))


def train_drawn(n: int, folder: str, network: str, threads: int) -> Job:
    """One epoch of ours."""
    from price_physics_tests.benchmarks.training_loops import drawn

    return drawn(n, network, BATCH, threads)


def train_loader(n: int, folder: str, network: str, threads: int | None, workers: int) -> Job:
    """One epoch of the peer."""
    from price_physics_tests.benchmarks.training_loops import loader

    return loader(n, Path(folder), network, BATCH, threads, workers)


TASKS = {"store_images": store_images, "train_drawn": train_drawn, "train_loader": train_loader}
