"""Two stores, one moment: whatever the one knew by then must be the same bytes in the other.

Of a month that was over, everything; of any other, the rows whose `known_at` says so. Nothing is
run here.
"""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from safetensors.numpy import load as load_tensors

from price_physics.orchestration.audit.findings import Coverage, Leak, utc
from price_physics.store.partitions import Partition

TABLE = ".parquet"
_DIFFERS = "depends on later ticks"
_ABSENT = "(not there)"
_SHOWN = 100


@dataclass
class Comparison:
    """What one partition, or several, said under two futures."""

    leaks: list[Leak] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)


def compare(base: Partition, tampered: Partition, t_ns: int) -> Comparison:
    """Compare one partition of two stores whose ticks are the same up to `t_ns`.

    Parameters
    ----------
    base, tampered : Partition
        Of the same asset and month.
    t_ns : int
        UTC ns.

    Returns
    -------
    Comparison
        `coverage.felt` is 1 where the partition changed only later.

    Raises
    ------
    PartitionCorrupt
        When a file is not what was written.
    """
    found = Comparison()
    is_over = base.manifest["known_at"] <= t_ns
    found.coverage.months = int(is_over)
    found.coverage.warm_up = int(is_over and base.warm_up is not None)
    place = _Place(t_ns, base.key[1], str(base.month))
    if is_over:
        found.leaks += _compare_marks(base, tampered, place)
    for name in dict.fromkeys([*base.file_names, *tampered.file_names]):
        entries = [partition.manifest["files"].get(name) for partition in (base, tampered)]
        same = None not in entries and entries[0]["sha256"] == entries[1]["sha256"]
        member = _Place(t_ns, base.key[1], str(base.month), name)
        leaks: list[Leak] = []
        if name.endswith(TABLE) and None not in entries:
            n_rows, leaks = _compare_tables(base, tampered, member, same)
            found.coverage.rows[name.removesuffix(TABLE)] = n_rows
        elif is_over:
            found.coverage.files += 1
            leaks = [] if same else _compare_files(base, tampered, member)
        if is_over and not same and not leaks:
            leaks = [member.leak("(rest of the file)", "", None, "", "")]
        found.leaks += leaks
        found.coverage.felt |= int(not same and not leaks)
    return found


@dataclass(frozen=True)
class _Place:
    """Where a leak is."""

    t_ns: int
    asset: str
    month: str
    member: str = ""

    def leak(
        self,
        column: str,
        row: str,
        known_at_ns: int | None,
        base: object,
        tampered: object,
        n_rows: int = 1,
        reason: str = _DIFFERS,
    ) -> Leak:
        values = (str(value)[:_SHOWN] for value in (base, tampered))
        return Leak(
            self.t_ns,
            self.asset,
            self.month,
            self.member,
            column,
            row,
            known_at_ns,
            *values,
            n_rows=n_rows,
            reason=reason,
        )


# ---------------------------------------------------------------------------- whole files
def _compare_marks(base: Partition, tampered: Partition, place: _Place) -> Iterator[Leak]:
    for name in ("warm_up", "synthetic", "known_at"):
        pair = [partition.manifest[name] for partition in (base, tampered)]
        if pair[0] != pair[1]:
            yield place.leak(f"manifest {name}", "", base.manifest["known_at"], *pair)


def _compare_files(base: Partition, tampered: Partition, place: _Place) -> list[Leak]:
    """Say where two members of a month that was over differ."""
    name, known_at = place.member, base.manifest["known_at"]
    there = [_ABSENT if name not in p.file_names else "there" for p in (base, tampered)]
    if _ABSENT in there:
        return [place.leak("(file)", "", known_at, *there)]
    content = [partition.file(name) for partition in (base, tampered)]
    if name.endswith(".json"):
        path, *pair = _first_difference(*(json.loads(c) for c in content), path="")
        return [place.leak(path, "", known_at, *pair)]
    if name.endswith(".safetensors"):
        return [_tensor_leak(*(load_tensors(c) for c in content), place, known_at)]
    sizes = [f"{len(c)} bytes" for c in content]
    return [place.leak("", "", known_at, *sizes)]


