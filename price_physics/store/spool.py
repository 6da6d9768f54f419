"""A table that is too long for memory: written piece by piece, then handed to the store.

It waits in a temporary file without a name, which no crash leaves behind.
"""

import tempfile
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from price_physics.schemas.table import TableSchema, to_frame

ROW_GROUP = 1 << 20


def parquet_options(schema: pa.Schema) -> dict[str, Any]:
    """Say how every table is written: integers as differences, the rest by dictionary, text zstd.

    Compressing the encoded numbers too would save a sixth of the bytes for half of the time.
    """
    texts = {f.name: "zstd" for f in schema if pa.types.is_string(f.type)}
    integers = [f.name for f in schema if pa.types.is_integer(f.type) and f.type.bit_width >= 32]
    return {
        "compression": {f.name: "none" for f in schema} | texts,
        "version": "2.6",
        "use_dictionary": [f.name for f in schema if f.name not in integers],
        "column_encoding": dict.fromkeys(integers, "DELTA_BINARY_PACKED"),
    }


class SpooledTable:
    """A table in a temporary file, which is gone when the table is forgotten."""

    def __init__(self, schema: TableSchema, folder: Path | None) -> None:
        self.schema, self.n_rows = schema, 0
        self.file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
        weakref.finalize(self, self.file.close)

    def __len__(self) -> int:
        return self.n_rows

    def frame(self) -> pd.DataFrame:
        """Read all of it."""
        self.file.seek(0)
        return to_frame(pq.read_table(self.file))


class TableSpool:
    """Writes a table piece by piece; its bytes do not depend on the pieces.

    Parameters
    ----------
    schema : TableSchema
    folder : Path, optional
        Where the temporary file lies; the system's temporary folder by default.
    """

    def __init__(self, schema: TableSchema, folder: Path | None = None) -> None:
        self._table = SpooledTable(schema, folder)
        options = parquet_options(schema.arrow)
        self._writer = pq.ParquetWriter(self._table.file, schema.arrow, **options)
        self._encoder = ThreadPoolExecutor(1)
        self._behind: Future[None] = self._encoder.submit(lambda: None)
        self._waiting: list[pa.Table] = []
        self._n_waiting = 0

    def append(self, piece: pa.Table) -> None:
        """Add rows in the table's schema; row groups are always of the same size."""
        self._waiting.append(piece)
        self._n_waiting += piece.num_rows
        self._table.n_rows += piece.num_rows
        if self._n_waiting >= ROW_GROUP:
            whole = pa.concat_tables(self._waiting).combine_chunks()
            cut = self._n_waiting // ROW_GROUP * ROW_GROUP
            self._write(whole.slice(0, cut))
            self._waiting = [whole.slice(cut)]
            self._n_waiting -= cut

    def _write(self, groups: pa.Table) -> None:
        """Encode whole row groups while the caller prepares the next."""
        self._behind.result()
        self._behind = self._encoder.submit(self._writer.write_table, groups, ROW_GROUP)

    def finish(self) -> SpooledTable:
        """Write what is left and hand the table over."""
        if self._n_waiting:
            self._write(pa.concat_tables(self._waiting).combine_chunks())
        self._behind.result()
        self.close()
        return self._table

    def close(self) -> None:
        """Stop writing, whether the table is whole or given up."""
        self._encoder.shutdown()
        self._writer.close()
