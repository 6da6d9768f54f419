"""Between Dagster and the store: one IO manager for every asset.

An input is always a mapping of month to partition, opened but not loaded: the months of its window
in `pipeline.dag`. What was opened is what the manifest of the output records.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import dagster as dg

from price_physics.errors import PartitionMissing
from price_physics.machine_faults import machine_faults
from price_physics.months import Month
from price_physics.pipeline.dag import months_read
from price_physics.pipeline.publish import publish, publish_missing
from price_physics.schemas.table import TableSchema
from price_physics.store.artefact import Artefact, column_types
from price_physics.store.partitions import Key, Partition, Store

WINDOW = "months"
"""Metadata of an input: the first and last month that is read, as offsets from m."""


@dataclass(frozen=True)
class Expected:
    """Today's settings hash and tables, without which a partition is not read, and code version."""

    settings: str
    code: str
    tables: tuple[TableSchema, ...]


class PartitionIOManager(dg.IOManager):
    """Write artefacts to the store, and hand over months of partitions.

    Parameters
    ----------
    store : Store
    outputs : Path
        Folder of the copies for people.
    expected : mapping of (owner, asset) to Expected
    on_written : callable, optional
        Called with each partition once it is written, for progress bars.
    """

    def __init__(
        self,
        store: Store,
        outputs: Path,
        expected: Mapping[Key, Expected],
        on_written: Callable[[Partition], None] | None = None,
    ) -> None:
        self._store = store
        self._outputs = outputs
        self._expected = expected
        self._on_written = on_written
        self._read: dict[tuple[str, str], list[Partition]] = defaultdict(list)

    def load_input(self, context: dg.InputContext) -> Mapping[Month, Partition]:
        """Open the partitions of an input.

        Raises
        ------
        PartitionMissing
            When an earlier month was never materialised, or its settings or columns are not
            today's; the message names the command that builds it.
        """
        owner, asset = context.asset_key.path
        first = Month.parse(
            context.asset_partitions_def.get_first_partition_key()
            or context.step_context.partition_key
        )
        back, ahead = context.definition_metadata[WINDOW]
        months = months_read((back, ahead), Month.parse(context.step_context.partition_key), first)
        missing = [m for m in months if not self._is_readable((owner, asset), m)]
        step = context.step_context.step.key
        if missing:
            start = next(
                m for m in Month.span(first, months[-1]) if not self._is_readable((owner, asset), m)
            )
            raise PartitionMissing(_missing(owner, asset, missing, start, context))
        run_step = (context.step_context.run_id, step)
        partitions = {m: self._store.read((owner, asset), m) for m in months}
        self._read[run_step].extend(partitions.values())
        return partitions

    def _is_readable(self, key: Key, month: Month) -> bool:
        """Whether a month was materialised with today's settings and tables: variants never mix.

        If only the code is another, a month is stale but readable.
        """
        if not self._store.exists(key, month):
            return False
        partition, expected = self._store.read(key, month), self._expected[key]
        tables = {f"{schema.name}.parquet": column_types(schema) for schema in expected.tables}
        return (
            partition.manifest["config_hash"] == expected.settings and partition.schemas == tables
        )

    def handle_output(self, context: dg.OutputContext, obj: Artefact | Partition) -> None:
        """Commit the partition, unless it stands already; then publish what people open."""
        read = self._read.pop((context.run_id, context.step_context.step.key), [])
        if isinstance(obj, Partition):
            partition = obj
            publish_missing(self._outputs, partition)
        else:
            partition = self._write(context, obj, read)
        context.step_context.set_data_version(
            context.asset_key, dg.DataVersion(partition.data_version)
        )
        context.add_output_metadata(metadata_of(partition))
        if self._on_written and partition is not obj:
            self._on_written(partition)

    def _write(self, context: dg.OutputContext, obj: Artefact, read: list[Partition]) -> Partition:
        owner, asset = context.asset_key.path
        month = Month.parse(context.asset_partition_key)
        expected = self._expected[owner, asset]
        synthetic = obj.synthetic or any(p.synthetic for p in read)
        in_sample = obj.in_sample or any(p.in_sample for p in read)
        with machine_faults():
            partition = self._store.write(
                (owner, asset),
                month,
                replace(obj, synthetic=synthetic, in_sample=in_sample),
                code_version=expected.code,
                config_hash=expected.settings,
                inputs={**obj.inputs, **{p.name: p.data_version for p in read}},
            )
            publish(self._outputs, partition)
        return partition


def metadata_of(partition: Partition) -> dict[str, dg.MetadataValue]:
    """What every asset says of a month: where it lies, its rows, and what marks it."""
    rows = {
        name.removesuffix(".parquet"): entry["rows"]
        for name, entry in partition.manifest["files"].items()
        if "rows" in entry
    }
    metadata: dict[str, dg.MetadataValue] = {
        "path": dg.MetadataValue.path(str(partition.folder)),
        "bytes": dg.MetadataValue.int(
            sum(entry["bytes"] for entry in partition.manifest["files"].values())
        ),
        **{f"rows/{name}": dg.MetadataValue.int(count) for name, count in rows.items()},
    }
    if rows:
        metadata["dagster/partition_row_count"] = dg.MetadataValue.int(next(iter(rows.values())))
    if partition.warm_up:
        metadata["warm_up"] = dg.MetadataValue.text(partition.warm_up)
    if partition.synthetic:
        metadata["synthetic"] = dg.MetadataValue.bool(True)
    if partition.in_sample:
        metadata["in_sample"] = dg.MetadataValue.bool(True)
    return metadata


def _missing(
    owner: str, asset: str, missing: list[Month], start: Month, context: dg.InputContext
) -> str:
    study, reader = context.step_context.step.key.rsplit("__", 1)
    month = Month.parse(context.step_context.partition_key)
    shown = ", ".join(str(m) for m in missing[:6]) + (", ..." if len(missing) > 6 else "")
    return (
        f"{reader} of {month} reads {owner}/{asset} of {shown}, which was never materialised, or "
        f"with other settings or columns than today's. Run:  "
        f"make backfill STUDY={study} FROM={start} TO={month}  or  "
        f"price-physics backfill --study {study} --from {start} --to {month}"
    )