def _first_difference(base: Any, tampered: Any, path: str) -> tuple[str, Any, Any]:
    """Path and values of the first difference between two JSON documents."""
    if isinstance(base, dict) and isinstance(tampered, dict):
        for key in sorted(base.keys() | tampered.keys()):
            pair = base.get(key, _ABSENT), tampered.get(key, _ABSENT)
            if pair[0] != pair[1]:
                return _first_difference(*pair, path=f"{path}.{key}".lstrip("."))
    if isinstance(base, list) and isinstance(tampered, list):
        for place, pair in enumerate(zip(base, tampered, strict=False)):
            if pair[0] != pair[1]:
                return _first_difference(*pair, path=f"{path}[{place}]")
        return f"{path}, length", len(base), len(tampered)
    return path, base, tampered


def _tensor_leak(
    base: Mapping[str, np.ndarray], tampered: Mapping[str, np.ndarray], place: _Place, known_at: int
) -> Leak:
    for name in sorted(base.keys() | tampered.keys()):
        pair = [side.get(name) for side in (base, tampered)]
        if pair[0] is None or pair[1] is None or pair[0].shape != pair[1].shape:
            shapes = [_ABSENT if a is None else a.shape for a in pair]
            return place.leak(f"{name}, shape", "", known_at, *shapes)
        bits = [np.ascontiguousarray(a).reshape(-1).view(np.uint8) for a in pair]
        if not np.array_equal(*bits):
            size = pair[0].itemsize
            first = int(np.flatnonzero(bits[0] != bits[1])[0]) // size
            values = (a.reshape(-1)[first] for a in pair)
            return place.leak(name, f"element {first}", known_at, *values)
    return place.leak("", "", known_at, "", "")


# ---------------------------------------------------------------------------- tables
def _compare_tables(
    base: Partition, tampered: Partition, place: _Place, same: bool
) -> tuple[int, list[Leak]]:
    """Rows of the base that were known by the moment, and the leaks among them."""
    name = place.member
    column, leaks = _known_at_column(base, place)
    if column is None:
        return 0, leaks
    table = pq.read_table(io.BytesIO(base.file(name)), columns=[column] if same else None)
    known_at = table[column].to_numpy()
    leaks += _late_rows(known_at, base.manifest["known_at"], column, place)
    n_known = int((known_at <= place.t_ns).sum())
    if same:
        return n_known, leaks
    other = pq.read_table(io.BytesIO(tampered.file(name)))
    if other.schema != table.schema:
        return n_known, [*leaks, place.leak("(schema)", "", None, table.schema, other.schema)]
    pair = _Pair(_bits(table), _bits(other), column)
    return n_known, leaks + pair.leaks(table, other, place)


def _known_at_column(partition: Partition, place: _Place) -> tuple[str | None, list[Leak]]:
    """The column that says when a row is known; a table without one fails the audit."""
    schema = pq.read_schema(io.BytesIO(partition.file(place.member)))
    column = partition.manifest["files"][place.member].get("known_at")
    if column in schema.names and schema.field(column).type == pa.int64():
        if not schema.field(column).nullable:
            return column, []
    reason = "no known_at: name an int64 column without nulls in schemas.py"
    return None, [place.leak(str(column), "", None, "", "", reason=reason)]


def _late_rows(known_at: np.ndarray, end_ns: int, column: str, place: _Place) -> list[Leak]:
    """A partition holds what is known when its month ends."""
    late = np.flatnonzero(known_at > end_ns)
    if not len(late):
        return []
    first = int(known_at[late[0]])
    reason = f"the month ended at {utc(end_ns)}, the row is of a later one"
    row = f"number {late[0]}"
    return [place.leak(column, row, first, first, first, len(late), reason)]


