"""The command line: what it refuses before it starts anything."""

import shlex
import socket
import sys

import pytest

from price_physics import __version__, cli
from price_physics.errors import ConfigError
from price_physics.flags import BY_MAKE
from price_physics.months import Month
from price_physics.orchestration import instance
from price_physics.orchestration.backfill import months_of_run
from price_physics.project import Project
from price_physics.walk_forward.ledger import record_entry
from price_physics_tests.e2e.projects import ROOT
from price_physics_tests.report import cases


def test_dev_refuses_a_port_that_is_taken(monkeypatch, capsys):
    monkeypatch.setattr(cli, "run_child", lambda *args: pytest.fail("started"))
    monkeypatch.setattr(instance, "open_instance", lambda project: pytest.fail("opened"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(cli, "PORT", taken.getsockname()[1])
        assert cli.main(["dev"]) == 1
    assert f"something listens on port {cli.PORT} already" in capsys.readouterr().err


def test_version_and_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"price-physics {__version__}\n"
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    assert "price-physics: what make calls, for those without make." in capsys.readouterr().out


def commands_of(verb, monkeypatch, failing=""):
    """The tools that a verb starts, one text each, and its exit status."""
    started = []

    def call(command, folder):
        started.append(" ".join(command))
        return int(bool(failing) and failing in started[-1])

    monkeypatch.setattr(cli, "run_child", call)
    return started, cli.main([verb])


def test_fast_runs_the_unit_tests_and_test_every_one(monkeypatch):
    fast, _ = commands_of("fast", monkeypatch)
    whole, _ = commands_of("test", monkeypatch)
    assert fast[-1] == f"{whole[-1]} -m not e2e and not slow"
    assert "-m pytest" in whole[-1]
    assert "--dist loadfile" in whole[-1]
    assert [c for c in whole[:-1] if c not in fast] == [c for c in whole if c.endswith("mypy")]
    assert len(fast) == 4


@pytest.mark.parametrize("tool", ["ruff check", "lint-imports", "pytest"])
def test_whatever_fails_fails_the_verb_and_hides_nothing_else(tool, monkeypatch):
    started, status = commands_of("fast", monkeypatch, failing=tool)
    assert status == 1
    assert len(started) == 4


def test_a_command_that_a_signal_ends_has_failed(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert cli._run(Project(tmp_path), [sys.executable, "-c", code]) == 128 + 9


def test_a_ledger_is_listed_exported_and_imported(tmp_path, monkeypatch, capsys):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        (folder / "configs" / "studies").mkdir(parents=True)
    for month in ("2012-03", "2012-04"):
        known = {"trial": "abc", "month": month, "ticks": month, "market": "usd", "study": "demo"}
        record_entry(theirs / "data" / "ledger", known | {"in_sample": False})

    def run(root, *arguments):
        monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(root))
        status = cli.main(["ledger", *map(str, arguments)])
        return status, capsys.readouterr()

    shared = tmp_path / "shared.jsonl"
    assert run(theirs, "export", shared)[0] == 0
    assert "2 new entries" in run(ours, "import", shared)[1].out
    assert "0 new entries" in run(ours, "import", shared)[1].out
    listed = run(ours)[1].out
    assert listed.startswith("1 trials in ")
    assert "usd                  abc  2012-03 to 2012-04  demo" in listed
    status, told = run(ours, "export")
    assert (status, "ledger export FILE: name the file" in told.err) == (1, True)
    _, *rest = shared.read_bytes().splitlines(keepends=True)  # the last line ends the export
    shared.write_bytes(b"".join(rest))
    status, told = run(ours, "import", shared)
    assert (status, "line 1: does not follow" in told.err) == (1, True)


@pytest.mark.parametrize("verb", cli._EXAMPLES)
def test_the_help_of_every_verb_ends_with_an_example_that_can_be_typed(verb, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([verb, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    example = said.rpartition("example: price-physics ")[2]
    assert example.split()[0] == verb
    assert cli._parser().parse_args(shlex.split(example)).verb == verb


def test_errors_speak_of_the_flag_that_was_typed(monkeypatch, capsys):
    monkeypatch.delenv(BY_MAKE, raising=False)

    def told(*arguments):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["backfill", "--study", "demo", *arguments])
        return capsys.readouterr().err

    def refused(first, last):
        with pytest.raises(ConfigError) as raised:
            months_of_run(Project(None), cases.market(), Month.parse(first), Month.parse(last))
        return str(raised.value)

    assert "argument --from: '2011-13' is not a month" in told("--from", "2011-13")
    assert refused("1999-01", "2012-02").startswith("--from 1999-01: market")
    assert refused("2012-03", "2012-02") == "--from 2012-03 is after --to 2012-02"
    monkeypatch.setenv(BY_MAKE, "1")
    assert told("--from", "2011-13").startswith("error: FROM= '2011-13' is not a month")
    assert refused("1999-01", "2012-02").startswith("FROM=1999-01: market")
    assert refused("2012-03", "2012-02") == "FROM=2012-03 is after TO=2012-02"


def test_make_says_that_it_is_make():
    lines = (ROOT / "Makefile").read_text().splitlines()
    passed_on = [line for line in lines if "price-physics" in line and '--from "$(FROM)"' in line]
    assert len(passed_on) == 2
    assert all(f"@{BY_MAKE}=1 $(BIN)/price-physics" in line for line in passed_on)
