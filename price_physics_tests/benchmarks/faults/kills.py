"""SIGKILL: writers at random moments and at every change, first databases, whole runs."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from price_physics.orchestration.instance import open_instance
from price_physics.pipeline.leftovers import sweep_leftovers
from price_physics.project import Project
from price_physics.store.partitions import Store
from price_physics_tests.benchmarks.faults import projects
from price_physics_tests.benchmarks.faults.processes import die_at, names_of_points, start
from price_physics_tests.benchmarks.faults.projects import Reference, must_succeed
from price_physics_tests.benchmarks.faults.rows import Case, Row
from price_physics_tests.benchmarks.faults.writers import STORE, WRITERS, Writer, bytes_below
from price_physics_tests.store.make import KEY, MONTH, write_for_ever

PROMISE = "the rerun ends with the same bytes; nothing half-written is read, nothing is left over"
_WRITING_S = 0.15
"""For which a writer writes at most before it is killed: a few versions."""


def spread(cases: Sequence[Case], n: int) -> list[Case]:
    """Take `n` cases, evenly spread over all of them."""
    n = min(n, len(cases))
    return [cases[i * len(cases) // n] for i in range(n)]


# ---------------------------------------------------------------------------- writers
def random_moments(n: int, seed: int) -> Row:
    """The store's writer, killed while it writes version after version."""
    rng = np.random.default_rng(seed)

    def check(after_s: float, folder: Path) -> None:
        root = folder / "root"
        STORE.write(root, 0)
        store = Store(root)
        first = store.read(KEY, MONTH).data_version
        writer = start(folder / "said", write_for_ever, root)
        deadline = time.monotonic() + 60
        while store.read(KEY, MONTH).data_version == first and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(after_s)
        writer.kill()
        assert STORE.read(root) > 0, f"no version was written: {writer.text[-500:]}"
        _ends_as_undisturbed(STORE, root, folder / "undisturbed", 1)

    moments = [rng.uniform(0, _WRITING_S) for _ in range(n)]
    cases = [Case(f"{i}: after {s * 1e3:.0f} ms", partial(check, s)) for i, s in enumerate(moments)]
    return Row("the store's writer killed at random moments", PROMISE, cases, at_once=2)


def named_points(folder: Path, most: int | None = None) -> Row:
    """Every writer, killed before each change that it makes."""

    def check(writer: Writer, point: int, folder: Path) -> None:
        root = folder / "root"
        root.mkdir()
        writer.write(root, 1)
        child = start(folder / "said", writer.write, root, 2, before=partial(die_at, root, point))
        assert child.ended() == -9, f"it was not killed: {child.text[-500:]}"
        assert writer.read(root) in (1, 2)
        _ends_as_undisturbed(writer, root, folder / "undisturbed", 2)

    cases = []
    for writer in WRITERS:
        root = folder / "points" / writer.name
        root.mkdir(parents=True)
        writer.write(root, 1)
        names = names_of_points(folder / "said" / writer.name, root, writer.write, root, 2)
        cases += [
            Case(f"{writer.name}, before {n}: {name}", partial(check, writer, n))
            for n, name in enumerate(names, 1)
        ]
    cases = cases if most is None else spread(cases, most)
    fault = "writers of store, index, ledger, checkpoints and outputs killed before each change"
    return Row(fault, PROMISE, cases, at_once=2)


def _ends_as_undisturbed(writer: Writer, root: Path, other: Path, version: int) -> None:
    """Write again what was killed; every file must be that of a folder where nothing was."""
    projects.grow_old(root)
    writer.write(root, version)
    assert writer.read(root) == version
    sweep_leftovers(Project(root), "demo")
    other.mkdir()
    writer.write(other, 1)
    writer.write(other, version)
    found, expected = bytes_below(root), bytes_below(other)
    assert found == expected, sorted(set(found.items()) ^ set(expected.items()))[:6]


# ---------------------------------------------------------------------------- first databases
def open_dagster(root: Path) -> None:
    """Open Dagster's instance, which makes its databases where there are none."""
    with open_instance(Project(root)) as instance:
        instance.get_runs(limit=1)


def first_databases(reference: Reference, folder: Path, n: int, seed: int) -> Row:
    """MLflow's and Dagster's databases, killed while they are first made."""
    rng = np.random.default_rng(seed)
    cases = []
    for name, opens in (("MLflow", projects.open_tracking), ("Dagster", open_dagster)):
        root = folder / name
        (root / "data").mkdir(parents=True)
        began = time.monotonic()
        points = names_of_points(folder / f"{name} said", root, opens, root)
        seconds = time.monotonic() - began

        def killed_at(point: int, folder: Path, opens=opens) -> None:
            child = start(folder / "a", opens, folder, before=partial(die_at, folder, point))
            assert child.ended() == -9, f"it was not killed: {child.text[-500:]}"
            _opens_again(reference, folder)

        def killed_after(after_s: float, folder: Path, opens=opens) -> None:
            child = start(folder / "a", opens, folder)
            time.sleep(after_s)
            child.kill()
            _opens_again(reference, folder)

        at_points = [
            Case(f"{name}, before {i}: {p}", partial(killed_at, i)) for i, p in enumerate(points, 1)
        ]
        cases += spread(at_points, n // 4)
        moments = [rng.uniform(0, seconds) for _ in range(n // 2 - min(n // 4, len(at_points)))]
        cases += [Case(f"{name}, after {s:.2f} s", partial(killed_after, s)) for s in moments]
    fault = "killed while MLflow's or Dagster's databases are first made"
    promise = "the next backfill runs on, or `price-physics track`, and every run is logged"
    return Row(fault, promise, cases, at_once=2)


def _opens_again(reference: Reference, folder: Path) -> None:
    """Go on in a home where the making of databases was killed: run a report, log all runs."""
    project = reference.copy(folder / "project")
    for name in ("mlflow", "dagster"):
        place, killed = project.data / name, folder / "data" / name
        if killed.exists():
            projects.replace(place, killed)
    if (folder / "data" / "dagster").exists():
        projects.make_report_stale(project)
        must_succeed(projects.backfill(folder / "b", project))
    else:
        must_succeed(start(folder / "b", *projects.track(project), before=projects.no_wait))
    projects.same_bytes(project, reference.bytes)
    projects.nothing_left_over(project.root)
    projects.all_logged(project)


# ---------------------------------------------------------------------------- whole runs
def whole_runs(reference: Reference, n: int, seed: int) -> Row:
    """The backfill of two months from nothing, killed once or twice, then run to its end."""
    rng = np.random.default_rng(seed)

    def check(moments: tuple[float, ...], folder: Path) -> None:
        project = reference.copy(folder / "project", reference.cold)
        for number, share in enumerate(moments):
            child = projects.backfill(folder / f"killed {number}", project)
            time.sleep(share * reference.seconds)
            child.kill()
        projects.grow_old(project.root)
        must_succeed(projects.backfill(folder / "again", project, before=projects.no_wait))
        projects.same_bytes(project, reference.bytes)
        projects.nothing_left_over(project.root)
        projects.all_logged(project)

    moments = [((i + rng.random()) / n,) for i in range(n)]
    cases = [Case(f"after {m[0]:.0%} of its time", partial(check, m)) for m in moments]
    return Row("whole runs killed at random moments", PROMISE, cases, at_once=2)
