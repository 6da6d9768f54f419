"""Several processes at once: on one partition, on one cold folder; and other numbers of threads."""

import os
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path

from price_physics.errors import PartitionCorrupt
from price_physics.months import Month
from price_physics.pipeline.dag import STAGES
from price_physics.project import Project
from price_physics.store.partitions import Store
from price_physics.walk_forward.ledger import read_entries
from price_physics_tests.benchmarks.faults import projects
from price_physics_tests.benchmarks.faults.processes import MOST_SECONDS, price_physics, start
from price_physics_tests.benchmarks.faults.projects import Reference
from price_physics_tests.benchmarks.faults.rows import Case, Row
from price_physics_tests.e2e.projects import ROOT, contents, partitions_of
from price_physics_tests.store.make import version_of, write_version

N_ROWS = 2_000
_REPLACED = ("replaced while it was being read", "is gone")


# ---------------------------------------------------------------------------- one partition
def write_for(root: Path, first: int, seconds: float) -> None:
    """Write versions of one partition, and say how many."""
    began, n = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        write_version(root, float(first + 4 * n), N_ROWS)
        n += 1
    print(n)


def read_for(root: Path, seconds: float) -> None:
    """Read the partition, and say how often; a version that went meanwhile is refused by name."""
    began, n = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        try:
            version_of(root, N_ROWS)
        except PartitionCorrupt as error:
            if not any(words in str(error) for words in _REPLACED):
                raise
        else:
            n += 1
    print(n)


def writers_and_readers(folder: Path, seconds: float) -> Row:
    """Four of each on one partition, for some seconds."""

    @cache
    def said() -> dict[str, tuple[int, str]]:
        root = folder / "root"
        write_version(root, 0.0, N_ROWS)
        children = {
            f"writer {i}": start(folder / f"w{i}", write_for, root, i, seconds) for i in range(1, 5)
        } | {f"reader {i}": start(folder / f"r{i}", read_for, root, seconds) for i in range(1, 5)}
        found = {name: (child.ended(), child.text) for name, child in children.items()}
        version_of(root, N_ROWS)
        projects.nothing_left_over(root)
        return found

    def check(name: str, _: Path) -> None:
        status, text = said()[name]
        assert status == 0, text[-600:]
        assert int(text) > 0, "not once"

    names = [f"{kind} {i}" for kind in ("writer", "reader") for i in range(1, 5)]
    cases = [Case(name, partial(check, name)) for name in names]
    promise = "every read is one whole version, or refused by name"
    return Row("four writers and four readers at once on one partition", promise, cases)


# ---------------------------------------------------------------------------- cold starts
def cold_starts(reference: Reference, folder: Path, n: int = 6) -> Row:
    """Studies of one market, begun at once where nothing is yet, no database either."""
    studies = [f"study_{i}" for i in range(n)]

    @cache
    def ran() -> dict[str, tuple[int, str]]:
        project = reference.copy(folder / "project", reference.cold)
        (project.data / "mlflow" / "mlflow.db").unlink()
        source = project.configs / "studies" / f"{projects.STUDY}.yaml"
        for study in studies:
            (source.parent / f"{study}.yaml").write_bytes(source.read_bytes())
        arguments = (price_physics, project.root, "backfill", "--to", projects.FIRST, "--study")
        children = {study: start(folder / study, *arguments, study) for study in studies}
        return {study: (child.ended(), child.text) for study, child in children.items()}

    def check(study: str, _: Path) -> None:
        status, text = ran()[study]
        project = Project(folder / "project")
        assert status == 0, text[-1000:]
        found = partitions_of(project, study)
        assert {asset for asset, _ in found} == set(STAGES)
        ticks = Store(reference.done.store).read(
            ("bitstamp_usd", "ticks"), Month.parse(projects.FIRST)
        )
        assert contents(found["ticks", projects.FIRST]) == contents(ticks)
        assert contents(found["bars", projects.FIRST]) == contents(
            partitions_of(reference.done)["bars", projects.FIRST]
        )
        projects.all_logged(project, study)
        projects.nothing_left_over(project.root)
        assert not list((project.data / "mlflow").glob("*.damaged-*"))
        read_entries(project.ledger)

    cases = [Case(study, partial(check, study)) for study in studies]
    promise = "each ends as if it were alone; one of every database, all runs logged"
    return Row(f"{n} cold starts at once in one folder", promise, cases)


# ---------------------------------------------------------------------------- threads
def thread_counts(reference: Reference, counts: tuple[int, ...] = (1, 2, 3, 4, 8)) -> Row:
    """A run up to the first network, in a new process with another number of threads."""

    def check(n: int, folder: Path) -> None:
        project = reference.copy(folder / "project", reference.cold)
        libraries = ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR")
        threads = {f"{library}_NUM_THREADS": str(n) for library in libraries}
        threads["ARROW_IO_THREADS"] = str(n)
        command = [sys.executable, "-m", "price_physics.cli", "backfill", "--study", projects.STUDY]
        command += ["--to", projects.TRAINED]
        done = subprocess.run(
            command,
            cwd=project.root,
            env={**os.environ, **threads, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=MOST_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-1000:]
        earlier = {p: d for p, d in reference.bytes.items() if projects.LAST not in p}
        projects.same_bytes(project, {p: d for p, d in earlier.items() if "ledger" not in p})

    cases = [Case(f"{n} threads", partial(check, n)) for n in counts]
    return Row("numbers of threads: 1, 2, 3, 4, 8", "the same bytes", cases, at_once=2)
