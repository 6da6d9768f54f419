"""Compare two stores at a moment: what one knew by then must be the same bytes in the other.

In a month that was over that is everything; in any other month, the rows whose `known_at` says
so. Nothing is run here.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load as load_tensors

from price_physics.audit.findings import Coverage, Leak, utc
from price_physics.audit.row_leaks import ABSENT, row_leaks
from price_physics.store.partitions import Partition

TABLE = ".parquet"
_DIFFERS = "depends on later ticks"
_UNKNOWN = "", ""
_SHOWN = 100


@dataclass
class Comparison:
    """Leaks and coverage of one partition in two stores, or of several."""

    leaks: list[Leak] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)


def compare_partitions(base: Partition, tampered: Partition, t_ns: int) -> Comparison:
    """Compare one partition of two stores whose ticks are the same up to `t_ns`.

    Parameters
    ----------
    base, tampered : Partition
        Partitions of the same asset and month.
    t_ns : int
        UTC ns.

    Returns
    -------
    Comparison
        `coverage.felt` is 1 where the partition changed, but only after the moment.

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
            leaks = [member.leak("(rest of the file)", "", None, _UNKNOWN)]
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
        values: Sequence[object],
        n_rows: int = 1,
        reason: str = _DIFFERS,
    ) -> Leak:
        base, tampered = (str(value)[:_SHOWN] for value in values)
        place = self.t_ns, self.asset, self.month, self.member
        return Leak(*place, column, row, known_at_ns, base, tampered, n_rows, reason)


# ---------------------------------------------------------------------------- whole files
def _compare_marks(base: Partition, tampered: Partition, place: _Place) -> Iterator[Leak]:
    for name in ("warm_up", "synthetic", "in_sample", "known_at"):
        pair = [partition.manifest.get(name) for partition in (base, tampered)]
        if pair[0] != pair[1]:
            yield place.leak(f"manifest {name}", "", base.manifest["known_at"], pair)


def _compare_files(base: Partition, tampered: Partition, place: _Place) -> list[Leak]:
    """Find where two members of a month that was over differ."""
    name, known_at = place.member, base.manifest["known_at"]
    there = [ABSENT if name not in p.file_names else "there" for p in (base, tampered)]
    if ABSENT in there:
        return [place.leak("(file)", "", known_at, there)]
    content = [partition.file(name) for partition in (base, tampered)]
    if name.endswith(".json"):
        path, *pair = _first_difference("", *(json.loads(c) for c in content))
        return [place.leak(path, "", known_at, pair)]
    if name.endswith(".safetensors"):
        return [_tensor_leak([load_tensors(c) for c in content], place, known_at)]
    return [place.leak("", "", known_at, [f"{len(c)} bytes" for c in content])]


def _first_difference(path: str, base: Any, tampered: Any) -> tuple[str, Any, Any]:
    """Path and values of the first difference between two JSON documents."""
    if isinstance(base, dict) and isinstance(tampered, dict):
        for key in sorted(base.keys() | tampered.keys()):
            pair = base.get(key, ABSENT), tampered.get(key, ABSENT)
            if pair[0] != pair[1]:
                return _first_difference(f"{path}.{key}".lstrip("."), *pair)
    if isinstance(base, list) and isinstance(tampered, list):
        for place, pair in enumerate(zip(base, tampered, strict=False)):
            if pair[0] != pair[1]:
                return _first_difference(f"{path}[{place}]", *pair)
        return f"{path}, length", len(base), len(tampered)
    return path, base, tampered


def _tensor_leak(content: Sequence[dict[str, np.ndarray]], place: _Place, known_at_ns: int) -> Leak:
    """Find the first tensor that differs, and where."""
    base, tampered = content
    shapes = [{name: a.shape for name, a in side.items()} for side in content]
    for name in sorted(base.keys() | tampered.keys()):
        shape = [side.get(name, ABSENT) for side in shapes]
        if shape[0] != shape[1]:
            return place.leak(f"{name}, shape", "", known_at_ns, shape)
        one, other = (np.ascontiguousarray(side[name]).reshape(-1) for side in content)
        differ = one.view(np.uint8) != other.view(np.uint8)
        if differ.any():
            at = int(np.flatnonzero(differ)[0]) // one.itemsize
            return place.leak(name, f"element {at}", known_at_ns, (one[at], other[at]))
    return place.leak("", "", known_at_ns, _UNKNOWN)


# ---------------------------------------------------------------------------- tables
def _compare_tables(
    base: Partition, tampered: Partition, place: _Place, same: bool
) -> tuple[int, list[Leak]]:
    """Count the base's rows that were known by the moment, and find the leaks among them."""
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
        return n_known, [*leaks, place.leak("(schema)", "", None, (table.schema, other.schema))]
    found = row_leaks(table, other, column, place.t_ns)
    return n_known, leaks + [place.leak(**asdict(leak)) for leak in found]


def _known_at_column(partition: Partition, place: _Place) -> tuple[str | None, list[Leak]]:
    """Find the column that says when a row is known; a table without one fails the audit."""
    schema = pq.read_schema(io.BytesIO(partition.file(place.member)))
    column = partition.manifest["files"][place.member].get("known_at")
    if column in schema.names:
        field_of = schema.field(column)
        if field_of.type == pa.int64() and not field_of.nullable:
            return column, []
    reason = "no known_at: name an int64 column without nulls in its module of schemas"
    return None, [place.leak(str(column), "", None, _UNKNOWN, reason=reason)]


def _late_rows(known_at: np.ndarray, end_ns: int, column: str, place: _Place) -> list[Leak]:
    """Find rows that became known after the partition's month ended."""
    late = np.flatnonzero(known_at > end_ns)
    if not len(late):
        return []
    first = int(known_at[late[0]])
    reason = f"the month ended at {utc(end_ns)}, the row is of a later one"
    row = f"number {late[0]}"
    return [place.leak(column, row, first, (utc(first), utc(first)), len(late), reason)]
