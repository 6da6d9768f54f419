"""Whatever asks for months: those months run, in order, and what is current is not computed."""

import errno
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import dagster as dg
import pytest
import yaml

from price_physics.errors import PricePhysicsError
from price_physics.months import Month
from price_physics.orchestration import step
from price_physics.orchestration.backfill import run_backfill
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.checks.finding import Check, Finding
from price_physics.orchestration.step import AGAIN_TAG
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.pipeline.dag import STAGES
from price_physics.project import Project
from price_physics.store.partitions import Store
from price_physics_tests.e2e.projects import ROOT, make_project

pytestmark = pytest.mark.e2e

FIRST = Month(2012, 1)
ASSETS = ("bars", "regime_features", "excursions", "barrier_policy", "labels", "weights")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "data" / "dagster"))
    return make_project(tmp_path)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def materialise(
    project: Project, instance: dg.DagsterInstance, month: Month = FIRST, **more: object
) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(project)
    keys = [dg.AssetKey(["bitstamp_usd", "ticks"])]
    keys += [dg.AssetKey(["demo", name]) for name in ASSETS]
    return dg.materialize(
        list(definitions.assets or []),  # type: ignore[arg-type]
        partition_key=month.key,
        instance=instance,
        resources=definitions.resources,
        selection=keys,
        raise_on_error=False,
        **more,  # type: ignore[arg-type]
    )


def computed(result: dg.ExecuteInProcessResult) -> list[str]:
    """Assets that were computed in a run, not found."""
    events = [
        e.step_materialization_data.materialization
        for e in result.all_events
        if e.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION
    ]
    return [e.asset_key.path[-1] for e in events if e.metadata["computed"].value]


def test_what_is_current_is_found_with_the_same_version(
    project: Project, instance: dg.DagsterInstance
) -> None:
    once = materialise(project, instance)
    assert set(computed(once)) == {"ticks", *ASSETS}
    path = Store(project.store).folder(("demo", "labels"), FIRST) / "manifest.json"
    written_ns = path.stat().st_mtime_ns
    again = materialise(project, instance)
    assert again.success
    assert computed(again) == []
    assert path.stat().st_mtime_ns == written_ns
    for result in (once, again):
        (event,) = result.asset_materializations_for_node("demo__labels")
        assert event.metadata["labels/up"].value > 0, "what is plotted is there either way"
    versions = {
        (r.asset_materializations_for_node("demo__labels")[0].tags or {})["dagster/data_version"]
        for r in (once, again)
    }
    assert len(versions) == 1


def test_only_what_changed_is_computed(project: Project, instance: dg.DagsterInstance) -> None:
    materialise(project, instance)
    (Store(project.store).folder(("demo", "excursions"), FIRST) / "manifest.json").unlink()
    assert computed(materialise(project, instance)) == ["excursions"], "its bytes are the same"


def test_a_tag_computes_all_the_same(project: Project, instance: dg.DagsterInstance) -> None:
    materialise(project, instance)
    again = materialise(project, instance, tags={AGAIN_TAG: "yes"})
    assert set(computed(again)) == {"ticks", *ASSETS}


def test_copies_that_were_deleted_come_back(project: Project) -> None:
    run_backfill(project, "demo", FIRST, FIRST)
    page = project.outputs / "demo" / "reports" / f"{FIRST}.html"
    page.unlink()
    definitions = build_definitions(project)
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def("demo_month")
        result = job.execute_in_process(partition_key=FIRST.key, instance=instance)
    assert computed(result) == []
    assert page.exists()


