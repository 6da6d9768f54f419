"""The DAG as Dagster sees it: a snapshot, no edge into the future, no heavy import."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from price_physics.months import Month
from price_physics.orchestration.build import build_definitions
from price_physics.pipeline.dag import STAGES, months_read
from price_physics.pipeline.versions import SECTIONS, code_version, settings_hash
from price_physics.source import closure
from price_physics.study.reading import load_configs
from price_physics_tests.e2e.projects import SMALL, make_project

ROOT = Path(__file__).parents[2]
SNAPSHOT = ROOT / "price_physics_tests" / "golden" / "definitions.txt"


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    """The shipped demo alone, whatever else lies in configs."""
    folder = tmp_path_factory.mktemp("shipped")
    return build_definitions(make_project(folder, "2011-09", "2012-05", edits={}))


def describe(definitions: dg.Definitions) -> str:
    """Write down every asset, edge, job and schedule, one a line."""
    lines = []
    for spec in sorted(definitions.resolve_all_asset_specs(), key=lambda s: s.key):
        kinds = ",".join(sorted(spec.kinds))
        lines.append(f"{spec.key.to_user_string()} [{spec.group_name}; {kinds}]")
        for dep in sorted(spec.deps, key=lambda d: d.asset_key):
            lines.append(f"    reads {dep.asset_key.to_user_string()}")
    repository = definitions.get_repository_def()
    for key in sorted(repository.asset_graph.asset_check_keys):
        blocks = " blocks" if repository.asset_graph.get_check_spec(key).blocking else ""
        lines.append(f"check {key.asset_key.to_user_string()} {key.name}{blocks}")
    lines += [f"job {job}" for job in sorted(repository.job_names) if not job.startswith("__")]
    lines += [f"schedule {s.name} {s.cron_schedule}" for s in repository.schedule_defs]
    lines += [f"sensor {s.name}" for s in repository.sensor_defs]
    return "\n".join(lines) + "\n"


def test_snapshot(definitions: dg.Definitions) -> None:
    """To accept a change of the DAG, delete the golden file and run this test twice."""
    text = describe(definitions)
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(text)
        pytest.fail(f"wrote {SNAPSHOT}; read it, and commit it if it is right")
    assert text == SNAPSHOT.read_text()


def test_every_asset_is_described_and_grouped(definitions: dg.Definitions) -> None:
    for spec in definitions.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.group_name in {"market", "labels", "learning", "verdict"}
        assert spec.kinds
        assert spec.owners


def test_no_edge_points_into_the_future() -> None:
    order = list(STAGES)
    for position, (asset, stage) in enumerate(STAGES.items()):
        for upstream, (first, last) in stage.reads.items():
            assert first <= last <= 0, (asset, upstream)
            if last == 0:
                assert order.index(upstream) < position, (asset, upstream)


def test_every_asset_but_ticks_reads_something_of_its_own_month() -> None:
    """A mapping to earlier months alone drops the first month of a backfill without a word."""
    for asset, stage in STAGES.items():
        assert asset == "ticks" or any(last == 0 for _, last in stage.reads.values()), asset


def test_months_read() -> None:
    first, month = Month(2011, 9), Month(2011, 11)
    assert months_read((-2, 0), month, first) == Month.span(first, month)
    assert months_read((-1, -1), month, first) == [Month(2011, 10)]
    assert months_read((-1, -1), first, first) == []
    assert months_read((-360, 0), month, first) == Month.span(first, month)


def test_an_asset_says_which_months_it_reads(definitions: dg.Definitions) -> None:
    specs = {s.key.to_user_string(): s for s in definitions.resolve_all_asset_specs()}
    text = specs["demo/probabilities"].description or ""
    assert "Month m reads: model of m-1; barrier_policy of m-1; bars of m-1 to m;" in text
    assert "bars of every month up to m" in (specs["demo/regime_features"].description or "")


@pytest.mark.slow
def test_loading_the_definitions_loads_nothing_heavy() -> None:
    code = (
        "import sys; import price_physics.definitions; "
        "print([m for m in ('torch', 'mlflow', 'pyts', 'matplotlib', 'numba') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "PRICE_PHYSICS_ROOT"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_code_versions_follow_imports_and_settings() -> None:
    _, studies = load_configs(ROOT / "configs")
    study = studies["demo"]
    other = study.model_copy(
        update={"model": study.model.model_copy(update={"architecture": "patchify"})}
    )
    versions = {asset: code_version(asset, study) for asset in STAGES}
    assert len(set(versions.values())) == len(STAGES)
    of_networks = {a for a in STAGES if code_version(a, other) != versions[a]}
    assert of_networks == {"model", "probabilities", "motifs"}


def test_every_section_that_a_stage_obeys_is_declared_somewhere() -> None:
    obeyed = {section for stage in STAGES.values() for section in stage.obeys}
    assert obeyed == {*SECTIONS, "seed", "*"}
    for module in SECTIONS.values():
        assert f"price_physics.study.{module}" in closure("price_physics.study.reading")


def test_settings_reach_the_assets_that_obey_them() -> None:
    markets, studies = load_configs(ROOT / "configs")
    study, market = studies["demo"], markets["bitstamp_usd"]
    dearer = study.model_copy(
        update={"walk_forward": study.walk_forward.model_copy(update={"fee_bps": 99.0})}
    )
    changed = {
        asset
        for asset in STAGES
        if settings_hash(asset, study, market) != settings_hash(asset, dearer, market)
    }
    assert changed == {"predictions", "walk_forward", "report"}


def test_a_model_that_may_serve_on_reads_the_month_before(tmp_path: Path) -> None:
    project = make_project(tmp_path, edits={**SMALL, "model.refit_every_months": 3})
    specs = {
        s.key.to_user_string(): s for s in build_definitions(project).resolve_all_asset_specs()
    }
    (edge,) = (d for d in specs["demo/model"].deps if d.asset_key == specs["demo/model"].key)
    mapping = edge.partition_mapping
    assert isinstance(mapping, dg.TimeWindowPartitionMapping)
    assert (mapping.start_offset, mapping.end_offset) == (-1, -1)
