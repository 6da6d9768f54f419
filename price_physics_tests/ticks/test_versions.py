"""What is known of a file is forgotten when what reads it changes, and never otherwise."""

import json

import pytest

from price_physics.pipeline.freshness import is_current
from price_physics.pipeline.versions import code_version, settings_hash
from price_physics.project import Project
from price_physics.source import closure
from price_physics.store.partitions import Store
from price_physics.study.reading import load_study
from price_physics.ticks.build import build_ticks
from price_physics.ticks.formats import candles, trades
from price_physics.ticks.index import FileIndex, inputs_of
from price_physics.ticks.look import look_at_files

from .helpers import MAY, ROOT, START, market, put

BTCUSD = market(vendor=None, symbol="BTCUSD")
JUNE = MAY.stop_ns // 10**9
SPOT = "3358281446,42283.58,0.5,21141.79,{}000,True,True\n"
DEMO = load_study(ROOT / "configs/studies/demo.yaml")


@pytest.fixture
def dumps(tmp_path):
    """May of one vendor, June of another."""
    folder = tmp_path / "dumps"
    folder.mkdir()
    put(folder, f"{START},5.0,1.0\n", "may.csv")
    put(folder, SPOT.format(JUNE), "june.csv")
    return folder


@pytest.fixture
def look(code, dumps, tmp_path, was_read):
    """Look at the files, as a new process would; gives the names of those that were read."""
    path = tmp_path / "index.json"

    def new_process():
        was_read.clear()
        look.entries = look_at_files(BTCUSD, dumps, FileIndex(BTCUSD, path))
        return list(was_read)

    look = new_process
    assert look() == ["june.csv", "may.csv"]
    assert look() == []
    return look


def comment(text):
    return f"# first\n{text}\n\n# last\n"


def constant(text):
    return f"{text}\nSEVEN = 7\n"


def docstring(text):
    return f'"""Other words."""\n{text[text.index("from") :]}'


# ---------------------------------------------------------------------------- what is read again
def test_no_vendor_is_in_the_closure_of_what_reads_files():
    """A month names the vendors that it was read with; see `inputs_of`."""
    vendors = tuple(f"{package.__name__}." for package in (trades, candles))
    for entry in ("price_physics.ticks.build", "price_physics.ticks.look"):
        assert not [name for name in closure(entry) if name.startswith(vendors)]
    assert not [n for n in closure("price_physics.ticks.look") if "ticks.month" in n]


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("reading/parse.py", comment),
        ("look.py", comment),
        ("look.py", docstring),
        ("formats/trades/bitcoincharts.py", comment),
        ("formats/trades/bitcoincharts.py", docstring),
        ("formats/trades/kraken.py", constant),
        ("formats/candles/kraken_ohlcvt.py", constant),
        ("formats/trades/newcomer.py", constant),
        ("month/quality.py", constant),
        ("month/kernels.py", constant),
        ("build.py", constant),
    ],
)
def test_what_does_not_read_a_file_can_change(look, code, file, change):
    inputs = [inputs_of(look.entries, month) for month in (MAY, MAY + 1)]
    code.edit(file, change)
    assert look() == []
    assert inputs == [inputs_of(look.entries, month) for month in (MAY, MAY + 1)]


@pytest.mark.parametrize(
    "file",
    [
        *("look.py", "index.py", "kernels.py", "reading/parse.py", "reading/candles.py"),
        *("formats/recognise.py", "formats/registry.py"),
    ],
)
def test_a_constant_of_what_reads_files_forgets_them_all(look, code, file):
    inputs = inputs_of(look.entries, MAY)
    code.edit(file, constant)
    assert look() == ["june.csv", "may.csv"]
    assert look() == []
    module = f"price_physics.ticks.{file.removesuffix('.py').replace('/', '.')}"
    of_format = module in closure(f"{trades.__name__}.bitcoincharts")
    assert (inputs_of(look.entries, MAY) != inputs) == of_format


def test_a_vendor_that_changes_has_its_own_files_looked_at_again(look, code):
    may, june = (inputs_of(look.entries, month) for month in (MAY, MAY + 1))
    code.edit("formats/trades/bitcoincharts.py", constant)
    assert look() == ["may.csv"]
    assert look() == []
    assert inputs_of(look.entries, MAY + 1) == june
    changed = inputs_of(look.entries, MAY)
    assert {name for name in may if may[name] != changed[name]} == {"format bitcoincharts"}
    assert changed.keys() == may.keys()


def test_what_a_vendor_imports_of_another_is_its_own(look, code, dumps):
    row = "1151022504,78526.1,83.0,0.10569734,{}000,true\n"
    put(dumps, row.format(JUNE + 1), "coin.csv")
    assert look() == ["coin.csv"]
    assert look.entries["coin.csv"].vendor == "binance_coin_futures_trades"
    code.edit("formats/trades/binance_futures_trades.py", constant)
    assert look() == ["coin.csv"]


def test_a_file_of_a_vendor_that_is_gone_is_forgotten(look, code, dumps, tmp_path):
    code.remove("formats/trades/bitcoincharts.py")
    index = FileIndex(BTCUSD, tmp_path / "index.json")
    assert index.get("may.csv", dumps / "may.csv") is None
    assert index.get("june.csv", dumps / "june.csv") is not None


def test_a_file_without_a_row_names_its_vendor_too(look, code, dumps):
    put(dumps, "unixtime,price,amount\n", "empty.csv")
    assert look() == ["empty.csv"]
    assert look.entries["empty.csv"].vendor == "bitcoincharts"
    code.edit("formats/trades/bitcoincharts.py", constant)
    assert look() == ["empty.csv", "may.csv"]


def test_a_month_says_which_formats_it_was_read_with(dumps):
    inputs = build_ticks(BTCUSD, MAY, dumps).inputs
    assert list(inputs) == ["last trade before", "may.csv", "format bitcoincharts"]
    assert json.loads(json.dumps(inputs)) == inputs


# ---------------------------------------------------------------------------- what is stale
@pytest.mark.parametrize(
    ("file", "change", "stale"),
    [
        ("month/clean.py", comment, []),
        ("formats/trades/kraken.py", constant, []),
        ("formats/trades/bitcoincharts.py", constant, [MAY]),
        ("month/quality.py", constant, [MAY, MAY + 1]),
    ],
)
def test_months_are_stale_when_what_read_them_changed(code, dumps, file, change, stale):
    project, months = Project(dumps.parent), (MAY, MAY + 1)
    settings = BTCUSD.model_copy(update={"files": ["dumps/*"]})
    for month in months:
        artefact = build_ticks(settings, month, project.root)
        Store(project.store).write(
            (settings.name, "ticks"),
            month,
            artefact,
            code_version=code_version("ticks", None),
            config_hash=settings_hash("ticks", None, settings),
            inputs=artefact.inputs,
        )

    def is_stale(month):
        return not is_current(project, settings, DEMO, "ticks", month)

    assert not any(map(is_stale, months))
    code.edit(file, change)
    assert [month for month in months if is_stale(month)] == stale