def test_a_check_that_blocks_writes_nothing_and_stops_what_follows(
    project: Project, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = Check(
        "prices_fit", lambda case: Finding(False, "3 rows: odd"), "All is well.", "Mend it.", True
    )
    evaluation = step.Evaluation(wrong, wrong.look(None))  # type: ignore[arg-type]
    evaluate = step.evaluate

    def with_a_fault(asset: str, case: step.Case) -> list[step.Evaluation]:
        found = evaluate(asset, case)
        own = [evaluation] if asset == "bars" else []
        return own + [e for e in found if not (own and e.check.name == wrong.name)]

    monkeypatch.setattr(step, "evaluate", with_a_fault)
    result = materialise(project, instance)
    assert not result.success
    failed = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert [(e.check_name, e.severity) for e in failed] == [
        ("prices_fit", dg.AssetCheckSeverity.ERROR)
    ]
    assert not Store(project.store).exists(("demo", "bars"), FIRST)
    assert not Store(project.store).exists(("demo", "regime_features"), FIRST)
    monkeypatch.chdir(project.root)
    with pytest.raises(PricePhysicsError, match=r"bars 2012-01: prices_fit: 3 rows: odd. Mend it"):
        run_backfill(project, "demo", FIRST, FIRST)


def test_what_a_check_blocks_is_not_in_mlflow(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(
        MlflowTracking, "log_or_warn", lambda self, *told: logged.append(told[-1].asset)
    )
    evaluate = step.evaluate

    def blocks(wrong: set[str], asset: str, case: step.Case) -> list[step.Evaluation]:
        found = evaluate(asset, case)
        check = replace(found[0].check, blocking=True)
        return [step.Evaluation(check, Finding(False, "odd"))] if asset in wrong else found

    for wrong in ({"model"}, {"report", "motifs"}):
        with monkeypatch.context() as patch:
            patch.setattr(step, "evaluate", partial(blocks, wrong))
            with pytest.raises(PricePhysicsError, match=r" 2012-01: \w+: odd"):
                run_backfill(project, "demo", FIRST, FIRST)
            assert not wrong & set(logged)
    run_backfill(project, "demo", FIRST, FIRST)
    assert sorted(logged) == ["model", "motifs", "report"]


def test_a_fault_of_the_machine_during_checks_is_said_in_a_sentence(
    project: Project, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(asset: str, case: step.Case) -> list[step.Evaluation]:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/x")

    monkeypatch.setattr(step, "evaluate", full)
    (failure,) = (e for e in materialise(project, instance).all_events if e.is_step_failure)
    assert "free some space there" in str(failure.step_failure_data.error)


def test_edges_say_the_same_month_and_each_study_is_a_pool(project: Project) -> None:
    """A backfill of months is then one run a month, and a queue runs one of a study at a time."""
    definitions = build_definitions(project)
    for spec in definitions.resolve_all_asset_specs():
        for dep in spec.deps:
            assert isinstance(dep.partition_mapping, dg.IdentityPartitionMapping), spec.key
    pools = {
        asset.key.path[0]: asset.op.pool  # type: ignore[union-attr]
        for asset in definitions.assets or []
    }
    assert pools == {"bitstamp_usd": None, "demo": "demo"}
    queue = yaml.safe_load((ROOT / "dagster.yaml").read_text())["concurrency"]
    assert queue["pools"] == {"granularity": "run", "default_limit": 1}


def test_a_backfill_of_the_lineage_asks_for_its_months_alone(project: Project) -> None:
    """What Dagster's own backfill targets, for three roots and all that is downstream."""
    graph = build_definitions(project).resolve_asset_graph()
    ticks = dg.AssetKey(["bitstamp_usd", "ticks"])
    keys = {m.key for m in (FIRST + 1, FIRST + 2)}
    subset = graph.get(ticks).partitions_def.subset_with_partition_keys(sorted(keys))
    seen, waiting = {ticks: subset}, [ticks]
    while waiting:
        parent = waiting.pop()
        for child in graph.get(parent).child_keys:
            mapping = graph.get_partition_mapping(child, parent_asset_key=parent)
            below = mapping.get_downstream_partitions_for_partitions(
                seen[parent],
                graph.get(parent).partitions_def,
                downstream_partitions_def=graph.get(child).partitions_def,
            )
            if child not in seen:
                seen[child] = below
                waiting.append(child)
    assert len(seen) == len(STAGES)
    assert all(set(s.get_partition_keys()) == keys for s in seen.values())
