"""Which column of a file holds what, whose dump it is, and whether its first line is a header."""

import gzip
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from price_physics.errors import ConfigError, TickDataError
from price_physics.study.market import VENDORS, Market, TradeColumns
from price_physics.study.reading import load_market
from price_physics.ticks.formats.layout import Layout, split_line
from price_physics.ticks.formats.recognise import recognise, recognise_table
from price_physics.ticks.formats.registry import vendors_of
from price_physics_tests.study.make import market_of

from .helpers import ROOT, SHARED

PLAIN = {"name": "toy", "files": ["*"], "first_month": "2012-05"}


def market(symbol="BTCUSDT", **config) -> Market:
    return market_of(symbol=symbol, **PLAIN | config)


@dataclass(frozen=True)
class Dump:
    """The first lines of a vendor's file, its header and the layout without that.

    `headerless`: the lines alone are recognised as this vendor's too.
    """

    header: str
    lines: list[str]
    layout: Layout
    symbol: str = "BTCUSDT"
    contract_size: float | None = None
    candle_minutes: float | None = None
    headerless: bool = True

    @property
    def market(self) -> Market:
        return self.market_of(None)

    def market_of(self, vendor: str | None) -> Market:
        return market(
            self.symbol,
            contract_size=self.contract_size,
            candle_minutes=self.candle_minutes,
            vendor=vendor,
        )

    @property
    def vendor(self) -> str:
        return self.layout.vendor

    @property
    def titled(self) -> Layout:
        return replace(self.layout, has_header=True)


_IDS = ("2ef9a0c1-2b6d-5f3e-9a4e-0c6c3f6c9b1f", "c00e7c56-feb6-51ea-a24e-c827583fb5c5")
_BYBIT = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,"
    "foreignNotional"
)
_EVENT = (
    "event_type,event_time,symbol,trade_id,price,quantity,buyer_order_id,seller_order_id,"
    "trade_time,buyer_market_maker"
)
_BITFLYER = (
    '"domain","product_code","loaded","{id}","exec_date","side","price","size",'
    '"buy_child_order_acceptance_id","sell_child_order_acceptance_id"'
)
_BITFLYER_ROWS = [
    '"bitflyer.jp","BTC_JPY","2018-01-30T00:00:04.390+09:00","125138713",'
    '"2018-01-30T00:00:02.085+09:00","BUY","1229749.0","0.0342",'
    '"JRF20180129-235958-362755","JRF20180129-145957-441450"',
    '"bitflyer.jp","BTC_JPY","2018-01-30T00:00:04.390+09:00","125138712",'
    '"","","1229000.0","0.0198","JRF20180129-235958-362755","JRF20180129-145956-451464"',
    '"bitflyer.jp","BTC_JPY","2018-01-30T00:00:04.390+09:00","125138711",'
    '"2018-01-30T00:00:02.085+09:00","SELL","1229000.0","0.046",'
    '"JRF20180129-235958-362755","JRF20180129-145954-011200"',
]
_BITFLYER_LAYOUT = Layout("bitflyer", 10, 4, 6, 7, trade_id=3, side=5, symbol=1)
_BYBIT_LAYOUT = Layout(
    "bybit_derivatives", 10, 0, 4, 3, trade_id=6, side=2, symbol=1, trade_id_is_text=True
)
_AGGREGATE = Layout("binance_aggregate_trades", 8, 5, 1, 2, trade_id=0, is_buyer_maker=6)
_OKX = Layout("okx", 6, 5, 3, 4, trade_id=1, side=2, symbol=0)
_TARDIS = Layout("tardis", 8, 2, 6, 7, trade_id=4, side=5, symbol=1)
_EVENTS = Layout("binance_events", 10, 8, 4, 5, trade_id=3, is_buyer_maker=9, symbol=2)
_KLINES_HEAD = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore"
)
_KLINES = Layout(
    "binance_klines", 12, 0, 4, 5, open=1, high=2, low=3, close_time=6, other_qty=7, buy_qty=9
)

