"""Section ``inference``: samples a second through a trained network, drawing included.

Ours is the path by which early stopping, out-of-fold tests, serving and motifs ask the network. The
peer is the loop that one writes first, and that this package had: images drawn whole, in batches of
64, in torch's default layout, pooled by the network, on one thread. Ours has two.
"""

from pathlib import Path

from price_physics_tests.benchmarks.contender import Job
from price_physics_tests.benchmarks.harness import OURS, Arena, Call, Figure

SIZE, UNIT = 4_096, "samples"

N_THREADS = 2


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """List what is to be measured."""
    return [
        Figure(
            "inference",
            f"default network asked about {n:,}, two threads / plain loop, one thread",
            Call(OURS, "ask_all_cores", {"n": n, "n_threads": N_THREADS}),
            Call(OURS, "ask_in_a_loop", {"n": n}),
            3.0,
            same_result=True,
            tolerance=1e-4,
        )
    ]


# ---------------------------------------------------------------------------- tasks
# torch is loaded by the process that asks.
def ask_all_cores(n: int, n_threads: int) -> Job:
    """Our path."""
    from price_physics_tests.benchmarks.training_loops import asked

    return asked(n, n_threads)


def ask_in_a_loop(n: int) -> Job:
    """The plain loop."""
    from price_physics_tests.benchmarks.training_loops import asked_in_a_loop

    return asked_in_a_loop(n)


TASKS = {"ask_all_cores": ask_all_cores, "ask_in_a_loop": ask_in_a_loop}