def _bits(table: pa.Table) -> pa.Table:
    """Floats as their bits: NaN equals itself, and 0.0 is not -0.0."""
    columns = []
    for column in table.columns:
        if pa.types.is_floating(column.type):
            values = column.fill_null(0.0).to_numpy().astype(np.float64)
            column = pa.array(values.view(np.int64), mask=column.is_null().to_numpy())
        columns.append(column)
    return pa.table(columns, names=table.column_names)


class _Pair:
    """One table under two futures, floats as bits."""

    def __init__(self, base: pa.Table, tampered: pa.Table, known_at: str) -> None:
        self._base, self._tampered, self._known_at = base, tampered, known_at

    def leaks(self, base: pa.Table, tampered: pa.Table, place: _Place) -> list[Leak]:
        """Compare what was known; the tables with their values are for the words."""
        sides = (self._base, self._tampered)
        known = [side[self._known_at].to_numpy() <= place.t_ns for side in sides]
        past = [s.filter(pa.array(k)) for s, k in zip(sides, known, strict=True)]
        if past[0].equals(past[1]):
            return []
        key = self._key()
        rows = self._aligned(key)
        first, second = (rows[side].to_numpy() for side in ("base", "tampered"))
        in_base, in_tampered = first >= 0, second >= 0
        relevant = (in_base & known[0][first]) | (in_tampered & known[1][second])
        found = []
        for column in self._base.column_names:
            differ = relevant & in_base & in_tampered
            differ[differ] = self._differ(column, first[differ], second[differ])
            found.append((column, differ))
        found.append(("(row)", relevant & (in_base != in_tampered)))
        leaks = []
        for column, differ in found:
            if differ.any():
                at = int(np.flatnonzero(differ)[0])
                side, row = (base, first[at]) if in_base[at] else (tampered, second[at])
                known_at = side[self._known_at][int(row)].as_py()
                values = (
                    _value(table, column, int(r))
                    for table, r in ((base, first[at]), (tampered, second[at]))
                )
                shown = ", ".join(f"{k} {_value(side, k, int(row))}" for k in key)
                leaks.append(place.leak(column, shown, known_at, *values, int(differ.sum())))
        return leaks or [place.leak("(order of rows)", "", None, "", "")]

    def _key(self) -> list[str]:
        """The first column or the first two, where that names a row in both tables."""
        names = self._base.column_names
        for n in (1, 2):
            frames = (s.select(names[:n]).to_pandas() for s in (self._base, self._tampered))
            if not any(frame.duplicated().any() for frame in frames):
                return names[:n]
        return names[:1]

    def _aligned(self, key: list[str]) -> pd.DataFrame:
        """Positions of the same rows in `base` and `tampered`; -1 where there is none.

        Of several rows with one key the first goes with the first, and so on.
        """
        sides = []
        for name, table in (("base", self._base), ("tampered", self._tampered)):
            frame = table.select(key).to_pandas()
            frame["#"] = frame.groupby(key, sort=False, dropna=False).cumcount()
            frame[name] = np.arange(len(frame))
            sides.append(frame)
        both = sides[0].merge(sides[1], on=[*key, "#"], how="outer", sort=False)
        return both[["base", "tampered"]].fillna(-1).astype(np.int64)

    def _differ(self, column: str, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        one = self._base[column].combine_chunks().take(pa.array(first))
        other = self._tampered[column].combine_chunks().take(pa.array(second))
        same = pc.fill_null(pc.equal(one, other), False)
        both_null = pc.and_(pc.is_null(one), pc.is_null(other))
        return ~np.asarray(pc.or_(same, both_null), dtype=np.bool_)


def _value(table: pa.Table, column: str, row: int) -> str:
    if row < 0:
        return _ABSENT
    if column not in table.column_names:
        return "there"
    value = table[column][row].as_py()
    is_time = column.endswith("_ns") or column == "known_at"
    return f"{value} ({utc(value)})" if is_time and value is not None else repr(value)
