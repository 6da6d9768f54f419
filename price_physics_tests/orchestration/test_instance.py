"""Dagster's databases are expendable: a damaged one is set aside, and a run goes on."""

import os
import sqlite3
from contextlib import closing

import pytest

from price_physics.orchestration import sqlite_files
from price_physics.orchestration.instance import _DATABASES, open_instance
from price_physics.project import Project


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_S", 0.1)
    made = Project(tmp_path)
    with open_instance(made) as instance:
        instance.event_log_storage.get_event_records  # noqa: B018
    os.environ.pop("DAGSTER_HOME")
    yield made
    os.environ.pop("DAGSTER_HOME", None)


@pytest.mark.parametrize("name", _DATABASES)
@pytest.mark.parametrize("damage", ["cut", "no database"])
def test_a_damaged_database_is_set_aside_and_made_anew(project, caplog, name, damage):
    path = project.data / "dagster" / name
    content = path.read_bytes()[:10_000] if damage == "cut" else b"no database" * 99
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(content)
    with open_instance(project) as instance:
        assert instance.get_runs(limit=1) == []
    assert f"{path} is damaged" in caplog.text
    [aside] = path.parent.glob(f"{path.name}.damaged-*")
    assert aside.read_bytes() == content
    assert sqlite_files.damage_of(path) == ""


def test_a_database_that_another_holds_is_no_damage(project):
    path = project.data / "dagster" / "history" / "runs.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            sqlite_files.damage_of(path)
    assert not list(path.parent.glob("*.damaged-*"))