DUMPS = {
    "binance spot trades, ms": Dump(
        "id,price,qty,quoteQty,time,isBuyerMaker,isBestMatch",
        [
            "3358281446,42283.58000000,0.00116000,49.04895280,1704067200000,True,True",
            "3358281447,42283.59000000,0.00054000,22.83313860,1704067200004,False,True",
        ],
        Layout("binance_spot_trades", 7, 4, 1, 2, trade_id=0, is_buyer_maker=5),
    ),
    "binance spot trades, microseconds": Dump(
        "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match",
        ["4359672395,93576.00000000,0.00056000,52.40256000,1735689600017442,True,True"],
        Layout("binance_spot_trades", 7, 4, 1, 2, trade_id=0, is_buyer_maker=5),
    ),
    "binance spot aggregates": Dump(
        "aggId,price,qty,firstId,lastId,time,isBuyerMaker,isBestMatch",
        [
            "2864281183,42283.58000000,0.04200000,3358281446,3358281450,1704067200000,True,True",
            "2864281184,42283.59000000,0.00054000,3358281451,3358281451,1704067200004,False,True",
        ],
        _AGGREGATE,
    ),
    "binance futures aggregates": Dump(
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
        [
            "2001012345,42313.9,0.014,4468531780,4468531782,1704067200012,true",
            "2001012346,42314.0,0.002,4468531783,4468531783,1704067200034,false",
        ],
        replace(_AGGREGATE, n_columns=7),
    ),
    "binance coin futures aggregates": Dump(
        "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker",
        ["584271234,42288.1,12,770034551,770034552,1704067201203,true"],
        replace(_AGGREGATE, n_columns=7, qty_scale=100.0, qty_is_quote=True),
        symbol="BTCUSD_PERP",
        contract_size=100,
    ),
    "binance futures trades": Dump(
        "id,price,qty,quote_qty,time,is_buyer_maker",
        [
            "4468531780,42313.9,0.012,507.7668,1704067200012,true",
            "4468531781,42313.9,0.002,84.6278,1704067200012,true",
            "4468531783,42314.0,0.002,84.628,1704067200034,false",
        ],
        Layout("binance_futures_trades", 6, 4, 1, 2, trade_id=0, is_buyer_maker=5),
    ),
    "binance coin futures trades": Dump(
        "id,price,qty,base_qty,time,is_buyer_maker",
        [
            "1151022504,78526.1,83.0,0.10569734,1788220802731,true",
            "1151022505,78526.2,1.0,0.00127346,1788220802990,false",
            "1151022506,78526.2,700.0,0.89142222,1788220803411,false",
        ],
        Layout("binance_coin_futures_trades", 6, 4, 1, 3, trade_id=0, is_buyer_maker=5),
        symbol="BTCUSD_PERP",
    ),
    "binance events": Dump(
        _EVENT,
        [
            "trade,1558744627332,BTCUSDC,1932987,7975.63000000,0.02496900,24963241,24963227,"
            "1558744627326,false",
            "trade,1558744635757,BTCUSDC,1932992,7976.89000000,0.00543100,24963317,24963268,"
            "1558744635753,true",
        ],
        _EVENTS,
        symbol="BTCUSDC",
    ),
    "binance events, stored": Dump(
        "id;" + _EVENT.replace(",", ";") + ";inserted_at;updated_at",
        [
            "2e089acc-51a7-4d01-a537-4e9fe8845829;trade;1559520003695;BTCUSDC;2220114;"
            "8743.60000000;0.00176900;29105698;29105681;1559520003692;f;2019-06-03 00:00:03;"
            "2019-06-03 00:00:03",
            "6b2de706-e190-4fa8-bfab-dfc43cc528a5;trade;1559520000602;BTCUSDC;2220112;"
            "8743.60000000;0.00250000;29105689;29105681;1559520000600;t;2019-06-03 00:00:00;"
            "2019-06-03 00:00:00",
        ],
        Layout(
            "binance_events", 13, 9, 5, 6, trade_id=4, is_buyer_maker=10, symbol=3, delimiter=";"
        ),
        symbol="BTCUSDC",
    ),
    "bybit linear": Dump(
        _BYBIT,
        [
            f"1735689600.0974,BTCUSDT,Sell,0.003,93530.00,ZeroMinusTick,{_IDS[0]},"
            "2.8059e+10,0.003,280.59",
            f"1735689600.1446,BTCUSDT,Buy,0.002,93531.00,PlusTick,{_IDS[1]},"
            "1.87062e+10,0.002,187.062",
        ],
        _BYBIT_LAYOUT,
    ),
    "bybit linear, RPI": Dump(
        _BYBIT + ",RPI",
        [
            f"1788220800.1169,BTCUSDT,Sell,0.001,78541.70,MinusTick,{_IDS[0]},"
            "7.854169999999999e+09,0.001,78.54169999999999,0"
        ],
        replace(_BYBIT_LAYOUT, n_columns=11),
    ),
    "bybit linear, dated": Dump(
        _BYBIT,
        [
            f"1741910443.7357,BTC-14MAR25,Buy,0.001,81095.00,MinusTick,{_IDS[0]},"
            "8.1095e+09,0.001,81.095"
        ],
        _BYBIT_LAYOUT,
        symbol="BTC-14MAR25",
    ),
    "bybit inverse": Dump(
        _BYBIT,
        [
            f"1621036794.507791,BTCUSD,Sell,10,49910.0,ZeroMinusTick,{_IDS[1]},20036.0,10,"
            "0.00020036",
            f"1621036794,BTCUSD,Buy,258,49910.5,PlusTick,{_IDS[0]},516925.3,258,0.005169253",
        ],
        replace(_BYBIT_LAYOUT, qty_is_quote=True),
        symbol="BTCUSD",
    ),
    "bybit inverse, dated": Dump(
        _BYBIT,
        [
            f"1706745600.219,BTCUSDH24,Sell,641,43027.00,ZeroMinusTick,{_IDS[1]},"
            "1.489762241e+06,641,0.01489762"
        ],
        replace(_BYBIT_LAYOUT, qty_is_quote=True),
        symbol="BTCUSDH24",
    ),
    "bybit spot": Dump(
        "id,timestamp,price,volume,side",
        [
            "1,1696118403019,26965.24,0.000055,buy",
            "2,1696118403020,26965.24,0.049600,sell",
        ],
        Layout("bybit_spot", 5, 1, 2, 3, side=4),
    ),
    "bybit spot, rpi": Dump(
        "id,timestamp,price,volume,side,rpi",
        ["1,1756771201583,0.000009461,18057687,buy,0", "2,1756771201600,9.46e-06,1,sell,1"],
        Layout("bybit_spot", 6, 1, 2, 3, side=4),
    ),
    "okx spot": Dump(
        "instrument_name,trade_id,side,price,size,created_time",
        ["BTC-USDT,513281920,buy,42897.9,0.00214,1705248000179"],
        _OKX,
        symbol="BTC-USDT",
    ),
    "okx spot, source": Dump(
        "instrument_name,trade_id,side,price,size,created_time,source",
        ["BTC-USDT,913281920,buy,78515.6,0.00214,1788192000074,0"],
        replace(_OKX, n_columns=7),
        symbol="BTC-USDT",
    ),
    "okx swap": Dump(
        "instrument_name,trade_id,side,price,size,created_time",
        ["BTC-USDT-SWAP,1566502282,sell,104503.0,30.14,1748707200008"],
        replace(_OKX, qty_scale=0.01),
        symbol="BTC-USDT-SWAP",
        contract_size=0.01,
    ),
    "okx dated future": Dump(
        "instrument_name,trade_id,side,price,size,created_time",
        ["BTC-USDT-240329,40012345,sell,43503.1,12,1704067200008"],
        replace(_OKX, qty_scale=0.01),
        symbol="BTC-USDT-240329",
        contract_size=0.01,
    ),
    "okx inverse swap": Dump(
        "instrument_name,trade_id,side,price,size,created_time,source",
        ["BTC-USD-SWAP,472393587,buy,78515.6,1.0,1788192000074,0"],
        replace(_OKX, n_columns=7, qty_scale=100.0, qty_is_quote=True),
        symbol="BTC-USD-SWAP",
        contract_size=100,
    ),
    "bitmex": Dump(
        _BYBIT,
        [
            f"2018-12-23D07:09:37.549856000,XBTUSD,Sell,422,3978.5,MinusTick,{_IDS[0]},"
            "10606970,0.1060697,422",
            f"2018-12-23D07:09:38.101000000,XBTUSD,Buy,11,3979,PlusTick,{_IDS[1]},"
            "276452,0.00276452,11",
        ],
        replace(_BYBIT_LAYOUT, vendor="bitmex", qty=8, mixes_symbols=True),
        symbol="XBTUSD",
    ),
    "bitmex, type": Dump(
        _BYBIT + ",trdType",
        [
            "2024-01-01D00:00:00.000000000,XBTUSD,Buy,100,42283.5,PlusTick,"
            "00000000-006d-1000-0000-0010a5c9f4d1,236499,0.00236499,100,Regular"
        ],
        replace(_BYBIT_LAYOUT, vendor="bitmex", qty=8, n_columns=11, mixes_symbols=True),
        symbol="XBTUSD",
    ),
    "tardis": Dump(
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
        [
            "binance,BTCUSDT,1704067200012000,1704067200018201,3358281446,sell,42283.58,0.00116",
            "binance,BTCUSDT,1704067200012000,1704067200018290,3358281447,unknown,42283.58,1",
            "binance,BTCUSDT,1704067200013000,1704067200019021,3358281448,buy,42283.59,0.3",
        ],
        _TARDIS,
    ),
    "tardis, text ids": Dump(
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
        [
            f"coinbase,BTC-USD,1583020803145000,1583020803307160,{_IDS[0]},sell,8531.5,0.2",
        ],
        replace(_TARDIS, trade_id_is_text=True),
        symbol="BTC-USD",
    ),
    "tardis, no ids": Dump(
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount",
        ["hitbtc,BTCUSDT,1583020803145000,1583020803307160,,buy,8531.5,0.5"],
        replace(_TARDIS, trade_id=None),
    ),
    "bitcoincharts": Dump(
        "unixtime,price,amount",
        ["1315922016,5.800000000000,1.000000000000", "1315922024,5.830000000000,0.000000000000"],
        Layout("bitcoincharts", 3, 0, 1, 2),
        symbol="BTCUSD",
    ),
    "kraken": Dump(
        "time,price,volume",
        ["1381095255,122.00000,0.10000000", "1381179030.4512,123.61000,0.10000000"],
        Layout("kraken", 3, 0, 1, 2),
        symbol="XBTUSD",
        headerless=False,
    ),
    "bitflyer": Dump(_BITFLYER.format(id="id"), _BITFLYER_ROWS, _BITFLYER_LAYOUT, symbol="BTC_JPY"),
    "bitflyer, v2": Dump(
        _BITFLYER.format(id="execution_id"),
        [row.replace('000.0"', '000"') for row in _BITFLYER_ROWS],
        _BITFLYER_LAYOUT,
        symbol="BTC_JPY",
    ),
    "quoted ISO": Dump(
        '"symbol","side","price","amount","timestamp"',
        [
            '"BTC-USD","sell",25741.02,0.02188038,"2023-09-05T16:00:01.281719Z"',
            '"BTC-USD","buy",25741.03,3.844E-5,"2023-09-05T16:00:02.722748Z"',
        ],
        Layout("quoted_iso", 5, 4, 2, 3, side=1, symbol=0),
        symbol="BTC-USD",
    ),
    "generic": Dump(
        "timestamp,price,qty,is_buyer_maker,symbol",
        ["2024-01-01T00:00:00Z,42283.58,0.1,true,BTCUSDT"],
        Layout("generic", 5, 0, 1, 2, is_buyer_maker=3, symbol=4),
        headerless=False,
    ),
    "binance spot klines, ms": Dump(
        _KLINES_HEAD,
        [
            "1704067200000,42283.58000000,42298.62000000,42261.02000000,42298.61000000,35.92724000,"
            "1704067259999,1519032.12061650,1327,23.18766000,980394.04573370,0",
            "1704067260000,42298.62000000,42320.00000000,42298.61000000,42320.00000000,21.16779000,"
            "1704067319999,895580.25700080,1348,13.47483000,570080.92104800,0",
        ],
        _KLINES,
        candle_minutes=1,
    ),
    "binance spot klines, microseconds": Dump(
        _KLINES_HEAD,
        [
            "1735689600000000,93576.00000000,93610.93000000,93537.50000000,93610.93000000,"
            "8.21827000,1735689659999999,768978.00000000,2631,3.95157000,369757.32000000,0"
        ],
        _KLINES,
        candle_minutes=1,
    ),
    "binance klines, as the api names them": Dump(
        "Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume,Number of trades,"
        "Taker buy base asset volume,Taker buy quote asset volume,Ignore".replace(" ", "_"),
        [
            "1704067200000,42314.00,42335.80,42289.60,42331.90,289.641,1704067259999,"
            "12256155.27750,3310,175.211,7414459.72270,0"
        ],
        _KLINES,
        candle_minutes=1,
    ),
    "binance klines, eleven columns": Dump(
        _KLINES_HEAD.removesuffix(",ignore"),
        [
            "1704067200000,42314.00,42335.80,42289.60,42331.90,289.641,1704067259999,"
            "12256155.27750,3310,175.211,7414459.72270"
        ],
        replace(_KLINES, n_columns=11),
        candle_minutes=1,
    ),
    "binance coin futures klines": Dump(
        _KLINES_HEAD,
        [
            "1704067200000,42288.1,42309.6,42265.1,42302.0,2214,1704067259999,5.23510000,120,1200,"
            "2.83700000,0",
            "1704067260000,42302.0,42302.0,42302.0,42302.0,0,1704067319999,0,0,0,0,0",
        ],
        replace(_KLINES, qty_scale=100.0, qty_is_quote=True),
        symbol="BTCUSD_PERP",
        contract_size=100,
        candle_minutes=1,
    ),
    "kraken ohlcvt": Dump(
        "time,open,high,low,close,volume,trades",
        [
            "1381095240,122.0,122.0,122.0,122.0,0.1,1",
            "1696118400,26967.1,26971.4,26960.0,26962.1,1.50250000,45",
        ],
        Layout("kraken_ohlcvt", 7, 0, 4, 5, open=1, high=2, low=3),
        symbol="XBTUSD",
        candle_minutes=1,
    ),
    "generic candles": Dump(
        "timestamp,open,high,low,close,volume,quote_volume,buy_volume,symbol",
        ["2024-01-01T00:00:00Z,42283.58,42298.62,42261.02,42298.61,35.9,1519032.1,23.1,BTCUSDT"],
        Layout("generic", 9, 0, 4, 5, open=1, high=2, low=3, other_qty=6, buy_qty=7, symbol=8),
        candle_minutes=1,
        headerless=False,
    ),
}
HEADERLESS = {name: dump for name, dump in DUMPS.items() if dump.headerless}
each_dump = pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
each_headerless_dump = pytest.mark.parametrize("dump", HEADERLESS.values(), ids=HEADERLESS)


