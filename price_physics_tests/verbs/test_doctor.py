"""`doctor` says of every part whether it is sound, names the command that mends it, and fails."""

import shlex
import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from price_physics.cli import main
from price_physics.orchestration import sqlite_files
from price_physics.pipeline.dag import STAGES
from price_physics.project import Project
from price_physics.verbs import doctor, machine
from price_physics.verbs.finding import Finding
from price_physics.walk_forward.ledger import record_entry
from price_physics_tests.damage import flips
from price_physics_tests.verbs.projects import edit


@pytest.fixture
def project(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A sound project; only the card is not asked for, which would import torch."""
    project = Project(shutil.copytree(filled, tmp_path / "project"))
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(project.root))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setattr(doctor, "card", lambda studies: Finding("card", "not asked"))
    monkeypatch.setattr(machine, "_memory", lambda: 16e9)
    monkeypatch.setattr(machine, "_memory_limit", lambda: None)
    usage = SimpleNamespace(free=50e9)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: usage)
    for month in ("2012-03", "2012-04"):
        known = {"trial": "abc", "month": month, "ticks": month, "market": "usd", "study": "demo"}
        record_entry(project.ledger, known | {"in_sample": False})
    return project


def diagnosis(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    """Exit status, and each wrong line with the one that mends it."""
    status = main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    return status, [f"{a} {b.strip()}" for a, b in pairwise(lines) if "WRONG" in a]


def the_one(capsys: pytest.CaptureFixture[str]) -> str:
    status, wrong = diagnosis(capsys)
    assert (status, len(wrong)) == (1, 1), wrong
    return wrong[0]


def test_a_sound_project_has_nothing_to_mend(project, capsys):
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert said.endswith("nothing is wrong\n")
    assert f"{3 * len(STAGES)} partitions, every file as it was written" in said
    assert "ledger         2 entries, none missing" in said
    assert "data bitstamp_usd 1 files\n" in said


def test_little_memory(project, capsys, monkeypatch):
    monkeypatch.setattr(machine, "_memory", lambda: 1e9)
    assert "1.0 GB mend it:  close programs" in the_one(capsys)
    monkeypatch.setattr(machine, "_memory", lambda: 16e9)
    monkeypatch.setattr(machine, "_memory_limit", lambda: 1.5e9)
    assert "may take 1.5 GB mend it:  raise the container's limit" in the_one(capsys)


def test_the_limit_of_a_group_around_ours_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    assert machine._memory_limit() is None
    (tmp_path / "memory.max").write_text("max\n")
    assert machine._memory_limit() is None
    (tmp_path / "memory.max").write_text("3000000000\n")
    assert machine._memory_limit() == 3e9


def test_a_full_or_read_only_disk(project, capsys, monkeypatch):
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: SimpleNamespace(free=1e9))
    assert the_one(capsys).endswith("mend it:  price-physics prune")
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: SimpleNamespace(free=9e9))
    monkeypatch.setattr(machine.os, "access", lambda path, mode: False)
    assert f"cannot be written to mend it:  sudo chown -R $USER {project.data}" in the_one(capsys)


def test_other_versions_and_missing_packages(project, capsys, monkeypatch):
    pins = project.root / "constraints.txt"
    pins.write_text("# pins\nnumpy==0.0.1\nno-such-thing==1\n")
    found = the_one(capsys)
    assert "instead of 0.0.1" in found
    assert found.endswith("-m pip install -c constraints.txt -e '.[test]'")
    assert "no-such-thing" not in found, "pinned, but nothing needs it"
    monkeypatch.setattr(machine, "_needed", lambda: {"no-such-thing"})
    pins.write_text("no-such-thing==1\n")
    assert "no-such-thing is missing" in the_one(capsys)


def test_every_broken_yaml_is_named(project, capsys):
    study, market = (
        project.configs / place for place in ("studies/demo.yaml", "markets/bitstamp_usd.yaml")
    )
    edit(study, "n_splits: 2", "n_splits: two")
    edit(market, "first_month: 2012-01", "first_month: soon")
    status, wrong = diagnosis(capsys)
    assert status == 1
    assert len(wrong) == 2
    assert wrong[0].endswith(f"mend it:  edit {market}")
    assert wrong[1].endswith(f"mend it:  edit {study}")


def test_a_study_without_its_market_and_a_name_that_is_not_read(project, capsys):
    edit(project.configs / "studies" / "demo.yaml", "market: bitstamp_usd", "market: other")
    assert "no such file" in the_one(capsys)
    edit(project.configs / "studies" / "demo.yaml", "market: other", "market: bitstamp_usd")
    (project.configs / "studies" / "more.yml").write_text("market: bitstamp_usd\n")
    assert "its name must end in .yaml" in the_one(capsys)


def test_files_that_are_gone_new_or_in_a_damaged_index(project, capsys):
    sample = project.data / "sample" / "bitstamp_usd" / "bitstampUSD.csv"
    index = project.data / "index" / "bitstamp_usd.json"
    shutil.copy(sample, sample.with_name("more.csv"))
    assert main(["doctor"]) == 0
    assert "2 files, 1 of them new: a backfill reads them" in capsys.readouterr().out
    whole = index.read_bytes()
    index.write_bytes(next(flips(whole, 1)))
    assert f"mend it:  rm {index}" in the_one(capsys)
    index.write_bytes(whole)
    shutil.rmtree(sample.parent)
    assert "no file matches" in the_one(capsys)


def test_damage_in_the_store_names_the_months(project, capsys):
    for month in ("2012-01", "2012-03"):
        (file,) = (project.store / "demo" / "bars" / month).glob("bars-*.txt")
        file.write_bytes(next(flips(file.read_bytes(), 1)))
    assert "2 of demo damaged" in (found := the_one(capsys))
    remedy = "price-physics backfill --study demo --from 2012-01 --to 2012-03"
    assert found.endswith(f"mend it:  {remedy}")
    (project.store / "demo").rename(project.store / "gone")
    assert "mend it:  price-physics prune --yes" in the_one(capsys)
    manifest = project.store / "bitstamp_usd" / "ticks" / "2012-02" / "manifest.json"
    manifest.write_bytes(next(flips(manifest.read_bytes(), 1)))
    _, wrong = diagnosis(capsys)
    assert any("--study demo --from 2012-02 --to 2012-02" in line for line in wrong)


def test_damaged_ticks_of_a_market_without_a_study(project, capsys):
    (file,) = (project.store / "bitstamp_usd" / "ticks" / "2012-02").glob("ticks-*.txt")
    file.write_bytes(next(flips(file.read_bytes(), 1)))
    shutil.rmtree(project.store / "demo")
    (project.configs / "studies" / "demo.yaml").unlink()
    assert "mend it:  price-physics new-study bitstamp_usd" in the_one(capsys)


def test_a_ledger_that_lost_an_entry(project, capsys):
    path = project.ledger / "ledger.jsonl"
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert f"mend it:  bring {project.ledger} back from a backup" in the_one(capsys)


def test_a_damaged_trial_of_an_earlier_version(project, capsys):
    old = project.ledger / "bitstamp_usd" / "trial" / "2012-01.json"
    old.parent.mkdir(parents=True)
    old.write_text("{")
    assert "not a trial" in the_one(capsys)


def test_mlflow_damaged_or_held(project, capsys):
    path = project.data / "mlflow" / "mlflow.db"
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    assert the_one(capsys).endswith("mend it:  price-physics track --study demo")
    path.unlink()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE half (made)")
    assert "half made" in the_one(capsys)


def test_dagster_damaged(project, capsys, monkeypatch):
    path = project.data / "dagster" / "history" / "runs.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all" * 100)
    home = project.data / "dagster"
    assert f"mend it:  mv {home} {home}.damaged" in the_one(capsys)
    monkeypatch.setenv("DAGSTER_HOME", str(project.root / "elsewhere"))
    assert main(["doctor"]) == 0


def test_dagster_at_work_is_not_damaged(project, capsys, monkeypatch):
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_S", 0.1)
    path = project.data / "dagster" / "history" / "runs.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("CREATE TABLE runs (id)")
        database.execute("BEGIN EXCLUSIVE")
        assert "database is locked mend it:  end what holds it, or wait" in the_one(capsys)
        database.execute("ROLLBACK")
    assert main(["doctor"]) == 0


def test_remedies_can_be_pasted_wherever_the_project_lies(project, capsys, monkeypatch):
    spaced = project.root.with_name("it's here")
    project.root.rename(spaced)
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(spaced))
    path = spaced / "data" / "dagster" / "history" / "runs.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all" * 100)
    command = the_one(capsys).partition("mend it:  ")[2].partition("  (")[0]
    home = str(spaced / "data" / "dagster")
    assert shlex.split(command) == ["mv", home, f"{home}.damaged"]


def test_a_card_that_is_wanted_or_not_seen(project, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from price_physics.model import device

    monkeypatch.setattr(device.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(machine, "CARDS", tmp_path / "none")
    assert not machine.card([]).remedy
    wanting = SimpleNamespace(name="demo", model=SimpleNamespace(device="cuda"))
    assert machine.card([wanting]).remedy.endswith("in configs/studies/demo.yaml")
    (tmp_path / "none" / "0000").mkdir(parents=True)
    assert machine.card([]).remedy.endswith("torch")
