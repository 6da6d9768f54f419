"""Remove from the store what its manifests do not name, or a partition with all it holds.

Both under the lock of the partition, so that no writer is at it. A kill in between leaves a
partition whole, or without a manifest, which is none; the next removal takes the rest.
"""

from contextlib import suppress
from pathlib import Path

from price_physics.errors import PartitionCorrupt, PartitionMissing
from price_physics.months import Month
from price_physics.store.partitions import MANIFEST, Key, Store


def unnamed_files(store: Store, key: Key, month: Month) -> list[Path]:
    """List the files that a partition's manifest does not name: all of them where it has none.

    Where the manifest is damaged nobody knows, and nothing is listed.
    """
    try:
        manifest = store.read(key, month).manifest
        named = {MANIFEST} | {entry["path"] for entry in manifest["files"].values()}
    except PartitionMissing:
        named = set()
    except PartitionCorrupt:
        return []
    return [path for path in store.folder(key, month).glob("*") if path.name not in named]


def remove_unnamed(store: Store, key: Key, month: Month) -> None:
    """Remove those files. Raises PartitionLocked."""
    with store._lock(key, month):
        for path in unnamed_files(store, key, month):
            path.unlink(missing_ok=True)
        _remove_empty(store.folder(key, month))


def remove_partition(store: Store, key: Key, month: Month) -> None:
    """Remove a partition, its manifest first. Raises PartitionLocked."""
    folder = store.folder(key, month)
    with store._lock(key, month):
        (folder / MANIFEST).unlink(missing_ok=True)
        for path in folder.glob("*"):
            path.unlink(missing_ok=True)
        _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):  # it holds something
        folder.rmdir()