# ---------------------------------------------------------------------------- every vendor
def test_the_registry_is_what_a_market_may_name_and_every_format_has_a_dump():
    assert (list(vendors_of("trades")), list(vendors_of("candles"))) == (
        VENDORS["trades"],
        VENDORS["candles"],
    )
    assert {d.vendor for d in DUMPS.values() if not d.candle_minutes} == {*vendors_of("trades")}
    assert {d.vendor for d in DUMPS.values() if d.candle_minutes} == {*vendors_of("candles")}


@pytest.mark.parametrize("vendor", sorted({*VENDORS["trades"], *VENDORS["candles"]}))
def test_a_market_may_name_the_vendors_of_its_own_kind_of_rows(vendor):
    for minutes, kind in ((None, "trades"), (1, "candles")):
        if vendor in vendors_of(kind):
            assert market(vendor=vendor, candle_minutes=minutes).vendor == vendor
        else:
            with pytest.raises(ValidationError, match=f"vendor: {vendor} has rows of"):
                market(vendor=vendor, candle_minutes=minutes)


@each_dump
def test_a_dump_with_its_header(dump):
    assert recognise([dump.header, *dump.lines], dump.market, "f") == dump.titled
    assert recognise([dump.header, dump.lines[0]], dump.market, "f") == dump.titled


