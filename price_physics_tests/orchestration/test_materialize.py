"""Assets through ``dg.materialize``: chained months on a temporary path, no home, no daemon."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from price_physics.errors import MachineError, PartitionMissing
from price_physics.months import Month
from price_physics.orchestration import memory
from price_physics.orchestration.build import build_definitions
from price_physics.project import Project
from price_physics.store.artefact import canonical_json
from price_physics.store.partitions import Store
from price_physics_tests.e2e.projects import make_project

pytestmark = pytest.mark.e2e

FIRST = Month(2012, 1)
UP_TO_LABELS = ("bars", "regime_features", "excursions", "barrier_policy", "labels", "weights")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return make_project(tmp_path)


def materialise(project: Project, month: Month) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(project)
    selection = [dg.AssetKey(["bitstamp_usd", "ticks"])]
    selection += [dg.AssetKey(["demo", name]) for name in UP_TO_LABELS]
    return dg.materialize(
        list(definitions.assets or []),  # type: ignore[arg-type]
        partition_key=month.key,
        resources=definitions.resources,
        selection=selection,
    )


def test_chained_months(project: Project) -> None:
    for month in (FIRST, FIRST + 1, FIRST + 2):
        assert materialise(project, month).success
    store = Store(project.store)
    march = FIRST + 2
    labels = store.read(("demo", "labels"), march)
    assert labels.manifest["inputs"].keys() == {
        *(f"demo/bars/{m}" for m in (FIRST, FIRST + 1, march)),
        *(f"bitstamp_usd/ticks/{m}" for m in (FIRST + 1, march)),
        *(f"demo/regime_features/{m}" for m in (FIRST + 1, march)),
        *(f"demo/barrier_policy/{m}" for m in (FIRST, FIRST + 1)),
    }
    frame = labels.table("labels")
    carried = frame["event_time_ns"] < march.start_ns
    assert carried.any(), "events of late February are labelled in March"
    assert (frame["horizon_end_ns"] >= march.start_ns).all()
    policy = store.read(("demo", "barrier_policy"), FIRST).table("barrier_policy")
    served = frame.loc[carried, "take_profit_multiple"].unique()
    assert list(served) == list(policy["take_profit_multiple"])
    assert len(store.read(("demo", "weights"), march).table("weights")) == sum(
        len(store.read(("demo", "labels"), m).table("labels")) for m in (FIRST, FIRST + 1, march)
    )


def test_materialising_again_gives_the_same_version(project: Project) -> None:
    versions = set()
    for _ in range(2):
        result = materialise(project, FIRST)
        events = result.asset_materializations_for_node("demo__bars")
        versions.add((events[0].tags or {})["dagster/data_version"])
    manifest = Store(project.store).read(("demo", "bars"), FIRST).manifest
    assert versions == {manifest["data_version"]}


def test_what_memory_does_not_hold_is_refused_before_it_starts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: 1_000)
    with pytest.raises(
        MachineError, match=r"demo 2012-01, bars: \d+ bars take about .*; raise bars"
    ):
        materialise(project, FIRST)
    assert not Store(project.store).exists(("demo", "bars"), FIRST)


def test_missing_earlier_month_fails_with_the_command(project: Project) -> None:
    with pytest.raises(PartitionMissing, match=r"make backfill STUDY=demo FROM=2012-01 TO=2012-02"):
        materialise(project, FIRST + 1)


def _edit_manifest(project: Project, asset: str, edit: Callable[[dict], None]) -> None:
    """Change what a partition says of itself, with a checksum that fits."""
    path = Store(project.store).folder(("demo", asset), FIRST) / "manifest.json"
    manifest = json.loads(path.read_bytes())
    del manifest["manifest_sha256"]
    edit(manifest)
    manifest["manifest_sha256"] = hashlib.sha256(canonical_json(manifest)).hexdigest()
    path.write_bytes(canonical_json(manifest))


def test_tables_of_older_code_are_refused_with_the_command(project: Project) -> None:
    materialise(project, FIRST)

    def other_code(manifest: dict) -> None:
        manifest["code_version"] = "0" * 16

    _edit_manifest(project, "regime_features", other_code)
    assert materialise(project, FIRST + 1).success, "merely stale: it can be read"

    def a_column_less(manifest: dict) -> None:
        del manifest["files"]["regime_features.parquet"]["schema"]["regime"]

    _edit_manifest(project, "regime_features", a_column_less)
    message = r"other settings or columns than today's\. .* FROM=2012-01 TO=2012-02"
    with pytest.raises(PartitionMissing, match=message):
        materialise(project, FIRST + 1)


def test_a_partition_key_that_is_none_is_refused(project: Project) -> None:
    definitions = build_definitions(project)
    with pytest.raises(dg.DagsterUnknownPartitionError):
        dg.materialize(
            list(definitions.assets or [])[:1],  # type: ignore[arg-type]
            partition_key="../../2012-01-01",
            resources=definitions.resources,
        )
