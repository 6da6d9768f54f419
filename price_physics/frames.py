"""Helpers for tables by month: join columns, find the rows of events, build frames of a schema.

`store` reads parquet; nothing here knows what a column means.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from price_physics.errors import StaleInputs
from price_physics.months import Month
from price_physics.schemas.table import TableSchema

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def stack(
    schema: TableSchema,
    frames: Mapping[Month, pd.DataFrame],
    months: Iterable[Month],
    *columns: str,
) -> list[npt.NDArray[Any]]:
    """Join columns of the named months, in the order given; absent months count as empty.

    Returns
    -------
    list of arrays, one a column
        Fresh, contiguous and of the schema's type, also when there is no row at all.
    """
    present = [frames[m] for m in months if m in frames]
    arrays = []
    for column in columns:
        dtype = schema.arrow.field(column).type.to_pandas_dtype()
        parts = [frame[column].to_numpy(dtype) for frame in present]
        arrays.append(np.concatenate([np.empty(0, dtype), *parts]))
    return arrays


def rows_of(event_time_ns: IntArray, table_event_time_ns: IntArray, table: str) -> IntArray:
    """Find the row of each event in a table sorted by event time.

    Raises
    ------
    StaleInputs
        When the table lacks an event: the two were built from different bars.
    """
    rows = np.searchsorted(table_event_time_ns, event_time_ns)
    found = rows < len(table_event_time_ns)
    found[found] = table_event_time_ns[rows[found]] == event_time_ns[found]
    if not found.all():
        missing = event_time_ns[~found]
        raise StaleInputs(
            f"{table} lacks {len(missing)} of {len(event_time_ns)} events, the first at "
            f"event_time_ns {missing[0]} (month {Month.of(int(missing[0]))}); they were built from "
            "different bars"
        )
    return rows


def conform(schema: TableSchema, **columns: Any) -> pd.DataFrame:
    """Build a frame of `schema` from one array a column, cast to the schema's types.

    Nullable integers become pandas' ``Int64``: a float would round nanoseconds.
    """
    return pd.DataFrame(
        {
            field.name: pd.array(columns[field.name], dtype=pd.Int64Dtype())
            if field.nullable and pa.types.is_integer(field.type)
            else np.asarray(columns[field.name], dtype=_dtype(field))
            for field in schema.arrow
        },
        columns=schema.columns,
    )


def _dtype(field: pa.Field) -> Any:
    return object if pa.types.is_string(field.type) else field.type.to_pandas_dtype()
