"""Compare the rows of a table in two runs: those known by a moment must be the same bytes.

Nothing here knows which table it is, or of which month.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from price_physics.audit.findings import utc
from price_physics.schemas.table import to_frame

ABSENT = "(not there)"

_Positions = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RowLeak:
    """A column in which rows differ, with the first of them and its two values.

    The column is "(row)" where rows appeared or vanished, "(order of rows)" where only their order
    differs.
    """

    column: str
    row: str
    known_at_ns: int | None
    values: tuple[str, str]
    n_rows: int = 1


def row_leaks(base: pa.Table, tampered: pa.Table, known_at: str, t_ns: int) -> list[RowLeak]:
    """Compare the rows of two tables that one or the other says were known by `t_ns`.

    Parameters
    ----------
    base, tampered : pyarrow.Table
        Of one schema.
    known_at : str
        The int64 column that says when a row is known.
    t_ns : int
        UTC ns.

    Returns
    -------
    list of RowLeak
        One a column, in the table's order.
    """
    sides = _with_bits(base), _with_bits(tampered)
    masks = [side[known_at].to_numpy() <= t_ns for side in sides]
    past = [side.filter(pa.array(mask)) for side, mask in zip(sides, masks, strict=True)]
    if past[0].equals(past[1]):
        return []
    key = _key(*sides)
    if past[0][key[0]].equals(past[1][key[0]]):  # the same rows, one by one
        first, second = (np.flatnonzero(mask) for mask in masks)
    else:
        first, second = _aligned(*sides, key)
    in_base, in_tampered = first >= 0, second >= 0
    # the False at the end is for position -1: a row that is not there was not known
    relevant = np.append(masks[0], False)[first] | np.append(masks[1], False)[second]
    differ: dict[str, _Mask] = {}
    for column in base.column_names:
        differ[column] = relevant & in_base & in_tampered
        rows = first[differ[column]], second[differ[column]]
        differ[column][differ[column]] = _unequal(sides[0][column], sides[1][column], *rows)
    differ["(row)"] = relevant & (in_base != in_tampered)
    leaks = []
    for column, mask in differ.items():
        if mask.any():
            at = int(np.flatnonzero(mask)[0])
            one, other = int(first[at]), int(second[at])
            table, row = (base, one) if one >= 0 else (tampered, other)
            name = ", ".join(f"{part} {_value(table, part, row)}" for part in key)
            values = _value(base, column, one), _value(tampered, column, other)
            known_at_ns = table[known_at][row].as_py()
            leaks.append(RowLeak(column, name, known_at_ns, values, int(mask.sum())))
    return leaks or [RowLeak("(order of rows)", "", None, ("", ""))]


def _with_bits(table: pa.Table) -> pa.Table:
    """Replace floats by their bits: NaN equals itself, and 0.0 is not -0.0."""
    columns = []
    for column in table.columns:
        if pa.types.is_floating(column.type):
            values = column.fill_null(0.0).to_numpy().astype(np.float64)
            column = pa.array(values.view(np.int64), mask=column.is_null().to_numpy())
        columns.append(column)
    return pa.table(columns, names=table.column_names)


def _key(base: pa.Table, tampered: pa.Table) -> list[str]:
    """The first column, or the first two if only both identify a row in either table."""
    names = base.column_names
    for n in (1, 2):
        frames = [to_frame(side.select(names[:n])) for side in (base, tampered)]
        if not any(frame.duplicated().any() for frame in frames):
            return names[:n]
    return names[:1]


def _aligned(base: pa.Table, tampered: pa.Table, key: list[str]) -> tuple[_Positions, _Positions]:
    """Match rows by key: positions in both tables, -1 where there is none.

    Of several rows with the same key, the first matches the first, and so on.
    """
    frames = []
    for name, side in (("base", base), ("tampered", tampered)):
        frame = to_frame(side.select(key))
        frame["#"] = frame.groupby(key, sort=False, dropna=False).cumcount()
        frames.append(frame.assign(**{name: np.arange(len(frame))}))
    both = pd.merge(*frames, on=[*key, "#"], how="outer")
    first, second = (both[name].fillna(-1).to_numpy(np.int64) for name in ("base", "tampered"))
    return first, second


def _unequal(
    base: pa.ChunkedArray, tampered: pa.ChunkedArray, first: _Positions, second: _Positions
) -> _Mask:
    one, other = base.take(pa.array(first)), tampered.take(pa.array(second))
    same = pc.fill_null(pc.equal(one, other), False)
    both_null = pc.and_(pc.is_null(one), pc.is_null(other))
    return ~pc.or_(same, both_null).to_numpy().astype(np.bool_)


def _value(table: pa.Table, column: str, row: int) -> str:
    if row < 0:
        return ABSENT
    if column not in table.column_names:
        return "there"
    value = table[column][row].as_py()
    is_time = column.endswith("_ns") or column == "known_at"
    return f"{value} ({utc(value)})" if is_time and value is not None else repr(value)
