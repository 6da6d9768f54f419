"""Places that are full, read-only or held, and a machine that lacks memory or open files."""

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial
from pathlib import Path

from price_physics.project import Project
from price_physics_tests.benchmarks.faults import projects
from price_physics_tests.benchmarks.faults.processes import Child
from price_physics_tests.benchmarks.faults.projects import Reference, must_succeed
from price_physics_tests.benchmarks.faults.rows import Case, Row

PROMISE = "one line with the path and what to do; the rerun ends with the same bytes"
READ_ONLY = Path("/sys/kernel")
"""Where nobody may make a file, root included."""
Fault = Callable[[Project], AbstractContextManager[Callable[[], None] | None]]
"""Makes a project's place unusable while the block runs; yields a limit of the process, if any."""


def of_places(reference: Reference) -> Row:
    """Fifteen of them; where no small disk can be mounted, a limit of a file's size stands in."""
    report = f"store/{projects.STUDY}/report"
    faults: dict[str, Fault] = {
        **{f"files of at most {n:,} bytes": partial(file_limit, n) for n in (6_000, 30_000)},
        **{f"disk full at data/{n}": partial(full_disk, f"data/{n}") for n in (report, "dagster")},
        "disk full at data/index": partial(full_disk, "data/index"),
        "disk full at outputs": partial(full_disk, f"outputs/{projects.STUDY}/reports"),
        **{
            f"read-only {n}": partial(read_only, n)
            for n in (f"data/{report}", "data/index", "data/ledger", "data/dagster", "outputs")
        },
        "a file in the place of data/locks": partial(a_file, "data/locks"),
        "Dagster's database locked": dagster_locked,
        "no memory": no_memory,
        "few open files": few_files,
    }
    cases = [Case(name, partial(_place, reference, fault)) for name, fault in faults.items()]
    return Row("full, read-only or held places; no memory", PROMISE, cases, at_once=2)


def _place(reference: Reference, fault: Fault, folder: Path) -> None:
    project = reference.copy(folder / "project")
    projects.make_report_stale(project)
    (project.data / "index" / "bitstamp_usd.json").unlink()
    with fault(project) as limit:
        child = projects.backfill(folder / "said", project, before=limit)
        status = child.ended()
        one_line(child, status, project)
    must_succeed(projects.backfill(folder / "again", project))
    projects.same_bytes(project, reference.bytes)
    projects.nothing_left_over(project.root)


def one_line(child: Child, status: int, project: Project) -> None:
    """Raise unless a process ended with one line that names a place and what to do."""
    lines = [line for line in child.lines if "is not in MLflow" not in line]
    errors = [line for line in lines if line.startswith("error: ")]
    assert status == 1, f"exit status {status}: {child.text[-600:]}"
    assert "Traceback" not in child.text, child.text[-600:]
    assert len(errors) == 1, f"{len(errors)} lines of errors: {child.text[-600:]}"
    assert "run it again" in errors[0], errors[0]
    places = (str(project.root), str(READ_ONLY), "a database of Dagster", "out of memory")
    assert any(place in errors[0] for place in places), errors[0]


# ---------------------------------------------------------------------------- faults
@contextmanager
def file_limit(n_bytes: int, project: Project) -> Iterator[Callable[[], None]]:
    yield partial(_limit, resource.RLIMIT_FSIZE, n_bytes)


def _limit(which: int, n: int) -> None:
    resource.setrlimit(which, (n, resource.getrlimit(which)[1]))


@contextmanager
def full_disk(name: str, project: Project) -> Iterator[Callable[[], None] | None]:
    """A disk of its own in the place of a folder, filled to its last byte."""
    place, aside = project.root / name, project.root / "aside"
    shutil.move(place, aside)
    place.mkdir()
    disk = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    mounted = not subprocess.run(disk, capture_output=True, check=False).returncode
    try:
        shutil.copytree(aside, place, dirs_exist_ok=True)
        if mounted:
            _fill(place / "filler")
        yield None if mounted else partial(_limit, resource.RLIMIT_FSIZE, 12_000)
        (place / "filler").unlink(missing_ok=True)
        shutil.rmtree(aside)
        shutil.copytree(place, aside)
    finally:
        if mounted:
            subprocess.run(["umount", str(place)], check=True)
        shutil.rmtree(place)
        shutil.move(aside, place)


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(4_096)):
            pass


@contextmanager
def read_only(name: str, project: Project) -> Iterator[None]:
    place, aside = project.root / name, project.root / "aside"
    shutil.move(place, aside)
    place.symlink_to(READ_ONLY)
    yield
    place.unlink()
    shutil.move(aside, place)


@contextmanager
def a_file(name: str, project: Project) -> Iterator[None]:
    place = project.root / name
    shutil.rmtree(place)
    place.write_text("")
    yield
    place.unlink()


@contextmanager
def dagster_locked(project: Project) -> Iterator[None]:
    path = next((project.data / "dagster").rglob("runs.db"))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.rollback()


@contextmanager
def no_memory(project: Project) -> Iterator[Callable[[], None]]:
    yield _little_memory


def _little_memory(more_bytes: int = 8_000_000) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _limit(resource.RLIMIT_AS, pages * resource.getpagesize() + more_bytes)


@contextmanager
def few_files(project: Project) -> Iterator[Callable[[], None]]:
    yield _few_files


def _few_files() -> None:
    _limit(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) + 4)
