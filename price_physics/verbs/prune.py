"""`price-physics prune`: what takes space, and what of it nobody refers to any more.

Nothing is deleted without ``--yes``, never the ledger, and never what a market, a study, a manifest
or the alias `champion` names. Whatever another process holds is left, and said.
"""

import argparse
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from price_physics.errors import ConfigError, PartitionCorrupt, PartitionLocked, TrackingError
from price_physics.months import Month
from price_physics.orchestration.mlflow_forget import forget_study, tracked_studies
from price_physics.project import Project
from price_physics.store.glance import Glance
from price_physics.store.locks import held
from price_physics.store.partitions import Key, Partition, Store
from price_physics.store.removal import remove_partition, remove_unnamed, unnamed_files
from price_physics.study.reading import load_configs
from price_physics.verbs.disk import bytes_of, disk_lines, size_text

_OF_STUDY = ("reports", "plots", "motifs", "artifacts")
"""Folders in `outputs` by which a study's is known."""


@dataclass(frozen=True)
class Leftover:
    """Something that nobody refers to, the name it belongs to, its bytes, and what removes it."""

    owner: str
    what: str
    n_bytes: int
    remove: Callable[[], None]


def run(project: Project, options: argparse.Namespace) -> int:
    """Show what takes space and what is left over; with ``--yes`` delete the latter."""
    print("\n".join(disk_lines(project, options.study)))
    found = [leftover for leftover in leftovers(project) if options.study in (None, leftover.owner)]
    total = sum(leftover.n_bytes for leftover in found)
    print(f"\nnobody refers to: {size_text(total)} in {len(found)} places")
    n_left = 0
    for leftover in found:
        print(f"  {size_text(leftover.n_bytes):>10}  {leftover.what}", end="", flush=True)
        if options.yes:
            try:
                leftover.remove()
            except (PartitionLocked, TrackingError) as error:
                n_left += 1
                print(f": left, {error}", end="")
            else:
                print(": deleted", end="")
        print()
    if found and not options.yes:
        print("nothing was deleted: add --yes")
    return min(n_left, 1)


def leftovers(project: Project) -> Iterator[Leftover]:
    """Find what nobody refers to.

    Raises
    ------
    ConfigError
        When a YAML is impossible, or there is no study at all: all would be left over.
    """
    markets, studies = load_configs(project.configs)
    if not studies:
        raise ConfigError(
            f"no study in {project.configs / 'studies'}: nobody would refer to anything"
        )
    store, known = Glance(project.store), {*markets, *studies}
    keys = [(path.parts[-2], path.parts[-1]) for path in sorted(project.store.glob("[!.]*/*"))]
    referred = known | {owner for key in keys if key[0] in known for owner in _read_by(store, key)}
    for owner in sorted({key[0] for key in keys} - referred):
        yield _stored(project, owner, [key for key in keys if key[0] == owner])
    for key in keys:
        for month in _months(store, key) if key[0] in referred else ():
            if unnamed := unnamed_files(store, key, month):
                what = f"{'/'.join(key)}/{month}: {len(unnamed)} files that no manifest names"
                remove = partial(remove_unnamed, Store(store.root), key, month)
                yield Leftover(key[0], what, sum(map(bytes_of, unnamed)), remove)
    for owner in sorted({*_names(project.outputs), *_names(project.data / "checkpoints")} - known):
        for path in (project.outputs / owner, project.data / "checkpoints" / owner):
            if path.parent != project.outputs or any((path / name).is_dir() for name in _OF_STUDY):
                yield from _folder(project, owner, path, f"backfill-{owner}")
    for owner in sorted(_names(project.data / "audit")):
        yield from _folder(project, owner, project.data / "audit" / owner, f"audit-{owner}")
    for path in sorted((project.data / "index").glob("*.json")):
        if path.stem not in markets:
            remove = partial(_remove_under, path.with_suffix(".lock"), path)
            yield Leftover(path.stem, f"{path}: no such market", bytes_of(path), remove)
    folder = project.data / "mlflow"
    for path in sorted(folder.glob("mlflow.db*.damaged-*")):
        remove = partial(path.unlink, missing_ok=True)
        yield Leftover("mlflow", f"{path}: set aside", bytes_of(path), remove)
    try:
        tracked = tracked_studies(folder)
    except TrackingError as error:
        yield Leftover("mlflow", "MLflow: nobody can tell", 0, partial(_leave, error))
        return
    for owner in sorted(tracked - studies.keys()):
        size = bytes_of(folder / "artifacts" / owner)
        what = f"{owner} in MLflow: runs and registered models of no study"
        yield Leftover(owner, what, size, partial(forget_study, folder, owner))


def _leave(error: TrackingError) -> None:
    raise error


def _stored(project: Project, owner: str, keys: list[Key]) -> Leftover:
    store = Store(project.store)  # as it is then, not what was known when the search began
    partitions = [(key, month) for key in keys for month in _months(store, key)]

    def remove() -> None:
        lock = project.data / "locks" / f"backfill-{owner}.lock"
        with held(lock, 0, f"another process holds {lock}"):
            for key, month in partitions:
                remove_partition(store, key, month)
            for folder in (*(store.root.joinpath(*key) for key in keys), store.root / owner):
                with suppress(OSError):  # it holds something
                    folder.rmdir()

    what = f"{owner} in the store: {len(partitions)} partitions of no market or study"
    return Leftover(owner, what, bytes_of(store.root / owner), remove)


def _read_by(store: Store, key: Key) -> set[str]:
    """Owners of the partitions that those of an asset were made from."""
    found: set[str] = set()
    for month in _months(store, key):
        if store.exists(key, month):
            with suppress(PartitionCorrupt):
                partition: Partition = store.read(key, month)
                found |= {
                    n.split("/")[0] for n in partition.manifest["inputs"] if n.count("/") == 2
                }
    return found


def _months(store: Store, key: Key) -> list[Month]:
    return [Month.parse(p.name) for p in sorted(store.root.joinpath(*key).glob("????-??"))]


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*") if path.is_dir() and not path.is_symlink()}


def _folder(project: Project, owner: str, path: Path, lock: str) -> Iterator[Leftover]:
    if path.is_dir():
        remove = partial(_remove_under, project.data / "locks" / f"{lock}.lock", path)
        what = "of an audit that was killed" if lock.startswith("audit-") else "no such study"
        yield Leftover(owner, f"{path}: {what}", bytes_of(path), remove)


def _remove_under(lock: Path, path: Path) -> None:
    """Remove a file or a folder while nobody else can be at it. Raises PartitionLocked."""
    with held(lock, 0, f"another process holds {lock}"):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
