"""Section ``training``: samples a second through forward, backward and a move of the weights.

Ours draws every image inside the step. The peer is the loop that a user writes after torch's
tutorials: a DataLoader in the same process over one stored .npy of the same images, already
normalised, read through the page cache; weights and images in torch's default layout, AdamW not
fused, the loss read every step. Network, batch, loss and clipping are the same.

The row to be met gives both two cores, each in its own way: ours runs two folds' fits side by side,
one thread each, the peer one after another on torch's own threads. (A month's last fit, of all
members, has no other beside it: there the row of one thread holds.) The others compare one thread
with one.
"""

from pathlib import Path

from price_physics_tests.benchmarks.contender import Job
from price_physics_tests.benchmarks.harness import OURS, Arena, Call, Figure

SIZE, UNIT = 1_024, "samples an epoch"

BATCH = 128
N_FITS = 2
PEERS = (
    ("one_thread", 0, "one thread each"),
    ("worker", 1, "one thread each, and for the peer one worker process"),
)
"""Name, processes that load, and what to call it."""


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """Draw and store the images of `n` samples, and list what is to be measured."""
    given = {"n": n, "folder": str(folder)}
    arena.ask(Call(OURS, "store_images", given, alone=True))
    default = {**given, "network": "resnet_lite", "n_fits": N_FITS}
    found = [
        Figure(
            "training_resnet_lite_side_by_side",
            f"{N_FITS} epochs of {n:,}, default network, {N_FITS} fits side by side / plain "
            "DataLoader, one after another, torch's own threads",
            Call(OURS, "train_drawn", default),
            Call(OURS, "train_loader", {**default, "threads": None, "workers": 0}),
            2.0,
        )
    ]
    for network, text in (("resnet_lite", "default network"), ("patchify", "patchify")):
        settings = {**given, "network": network, "n_fits": 1}
        for name, workers, beside in PEERS:
            peer = {**settings, "threads": 1, "workers": workers}
            found.append(
                Figure(
                    f"training_{network}_{name}",
                    f"an epoch of {n:,}, {text} / plain DataLoader, {beside}",
                    Call(OURS, "train_drawn", settings),
                    Call(OURS, "train_loader", peer),
                    target=None,
                )
            )
    return found


# ---------------------------------------------------------------------------- tasks
# torch is loaded by the process that trains, not by those that measure memory.
def store_images(n: int, folder: str) -> Job:
    """Store what the peer reads."""
    from price_physics_tests.benchmarks.training_loops import stored_images

    return lambda: str(stored_images(n, Path(folder)))


def train_drawn(n: int, folder: str, network: str, n_fits: int) -> Job:
    """One epoch of each of our fits."""
    from price_physics_tests.benchmarks.training_loops import drawn

    return drawn(n, network, BATCH, n_fits)


def train_loader(
    n: int, folder: str, network: str, n_fits: int, threads: int | None, workers: int
) -> Job:
    """An epoch of each of the peer's fits."""
    from price_physics_tests.benchmarks.training_loops import loader

    return loader(n, Path(folder), network, BATCH, n_fits, threads, workers)


TASKS = {"store_images": store_images, "train_drawn": train_drawn, "train_loader": train_loader}
