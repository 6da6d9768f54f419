"""The store: one folder a partition, content-addressed files, a manifest written last.

    <root>/<owner>/<asset>/<YYYY-MM>/bars-1f0c9a2e.parquet
                                     manifest.json

A partition exists from the instant its manifest is renamed into place. The manifest names every
file with its sha256, so a torn, truncated or bit-flipped file is refused when it is read, and a
process killed at any point leaves the partition as it was.
"""

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load as load_tensors

from price_physics.errors import PartitionCorrupt, PartitionMissing
from price_physics.months import Month
from price_physics.schemas.table import TableSchema, to_frame
from price_physics.store.artefact import Artefact, canonical_json, serialise
from price_physics.store.atomic import write_atomically
from price_physics.store.locks import held

MANIFEST = "manifest.json"
LOCK_TIMEOUT_S = 60.0
CHUNK_ROWS = 1 << 20

Key = tuple[str, str]
"""(market or study, asset), for example ("demo", "bars")."""


class Store:
    """Month partitions under one folder.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(Path(tempfile.mkdtemp()))
    >>> artefact = Artefact(documents={"quality": {"rows": 3}})
    >>> written = store.write(("demo", "ticks"), Month(2012, 3), artefact, code_version="1")
    >>> store.read(("demo", "ticks"), Month(2012, 3)).document("quality")
    {'rows': 3}
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, key: Key, month: Month) -> Path:
        return self.root.joinpath(*key, str(month))

    def exists(self, key: Key, month: Month) -> bool:
        return (self.folder(key, month) / MANIFEST).exists()

    def read(self, key: Key, month: Month) -> "Partition":
        """Open a partition; its files are verified as they are read.

        Raises
        ------
        PartitionMissing
            When it was never materialised; the message gives the command that does so.
        PartitionCorrupt
            When its manifest is damaged.
        """
        folder = self.folder(key, month)
        try:
            raw = (folder / MANIFEST).read_bytes()
        except FileNotFoundError:
            raise PartitionMissing(_missing(key, month, folder)) from None
        return Partition(key, month, folder, _checked_manifest(raw, folder / MANIFEST, key, month))

    def write(
        self,
        key: Key,
        month: Month,
        artefact: Artefact,
        *,
        code_version: str,
        config_hash: str = "",
        inputs: Mapping[str, str] | None = None,
    ) -> "Partition":
        """Write a partition, replacing what was there, in one atomic step.

        Parameters
        ----------
        inputs : mapping of partition name to data version, optional
            Every partition or file that was read to make this one.

        Raises
        ------
        PartitionLocked
            When another process keeps writing the same partition.
        ValueError
            When a frame does not fit its schema.
        """
        folder = self.folder(key, month)
        with self._lock(key, month):
            entries = {}
            for blob in serialise(artefact):
                digest, n_bytes = blob.digest()
                stem, dot, suffix = blob.name.rpartition(".")
                stored = f"{stem}-{digest[:12]}{dot}{suffix}"
                write_atomically(folder / stored, blob.write_to)
                entries[blob.name] = {
                    "path": stored,
                    "sha256": digest,
                    "bytes": n_bytes,
                    **blob.facts,
                }
            manifest = {
                "asset": "/".join(key),
                "month": str(month),
                "known_at": month.end_ns,
                "warm_up": artefact.warm_up,
                "synthetic": artefact.synthetic,
                "in_sample": artefact.in_sample,
                "code_version": code_version,
                "config_hash": config_hash,
                "inputs": dict(inputs or {}),
                "files": entries,
                "data_version": _data_version(entries, artefact),
            }
            manifest["manifest_sha256"] = hashlib.sha256(canonical_json(manifest)).hexdigest()
            write_atomically(folder / MANIFEST, canonical_json(manifest))
            self._sweep(folder, keep={MANIFEST} | {e["path"] for e in entries.values()})
        return Partition(key, month, folder, manifest)

    def _lock(self, key: Key, month: Month) -> AbstractContextManager[None]:
        path = self.root / ".locks" / f"{'__'.join(key)}__{month}.lock"
        busy = (
            f"{'/'.join(key)} {month}: another process has been writing this partition for "
            f"{LOCK_TIMEOUT_S:.0f} s (lock {path}); wait for it, or end it, and run again"
        )
        return held(path, LOCK_TIMEOUT_S, busy)

    @staticmethod
    def _sweep(folder: Path, keep: set[str]) -> None:
        """Remove files of earlier versions and of killed writers; we hold the lock."""
        for path in folder.iterdir():
            if path.name not in keep:
                path.unlink()


@dataclass(frozen=True)
class Partition:
    """One stored month of one asset, read lazily and verified on reading."""

    key: Key
    month: Month
    folder: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.manifest['asset']}/{self.month}"

    @property
    def data_version(self) -> str:
        """Hash of the contents alone: identical bytes, identical version."""
        return str(self.manifest["data_version"])

    @property
    def warm_up(self) -> str | None:
        return self.manifest["warm_up"]

    @property
    def synthetic(self) -> bool:
        return bool(self.manifest["synthetic"])

    @property
    def in_sample(self) -> bool:
        return bool(self.manifest.get("in_sample", False))

    @property
    def schemas(self) -> dict[str, dict[str, str]]:
        """The types of the columns of every table, by its file (see `column_types`)."""
        files = self.manifest["files"].items()
        return {name: entry["schema"] for name, entry in files if "schema" in entry}

    @property
    def n_rows(self) -> int:
        """Rows of all tables."""
        return sum(entry.get("rows", 0) for entry in self.manifest["files"].values())

    @property
    def file_names(self) -> list[str]:
        return list(self.manifest["files"])

    def size_of(self, name: str) -> int:
        """Bytes of a file. Raises PartitionCorrupt where there is none of the name."""
        return int(self._entry(name)["bytes"])

    def sha256_of(self, name: str) -> str:
        """Checksum of a file, in hexadecimal. Raises PartitionCorrupt likewise."""
        return str(self._entry(name)["sha256"])

    def verify(self) -> None:
        """Check every file against its sha256 without loading it. Raises PartitionCorrupt."""
        for entry in self.manifest["files"].values():
            self._verify(entry)

    def _verify(self, entry: Mapping[str, Any]) -> None:
        path = self.folder / entry["path"]
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise PartitionCorrupt(f"{path} is gone; {self._remedy}") from None
        if digest != entry["sha256"]:
            raise PartitionCorrupt(f"{path}: not the bytes that were written; {self._remedy}")

    def _entry(self, name: str) -> Mapping[str, Any]:
        entry = self.manifest["files"].get(name)
        if entry is None:
            raise PartitionCorrupt(
                f"{self.name} holds no {name!r}, only {self.file_names}: other code made it; "
                f"{self._remedy}"
            )
        return entry

    @property
    def _remedy(self) -> str:
        return _rebuilt_by(self.key, self.month)

    def holds(self, table: TableSchema) -> bool:
        """Whether there is such a table."""
        return f"{table.name}.parquet" in self.manifest["files"]

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """Read a table as a frame, all columns or some. Raises PartitionCorrupt."""
        content = self.file(f"{name}.parquet")
        return to_frame(pq.read_table(io.BytesIO(content), columns=columns))

    def chunks(self, name: str) -> Iterator[pd.DataFrame]:
        """Read a long table piece by piece, once it is verified. Raises PartitionCorrupt."""
        entry = self._entry(f"{name}.parquet")
        self._verify(entry)  # its name holds its checksum: another content has another name
        with pq.ParquetFile(self.folder / entry["path"]) as file:
            for batch in file.iter_batches(CHUNK_ROWS, use_threads=False):
                yield to_frame(pa.Table.from_batches([batch]))

    def document(self, name: str) -> dict[str, Any]:
        """Read a JSON document. Raises PartitionCorrupt."""
        return json.loads(self.file(f"{name}.json"))

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """Read a safetensors file. Raises PartitionCorrupt."""
        return load_tensors(self.file(f"{name}.safetensors"))

    def file(self, name: str) -> bytes:
        """Read a file's bytes and verify their sha256.

        Raises
        ------
        PartitionCorrupt
            When the file is gone or its bytes are not those that were written.
        """
        entry = self._entry(name)
        path = self.folder / entry["path"]
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise PartitionCorrupt(
                f"{path} is gone: deleted, or replaced while it was being read; {self._remedy}"
            ) from None
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise PartitionCorrupt(
                f"{path}: {len(content)} bytes do not match the sha256 in the manifest "
                f"({entry['bytes']} bytes were written); {self._remedy}"
            )
        return content


def _data_version(entries: Mapping[str, Any], artefact: Artefact) -> str:
    content = {name: entry["sha256"] for name, entry in entries.items()}
    marks = [mark for mark in ("synthetic", "in_sample") if getattr(artefact, mark)]
    told = [content, artefact.warm_up, *marks]  # a mark that comes later reaches whoever read it
    return hashlib.sha256(canonical_json(told)).hexdigest()[:32]


def _checked_manifest(raw: bytes, path: Path, key: Key, month: Month) -> dict[str, Any]:
    try:
        manifest = json.loads(raw)
        claimed = manifest.pop("manifest_sha256")
    except (ValueError, KeyError, AttributeError) as error:
        raise PartitionCorrupt(
            f"{path}: not a manifest ({error}); {_rebuilt_by(key, month)}"
        ) from error
    if hashlib.sha256(canonical_json(manifest)).hexdigest() != claimed:
        raise PartitionCorrupt(
            f"{path}: the manifest does not match its own checksum; {_rebuilt_by(key, month)}"
        )
    manifest["manifest_sha256"] = claimed
    return manifest


def _command(key: Key, month: Month) -> str:
    """What builds a month of a study, or of a market's ticks."""
    return f"make backfill STUDY={key[0]} FROM={month} TO={month}"


def _rebuilt_by(key: Key, month: Month) -> str:
    return f"run  {_command(key, month)}  to rebuild what is damaged or stale"


def _missing(key: Key, month: Month, folder: Path) -> str:
    owner, asset = key
    return (
        f"{owner}/{asset} has no partition {month} (no {folder / MANIFEST}). Materialise that "
        f"month first:  {_command(key, month)}  or  dagster asset materialize "
        f'-m price_physics.definitions --select "{owner}/{asset}" --partition {month.key}'
    )