@each_headerless_dump
def test_a_dump_without_its_header(dump):
    assert recognise(dump.lines, dump.market, "f") == dump.layout
    assert recognise(dump.lines[:1], dump.market, "f") == dump.layout


@each_dump
def test_a_dump_as_parquet(dump):
    rows = [split_line(line, dump.layout.delimiter) for line in dump.lines]
    names = split_line(dump.header, dump.layout.delimiter)
    expected = replace(dump.titled, delimiter=",")
    assert recognise_table(names, rows, dump.market, "f") == expected


@each_dump
def test_a_dump_is_of_its_own_format_and_of_no_other(dump):
    kind = "candles" if dump.candle_minutes else "trades"
    for name in {*vendors_of(kind)} - {dump.vendor}:
        insistent = dump.market_of(name)
        with pytest.raises(TickDataError):
            recognise([dump.header, *dump.lines], insistent, "f")
        if {name, dump.vendor} != {"kraken", "bitcoincharts"}:
            with pytest.raises(TickDataError):
                recognise(dump.lines, insistent, "f")


@each_dump
def test_a_dump_of_the_other_kind_of_rows_is_refused(dump):
    minutes = None if dump.candle_minutes else 1
    other = market(dump.symbol, contract_size=dump.contract_size, candle_minutes=minutes)
    message = "fits no known format of candles" if minutes else "fits no known format of trades"
    if dump.candle_minutes and dump.vendor != "generic":
        message += ".*; it looks like candles: set `candle_minutes:` to their length"
    for lines in ([dump.header, *dump.lines], dump.lines):
        with pytest.raises(TickDataError, match=message):
            recognise(lines, other, "f")
    names = split_line(dump.header, dump.layout.delimiter)
    with pytest.raises(TickDataError, match=message):
        recognise_table(names, [], other, "f")


