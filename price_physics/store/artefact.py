"""What one asset gives for one month: tables, JSON documents, tensors and files.

An artefact is plain data in memory; tables that are too long for memory are spooled to disk. This
module turns it into bytes, `partitions` says where they go. Serialisation is deterministic: equal
artefacts give equal bytes.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import save as save_tensors

from price_physics.schemas.table import TableSchema
from price_physics.store.spool import ROW_GROUP, SpooledTable, parquet_options

Highlight = float | str | bytes
"""A number, Markdown text, or a PNG."""


@dataclass(frozen=True)
class Artefact:
    """The output of an asset for a month.

    Attributes
    ----------
    tables : pairs of (schema, frame or spooled table)
        Stored as ``<schema name>.parquet``.
    documents : mapping of name to JSON object
        Stored as ``<name>.json``; NaN is refused, use None.
    tensors : mapping of name to {tensor name: array}
        Stored as ``<name>.safetensors``.
    files : mapping of file name to bytes
        Stored as they are.
    warm_up : str, optional
        Why the month is a warm-up (too little is known yet), if it is one.
    synthetic : bool
        Whether any tick that this depends on came from a generator.
    in_sample : bool
        Whether any barrier that this depends on was chosen from the outcomes it is judged on.
    inputs : mapping of name to sha256
        What was read from outside the store, such as vendor files.
    highlights : mapping of name to number, Markdown text, or PNG bytes
        What the asset's page shows of it; not stored.
    """

    tables: tuple[tuple[TableSchema, pd.DataFrame | SpooledTable], ...] = ()
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    tensors: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    warm_up: str | None = None
    synthetic: bool = False
    in_sample: bool = False
    inputs: dict[str, str] = field(default_factory=dict)
    highlights: dict[str, Highlight] = field(default_factory=dict)

    def holds(self, table: TableSchema) -> bool:
        """Whether there is such a table."""
        return any(schema is table for schema, _ in self.tables)

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        """A table by its name, all columns or some. Raises KeyError."""
        rows = {schema.name: rows for schema, rows in self.tables}[name]
        frame = rows.frame() if isinstance(rows, SpooledTable) else rows
        return frame if columns is None else frame[columns]

    def chunks(self, name: str) -> Iterator[pd.DataFrame]:
        """A table as consecutive pieces: here one. Raises KeyError."""
        yield self.table(name)

    def document(self, name: str) -> dict[str, Any]:
        """A JSON document. Raises KeyError."""
        return self.documents[name]

    def arrays(self, name: str) -> dict[str, np.ndarray]:
        """Named tensors. Raises KeyError."""
        return self.tensors[name]


@dataclass(frozen=True)
class Blob:
    """One serialised member of an artefact, and what its manifest entry says of it."""

    name: str
    content: bytes | BinaryIO
    facts: dict[str, Any]

    def digest(self) -> tuple[str, int]:
        """The sha256 and the number of bytes."""
        if isinstance(self.content, bytes):
            return hashlib.sha256(self.content).hexdigest(), len(self.content)
        self.content.seek(0)
        digest = hashlib.file_digest(self.content, "sha256").hexdigest()  # type: ignore[arg-type]
        return digest, self.content.tell()

    def write_to(self, file: BinaryIO) -> None:
        """Copy the bytes."""
        if isinstance(self.content, bytes):
            file.write(self.content)
        else:
            self.content.seek(0)
            shutil.copyfileobj(self.content, file, 1 << 20)


def serialise(artefact: Artefact) -> Iterator[Blob]:
    """Yield the members of an artefact as bytes, in a fixed order.

    Raises
    ------
    ValueError
        When a frame does not fit its schema, or a document holds NaN.
    """
    for schema, rows in artefact.tables:
        name = f"{schema.name}.parquet"
        if isinstance(rows, SpooledTable):
            yield Blob(name, rows.file, _table_facts(schema, rows.n_rows))
        else:
            table = schema.to_arrow(rows)
            yield Blob(name, _parquet(table), _table_facts(schema, table.num_rows))
    for name, document in sorted(artefact.documents.items()):
        yield Blob(f"{name}.json", canonical_json(document), {})
    for name, arrays in sorted(artefact.tensors.items()):
        whole = {key: np.asarray(value, order="C") for key, value in sorted(arrays.items())}
        yield Blob(f"{name}.safetensors", save_tensors(whole), {"tensors": len(whole)})
    for name, content in sorted(artefact.files.items()):
        yield Blob(name, content, {})


def canonical_json(document: Any) -> bytes:
    """Serialise to JSON with sorted keys, so that equal documents are equal bytes."""
    try:
        text = json.dumps(document, sort_keys=True, indent=1, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"a document holds a value that JSON cannot express: {error}") from error
    return text.encode() + b"\n"


def _parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=ROW_GROUP, **parquet_options(table.schema))
    return sink.getvalue().to_pybytes()


def _table_facts(schema: TableSchema, n_rows: int) -> dict[str, Any]:
    return {
        "rows": n_rows,
        "known_at": schema.known_at,
        "schema": column_types(schema),
    }


def column_types(schema: TableSchema) -> dict[str, str]:
    """Type of every column, with a ? where it may be null, as a manifest lists them."""
    return {f.name: str(f.type) + ("?" if f.nullable else "") for f in schema.arrow}
