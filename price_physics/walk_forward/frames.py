"""Frames with exactly the columns and types of a schema, however few rows there are."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from price_physics.schemas import TableSchema


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
