"""`new-study` writes a market and a study that load, from nothing but files and five answers."""

import builtins
import os
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from price_physics.bars.kernels import dollar_bars
from price_physics.cli import main
from price_physics.months import Month
from price_physics.project import Project
from price_physics.study.reading import load_configs
from price_physics.verbs import new_study
from price_physics_tests.e2e.projects import ROOT, SAMPLE, hourly_candles

SHARED = ROOT.parent / "shared" / "ticks"
COSTS = ["--fee-bps", "20", "--slippage-bps", "5"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the sample's file and no market."""
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(tmp_path))
    for place in ("configs/markets", "configs/studies", "data/raw"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "data" / "raw" / "sample.csv").write_bytes(SAMPLE.read_bytes())
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    return Project(tmp_path)


def make(name: str, *flags: str, files: str = "data/raw/*.csv", symbol: str = "BTCUSD") -> int:
    return main(["new-study", name, "--files", files, "--symbol", symbol, *COSTS, *flags])


def answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Sit at a terminal and answer; return the questions."""
    asked: list[str] = []
    given = iter(answers)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(builtins, "input", lambda text: asked.append(text) or next(given))
    return asked


def test_the_sample_becomes_a_study(project, capsys):
    assert make("mine") == 0
    said = capsys.readouterr().out
    assert "1 files of bitcoincharts: 9,998 rows, 2011-09 to 2012-05" in said
    assert "next: price-physics backfill --study mine" in said
    markets, studies = load_configs(project.configs)
    market, study = markets["mine"], studies["mine"]
    assert (market.first_month, market.last_month) == (Month(2011, 9), Month(2012, 5))
    assert study.walk_forward.cost_a_side == pytest.approx(25e-4)
    assert (study.folds.min_training_samples, study.labels.horizon_minutes) == (300, 1440)
    trades = pd.read_csv(SAMPLE, header=None, names=["second", "price", "qty"])
    trades = trades[trades["qty"] > 0].sort_values("second", kind="stable")
    n_bars = dollar_bars(*trades[["price", "qty"]].to_numpy().T.copy(), study.bars.scale).size
    days = trades["second"].floordiv(86400).nunique()
    assert n_bars / days == pytest.approx(len(trades) / days / 4, rel=0.05)
    assert study.bars.scale == pytest.approx(50, rel=0.1), "the demo's own"


def test_what_was_read_is_not_read_again(project):
    assert make("mine") == 0
    markets, _ = load_configs(project.configs)
    from price_physics.verbs.known_files import KnownFiles

    assert KnownFiles.of(project, markets["mine"]).unknown == []


def test_nothing_is_overwritten(project, capsys):
    assert make("mine") == 0
    study, market = (project.configs / f"{place}/mine.yaml" for place in ("studies", "markets"))
    before = study.read_bytes(), market.read_bytes()
    assert make("mine") == 1
    assert f"{study} is there already" in capsys.readouterr().err
    study.unlink()  # as a kill between the two leaves it
    assert make("mine") == 1
    assert "leave out --files, --symbol to make a study on it" in capsys.readouterr().err
    assert main(["new-study", "mine", *COSTS]) == 0
    assert (study.read_bytes(), market.read_bytes()) == before


def test_five_questions_are_asked_and_flags_answer_theirs(project, monkeypatch, capsys):
    asked = answer(monkeypatch, "data/raw/*.csv", "BTCUSD", "", "3.5", "2")
    assert main(["new-study", "asked"]) == 0
    assert len(asked) == 5
    assert load_configs(project.configs)[1]["asked"].walk_forward.fee_bps == 3.5
    asked = answer(monkeypatch, "BTCUSD", "", "1")
    flags = ["--files", "data/raw/*.csv", "--fee-bps", "1"]
    assert main(["new-study", "half", *flags]) == 0
    assert [text.split()[0] for text in asked] == ["Symbol", "Minutes", "Slippage"]
    answer(monkeypatch, "dear", "")
    assert main(["new-study", "third", *flags, "--symbol", "X", "--candle-minutes", "1"]) == 1
    assert "'dear' answers nothing; run it again, or give --slippage-bps" in capsys.readouterr().err


def test_without_a_terminal_the_flags_that_lack_are_named(project, capsys):
    assert main(["new-study", "mine", "--files", "data/raw/*.csv", "--fee-bps", "1"]) == 1
    said = capsys.readouterr().err
    assert "nobody is there to answer: give --symbol, --slippage-bps" in said


def test_candles(project, capsys):
    (project.data / "raw" / "sample.csv").write_bytes(hourly_candles())
    assert make("mine") == 1
    assert "Nothing was written. For candles give --candle-minutes" in capsys.readouterr().err
    assert not list(project.configs.rglob("*.yaml"))
    assert make("mine", "--candle-minutes", "60") == 0
    markets, studies = load_configs(project.configs)
    assert markets["mine"].candle_minutes == 60
    assert studies["mine"].labels.both_touched == "stop_loss_first"


@pytest.mark.parametrize(
    ("name", "files", "symbol", "message"),
    [
        ("Mine", "data/raw/*.csv", "X", "name"),
        ("mine", "data/none/*.csv", "X", "no file matches data/none/*.csv"),
        ("mine", "data/raw/*.csv", "", ""),
    ],
)
def test_what_cannot_be(project, capsys, name, files, symbol, message):
    status = make(name, files=files, symbol=symbol)
    said = capsys.readouterr().err
    if message:
        assert (status, message in said) == (1, True), said
        assert not list(project.configs.rglob("*.yaml"))
    else:
        assert status == 0, "a symbol may be anything that the files do not contradict"


@pytest.mark.parametrize("name", ["../evil", "/nowhere/evil", "a/b", "Mine", "", "x" * 65, "a\n"])
def test_a_name_that_no_study_has_writes_nothing(project, capsys, name):
    before = sorted(project.root.parent.rglob("*"))
    assert make(name) == 1
    assert "use small letters, digits and _" in capsys.readouterr().err
    assert sorted(project.root.parent.rglob("*")) == before


def test_candles_without_any_volume(project, capsys):
    rows = [line.split(",") for line in hourly_candles().decode().splitlines()]
    rows = [rows[0], *([*row[:5], "0", *row[6:]] for row in rows[1:])]
    (project.data / "raw" / "sample.csv").write_text("\n".join(map(",".join, rows)) + "\n")
    assert make("mine", "--candle-minutes", "60") == 1
    assert "volume" in capsys.readouterr().err
    assert not list(project.configs.rglob("*.yaml"))


def test_whoever_ends_the_questions_is_told_in_a_sentence(project, monkeypatch, capsys):
    answer(monkeypatch)

    def ended(_):
        raise EOFError

    monkeypatch.setattr(builtins, "input", ended)
    assert main(["new-study", "mine"]) == 1
    assert "no answer; run it again, or give --files" in capsys.readouterr().err


def test_a_glob_that_the_shell_unfolded(project, capsys):
    names = [f"data/raw/{n}.csv" for n in range(30)]
    assert main(["new-study", "mine", "--files", *names, "--symbol", "X", *COSTS]) == 1
    assert "--files names 30 files; quote the glob" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["on", "123", "null", "1e5"])
def test_names_and_symbols_that_yaml_would_take_for_something_else(project, name):
    assert make(name, symbol=name) == 0
    markets, studies = load_configs(project.configs)
    assert (markets[name].symbol, studies[name].market) == (name, name)


def test_a_market_that_goes_on_has_no_last_month(project):
    now = pd.Timestamp.now(tz="UTC").floor("s") - pd.Timedelta(days=40)
    rows = [f"{int(now.timestamp()) + 60 * i},{100 + i % 7},0.5" for i in range(500)]
    (project.data / "raw" / "sample.csv").write_text("\n".join([*rows, ""]))
    assert make("mine") == 0
    assert "last_month" not in yaml.safe_load(
        (project.configs / "markets" / "mine.yaml").read_text()
    )


def test_nothing_is_written_where_the_text_does_not_load(project, monkeypatch, capsys):
    monkeypatch.setattr(new_study, "study_text", lambda *_: "market: mine\nbars: {kind: none}\n")
    assert make("mine") == 1
    assert "bars.kind" in capsys.readouterr().err
    assert not list(project.configs.rglob("*.yaml"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/ticks")
@pytest.mark.parametrize(
    ("files", "symbol", "vendor"),
    [
        ("coinbase_like/*.csv", "BTC-USD", "quoted_iso"),
        ("intersango_gbp/*.gz", "BTCGBP", "bitcoincharts"),
        ("bitflyer_btcjpy/*BTC_JPY.csv.gz", "BTC_JPY", "bitflyer"),
        pytest.param("binance_btcusdc/*.gz", "BTCUSDC", "binance_events", marks=pytest.mark.slow),
    ],
)
def test_real_files_of_several_vendors(project, capsys, files, symbol, vendor):
    os.symlink(SHARED, project.data / "ticks")
    assert make("mine", files=f"data/ticks/{files}", symbol=symbol) == 0
    assert f" of {vendor}: " in capsys.readouterr().out
    _, studies = load_configs(project.configs)
    assert studies["mine"].bars.scale > 0
