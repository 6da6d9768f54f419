"""When a month of an asset was computed, and by which run of Dagster: MLflow shows both."""

import time
from dataclasses import dataclass, field

import dagster as dg

from price_physics.store.partitions import MANIFEST, Partition

COMPUTED = "computed"
"""Metadata of a month: false where a run found it in the store."""
_NEWEST = 100
"""Records of a month that are looked through, the newest first."""


@dataclass(frozen=True)
class Made:
    """Start and end of a computation, in ms since 1970, and tags that lead back to its run."""

    start_ms: int
    end_ms: int
    tags: dict[str, str] = field(default_factory=dict)


def made_now(start_s: float, context: dg.AssetExecutionContext) -> Made:
    """What began at `start_s` (as `time.time` gives it) and ends now."""
    tags = {"dagster.run_id": context.run.run_id, "dagster.partition": context.partition_key}
    return Made(int(start_s * 1e3), time.time_ns() // 1_000_000, tags)


def made_before(instance: dg.DagsterInstance, partition: Partition) -> Made:
    """Find in Dagster's records when a stored partition was computed, not when it was found.

    Where these know nothing of the bytes in the store, the manifest's file tells when they were
    written, and how long that took stays unknown: start and end are the same.
    """
    tags = {"dagster.partition": partition.month.key}
    found = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(list(partition.key)), asset_partitions=[*tags.values()]),
        limit=_NEWEST,
    ).records
    for record in found:
        entry, made = record.event_log_entry, record.asset_materialization
        versions = (made.tags or {}).get("dagster/data_version") if made else None
        computed = made.metadata.get(COMPUTED) if made else None
        only_found = computed is not None and not computed.value
        if versions != partition.data_version or entry.step_key is None or only_found:
            continue
        for step in instance.get_run_step_stats(entry.run_id, [entry.step_key]):
            if step.start_time and step.end_time:
                tags["dagster.run_id"] = entry.run_id
                return Made(int(step.start_time * 1e3), int(step.end_time * 1e3), tags)
    written_ms = int((partition.folder / MANIFEST).stat().st_mtime * 1e3)
    return Made(written_ms, written_ms, tags)
