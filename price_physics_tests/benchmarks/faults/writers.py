"""Everything that writes a file that is read back: one change, told whole or not at all.

Each writer begins with a first version and makes a second. Functions are at the top of the module:
they run in processes that are killed.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from price_physics.model.state import Checkpoint
from price_physics.months import Month
from price_physics.pipeline.publish import publish
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store
from price_physics.ticks.index import FileIndex
from price_physics.ticks.look import look_at_files
from price_physics.walk_forward.ledger import read_entries, record_entry
from price_physics_tests.store.make import version_of, write_version
from price_physics_tests.ticks.helpers import GENERIC, START
from price_physics_tests.walk_forward.make import JAN
from price_physics_tests.walk_forward.test_ledger import entry

APRIL = Month(2012, 4)


def write_store(root: Path, version: int) -> None:
    """A partition of five files."""
    write_version(root, float(version))


def read_store(root: Path) -> int:
    return int(version_of(root))


def write_index(root: Path, version: int) -> None:
    """The index of a folder that holds as many dumps as the version says."""
    dumps = root / "dumps"
    dumps.mkdir(exist_ok=True)
    for number in range(version):
        path = dumps / f"{number}.csv"
        if not path.exists():
            path.write_text(f"timestamp,price,qty\n{START + number},5,1\n")
    look_at_files(GENERIC, dumps, FileIndex(GENERIC, root / "data" / "index" / "toy.json"))


def read_index(root: Path) -> int:
    index = FileIndex(GENERIC, root / "data" / "index" / "toy.json")
    paths = sorted((root / "dumps").glob("?.csv"))
    return sum(index.get(path.name, path) is not None for path in paths)


def write_ledger(root: Path, version: int) -> None:
    """A ledger of as many entries."""
    for number in range(version):
        record_entry(root / "data" / "ledger", entry(f"trial {number}", JAN))


def read_ledger(root: Path) -> int:
    return len(read_entries(root / "data" / "ledger"))


def checkpoint_of(root: Path) -> Checkpoint:
    """Where the fit keeps its state."""
    return Checkpoint(root / "data" / "checkpoints" / "demo" / "2012-03" / "fit.safetensors", "fit")


def write_checkpoint(root: Path, version: int) -> None:
    """The state of a fit after as many epochs."""
    arrays = {"weights": np.full(5_000, float(version)), "steps": np.array([version])}
    checkpoint_of(root).save(arrays, {"epoch": version})


def read_checkpoint(root: Path) -> int:
    state = checkpoint_of(root).load()
    assert state is not None, "the checkpoint was lost"
    arrays, facts = state
    assert set(arrays["weights"]) == {facts["epoch"]}
    return int(facts["epoch"])


_REPORT = ("report.html", "report.md", "report.json", "equity.png")


def write_outputs(root: Path, version: int) -> None:
    """The copies of a report that people open, of which every file is replaced."""
    files = {name: f"{version}".encode() * 5_000 for name in _REPORT}
    store = Store(root / "data" / "store")
    partition = store.write(("demo", "report"), APRIL, Artefact(files=files), code_version="1")
    publish(root / "outputs", partition)


def read_outputs(root: Path) -> int:
    """Each copy is whole; together they may be of two versions until the next backfill."""
    paths = [p for p in (root / "outputs").rglob("*") if p.is_file() and p.name[0] != "."]
    versions = {int(path.read_text()[0]) for path in paths}
    assert len(paths) == len(_REPORT)
    assert all(len(set(path.read_text())) == 1 for path in paths), "a copy of two versions"
    assert all(path.stat().st_size == 5_000 for path in paths), "a copy that is not whole"
    return max(versions)


@dataclass(frozen=True)
class Writer:
    """How a version is written into a folder, and which is read there."""

    write: Callable[[Path, int], None]
    read: Callable[[Path], int]

    @property
    def name(self) -> str:
        return self.write.__name__.removeprefix("write_")


STORE = Writer(write_store, read_store)
WRITERS = (
    STORE,
    Writer(write_index, read_index),
    Writer(write_ledger, read_ledger),
    Writer(write_checkpoint, read_checkpoint),
    Writer(write_outputs, read_outputs),
)


def bytes_below(root: Path) -> dict[str, str]:
    """The sha256 of every file below a folder, but of those whose bytes are free.

    An index says when its dumps were written, safetensors orders what describes a checkpoint at
    random: both are compared by what is read of them.
    """
    free = {"index", "checkpoints"}
    return {
        str(path.relative_to(root)): ""
        if path.suffix == ".lock" or path.name == ".lock" or free & set(path.parts)
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
