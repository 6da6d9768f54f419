"""One bit flipped, or the end cut off, in every kind of file that is read back."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from price_physics.errors import PricePhysicsError
from price_physics.months import Month
from price_physics.orchestration.registry import read_model
from price_physics.pipeline.publish import publish_missing
from price_physics.store.partitions import MANIFEST, Partition, Store
from price_physics.ticks.build import build_ticks
from price_physics.walk_forward.ledger import export_entries, parse_entries
from price_physics_tests.benchmarks.faults import projects, writers
from price_physics_tests.benchmarks.faults.processes import start
from price_physics_tests.benchmarks.faults.projects import Reference, must_succeed
from price_physics_tests.benchmarks.faults.rows import Case, Row
from price_physics_tests.damage import cut, flips
from price_physics_tests.e2e.projects import partitions_of
from price_physics_tests.ticks.helpers import GENERIC, MAY
from price_physics_tests.ticks.hostile import GOOD, parquet, zipped

PROMISE = "refused by name or rebuilt, never believed"
BELIEVED = object()
"""What nothing that is read equals."""
KINDS_OF_DAMAGE = ("a bit", "cut")
REGISTERED = {
    "network": "network.safetensors",
    "architecture": "architecture.json",
    "checksums": "checksums.json",
}


def damaged(content: bytes, kind: str, seed: int) -> bytes:
    """The content with one bit flipped, or without its end."""
    return next(flips(content, 1, seed)) if kind == "a bit" else cut(content, seed)


def refused_or_same(read: Callable[[], object], whole: object, name: str) -> None:
    """Raise unless reading names the file in one of our errors, or gives what was written."""
    said = refusal(read, whole)
    assert said is None or name in said, f"{name} is not named: {said}"


def refusal(read: Callable[[], object], whole: object) -> str | None:
    """What one of our errors says; None where reading gives what was written."""
    try:
        found = read()
    except PricePhysicsError as error:
        return str(error)
    assert found == whole, "it was believed"
    return None


def _cases(name: str, check: Callable[[str, int, Path], None], n: int, seed: int) -> Iterator[Case]:
    """`n` cases of a kind of file, in turn flipped and cut."""
    for i in range(n):
        kind = KINDS_OF_DAMAGE[i % 2]
        yield Case(f"{name}, {kind} ({i})", partial(check, kind, seed + i))


# ---------------------------------------------------------------------------- the store
def of_partitions(reference: Reference, seed: int) -> Row:
    """Every file of every asset, and its manifest."""
    cases: list[Case] = []
    names = set()
    found = partitions_of(reference.done)
    for (asset, month), partition in sorted(found.items(), key=lambda item: item[0][::-1])[::-1]:
        for name in [MANIFEST, *partition.file_names]:
            if (asset, name) not in names:  # of the last month, which has most
                names.add((asset, name))
                check = partial(_partition_file, partition, name)
                cases += _cases(f"{asset}/{month}/{name}", check, 2, seed)
    return Row("bits and ends of every file of the store", PROMISE, cases)


def _partition_file(partition: Partition, name: str, kind: str, seed: int, folder: Path) -> None:
    store = Store(folder)
    place = store.folder(partition.key, partition.month)
    shutil.copytree(partition.folder, place)
    path = place / (name if name == MANIFEST else partition.manifest["files"][name]["path"])
    path.write_bytes(damaged(path.read_bytes(), kind, seed))

    def manifest() -> object:
        return store.read(partition.key, partition.month).manifest

    if name == MANIFEST:
        refused_or_same(manifest, partition.manifest, str(path))
        return
    copy = store.read(partition.key, partition.month)
    for read in (copy.verify, partial(copy.file, name)):
        assert str(path) in str(refusal(read, BELIEVED)), f"{name} is not named"


def rebuilt(reference: Reference, seed: int) -> Row:
    """One file of every asset of the last month, and the index, damaged at once: one backfill."""

    def check(kind: str, seed: int, folder: Path) -> None:
        project = reference.copy(folder / "project")
        rng = np.random.default_rng(seed)
        paths = [next((project.data / "index").glob("*.json"))]
        for (_, month), partition in partitions_of(project).items():
            if month == projects.LAST:
                files = sorted(partition.folder.iterdir())
                paths.append(files[rng.integers(len(files))])
        for number, path in enumerate(paths):
            path.write_bytes(damaged(path.read_bytes(), kind, seed + number))
        must_succeed(projects.backfill(folder / "said", project))
        projects.same_bytes(project, reference.bytes)

    cases = list(_cases("all assets of a month", check, 2, seed))
    return Row("the same, then one backfill", "the same bytes as before", cases, at_once=2)


# ---------------------------------------------------------------------------- around the store
def of_documents(reference: Reference, seed: int, n: int) -> Row:
    """Index, ledger and its end, an exported ledger, checkpoints, copies in outputs, models."""
    cases: list[Case] = []
    for name, check in (
        ("index/toy.json", _index),
        ("ledger/ledger.jsonl", partial(_ledger, "ledger.jsonl")),
        ("ledger/last_digest", partial(_ledger, "last_digest")),
        ("an exported ledger", _export),
        ("a checkpoint", _checkpoint),
    ):
        cases += _cases(name, check, n, seed)
    for suffix in ("html", "md", "json", "png", "parquet", "safetensors"):
        cases += _cases(f"outputs/*.{suffix}", partial(_output, reference, suffix), 2, seed)
    for part in REGISTERED:
        cases += _cases(f"registered {part}", partial(_registered, reference, part), n, seed)
    fault = "bits and ends of index, ledger, checkpoints, outputs and registered models"
    return Row(fault, PROMISE, cases)


def _index(kind: str, seed: int, folder: Path) -> None:
    writers.write_index(folder, 2)
    path = folder / "data" / "index" / "toy.json"
    path.write_bytes(damaged(path.read_bytes(), kind, seed))
    assert writers.read_index(folder) == 0, "the index was believed"
    writers.write_index(folder, 2)
    assert writers.read_index(folder) == 2


def _ledger(name: str, kind: str, seed: int, folder: Path) -> None:
    writers.write_ledger(folder, 3)
    place = folder / "data" / "ledger"
    whole = writers.read_entries(place)
    path = place / name
    path.write_bytes(damaged(path.read_bytes(), kind, seed))
    refused_or_same(lambda: writers.read_entries(place), whole, str(place / "ledger.jsonl"))


def _export(kind: str, seed: int, folder: Path) -> None:
    writers.write_ledger(folder, 3)
    path = folder / "ours.jsonl"
    export_entries(folder / "data" / "ledger", path)
    whole = parse_entries(path.read_bytes(), "ours")
    content = damaged(path.read_bytes(), kind, seed)
    refused_or_same(lambda: parse_entries(content, str(path)), whole, str(path))


def _checkpoint(kind: str, seed: int, folder: Path) -> None:
    writers.write_checkpoint(folder, 1)
    [path] = (folder / "data" / "checkpoints").rglob("*.safetensors")
    path.write_bytes(damaged(path.read_bytes(), kind, seed))
    assert writers.checkpoint_of(folder).load() is None, "the checkpoint was believed"


def _output(reference: Reference, suffix: str, kind: str, seed: int, folder: Path) -> None:
    for (_, month), partition in partitions_of(reference.done).items():
        if month == projects.LAST:
            publish_missing(folder, partition)
    paths = sorted(folder.rglob(f"*.{suffix}"))
    path = paths[seed % len(paths)]
    whole = path.read_bytes()
    path.write_bytes(damaged(whole, kind, seed))
    for (_, month), partition in partitions_of(reference.done).items():
        if month == projects.LAST:
            publish_missing(folder, partition)
    assert path.read_bytes() == whole, f"{path.name} stays damaged"


def _registered(reference: Reference, part: str, kind: str, seed: int, folder: Path) -> None:
    place = next(reference.artifacts.rglob("MLmodel")).parent
    shutil.copytree(place / "artifacts", folder / "artifacts")
    paths = {name: str(folder / "artifacts" / file) for name, file in REGISTERED.items()}
    path = Path(paths[part])
    path.write_bytes(damaged(path.read_bytes(), kind, seed))
    refused_or_same(lambda: read_model(paths), None, str(folder))


# ---------------------------------------------------------------------------- vendor files
def of_dumps(seed: int, n: int) -> Row:
    """Dumps beside their checksum, the checksum itself, and archives, which have their own."""
    import gzip

    contents = {
        "t.csv": GOOD,
        "t.csv.gz": gzip.compress(GOOD, mtime=0),
        "t.zip": zipped(("t.csv", GOOD)),
        "t.parquet": parquet(),
    }
    cases: list[Case] = []
    for name, content in contents.items():
        cases += _cases(f"{name} beside its checksum", partial(_dump, name, content, name), n, seed)
        if name in ("t.csv.gz", "t.zip"):
            cases += _cases(f"{name} alone", partial(_dump, name, content, ""), n, seed)
    sidecar = "t.csv.CHECKSUM"
    cases += _cases(sidecar, partial(_dump, "t.csv", GOOD, sidecar), n, seed)
    return Row("bits and ends of dumps and of what lies beside them", PROMISE, cases)


def _dump(name: str, content: bytes, target: str, kind: str, seed: int, folder: Path) -> None:
    """Damage the dump, or the target beside it; without a target no checksum lies beside it."""
    path = folder / name
    path.write_bytes(content)
    beside = folder / f"{name}.CHECKSUM"
    if target:
        beside.write_text(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    whole = _ticks(folder)
    hurt = folder / (target or name)
    hurt.write_bytes(damaged(hurt.read_bytes(), kind, seed))
    refused_or_same(partial(_ticks, folder), whole, name)


def _ticks(folder: Path, month: Month = MAY) -> list[tuple[float, ...]]:
    artefact = build_ticks(GENERIC, month, folder)
    return artefact.table("ticks").to_numpy(dtype=float, na_value=-1).tolist()


# ---------------------------------------------------------------------------- databases
def of_databases(reference: Reference, seed: int, n: int) -> Row:
    """MLflow's and Dagster's databases: the next backfill runs on, and the store's word counts."""
    cases: list[Case] = []
    for name in ("mlflow/mlflow.db", *reference.dagster_databases):
        count = 2 * n if name.startswith("mlflow") else n
        cases += _cases(name, partial(_database, reference, name), count, seed)
    promise = "the backfill runs on: the same bytes, and MLflow holds what the store holds"
    return Row("bits and ends of MLflow's and Dagster's databases", promise, cases, at_once=2)


def _database(reference: Reference, name: str, kind: str, seed: int, folder: Path) -> None:
    project = reference.copy(folder / "project")
    must_succeed(start(folder / "track", *projects.track(project)))
    path = project.data / name
    for suffix in ("-wal", "-shm"):  # of a connection that was closed they hold nothing
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(damaged(path.read_bytes(), kind, seed))
    projects.make_report_stale(project)
    must_succeed(projects.backfill(folder / "said", project, before=projects.no_wait))
    projects.same_bytes(project, reference.bytes)
    projects.all_logged(project)
