"""When a stored month was computed: Dagster's records say it of the very bytes, or nobody does."""

import dagster as dg
import pytest

from price_physics.months import Month
from price_physics.orchestration.made import made_before
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import MANIFEST, Store

pytestmark = pytest.mark.e2e

APRIL = Month(2012, 4)


@pytest.fixture
def partition(tmp_path):
    artefact = Artefact(documents={"x": {"y": 1}})
    return Store(tmp_path).write(("toy", "ticks"), APRIL, artefact, code_version="1")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def materialise(instance, data_version, computed=True):
    @dg.asset(
        key=["toy", "ticks"],
        partitions_def=dg.MonthlyPartitionsDefinition("2012-01-01", end_date="2012-06-01"),
    )
    def ticks():
        return dg.MaterializeResult(
            data_version=dg.DataVersion(data_version), metadata={"computed": computed}
        )

    return dg.materialize([ticks], partition_key=APRIL.key, instance=instance).run_id


def test_the_step_that_wrote_the_bytes_gives_its_start_and_end(partition, instance):
    run = materialise(instance, partition.data_version)
    (step,) = instance.get_run_step_stats(run)
    made = made_before(instance, partition)
    assert (made.start_ms, made.end_ms) == (int(step.start_time * 1e3), int(step.end_time * 1e3))
    assert made.tags == {"dagster.run_id": run, "dagster.partition": "2012-04-01"}


@pytest.mark.parametrize("other", [None, "other bytes"])
def test_otherwise_the_manifest_says_when_it_was_written_and_nobody_how_long_it_took(
    partition, instance, other
):
    if other is not None:
        materialise(instance, other)
    made = made_before(instance, partition)
    written_ms = int((partition.folder / MANIFEST).stat().st_mtime * 1e3)
    assert (made.start_ms, made.end_ms) == (written_ms, written_ms)
    assert made.tags == {"dagster.partition": "2012-04-01"}


def test_a_run_that_only_found_the_month_did_not_make_it(partition, instance):
    made_by = materialise(instance, partition.data_version)
    materialise(instance, partition.data_version, computed=False)
    assert made_before(instance, partition).tags["dagster.run_id"] == made_by
