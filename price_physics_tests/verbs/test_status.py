"""`status` says of every asset which months are current, stale and why, or missing."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from price_physics.cli import main
from price_physics.months import Month
from price_physics.orchestration.durations import measured_seconds
from price_physics.pipeline.dag import STAGES
from price_physics.project import Project
from price_physics.source import source_version
from price_physics_tests.verbs.projects import edit, filled_project

N_PARTITIONS = 3 * len(STAGES)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(tmp_path))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return filled_project(tmp_path)


def status_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """What is said, by the first word of each line."""
    assert main(["status", *arguments]) == 0
    lines = [line.strip().split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    return dict(lines)


def test_what_is_current_says_so_and_asks_for_nothing(project, capsys):
    said = status_of(capsys, "--study", "demo")
    counts = f"{N_PARTITIONS} current, 0 stale, 0 missing"
    assert said["demo"] == f"on bitstamp_usd, 2012-01 to 2012-03: {counts}"
    assert said["model"] == "current 2012-01 to 2012-03"
    assert not {"time:", "next:", "files:"} & said.keys()


def test_settings_reach_what_reads_their_asset(project, capsys):
    edit(project.configs / "studies" / "demo.yaml", "return_minutes: 1440", "return_minutes: 1441")
    said = status_of(capsys)
    assert said["bars"] == "current 2012-01 to 2012-03"
    assert said["regime_features"] == "stale (settings) 2012-01 to 2012-03"
    assert said["labels"] == "stale (inputs) 2012-01 to 2012-03"
    assert said["time:"].startswith("cannot tell: Dagster has no record")
    assert said["next:"] == "price-physics backfill --study demo"


def test_missing_and_damaged_partitions_are_told_apart(project, capsys):
    shutil.rmtree(project.store / "demo" / "weights" / "2012-03")
    (found,) = (project.store / "demo" / "motifs" / "2012-02").glob("*.txt")
    found.write_bytes(b"short")
    said = status_of(capsys)
    assert said["demo"].endswith(f"{N_PARTITIONS - 3} current, 2 stale, 1 missing")
    assert said["weights"] == "current 2012-01 to 2012-02, missing 2012-03"
    assert said["motifs"] == "current 2012-01, stale (damaged) 2012-02, current 2012-03"
    assert said["model"] == "current 2012-01 to 2012-02, stale (inputs) 2012-03"


def test_other_code_is_named(project, capsys, monkeypatch):
    from price_physics.pipeline import versions

    def other(*modules):
        return "other" if "price_physics.motifs.build" in modules else source_version(*modules)

    monkeypatch.setattr(versions, "source_version", other)
    assert status_of(capsys)["motifs"] == "stale (code) 2012-01 to 2012-03"


def test_files_that_are_new_changed_or_gone(project, capsys):
    sample = project.data / "sample" / "bitstamp_usd"
    (sample / "more.csv").write_text("1328054400,5,1\n")
    said = status_of(capsys)
    assert said["files:"].startswith("1 new or changed (such as data/sample/bitstamp_usd/more.csv)")
    assert said["ticks"] == "current 2012-01 to 2012-03", "which months it touches is not known"
    (sample / "more.csv").unlink()
    (sample / "bitstampUSD.csv").unlink()
    said = status_of(capsys)
    assert said["files:"].startswith("market 'bitstamp_usd': no file matches")
    assert said["ticks"] == "stale (inputs) 2012-01 to 2012-03"


def test_an_empty_store_is_missing_up_to_the_market_s_last_month(project, capsys):
    shutil.rmtree(project.store)
    said = status_of(capsys)["demo"]
    assert said.endswith(f"2012-01 to 2012-03: 0 current, 0 stale, {N_PARTITIONS} missing")
    edit(project.configs / "markets" / "bitstamp_usd.yaml", "last_month: 2012-03", "")
    assert "2012-01 to 2012-05" in status_of(capsys)["demo"], "the files hold trades until May"
    shutil.rmtree(project.data / "index")
    assert "nothing is known of its months yet" in status_of(capsys)["demo"]


def test_an_unknown_study_is_named(project, capsys):
    assert main(["status", "--study", "nothing"]) == 1
    assert "there are ['demo']" in capsys.readouterr().err


def record(
    project: Project,
    month: str,
    seconds: dict[str, float],
    run: str = "run",
    computed: bool = True,
    owner: tuple[str, ...] = ("demo",),
) -> None:
    """Write the records of a run as Dagster does, as far as they are read."""
    folder = project.data / "dagster" / "history" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    columns = "run_id, event, dagster_event_type, step_key, asset_key, partition"
    insert = f"INSERT INTO event_logs ({columns}) VALUES (?, ?, ?, ?, ?, ?)"  # noqa: S608
    run = f"{run}-{month}"
    entry = {"label": "computed", "entry_data": {"value": computed}}
    made = {"metadata_entries": [{"label": "path", "entry_data": {}}, entry]}
    for name in ("index", run):
        with closing(sqlite3.connect(folder / f"{name}.db")) as database, database:
            database.execute(
                f"CREATE TABLE IF NOT EXISTS event_logs (id INTEGER PRIMARY KEY, {columns})"
            )
            for asset, took in seconds.items():
                data = {"duration_ms": took * 1e3, "materialization": made}
                event = {"dagster_event": {"event_specific_data": data}}
                kind = "ASSET_MATERIALIZATION" if name == "index" else "STEP_SUCCESS"
                key = json.dumps([*owner, asset])
                row = (run, json.dumps(event), kind, f"demo__{asset}", key, f"{month}-01"[:10])
                database.execute(insert, row)


def test_the_time_is_that_of_the_nearest_month_that_was_measured(project, capsys):
    record(project, "2012-01", {"model": 10.0, "report": 3.0, "motifs": 1.0})
    record(project, "2012-02", {"model": 600.0})
    assert measured_seconds(project)["demo", "model"] == {
        Month(2012, 1): 10.0,
        Month(2012, 2): 600.0,
    }
    for asset in ("report", "motifs"):
        shutil.rmtree(project.store / "demo" / asset / "2012-03")
    assert status_of(capsys)["time:"] == "about 4 s, by what the same assets took before"
    shutil.rmtree(project.store / "demo" / "model" / "2012-03")
    assert status_of(capsys)["time:"].startswith("about 10 min, by what")
    shutil.rmtree(project.store / "demo" / "folds" / "2012-03")
    assert status_of(capsys)["time:"].endswith("before; of folds nothing was measured")


def test_what_a_run_only_found_took_it_no_time(project):
    record(project, "2012-01", {"model": 10.0})
    record(project, "2012-01", {"model": 0.1}, run="later", computed=False)
    assert measured_seconds(project)["demo", "model"] == {Month(2012, 1): 10.0}


def test_assets_of_others_in_a_shared_home_are_passed_over(project):
    record(project, "2012-01", {"model": 10.0})
    record(project, "2012-02", {"model": 1.0}, owner=())
    record(project, "2012-02", {"model": 1.0}, owner=("a", "b"))
    record(project, "2012-02-17", {"model": 1.0})
    assert measured_seconds(project) == {("demo", "model"): {Month(2012, 1): 10.0}}


def test_damaged_records_are_said_and_stop_nothing(project, capsys, caplog):
    record(project, "2012-01", {"report": 3.0})
    (project.data / "dagster" / "history" / "runs" / "index.db").write_bytes(b"no database" * 500)
    shutil.rmtree(project.store / "demo" / "report" / "2012-03")
    assert status_of(capsys)["time:"].startswith("cannot tell")
    assert "price-physics doctor" in caplog.text


def test_neither_torch_nor_dagster_is_imported(project):
    code = (
        "import sys; from price_physics.cli import main; assert main(['status']) == 0; "
        "print({'torch', 'dagster', 'mlflow', 'matplotlib'} & sys.modules.keys())"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
