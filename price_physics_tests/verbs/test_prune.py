"""`prune` deletes what nobody refers to and nothing else, whatever else goes on."""

import os
import shutil
import sqlite3
import threading
from contextlib import ExitStack, closing
from pathlib import Path

import filelock
import pytest

from price_physics.cli import main
from price_physics.errors import StoreError
from price_physics.months import Month
from price_physics.orchestration import mlflow_database, sqlite_files
from price_physics.orchestration.mlflow_forget import tracked_studies
from price_physics.pipeline.dag import STAGES
from price_physics.project import Project
from price_physics.store import removal
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store
from price_physics.walk_forward.ledger import record_entry
from price_physics_tests.verbs.projects import edit

JAN = Month(2012, 1)


@pytest.fixture
def project(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project(shutil.copytree(filled, tmp_path / "project"))
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(project.root))
    entry = {"trial": "abc", "month": "2012-03", "ticks": "x", "market": "usd", "study": "gone"}
    record_entry(project.ledger, entry | {"in_sample": False})
    return project


def files_of(project: Project) -> dict[Path, bytes]:
    """Every file but locks, by its path."""
    found = (p for p in project.root.rglob("*") if p.is_file() and p.suffix != ".lock")
    return {path: path.read_bytes() for path in found}


def put(path: Path, content: str = "x" * 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def make_gone(project: Project) -> None:
    """Call the study by another name: everything under the old one is left over."""
    folder = project.configs / "studies"
    (folder / "demo.yaml").rename(folder / "renamed.yaml")


def test_a_project_in_use_has_nothing_left_over(project, capsys):
    before = files_of(project)
    put(project.outputs / "demo" / "reports" / "2012-01.html")
    put(project.outputs / "truth" / "truth.md")
    assert main(["prune", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "nobody refers to: 0.0 MB in 0 places" in said
    assert all(f"    {asset}\n" in said for asset in STAGES)
    assert "data/ledger" in said
    assert len(files_of(project)) == len(before) + 2


def test_nothing_is_deleted_unasked_and_exactly_what_is_shown_when_asked(project, capsys):
    kept = files_of(project)
    month = project.store / "demo" / "bars" / "2012-02"
    gone = [
        put(month / "bars-0123456789ab.txt"),
        put(month / ".tmp-abc"),
        put(project.store / "demo" / "bars" / "2012-07" / "bars-0123456789ab.txt"),
        put(project.store / "old" / "bars" / "2012-01" / "manifest.json", "{}"),
        put(project.outputs / "old" / "reports" / "2012-01.html"),
        put(project.data / "checkpoints" / "old" / "2012-01" / "fold.safetensors"),
        put(project.data / "index" / "old.json", "{}"),
        put(project.data / "audit" / "demo" / "data" / "store" / "x"),
        put(project.data / "mlflow" / "mlflow.db.damaged-20120101T000000"),
    ]
    assert main(["prune"]) == 0
    said = capsys.readouterr().out
    assert "in 8 places" in said
    assert said.endswith("nothing was deleted: add --yes\n")
    assert files_of(project).keys() == kept.keys() | set(gone)
    assert main(["prune", "--study", "old", "--yes"]) == 0
    assert files_of(project).keys() == kept.keys() | {*gone[:3], *gone[-2:]}
    assert main(["prune", "--yes"]) == 0
    assert files_of(project) == kept
    assert not (project.store / "old").exists()


def test_a_deleted_study_goes_and_ticks_that_others_stand_on_stay(project):
    make_gone(project)
    kept = {p: c for p, c in files_of(project).items() if "demo" not in p.parts}
    assert main(["prune", "--yes"]) == 0
    assert not (project.store / "demo").exists()
    assert {p: files_of(project).get(p) for p in kept} == kept
    assert (project.ledger / "ledger.jsonl").is_file()


def test_ticks_of_a_deleted_market_stay_while_a_manifest_names_them(project):
    (project.configs / "markets" / "bitstamp_usd.yaml").rename(
        project.configs / "markets" / "other.yaml"
    )
    edit(project.configs / "studies" / "demo.yaml", "market: bitstamp_usd", "market: other")
    assert main(["prune", "--yes"]) == 0
    assert Store(project.store).exists(("bitstamp_usd", "ticks"), JAN)


def test_no_study_or_a_broken_one_deletes_nothing(project, capsys):
    before = files_of(project)
    path = project.configs / "studies" / "demo.yaml"
    text = path.read_text()
    path.write_text("market: [")
    assert main(["prune", "--yes"]) == 1
    path.unlink()
    assert main(["prune", "--yes"]) == 1
    assert "nobody would refer to anything" in capsys.readouterr().err
    path.write_text(text)
    assert files_of(project) == before


def test_a_damaged_manifest_is_left_to_the_doctor(project):
    manifest = project.store / "demo" / "bars" / "2012-02" / "manifest.json"
    manifest.write_bytes(b"{}")
    before = files_of(project)
    assert main(["prune", "--yes"]) == 0
    assert files_of(project) == before


@pytest.mark.parametrize("lock", ["backfill-demo", "audit-demo"])
def test_what_another_process_holds_is_left(project, capsys, lock):
    make_gone(project)
    put(project.data / "audit" / "demo" / "x")
    with filelock.FileLock(project.data / "locks" / f"{lock}.lock"):
        before = files_of(project)
        assert main(["prune", "--yes"]) == 1
        assert "left, another process holds" in capsys.readouterr().out
        assert (project.store / "demo").exists() is lock.startswith("backfill")
        assert (project.data / "audit" / "demo").exists() is lock.startswith("audit")
    assert before
    assert main(["prune", "--yes"]) == 0
    assert not (project.store / "demo").exists()
    assert not (project.data / "audit" / "demo").exists()


@pytest.mark.parametrize("at", [1, 5, 40, 70])
def test_after_a_kill_partitions_are_whole_or_gone_and_the_next_run_ends_it(
    project, monkeypatch, at
):
    make_gone(project)
    unlink, n = Path.unlink, 0

    def killed(path: Path, missing_ok: bool = False) -> None:
        nonlocal n
        n += 1
        if n > at:
            raise SystemExit("killed")
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(removal.Path, "unlink", killed)
        with pytest.raises(SystemExit):
            main(["prune", "--yes"])
    store, n_whole = Store(project.store), 0
    for asset in STAGES:
        for month in Month.span(JAN, JAN + 2):
            if asset != "ticks" and store.exists(("demo", asset), month):
                store.read(("demo", asset), month).verify()
                n_whole += 1
    assert n_whole >= 39 - at
    assert main(["prune", "--yes"]) == 0
    assert not (project.store / "demo").exists()


def test_a_reader_and_a_writer_beside_it_meet_nothing_torn(project):
    """A month is rewritten and read over and over, while leftovers are pruned beside it."""
    store, key, stop, faults = Store(project.store), ("demo", "bars"), threading.Event(), []

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            store.write(key, JAN, Artefact(files={"bars.txt": b"%d" % n}), code_version="c")

    def read() -> None:
        while not stop.is_set():
            try:
                Store(project.store).read(("demo", "labels"), JAN).verify()
                store.read(key, JAN)
            except StoreError as error:
                faults.append(error)

    threads = [threading.Thread(target=of) for of in (write, read)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            for asset in ("bars", "labels"):
                put(project.store / "demo" / asset / str(JAN) / ".tmp-old")
            assert main(["prune", "--study", "demo", "--yes"]) == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not faults
    store.read(key, JAN).verify()


def experiment(folder: Path, place: str, champion: bool = False) -> None:
    """Write what is asked of MLflow's database."""
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        database.executescript(
            "CREATE TABLE experiments (experiment_id, name, artifact_location);"
            "CREATE TABLE runs (run_uuid, experiment_id);"
            "CREATE TABLE tags (run_uuid, key, value);"
            "CREATE TABLE registered_model_aliases (name, alias);"
            "INSERT INTO runs VALUES ('r', 1), ('s', 2);"
            "INSERT INTO tags VALUES ('r', 'price_physics.study', 'demo'), ('s', 'by', 'hand');"
        )
        rows = [(1, "demo", f"{place}/demo"), (2, "by hand", f"{place}/by hand")]
        database.executemany("INSERT INTO experiments VALUES (?, ?, ?)", rows)
        alias = "champion" if champion else "through-2012-04"
        database.execute("INSERT INTO registered_model_aliases VALUES ('demo', ?)", (alias,))


def test_of_mlflow_only_our_own_studies_count_and_no_champion(tmp_path):
    ours = tmp_path / "ours"
    experiment(ours, (ours / "artifacts").as_uri())
    assert tracked_studies(ours) == {"demo"}
    experiment(tmp_path / "champion", (tmp_path / "champion" / "artifacts").as_uri(), champion=True)
    assert tracked_studies(tmp_path / "champion") == set()
    experiment(tmp_path / "copy", (ours / "artifacts").as_uri())
    assert tracked_studies(tmp_path / "copy") == set(), "the files are the original's"
    assert tracked_studies(tmp_path / "none") == set()


@pytest.mark.parametrize("state", ["held", "damaged", "locked", "not MLflow's"])
def test_an_mlflow_that_cannot_be_used_is_left_and_the_rest_goes(
    project, monkeypatch, capsys, state
):
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setattr(mlflow_database, "LOCK_TIMEOUT_S", 0.1)
    folder = project.data / "mlflow"
    experiment(folder, (folder / "artifacts").as_uri())
    make_gone(project)
    path = folder / "mlflow.db"
    if state == "damaged":
        path.write_bytes(b"no database at all" * 100)
    os.utime(path, (0, 0))
    with closing(sqlite3.connect(path, isolation_level=None)) as database, ExitStack() as held:
        if state == "held":
            database.execute("BEGIN EXCLUSIVE")
        if state == "locked":
            held.enter_context(filelock.FileLock(folder / "mlflow.lock"))
        before = path.read_bytes()
        assert main(["prune", "--yes"]) == 1
        assert path.read_bytes() == before
    said = [line for line in capsys.readouterr().out.splitlines() if "MLflow" in line]
    assert len(said) == 1
    assert ": left, " in said[0]
    assert not (project.store / "demo").exists()


@pytest.mark.slow
def test_a_deleted_study_is_forgotten_by_mlflow(project, capsys, monkeypatch):
    """With MLflow itself: model, runs and files go, another study's stay."""
    from mlflow import MlflowClient

    from price_physics.orchestration.mlflow_database import prepare_database, uri_of

    folder = project.data / "mlflow"
    folder.mkdir()
    prepare_database(folder)
    uri = uri_of(folder / "mlflow.db")
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    for study in ("gone", "demo"):
        place = folder / "artifacts" / study
        made = client.create_experiment(study, artifact_location=place.as_uri())
        run = client.create_run(made, tags={"price_physics.study": study}).info.run_id
        client.log_text(run, "text", "a.txt")
        client.create_registered_model(study)
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    assert main(["prune", "--yes"]) == 0
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert (
        "gone in MLflow: runs and registered models of no study: deleted" in capsys.readouterr().out
    )
    assert client.get_experiment_by_name("gone") is None
    assert [model.name for model in client.search_registered_models()] == ["demo"]
    assert not (folder / "artifacts" / "gone").exists()
    assert list((folder / "artifacts" / "demo").rglob("a.txt"))
