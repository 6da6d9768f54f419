"""Section ``inference``: samples a second through a trained network, drawing included.

Ours is the path by which early stopping, out-of-fold tests, serving and motifs ask the network. The
peer is the loop that one writes first, and that this package had: images drawn whole, in batches of
64, in torch's default layout, pooled by the network. Both have two cores, each in its own way: ours
a thread each, the peer torch's own threads; in the second row the peer has one.
"""

from pathlib import Path

from price_physics_tests.benchmarks.contender import Job
from price_physics_tests.benchmarks.harness import OURS, Arena, Call, Figure

SIZE, UNIT = 4_096, "samples"

N_THREADS = 2


def figures(arena: Arena, n: int, folder: Path, full: bool) -> list[Figure]:
    """List what is to be measured."""
    ours = Call(OURS, "ask_all_cores", {"n": n, "n_threads": N_THREADS})
    return [
        Figure(
            f"inference_{name}",
            f"default network asked about {n:,} / plain loop, {text}",
            ours,
            Call(OURS, "ask_in_a_loop", {"n": n, "threads": threads}),
            target,
            same_result=True,
            tolerance=1e-4,
        )
        for name, threads, text, target in (
            ("own_threads", N_THREADS, "torch's own threads", None),
            ("one_thread", 1, "one thread, as this package had it", 3.0),
        )
    ]


# ---------------------------------------------------------------------------- tasks
# torch is loaded by the process that asks.
def ask_all_cores(n: int, n_threads: int) -> Job:
    """Our path."""
    from price_physics_tests.benchmarks.training_loops import asked

    return asked(n, n_threads)


def ask_in_a_loop(n: int, threads: int) -> Job:
    """The plain loop."""
    from price_physics_tests.benchmarks.training_loops import asked_in_a_loop

    return asked_in_a_loop(n, threads)


TASKS = {"ask_all_cores": ask_all_cores, "ask_in_a_loop": ask_in_a_loop}
