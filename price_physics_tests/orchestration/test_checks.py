"""The three levels of what is wrong with ticks, as Dagster records them."""

import dagster as dg
import pytest

from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.checks.ticks import HOLES, ODD, QUARANTINE, STOP
from price_physics.project import Project
from price_physics_tests.e2e.projects import SAMPLE, make_project

pytestmark = pytest.mark.e2e

KEY = dg.AssetKey(["bitstamp_usd", "ticks"])
APRIL, MAY = "2012-04-01", "2012-05-01"


def materialise(project: Project, instance: dg.DagsterInstance, month: str):
    definitions = build_definitions(project)
    return dg.materialize(
        list(definitions.assets or []),  # type: ignore[arg-type]
        partition_key=month,
        instance=instance,
        resources=definitions.resources,
        selection=[KEY, dg.AssetKey(["demo", "bars"])],
        raise_on_error=False,
    )


def records(instance: dg.DagsterInstance, name: str) -> list[tuple[str | None, bool]]:
    """Month and outcome of every evaluation of a check, the latest first."""
    found = instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(KEY, name), limit=9
    )
    return [(r.partition, r.status.value == "SUCCEEDED") for r in found]


@pytest.fixture
def project(tmp_path) -> Project:
    return make_project(tmp_path, "2012-04", "2012-05")


def test_what_is_set_aside_and_odd_is_counted_for_its_month(project: Project) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialise(project, instance, APRIL).success
        assert materialise(project, instance, MAY).success
        assert records(instance, STOP) == [(MAY, True), (APRIL, True)]
        # May holds one zero amount, far below the market's limit
        assert records(instance, QUARANTINE) == [(MAY, True), (APRIL, True)]
        assert records(instance, ODD) == [(MAY, True), (APRIL, True)]
        evaluations = materialise(project, instance, MAY).get_asset_check_evaluations()
    by_name = {e.check_name: e for e in evaluations}
    assert by_name[QUARANTINE].severity == dg.AssetCheckSeverity.WARN
    assert by_name[QUARANTINE].metadata["qty is not above zero"].value == 1
    assert by_name[ODD].metadata["sides_inferred_share"].value == 1
    assert 0 < by_name[ODD].metadata["score"].value < 1


def test_a_clean_month_passes_every_check(tmp_path) -> None:
    rows = "".join(
        f"{day * 86_400 + hour * 3600 + 1_333_238_400},{100 + (day + hour) % 7},1,buy\n"
        for day in range(30)
        for hour in range(24)
    )
    ticks = ("timestamp,price,qty,side\n" + rows).encode()
    project = make_project(tmp_path, "2012-04", "2012-04", ticks=ticks)
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialise(project, instance, APRIL).success
        assert [records(instance, name) for name in (STOP, QUARANTINE, ODD, HOLES)] == [
            [(APRIL, True)]
        ] * 4


def test_a_file_that_cannot_be_trusted_stops_the_month_and_what_follows(tmp_path) -> None:
    project = make_project(tmp_path, "2012-05", "2012-05", ticks=SAMPLE.read_bytes()[:-20])
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialise(project, instance, MAY)
        assert not result.success
        assert records(instance, STOP) == [(MAY, False)]
        (evaluation,) = result.get_asset_check_evaluations()
        assert "is cut off" in (evaluation.description or "")
        assert evaluation.severity == dg.AssetCheckSeverity.ERROR
        assert not result.asset_materializations_for_node("bitstamp_usd__ticks")
    assert not list(project.store.rglob("manifest.json"))


def test_the_first_level_blocks(project: Project) -> None:
    ticks = next(a for a in build_definitions(project).assets or [] if KEY in a.keys)  # type: ignore[union-attr]
    blocking = {spec.name: spec.blocking for spec in ticks.check_specs}  # type: ignore[union-attr]
    assert blocking.pop(STOP)
    assert not any(blocking.values())
