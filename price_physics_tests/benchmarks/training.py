"""Section ``training``: samples a second through forward, backward and a move of the weights.

Ours draws every image inside the step. The peer is the loop of torch's tutorials: a DataLoader over
one stored .npy of the same images, already normalised, read through the page cache. Network,
batch, loss, clipping and number of threads are the same.
"""

from pathlib import Path

from price_physics_tests.benchmarks.contender import Job
from price_physics_tests.benchmarks.harness import OURS, Arena, Call, Figure

SIZE, UNIT = 1_024, "samples an epoch"

BATCH = 128


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """Draw and store the images of `n` samples, and list what is to be measured."""
    given = {"n": n, "folder": str(folder)}
    arena.ask(Call(OURS, "store_images", given, alone=True))
    found = []
    for network, text in (("resnet_lite", "default network"), ("patchify", "patchify")):
        settings = {**given, "network": network, "threads": 1}
        ours = Call(OURS, "train_drawn", settings)
        for workers in (0, 1):
            name = f"training_{network}" + ("_worker" if workers else "")
            beside = f"{workers} worker process" if workers else "the usual one process"
            found.append(
                Figure(
                    name,
                    f"an epoch of {n:,}, {text}, one thread / DataLoader, {beside}",
                    ours,
                    Call(OURS, "train_loader", {**settings, "workers": workers}),
                    2.0 if name == "training_resnet_lite" else None,
                )
            )
    both = {**given, "network": "resnet_lite"}
    found.append(
        Figure(
            "training_as_they_come",
            f"an epoch of {n:,}, default network, one thread / DataLoader, torch's own threads",
            Call(OURS, "train_drawn", {**both, "threads": 1}),
            Call(OURS, "train_loader", {**both, "threads": None, "workers": 0}),
            None,
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
