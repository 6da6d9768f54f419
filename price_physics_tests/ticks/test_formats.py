"""Which column of a file holds what, and whether its first line is a header."""

import pytest

from price_physics.errors import ConfigError, TickDataError
from price_physics.study import load_market
from price_physics.ticks.formats import FORMATS, Layout
from price_physics.ticks.formats.generic import layout, layout_of_names
from price_physics.ticks.formats.layout import split_line

from .helpers import BITCOINCHARTS, ROOT, market

BINANCE = load_market(ROOT / "configs/examples/markets/btcusdt.yaml")
ROW = "1,5.0,2.0,10.0,1704067200000,true"


def test_a_plain_header():
    assert layout("timestamp,price,qty", market(), "f") == Layout(3, 0, 1, 2, has_header=True)


def test_optional_columns_are_used_when_they_carry_their_own_name():
    found = layout("side,trade_id,qty,price,timestamp", market(), "f")
    assert found == Layout(5, 4, 3, 2, trade_id=1, side=0, has_header=True)
    found = layout("timestamp,price,qty,side,is_buyer_maker", market(), "f")
    assert (found.side, found.is_buyer_maker) == (None, 4)


def test_mapped_names_and_other_delimiters():
    names = {"timestamp": "t", "price": "p", "qty": "q", "trade_id": "i", "side": "taker"}
    found = layout('"i";"t";"p";"q";"taker"', market(columns=names), "f")
    assert found == Layout(5, 1, 2, 3, trade_id=0, side=4, has_header=True, delimiter=";")
    assert layout("t\tp\tq\ti\ttaker", market(columns=names), "f").delimiter == "\t"


@pytest.mark.parametrize(
    ("line", "has_header"), [(ROW, False), ("id,price,qty,quote_qty,time,is_buyer_maker", True)]
)
def test_a_binance_file_with_and_without_its_header(line, has_header):
    expected = Layout(6, 4, 1, 2, trade_id=0, is_buyer_maker=5, has_header=has_header)
    assert layout(line, BINANCE, "f") == expected


@pytest.mark.parametrize(
    "line",
    [
        "1,5.0,2.0,10.0,1704067200000",  # a column short
        "id,price,qty,quote,when,maker",  # a header of other names
        "1,5.0,2.0,10.0,yesterday,true",
        "\x00\x01\x02",
    ],
)
def test_a_first_line_that_is_neither_header_nor_trade_stops(line):
    with pytest.raises(TickDataError, match=r"f\.csv, row 1: .* is neither a header"):
        layout(line, BINANCE, "f.csv")


def test_without_header_names_a_trade_is_no_header():
    with pytest.raises(TickDataError, match=r"row 1: '1315922016,5.8,1.0' is no header.*`header:`"):
        layout("1315922016,5.8,1.0", market(), "f")


def test_a_mapped_column_must_be_there():
    with pytest.raises(TickDataError, match="'taker'"):
        layout("timestamp,price,qty", market(columns={"side": "taker"}), "f")


def test_a_header_setting_without_a_mapped_column_is_a_config_error():
    wrong = market(header=["timestamp", "price", "amount"])
    with pytest.raises(ConfigError, match=r"toy\.yaml: header = .* lacks \['qty'\]"):
        layout("1315922016,5.8,1.0", wrong, "f")


def test_a_column_named_twice_stops():
    with pytest.raises(TickDataError, match="'price' is named twice"):
        layout("timestamp,price,qty,price", market(), "f")


def test_names_of_a_parquet():
    assert layout_of_names(["qty", "price", "timestamp"], market(), "f").time == 2
    with pytest.raises(TickDataError, match=r"no column \['qty'\] among"):
        layout_of_names(["timestamp", "price"], market(), "f")


@pytest.mark.parametrize("line", ["time,price,amount", "1315922016,5.8", "1315922016,5.8,1,2", ""])
def test_bitcoincharts_refuses_what_is_no_trade(line):
    with pytest.raises(TickDataError, match="not a bitcoincharts trade"):
        FORMATS["bitcoincharts"].of_text(line, BITCOINCHARTS, "f")


def test_a_line_that_is_no_csv_has_no_fields():
    assert split_line("x" * 200_000) == []
