"""Open vendor dumps as parquet, batch by batch: flat columns only, and no bomb.

What the columns mean is not known here.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from price_physics.errors import TickDataError
from price_physics.ticks.reading.blocks import FREE_BYTES, MOST_RATIO
from price_physics.ticks.reading.rows import shown

_BATCH_ROWS = 1 << 17
_MOST_ROWS_A_BYTE = 50
_LONGEST_TEXT = 256


def read_batches(path: Path, file: str) -> Iterator[pa.RecordBatch]:
    """Stream a parquet file's rows, its page checksums verified where it has any."""
    n_rows = 0
    try:
        flat, texts = _flat_columns(pa.parquet.read_schema(path))
        options = {"page_checksum_verification": True, "read_dictionary": texts}
        with pa.parquet.ParquetFile(path, **options) as dump:
            _refuse_bomb(dump.metadata, path, file)
            for batch in dump.iter_batches(_BATCH_ROWS, columns=flat, use_threads=False):
                batch.validate(full=True)
                yield batch
                n_rows += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise TickDataError(
            f"{file}, after row {n_rows}: damaged: {error}; download it again"
        ) from error
    if n_rows == 0:
        raise TickDataError(f"{file}: holds no row; download it again, or remove it")


def _flat_columns(schema: pa.Schema) -> tuple[list[str], list[str]]:
    """Name the columns whose rows are a few bytes or a text; and those of text alone.

    A text is kept once, however many rows repeat it; lists are not read at all. Both could be
    gigabytes that stand in a few bytes of a file.
    """
    texts = [field.name for field in schema if _is_text(field.type)]
    flat = [
        field.name
        for field in schema
        if field.name in texts
        or pa.types.is_primitive(field.type)
        or pa.types.is_decimal(field.type)
        or pa.types.is_dictionary(field.type)
    ]
    return flat, texts


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.binary(), pa.large_binary())


def refuse_long_text(columns: dict[str, pa.Array], first: int, file: str) -> None:
    """Refuse texts too long for a field: every row would hold one."""
    for column in columns.values():
        if pa.types.is_dictionary(column.type) and _is_text(column.type.value_type):
            longest = pa.compute.max(pa.compute.binary_length(column.dictionary)).as_py() or 0
            if longest > _LONGEST_TEXT:
                raise TickDataError(
                    f"{file}, from row {first}: a text of {longest} bytes where a value should be; "
                    "refused"
                )


def _refuse_bomb(metadata: pa.parquet.FileMetaData, path: Path, file: str) -> None:
    size = path.stat().st_size
    if metadata.num_rows > _MOST_ROWS_A_BYTE * size:
        raise TickDataError(f"{file}: {metadata.num_rows} rows in {size} bytes; refused as a bomb")
    # sizes of single columns are not asked for: on some damages pyarrow then aborts the process
    n_groups = metadata.num_row_groups
    n_bytes = sum(metadata.row_group(group).total_byte_size for group in range(n_groups))
    if n_bytes > max(FREE_BYTES, MOST_RATIO * size):
        raise TickDataError(
            f"{file}: decompresses to {n_bytes} bytes, over {MOST_RATIO} times its {size}; refused "
            "as a bomb"
        )


def texts(batch: pa.RecordBatch, first: int, rows: Sequence[int]) -> list[str]:
    """Join the values of some rows by commas; the first row of the batch is number `first`."""
    values = (batch.slice(int(row) - first, 1).to_pylist()[0].values() for row in rows)
    return [shown(",".join(str(value) for value in row)) for row in values]
