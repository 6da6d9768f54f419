"""A store at a glance: every manifest is read once, and files are measured instead of hashed.

For questions about a whole store. Whoever uses what a file holds reads it from the store itself.
"""

from pathlib import Path
from typing import Any

from price_physics.errors import PartitionCorrupt, StoreError
from price_physics.months import Month
from price_physics.store.partitions import Key, Partition, Store


class Glance(Store):
    """The manifests of a store as they are now, kept in memory.

    Reads and raises as `Store.read` does; what was wrong the first time is wrong again.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._known: dict[tuple[Key, Month], Partition | StoreError] = {}

    def read(self, key: Key, month: Month) -> Partition:
        """Open a partition. Raises PartitionMissing and PartitionCorrupt."""
        if (key, month) not in self._known:
            try:
                found = super().read(key, month)
                self._known[key, month] = _Measured(
                    found.key, found.month, found.folder, found.manifest
                )
            except StoreError as error:
                self._known[key, month] = error
        partition = self._known[key, month]
        if isinstance(partition, StoreError):
            raise partition
        return partition


class _Measured(Partition):
    """A partition whose files are there in the sizes that were written, as far as is checked."""

    def verify(self) -> None:
        """Check the size of every file. Raises PartitionCorrupt."""
        for entry in self.manifest["files"].values():
            path = self.folder / entry["path"]
            size = path.stat().st_size if path.is_file() else None
            if size != entry["bytes"]:
                raise PartitionCorrupt(f"{path}: {size} bytes, {entry['bytes']} were written")

    def document(self, name: str) -> dict[str, Any]:
        """Read a JSON document, once. Raises PartitionCorrupt."""
        kept: dict[str, dict[str, Any]] = self.__dict__.setdefault("_documents", {})
        if name not in kept:
            kept[name] = super().document(name)
        return kept[name]
