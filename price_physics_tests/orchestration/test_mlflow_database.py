"""MLflow is expendable: whatever happens to its database, it is made anew or a warning says so."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import TrackingError
from price_physics.months import Month
from price_physics.orchestration import mlflow_database, sqlite_files
from price_physics.orchestration.made import Made
from price_physics.orchestration.mlflow_database import (
    NAME,
    logged_digests,
    prepare_database,
)
from price_physics.orchestration.mlflow_runs import LOGGED
from price_physics.orchestration.tracked import Logged
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.study.market import TradeMarket
from price_physics_tests.damage import flips
from price_physics_tests.motifs.cases import study

pytestmark = pytest.mark.slow  # MLflow makes its database

CASE = Path(__file__).parents[3] / "shared" / "cases" / "mlflow_half_migrated"
MONTH = Month(2012, 4)
MARKET = TradeMarket(name="toy", symbol="TOY", files=["*"], first_month=MONTH)
LOGGED_ONCE = Logged(asset="report", digest="x", made=Made(0, 1), metrics={"p": 0.5})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A database that MLflow made, and nobody used."""
    folder = tmp_path_factory.mktemp("made")
    prepare_database(folder)
    return folder / NAME


@pytest.fixture
def folder(tmp_path, made, monkeypatch):
    """One with a copy of it; making one anew is a copy too, which is quick."""
    shutil.copy(made, tmp_path / NAME)
    monkeypatch.setattr(mlflow_database, "_make", lambda path: shutil.copy(made, path))
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_S", 0.1)
    monkeypatch.setattr(mlflow_database, "MAKING_S", 0.0)
    return tmp_path


def aside(folder):
    return sorted(p.name for p in folder.glob(f"{NAME}.damaged-*"))


def can_log(folder):
    tracking = MlflowTracking(folder=str(folder))
    tracking.log_month(study(), MARKET, MONTH, LOGGED_ONCE)
    return logged_digests(folder, study().name, f"{LOGGED}report") == {"x"}


def test_nothing_is_left_beside_a_database_that_was_made(made):
    assert [p.name for p in made.parent.iterdir()] == [NAME]
    with closing(sqlite3.connect(made)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert can_log(made.parent)


def test_a_kill_while_it_is_made_leaves_none(tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(self, target):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(Killed):
            prepare_database(tmp_path)
    assert not (tmp_path / NAME).exists()
    assert list(tmp_path.iterdir()), "what the kill left behind"
    prepare_database(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


def test_what_a_kill_left_beside_a_whole_database_goes(folder):
    for suffix in ("making-1", "making-1-whole", "making-1-journal"):
        (folder / f"{NAME}.{suffix}").write_text("half")
    prepare_database(folder)
    assert [p.name for p in folder.iterdir()] == [NAME]


def half_migrated(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE _alembic_tmp_experiments (x)")


def without_runs(path):
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE runs")


def without_version(path):
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM alembic_version")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (half_migrated, "a migration was killed: table _alembic_tmp_experiments"),
        (without_runs, "tables are missing: runs"),
        (without_version, "it has no version: its first migration was killed"),
        (lambda path: path.write_bytes(b""), "tables are missing"),
        (lambda path: path.write_bytes(b"no database" * 99), "not a database"),
        (lambda path: path.write_bytes(path.read_bytes()[:70_000]), ""),
    ],
)
def test_a_damaged_database_is_set_aside_and_made_anew(folder, caplog, damage, words):
    path = folder / NAME
    damage(path)
    content = path.read_bytes()
    assert can_log(folder)
    assert "is damaged" in caplog.text
    assert words in caplog.text
    (name,) = aside(folder)
    assert (folder / name).read_bytes() == content


def test_a_half_made_database_that_is_young_may_be_somebodys_work(folder, monkeypatch):
    monkeypatch.setattr(mlflow_database, "MAKING_S", 60.0)
    half_migrated(folder / NAME)
    with pytest.raises(TrackingError, match="another process may be making it"):
        prepare_database(folder)
    assert not aside(folder)


def curve(loss):
    columns = {"fold": [-1], "epoch": [1], "train_loss": [loss], "learning_rate": [0.1]}
    return pd.DataFrame(columns | {"early_stop_loss": [np.nan]})


def test_a_fit_that_made_way_for_another_is_not_logged(folder):
    tracking = MlflowTracking(folder=str(folder))
    for name in ("first", "second"):
        loss = {"first": 1.0, "second": 2.0}[name]
        numbers = {"curves": curve(loss), "metrics": {"loss": loss}}
        logged = Logged(asset="model", digest=name, made=Made(0, 1), **numbers)
        tracking.log_month(study(), MARKET, MONTH, logged)
    assert logged_digests(folder, study().name, f"{LOGGED}model") == {"second"}


@pytest.mark.skipif(not CASE.exists(), reason="the cases beside the repository are not here")
def test_the_database_that_a_kill_left(folder):
    for part in CASE.iterdir():
        shutil.copy(part, folder / part.name)
        (folder / part.name).chmod(0o644)
    assert can_log(folder)
    assert aside(folder)


def test_no_flipped_bit_stops_anything(folder, made):
    """Most are never met again: a page that is not in use; what is met is damage or an error."""
    for damaged in flips(made.read_bytes(), 20):
        (folder / NAME).write_bytes(damaged)
        try:
            prepare_database(folder)
        except TrackingError:
            continue
        logged_digests(folder, study().name, LOGGED)


def test_a_database_that_another_holds_is_an_error_at_once_and_no_damage(folder):
    with closing(sqlite3.connect(folder / NAME)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TrackingError, match="database is locked"):
            prepare_database(folder)
    assert not aside(folder)


def test_a_place_that_is_no_folder_is_an_error(tmp_path):
    (tmp_path / "mlflow").write_text("")
    with pytest.raises(TrackingError, match="mlflow"):
        can_log(tmp_path / "mlflow")


def test_what_cannot_be_logged_is_a_warning_that_names_it(folder, caplog):
    tracking = MlflowTracking(folder=str(folder))
    with closing(sqlite3.connect(folder / NAME)) as other:
        other.execute("BEGIN IMMEDIATE")
        tracking.log_or_warn(study(), MARKET, MONTH, LOGGED_ONCE)
    assert f"{study().name} {MONTH} is not in MLflow: " in caplog.text
    assert f"price-physics track --study {study().name}" in caplog.text


def test_a_database_that_was_deleted_under_a_running_process_is_not_written_to(folder):
    tracking = MlflowTracking(folder=str(folder))
    for _ in range(3):
        run = tracking.log_month(study(), MARKET, MONTH, LOGGED_ONCE)
        assert len(tracking.client().get_metric_history(run, "p")) == 1
        (folder / NAME).unlink()


def test_a_tag_names_what_was_logged_whole_and_of_which_study(folder):
    assert can_log(folder)
    assert logged_digests(folder, "another", f"{LOGGED}report") == set()
    assert logged_digests(folder, study().name, f"{LOGGED}model") == set()
    assert logged_digests(folder / "none", study().name, f"{LOGGED}report") == set()
