"""The program of faults names what does not hold, and one case of every kind is tried here too."""

import logging
import os
import signal
from functools import partial
from pathlib import Path

import pytest
from tqdm import tqdm

from price_physics_tests.benchmarks.faults import __main__ as program
from price_physics_tests.benchmarks.faults import kills, processes, together
from price_physics_tests.benchmarks.faults.projects import Reference
from price_physics_tests.benchmarks.faults.rows import Case, Outcome, Row, table, try_row

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL and forks are POSIX")


def tried(row: Row, folder: Path) -> Outcome:
    with tqdm(total=len(row.cases), disable=True) as bar:
        return try_row(row, folder, bar)


def holds(folder: Path) -> None:
    assert not list(folder.iterdir())
    (folder / "left").touch()


def breaks(folder: Path) -> None:
    raise AssertionError("half of it\nis there")


def row_of(**checks) -> Row:
    return Row("killed", "all or nothing", [Case(name, check) for name, check in checks.items()])


def test_a_fault_that_does_not_hold_is_named_and_its_folder_is_kept(tmp_path):
    outcome = tried(row_of(a=holds, b=breaks, c=holds), tmp_path)
    assert (outcome.tried, outcome.held) == (3, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["001"]
    page = table([outcome, tried(row_of(a=holds), tmp_path / "more")])
    assert "| killed | all or nothing | 3 | 2 |" in page
    assert "| all of them | | 4 | 3 |" in page
    assert page.count("NOT HELD") == 1
    assert "- NOT HELD: killed: b: AssertionError: half of it is there" in page


@pytest.mark.parametrize(("check", "status"), [(holds, 0), (breaks, 1)])
def test_the_exit_status_says_whether_all_held(monkeypatch, tmp_path, capsys, check, status):
    monkeypatch.setattr(program, "Reference", lambda folder: None)
    monkeypatch.setattr(program, "all_rows", lambda *_: [row_of(a=check)])
    monkeypatch.setattr(program, "PAGE", tmp_path / "faults.md")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert program.main(["--accept"]) == status
    page = (tmp_path / "faults.md").read_text()
    assert f"| killed | all or nothing | 1 | {1 - status} |" in page
    assert page in capsys.readouterr().out
    assert logging.root.manager.disable == logging.NOTSET, "tests in the same process log again"


def two_files(root: Path) -> None:
    for name in ("a", "b"):
        (root / name).write_text(name)


@pytest.mark.slow
def test_a_process_dies_before_the_change_that_is_named(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    names = processes.names_of_points(tmp_path / "said", root, two_files, root)
    assert names == ["open a", "open b"]
    (root / "b").unlink()
    dies = partial(processes.die_at, root, 2)
    child = processes.start(tmp_path / "dies", two_files, root, before=dies)
    assert child.ended() == -signal.SIGKILL
    assert [path.name for path in root.iterdir()] == ["a"]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """All rows of a real run, but for those that run the whole DAG many times."""
    folder = tmp_path_factory.mktemp("faults")
    reference = Reference(folder / "reference")
    found = program.all_rows(reference, folder, seed=1)
    assert sum(len(row.cases) for row in found[:4]) == program.N_KILLS
    return [row for row in found if "threads" not in row.fault and "cold" not in row.fault] + [
        together.cold_starts(reference, folder / "cold", 2)
    ]


@pytest.mark.e2e
@pytest.mark.slow
def test_one_case_of_every_kind_holds(rows, tmp_path):
    # whole runs are killed in e2e/test_small_run.py too
    long = ("whole runs killed", "the same, then one backfill")
    some = [row for row in rows if not row.fault.startswith(long)]
    assert len(some) == len(rows) - len(long)
    for number, row in enumerate(some):
        one = Row(row.fault, row.promise, kills.spread(row.cases, 1))
        assert tried(one, tmp_path / str(number)).broken == {}, row.fault
