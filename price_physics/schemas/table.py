"""What a table is: its arrow schema, described columns, and when each of its rows is known.

Times are int64 UTC nanoseconds. Every table names the column that holds its ``known_at``: the
moment from which a row may be used. A table without one cannot be declared.
"""

from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

_TYPES = {
    "i64": pa.int64(),
    "i32": pa.int32(),
    "i8": pa.int8(),
    "f64": pa.float64(),
    "bool": pa.bool_(),
    "text": pa.string(),
}


@dataclass(frozen=True)
class TableSchema:
    """A named table of an asset: its arrow schema and the column that is its ``known_at``."""

    asset: str
    name: str
    arrow: pa.Schema
    known_at: str

    @property
    def columns(self) -> list[str]:
        return self.arrow.names

    @property
    def descriptions(self) -> dict[str, str]:
        return {f.name: f.metadata[b"description"].decode() for f in self.arrow}

    def to_arrow(self, frame: pd.DataFrame) -> pa.Table:
        """Convert a frame, refusing missing, extra or wrongly typed columns and stray nulls.

        Raises
        ------
        ValueError
            Naming the table, the column and what is wrong with it.
        """
        if list(frame.columns) != self.columns:
            missing = [c for c in self.columns if c not in frame.columns]
            extra = [c for c in frame.columns if c not in self.columns]
            raise ValueError(
                f"table {self.name!r}: columns differ from the schema: missing {missing}, "
                f"unknown {extra}, expected order {self.columns}"
            )
        arrays = []
        for field in self.arrow:
            try:
                array = pa.Array.from_pandas(frame[field.name], type=field.type, safe=True)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise ValueError(f"table {self.name!r}, column {field.name!r}: {error}") from error
            if isinstance(array, pa.ChunkedArray):
                array = array.combine_chunks()
            if array.null_count and not field.nullable:
                raise ValueError(
                    f"table {self.name!r}, column {field.name!r}: {array.null_count} nulls in a "
                    "column that allows none"
                )
            arrays.append(array)
        return pa.Table.from_arrays(arrays, schema=self.arrow)

    def empty(self) -> pd.DataFrame:
        """Return a frame of no rows with the right columns and types."""
        return to_frame(self.arrow.empty_table())


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert to pandas; integers that may be null stay integers (pandas' ``Int64``).

    Plain ``to_pandas`` would make them floats, which cannot hold a nanosecond.
    """
    frame = table.to_pandas()
    for field in table.schema:
        if field.nullable and pa.types.is_integer(field.type):
            frame[field.name] = table[field.name].to_pandas(
                types_mapper={field.type: pd.Int64Dtype()}.get
            )
    return frame


def table(asset: str, name: str, known_at: str, /, **columns: tuple[str, str]) -> TableSchema:
    """Declare a table; columns are (type, description), and a type with ``?`` may hold nulls."""
    fields = [
        pa.field(
            column,
            _TYPES[type_name.removesuffix("?")],
            nullable=type_name.endswith("?"),
            metadata={"description": description},
        )
        for column, (type_name, description) in columns.items()
    ]
    if known_at not in columns:
        raise ValueError(f"table {name!r} has no column {known_at!r} to serve as known_at")
    return TableSchema(asset, name, pa.schema(fields, metadata={"known_at": known_at}), known_at)


KNOWN_AT = ("i64", "moment from which this row may be used, UTC ns")
ODDS = {
    "p0_up": ("f64", "chance that a driftless path meets `upper` first; known at the event"),
    "p0_none": ("f64", "the same of neither barrier within the horizon"),
    "p0_down": ("f64", "the same of `lower` first: the take-profit of a short"),
}
"""Driftless odds of an event, in price: of the barriers, whichever side is traded."""
EVENT = ("i64", "close of the event's bar, UTC ns; unique within a study")