@each_dump
def test_columns_are_found_by_name_in_any_order_and_spelling(dump):
    names = split_line(dump.header, dump.layout.delimiter)
    respelt = names if dump.vendor == "generic" else [n.upper().replace("_", "") for n in names]
    rows = [split_line(line, dump.layout.delimiter)[::-1] for line in dump.lines]
    found = recognise_table(respelt[::-1], rows, dump.market, "f")
    last = dump.layout.n_columns - 1
    assert found.used == {name: last - place for name, place in dump.layout.used.items()}


@each_headerless_dump
@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_a_damaged_minority_of_the_first_rows_changes_nothing(dump, data):
    lines = dump.lines * 5
    damage = st.text(st.characters(codec="ascii", exclude_characters="\n\r,;\t"), min_size=1)
    for place in data.draw(st.sets(st.integers(1, len(lines) - 1), max_size=len(lines) // 6)):
        lines[place] = data.draw(damage.filter(str.strip))
    assert recognise(lines, dump.market, "f") == dump.layout


def test_kraken_and_bitcoincharts_are_alike_without_a_header_and_both_can_be_asked_for():
    lines = DUMPS["kraken"].lines
    assert recognise(lines, market(), "f") == Layout("bitcoincharts", 3, 0, 1, 2)
    for vendor in ("bitcoincharts", "kraken"):
        assert recognise(lines, market(vendor=vendor), "f").vendor == vendor


# ---------------------------------------------------------------------------- relations
@pytest.mark.parametrize(
    ("rows", "vendor"),
    [
        (["8000000,4261.48,0.005,21.3074,1569312000281,true"], "binance_futures_trades"),
        (["8000000,4261.48,0.005,21.30,1569312000281,true"], "binance_futures_trades"),  # rounded
        (["1,0.00000812,1500000,12.18,1700000000000,false"], "binance_futures_trades"),
        (["1,60000.5,10,0.000166,1757548800000,true"], "binance_coin_futures_trades"),
        (["1,0.5012,40,798.08459697,1757548800000,true"], "binance_coin_futures_trades"),
        (  # most rows decide, rows of no quantity say nothing
            [
                "1,4261.48,0.005,99,1569312000281,true",
                "2,4261.48,0,0,1569312000281,true",
                "3,4261.48,0.005,21.3074,1569312000281,true",
            ],
            "binance_futures_trades",
        ),
    ],
)
def test_the_fourth_column_tells_futures_apart(rows, vendor):
    assert recognise(rows, market(), "f").vendor == vendor
    other = {"binance_futures_trades", "binance_coin_futures_trades"} - {vendor}
    with pytest.raises(TickDataError, match=r"is not of `vendor: "):
        recognise(rows, market(vendor=other.pop()), "f")


def test_futures_that_do_not_tell_are_ambiguous_until_the_vendor_is_named():
    row = "1,4261.48,0,0,1569312000281,true"
    with pytest.raises(TickDataError, match=r"f\.csv, row 1: .* fits the formats \['binance_coin"):
        recognise([row], market(), "f.csv")
    named = market(vendor="binance_futures_trades")
    assert recognise([row], named, "f").qty == 2


def test_a_fourth_column_that_is_neither_is_no_known_format():
    rows = [f"{i},100.0,{i},{i * i}.25,1569312000281,true" for i in range(2, 40)]
    with pytest.raises(TickDataError, match="fits no known format"):
        recognise(rows, market(), "f")


def test_a_header_alone_that_two_vendors_share_is_ambiguous():
    with pytest.raises(TickDataError, match=r"\['bitmex', 'bybit_derivatives'\].*`vendor:`"):
        recognise([_BYBIT], market(), "f")
    assert recognise([_BYBIT], market(vendor="bitmex"), "f").qty == 8


def test_converted_times_do_not_make_bybit_dollars_bitmex_bitcoins():
    row = ["2021-05-15 00:00:00", *DUMPS["bybit inverse"].lines[0].split(",")[1:]]
    with pytest.raises(TickDataError, match="no known format"):
        recognise_table(_BYBIT.split(","), [row], market("BTCUSD"), "f")


@pytest.mark.parametrize(
    "name",
    [
        "okx swap",
        "okx inverse swap",
        "binance coin futures aggregates",
        "binance coin futures klines",
    ],
)
def test_contracts_need_their_size(name):
    dump = DUMPS[name]
    unsaid = market(dump.symbol, candle_minutes=dump.candle_minutes)
    with pytest.raises(ConfigError, match=r"f\.zip: .* contract_size is not set; set `contract_s"):
        recognise([dump.header, *dump.lines], unsaid, "f.zip")


@pytest.mark.parametrize("name", ["tardis", "generic"])
def test_contracts_of_other_dumps_are_worth_what_the_market_says(name):
    dump = DUMPS[name]
    found = recognise([dump.header, *dump.lines], market(contract_size=0.001), "f")
    assert found == replace(dump.titled, qty_scale=0.001)


def test_klines_of_coin_margined_are_told_by_volume_over_volume_wherever_the_columns_are():
    dump = DUMPS["binance coin futures klines"]
    names = split_line(dump.header)[::-1]
    rows = [split_line(line)[::-1] for line in dump.lines]
    times = [[*row[:-1], "2024-01-01 00:00:00+00:00"] for row in rows]  # typed, of a parquet
    for typed_or_text in (rows, times):
        found = recognise_table(names, typed_or_text, dump.market, "f")
        assert (found.qty_is_quote, found.qty_scale) == (True, 100.0)


def test_klines_in_which_nothing_traded_count_contracts_where_the_market_says_so():
    silent = DUMPS["binance coin futures klines"].lines[1:]
    assert recognise(silent, market(candle_minutes=1), "f") == _KLINES
    contracts = replace(_KLINES, qty_scale=100.0, qty_is_quote=True)
    assert recognise(silent, market(candle_minutes=1, contract_size=100), "f") == contracts


def test_seven_numbers_that_are_no_candle_are_not_of_kraken():
    rows = [f"{1381095240 + 60 * i},122.0,121.0,123.0,122.0,0.1,1" for i in range(9)]
    with pytest.raises(TickDataError, match="fits no known format of candles"):
        recognise(rows, market(candle_minutes=1), "f")


def test_columns_that_two_candle_formats_read_alike_are_no_ambiguity():
    head, row = "timestamp,open,high,low,close,volume,trades", DUMPS["kraken ohlcvt"].lines[0]
    found = recognise([head, row], market(candle_minutes=1), "f")
    assert replace(found, vendor="kraken_ohlcvt") == DUMPS["kraken ohlcvt"].titled
    with pytest.raises(TickDataError, match=r"fits the formats \['generic', 'kraken_ohlcvt'\]"):
        recognise([head, row], market(candle_minutes=1, contract_size=10), "f")


# ---------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    "lines",
    [
        ["open_time,open,high,low,close", "1315922016000,5.8,5.9,5.7,5.8"],
        ["time,price,worth", "1315922016,5.8,1.0"],  # a header of nobody's is no trade
        ["when,volume,price", *["1315922016,1.0,5.8"] * 9],
        ["1315922016,5.8"],
        ["1315922016,5.8,1,2"],
        ["yesterday,5.8,1"],
        ["\x00\x01\x02"],
        ["x" * 200_000],
        ["<html><body>404 Not Found</body></html>"],
        ['{"e":"trade","E":1672515782136,"s":"BNBBTC"}'],
        [",,"],
    ],
)
def test_an_unknown_schema_stops_and_says_what_to_do(lines):
    with pytest.raises(TickDataError) as caught:
        recognise(lines, market(), "f.csv")
    message = str(caught.value)
    assert message.startswith("f.csv, row 1: ")
    assert repr(lines[0][:300])[:-1] in message
    assert "map its columns under `columns:`" in message
    assert "configs/markets/toy.yaml" in message


def test_a_table_of_other_columns_stops():
    with pytest.raises(TickDataError, match=r"f\.parquet: 'a,b,c' fits no known format.*columns:"):
        recognise_table(["a", "b", "c"], [["1", "2", "3"]], market(), "f.parquet")


def test_a_header_that_names_a_column_twice_or_lacks_one_is_not_the_vendors():
    with pytest.raises(TickDataError, match="no known format"):
        recognise(["id,timestamp,price,price,volume,side"], market(), "f")
    assert recognise(["id,timestamp,price,volume"], market(), "f").vendor == "generic"


def test_a_named_vendor_is_the_only_one_and_the_error_says_what_it_expects():
    dump = DUMPS["binance futures trades"]
    with pytest.raises(
        TickDataError,
        match=r"row 1: '4468.*' is not of `vendor: bybit_spot`, which expects "
        r"id,timestamp,price,volume,side\[,rpi\]; .*configs/markets/toy\.yaml",
    ):
        recognise(dump.lines, market(vendor="bybit_spot"), "f")


# ---------------------------------------------------------------------------- generic
ROW = "1,5.0,2.0,10.0,1704067200000,true"
MAPPED = {
    "columns": TradeColumns(
        timestamp="when", price="price", qty="size", trade_id="id", is_buyer_maker="maker"
    ),
    "header": ["id", "price", "size", "quote", "when", "maker"],
}


def test_a_plain_header():
    found = recognise(["timestamp,price,qty"], market(), "f")
    assert found == Layout("generic", 3, 0, 1, 2, has_header=True)


def test_optional_columns_are_used_when_they_carry_their_own_name():
    found = recognise(["side,trade_id,qty,price,timestamp"], market(), "f")
    assert found == Layout("generic", 5, 4, 3, 2, trade_id=1, side=0, has_header=True)
    found = recognise(["timestamp,price,qty,side,is_buyer_maker"], market(), "f")
    assert (found.side, found.is_buyer_maker) == (None, 4)


def test_mapped_names_and_other_delimiters():
    names = TradeColumns(timestamp="t", price="p", qty="q", trade_id="i", side="taker")
    found = recognise(['"i";"t";"p";"q";"taker"'], market(columns=names), "f")
    assert found == Layout(
        "generic", 5, 1, 2, 3, trade_id=0, side=4, has_header=True, delimiter=";"
    )
    assert recognise(["t\tp\tq\ti\ttaker"], market(columns=names), "f").delimiter == "\t"


@pytest.mark.parametrize(
    ("lines", "has_header"), [([ROW], False), (["id,price,size,quote,when,maker", ROW], True)]
)
def test_a_mapped_file_with_and_without_its_header(lines, has_header):
    expected = Layout("generic", 6, 4, 1, 2, trade_id=0, is_buyer_maker=5, has_header=has_header)
    assert recognise(lines, market(**MAPPED), "f") == expected


def test_a_market_that_maps_columns_means_no_vendors_format():
    dump = DUMPS["binance futures trades"]
    columns = TradeColumns(timestamp="time", qty="quote_qty")
    found = recognise([dump.header, *dump.lines], market(columns=columns), "f")
    assert (found.vendor, found.qty) == ("generic", 3)
    with pytest.raises(TickDataError, match="is no header with the columns"):
        recognise(dump.lines, market(columns=columns), "f")


@pytest.mark.parametrize(
    "lines",
    [
        ["1,5.0,2.0,10.0,1704067200000"],  # a column short
        ["id,price,qty,quote,time,is_maker"],  # a header of other names
        ["id,price,qty,quote,time,is_maker", ROW, ROW],
        ["1,5.0,2.0,10.0,yesterday,true"],
        ["\x00\x01\x02"],
    ],
)
def test_a_first_line_that_is_neither_header_nor_trade_stops(lines):
    with pytest.raises(TickDataError, match=r"f\.csv, row 1: .* is neither a header"):
        recognise(lines, market(**MAPPED), "f.csv")


def test_without_header_names_a_trade_is_no_header():
    with pytest.raises(TickDataError, match=r"row 1: '1315922016,5.8,1.0' is no header.*`header:`"):
        recognise(["1315922016,5.8,1.0"], market(vendor="generic"), "f")


def test_a_mapped_column_must_be_there():
    with pytest.raises(TickDataError, match="'taker'"):
        recognise(["timestamp,price,qty"], market(columns=TradeColumns(side="taker")), "f")


def test_a_header_setting_without_a_mapped_column_is_a_config_error():
    wrong = market(header=["timestamp", "price", "worth"])
    with pytest.raises(ConfigError, match=r"toy\.yaml: header = .* lacks \['qty'\]"):
        recognise(["1315922016,5.8,1.0"], wrong, "f")


def test_a_column_named_twice_stops():
    with pytest.raises(TickDataError, match="'price' is named twice"):
        recognise(["timestamp,price,qty,price"], market(), "f")


def test_names_of_a_parquet():
    assert recognise_table(["qty", "price", "timestamp"], [], market(), "f").time == 2
    with pytest.raises(TickDataError, match=r"no column \['qty'\] among"):
        recognise_table(["timestamp", "price"], [], market(vendor="generic"), "f")


# ---------------------------------------------------------------------------- real files
@pytest.mark.parametrize(
    ("pattern", "symbol", "layout"),
    [
        ("bitstamp_usd/*", "BTCUSD", Layout("bitcoincharts", 3, 0, 1, 2)),
        ("intersango_gbp/*", "BTCGBP", Layout("bitcoincharts", 3, 0, 1, 2)),
        ("binance_btcusdc/2019-*", "BTCUSDC", replace(_EVENTS, has_header=True)),
        ("binance_btcusdc/BTCUSDC-*", "BTCUSDC", DUMPS["binance events, stored"].layout),
        ("bitflyer_btcjpy/*", "BTC_JPY", replace(_BITFLYER_LAYOUT, has_header=True)),
        ("coinbase_like/*", "BTC-USD", DUMPS["quoted ISO"].titled),
    ],
)
def test_real_files_need_no_vendor(pattern, symbol, layout):
    if not SHARED.is_dir():
        pytest.skip(f"the real ticks are not at {SHARED}")
    paths = sorted(SHARED.glob(pattern))
    assert paths
    for path in paths:
        assert recognise(_first_lines(path), market(symbol), path.name) == layout


def test_the_sample_in_the_repository_needs_no_vendor():
    path = ROOT / "data/sample/bitstamp_usd/bitstampUSD.csv"
    assert recognise(_first_lines(path), market("BTCUSD"), "f").vendor == "bitcoincharts"


def test_the_example_market_reads_spot_and_futures_files():
    example = load_market(ROOT / "configs/examples/markets/btcusdt.yaml")
    assert {"vendor", "header", "columns"}.isdisjoint(example.model_fields_set)
    for name in ("binance spot trades, ms", "binance futures trades"):
        assert recognise(DUMPS[name].lines, example, "f") == DUMPS[name].layout


def _first_lines(path: Path) -> list[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        return [line.rstrip("\r\n") for line in islice(lines, 50)]


def test_a_line_that_is_no_csv_has_no_fields():
    assert split_line("x" * 200_000) == []


def test_tardis_contracts_need_their_size():
    head = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount"
    row = "bitmex,XBTUSD,1583020803145000,1583020803307160,1,sell,8531.5,2152"
    with pytest.raises(ConfigError, match="XBTUSD is counted in contracts"):
        recognise([head, row], market(symbol="XBTUSD", vendor=None), "f")
    inverse = market(symbol="XBTUSD", vendor=None, contract_size=1, contract_is_inverse=True)
    layout = recognise([head, row], inverse, "f")
    assert (layout.qty_scale, layout.qty_is_quote) == (1.0, True)
    one_damaged = [head, *[row] * 5, row.replace(",1,", ",x99,")]
    assert not recognise(one_damaged, inverse, "f").trade_id_is_text


def test_generic_ids_may_be_texts():
    head = "timestamp,price,qty,trade_id"
    for ids, is_text in ((["7", "8"], False), (_IDS[:2], True), (["7", "", "8.0"], False)):
        rows = [f"1583020803,5,1,{i}" for i in ids]
        assert recognise([head, *rows], market(vendor=None), "f").trade_id_is_text is is_text
