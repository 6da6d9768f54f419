"""A vendor is one module: found by lying in a folder, checked when it is loaded."""

import pytest

from price_physics.source import names_in
from price_physics.ticks.build import build_ticks
from price_physics.ticks.formats.match import Format
from price_physics.ticks.formats.recognise import recognise
from price_physics.ticks.formats.registry import _REQUIRED as REQUIRED
from price_physics.ticks.formats.registry import format_version, load_format, vendors_of

from .helpers import MAY, START, market, put

TRADES = '''"""A venue that does not exist."""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    versions=((("moment", "time"), ("rate", "price"), ("size", "qty"), ("taker", "side")),),
)
'''
CANDLES = TRADES.replace('("taker", "side")', '("first", "open"), ("top", "high"), ("low", "low")')
UNKNOWN = market(vendor=None)


def written(text):
    return lambda _: text


@pytest.mark.parametrize("kind", ["trades", "candles"])
def test_every_vendor_that_lies_there_is_one(kind):
    vendors = vendors_of(kind)
    assert "generic" in vendors
    assert vendors == names_in(f"price_physics.ticks.formats.{kind}")
    for vendor in vendors:
        found = load_format(kind, vendor)
        assert found.expects
        assert set(REQUIRED[kind]) <= found.meanings
    assert len({format_version(kind, vendor) for vendor in vendors}) == len(vendors)


def test_a_new_vendor_is_one_file(code, tmp_path):
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    put(dumps, f"moment,rate,size,taker\n{START},5.0,1.0,buy\n{START + 1},6.0,2.0,sell\n")
    code.edit("formats/trades/newcomer.py", written(TRADES))
    assert "newcomer" in vendors_of("trades")
    artefact = build_ticks(UNKNOWN, MAY, dumps)
    assert artefact.table("ticks")["price"].tolist() == [5.0, 6.0]
    assert artefact.table("ticks")["tick_sign"].tolist() == [1, -1]
    assert artefact.inputs["format newcomer"] == format_version("trades", "newcomer")


def test_a_new_vendor_of_candles_is_one_file(code):
    code.edit("formats/candles/newcomer.py", written(CANDLES))
    minutes = market(vendor=None, candle_minutes=1)
    lines = ["moment,rate,size,first,top,low", f"{START},5,1,4,6,3"]
    layout = recognise(lines, minutes, "f")
    assert (layout.vendor, layout.open, layout.high, layout.low) == ("newcomer", 3, 4, 5)


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("trades", "FORM = 1\n", r"trades\.newcomer: defines no FORMAT, see .*VendorFormat"),
        ("trades", "FORMAT = 1\n", "its FORMAT lacks expects, meanings, fits, match, see"),
        (
            "trades",
            TRADES.replace('("size", "qty"), ', ""),
            "its FORMAT has no column of kind qty, which trades need",
        ),
        ("candles", TRADES, "its FORMAT has no column of kind open, high, low, which candles need"),
        ("trades", TRADES.replace('"qty"', '"quantity"'), "column 'size': no kind 'quantity'; cho"),
    ],
)
def test_a_module_that_is_no_vendor_says_what_is_missing(code, kind, text, message):
    code.edit(f"formats/{kind}/newcomer.py", written(text))
    with pytest.raises(TypeError, match=message):
        load_format(kind, "newcomer")


def test_a_column_must_be_in_every_version_to_be_counted_on():
    both = Format(versions=((("t", "time"), ("p", "price")), (("t", "unix_time"), ("q", "qty"))))
    assert both.meanings == {"time"}


def test_there_is_no_version_of_a_vendor_that_is_not_there():
    assert format_version("trades", "mtgox") is None
    assert format_version("candles", "kraken") is None
