"""One file of candles to rows and faults: what they mean, what is set aside and what stops."""

import datetime
import io
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from price_physics.errors import TickDataError
from price_physics.ticks.reading import read as reading
from price_physics.ticks.reading.read import read_file
from price_physics.ticks.reading.reasons import Reason
from price_physics.ticks.reading.rows import CandleRows

from .helpers import START, market, put

MINUTE_NS = 60 * 10**9
CANDLES = market(vendor=None, candle_minutes=1)
HEADER = "timestamp,open,high,low,close,volume\n"
FULL = "timestamp,open,high,low,close,volume,quote_volume,buy_volume\n"
KLINES = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
)


def rows(*fields, start=START):
    """A row a minute."""
    return "".join(f"{start + 60 * i},{row}\n" for i, row in enumerate(fields))


def read_candles(settings, path, **options):
    blocks = list(read_file(settings, path, path.name, **options))
    faults = [fault for block in blocks for fault in block.faults]
    return CandleRows.concatenate([block.rows for block in blocks]), faults


def read(folder, text, settings=CANDLES, name="candles.csv", **options):
    return read_candles(settings, put(folder, text, name), **options)


def read_good(folder, text, settings=CANDLES, name="candles.csv"):
    good, faults = read(folder, text, settings, name)
    assert not faults
    return good


def assert_same_candles(first, second, *, but=()):
    for name, one, other in zip(CandleRows._fields, first, second, strict=True):
        assert one.dtype == other.dtype, name
        assert name in but or one.tobytes() == other.tobytes(), (name, one, other)


# ---------------------------------------------------------------------------- what is read
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.zip"])
def test_a_candle_stands_at_its_last_instant(tmp_path, name):
    good = read_good(tmp_path, HEADER + rows("5,7,4,6,2", "6,6,5,5,3"), name=name)
    assert good.time_ns.tolist() == [(START + 60) * 10**9 - 1, (START + 120) * 10**9 - 1]
    assert good.open.tolist() == [5.0, 6.0]
    assert good.high.tolist() == [7.0, 6.0]
    assert good.low.tolist() == [4.0, 5.0]
    assert good.close.tolist() == [6.0, 5.0]
    assert good.volume.tolist() == [2.0, 3.0]
    assert good.line.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("minutes", "length_ns"), [(1440, 86_400 * 10**9), (5, 300 * 10**9), (0.25, 15 * 10**9)]
)
def test_a_candle_is_as_long_as_the_market_says(tmp_path, minutes, length_ns):
    settings = market(vendor=None, candle_minutes=minutes)
    good = read_good(tmp_path, HEADER + f"{START},5,7,4,6,2\n", settings)
    assert good.time_ns.tolist() == [START * 10**9 + length_ns - 1]


@pytest.mark.parametrize(
    "time", ["{s}", "{s}.000", "{s}000", "{s}000000", "{s}000000000", "2012-05-01T00:00:00Z"]
)
def test_a_start_in_any_unit_is_the_same_start(tmp_path, time):
    good = read_good(tmp_path, HEADER + time.format(s=START) + ",5,7,4,6,2\n")
    assert good.time_ns.tolist() == [START * 10**9 + MINUTE_NS - 1]


def test_quote_volume_is_the_notional_and_without_it_the_typical_price_times_the_volume(tmp_path):
    with_it = read_good(tmp_path, FULL + rows("5,7,4,6,2,11.5,0.5"))
    assert with_it.notional.tolist() == [11.5]
    assert with_it.buy_volume.tolist() == [0.5]
    without = read_good(tmp_path, HEADER + rows("5,7,4,6,2"))
    assert without.notional.tolist() == [2 * (7 + 4 + 6) / 3]
    assert np.isnan(without.buy_volume).tolist() == [True]


KLINE = "5.0,7.0,4.0,6.0,2.0,{end},11.5,9,0.5,2.75,0\n"


@pytest.mark.parametrize("unit", ["000", "000000"])
@pytest.mark.parametrize("head", [KLINES, ""])
def test_klines_of_spot_and_of_futures(tmp_path, unit, head):
    ends = [f"{START + 60 * i + 59}{unit.replace('0', '9')}" for i in range(2)]
    text = "".join(f"{START + 60 * i}{unit},{KLINE.format(end=ends[i])}" for i in range(2))
    good = read_good(tmp_path, head + text)
    assert good.time_ns.tolist() == [(START + 60 * i) * 10**9 - 1 for i in (1, 2)]
    assert np.array(good)[1:8].T.tolist() == [[5.0, 7.0, 4.0, 6.0, 2.0, 11.5, 0.5]] * 2


def test_klines_of_coin_margined_count_contracts(tmp_path):
    """30 contracts of 100 USD, of which takers bought 10, were 600 coins at 5 USD on average."""
    settings = market(vendor="binance_klines", candle_minutes=1, contract_size=100)
    row = f"{START}000,5.0,7.0,4.0,6.0,30,{START + 59}999,600,9,10,200,0\n"
    good = read_good(tmp_path, KLINES + row, settings)
    assert good.volume.tolist() == [600.0]
    assert good.notional.tolist() == [3000.0]
    assert good.buy_volume.tolist() == [600.0 * (10 / 30)]


def test_ohlcvt_of_kraken(tmp_path):
    good = read_good(tmp_path, rows("5,7,4,6,2,31", "6,6,6,6,1,1"))
    assert good.close.tolist() == [6.0, 6.0]
    assert good.volume.tolist() == [2.0, 1.0]
    assert np.isnan(good.buy_volume).all()


def test_columns_are_those_that_the_market_maps(tmp_path):
    columns = {"timestamp": "t", "open": "o", "high": "h", "low": "l", "close": "c"}
    columns |= {"volume": "v", "quote_volume": "dollars", "buy_volume": "bought"}
    names = ["c", "l", "h", "o", "note", "v", "t", "bought", "dollars"]
    settings = market(columns=columns, header=names, vendor=None, candle_minutes=1)
    row = f"6,4,7,5,nothing,2,{START},0.5,11.5"
    plain = read_good(tmp_path, row + "\n", settings)
    assert np.array(plain)[1:8].T.tolist() == [[5.0, 7.0, 4.0, 6.0, 2.0, 11.5, 0.5]]
    for delimiter in ",;\t":
        text = ",".join(names) + "\n" + row + "\n"
        titled = read_good(tmp_path, text.replace(",", delimiter), settings)
        assert_same_candles(titled, plain, but=["line"])


def test_a_mapped_column_must_be_there(tmp_path):
    for name in ("quote_volume", "buy_volume"):
        settings = market(columns={name: "theirs"}, vendor=None, candle_minutes=1)
        with pytest.raises(TickDataError, match=r"row 1: .* is no header with .*'theirs'"):
            read(tmp_path, HEADER + rows("5,7,4,6,2"), settings)


@pytest.mark.parametrize(
    ("inverse", "volume", "notional"), [(False, 0.2, 0.2 * 17 / 3), (True, 0.2 / (17 / 3), 0.2)]
)
def test_contracts_of_a_generic_dump_are_worth_what_the_market_says(
    tmp_path, inverse, volume, notional
):
    settings = market(candle_minutes=1, contract_size=0.1, contract_is_inverse=inverse)
    text = HEADER.replace("\n", ",buy_volume\n") + rows("5,7,4,6,2,1")
    good = read_good(tmp_path, text, settings)
    assert good.volume.tolist() == pytest.approx([volume], rel=1e-15)
    assert good.notional.tolist() == pytest.approx([notional], rel=1e-15)
    assert good.buy_volume.tolist() == pytest.approx([volume / 2], rel=1e-15)


def test_crlf_blank_lines_spaces_and_quotes_do_no_harm(tmp_path):
    text = f"\r\n{HEADER}\n\r\n".replace("\n", "\r\n").replace("open", '"open"')
    text += f'"{START}","5",7 ,\t4, "6" ,2\r\n\r\n   \r\n{START + 60},6,6,5,5,3\r\n\r\n'
    good = read_good(tmp_path, text)
    lines = text.split("\n")
    assert [lines[line - 1][:12].strip('"')[:10] for line in good.line] == [
        str(START),
        str(START + 60),
    ]
    assert np.array(good)[1:6].T.tolist() == [[5.0, 7.0, 4.0, 6.0, 2.0], [6.0, 6.0, 5.0, 5.0, 3.0]]


def test_a_header_alone_is_a_file_without_candles(tmp_path):
    good, faults = read(tmp_path, HEADER)
    assert_same_candles(good, CandleRows.empty())
    assert not faults


def test_the_symbol_is_compared_where_there_is_a_column_of_it(tmp_path):
    head = "symbol," + HEADER
    text = head + f'"toy",{START},5,7,4,6,2\nTOY,{START + 60},5,7,4,6,2\n'
    assert read_good(tmp_path, text).line.tolist() == [2, 3]
    for other in ("TOY2", ""):
        with pytest.raises(TickDataError, match=r"candles\.csv, row 4: .* is of .*'TOY'"):
            read(tmp_path, text + f"{other},{START},5,7,4,6,2\n")


# ---------------------------------------------------------------------------- references
def dump_of_klines(n_rows=2000, seed=3):
    """Candles of a walk as Binance writes them."""
    generator = np.random.default_rng(seed)
    prices = np.round(
        100 * np.exp(np.cumsum(generator.normal(0, 1e-3, (n_rows, 8)))).reshape(n_rows, 8), 2
    )
    volume = np.round(generator.gamma(2.0, 3.0, n_rows) + 0.001, 5)
    bought = np.round(volume * generator.random(n_rows), 5)
    lines = [
        f"{START + 60 * i}000,{p[0]:.8f},{p.max():.8f},{p.min():.8f},{p[-1]:.8f},{v:.8f},"
        f"{START + 60 * i + 59}999,{v * p.mean():.8f},9,{b:.8f},{b * p.mean():.8f},0\n"
        for i, (p, v, b) in enumerate(zip(prices, volume, np.minimum(bought, volume), strict=True))
    ]
    return KLINES + "".join(lines)


@pytest.fixture(scope="module")
def klines():
    return dump_of_klines()


def test_a_dump_is_read_as_pandas_reads_it(tmp_path, klines):
    good = read_good(tmp_path, klines, name="klines.zip")
    table = pd.read_csv(io.StringIO(klines), float_precision="round_trip")
    ends = pd.to_datetime(table["open_time"] + 60_000, unit="ms").astype("datetime64[ns]")
    assert good.time_ns.tolist() == (ends.astype(np.int64) - 1).tolist()
    names = ("open", "high", "low", "close", "volume", "quote_volume")
    for name, column in zip(names, good[1:7], strict=True):
        assert column.tolist() == table[name].tolist(), name
    np.testing.assert_allclose(good.buy_volume, table["taker_buy_volume"], rtol=1e-15)
    assert good.line.tolist() == list(range(2, len(table) + 2))


def parquet(folder, **columns):
    path = folder / "candles.parquet"
    pa.parquet.write_table(pa.table(columns), path)
    return path


def test_parquet_and_text_agree(tmp_path, klines):
    expected = read_good(tmp_path, klines)
    table = pd.read_csv(io.StringIO(klines), float_precision="round_trip")
    texts = pd.read_csv(io.StringIO(klines), dtype=str)
    stamps = table.assign(open_time=pd.to_datetime(table["open_time"], unit="ms", utc=True))
    for frame in (table, texts, stamps, stamps[stamps.columns[::-1]]):
        path = parquet(tmp_path, **{name: frame[name].to_numpy() for name in frame})
        good, faults = read_candles(CANDLES, path)
        assert not faults
        assert_same_candles(good, expected, but=["line"])
        assert good.line.tolist() == list(range(1, len(table) + 1))


def test_columns_of_text_in_parquet_are_read_value_by_value(tmp_path):
    """One bad value is a row to set aside, and no reason to refuse the file."""
    plain = {
        "high": [7.0] * 4,
        "low": [4.0] * 4,
        "close": [6.0] * 4,
        "volume": [2.0, 0.0, 2.0, 2.0],
    }
    times = ["2012-05-01T00:00:00Z", "2012-05-01T00:01:00Z", "2012-05-01T00:02:00Z", "x"]
    for kind in (pa.string(), pa.large_string()):
        opens = pa.array(["5.0", "", "five", "5.0"], kind)
        good, faults = read_candles(
            CANDLES, parquet(tmp_path, timestamp=pa.array(times, kind), open=opens, **plain)
        )
        assert good.line.tolist() == [1, 2]
        assert good.volume.tolist() == [2.0, 0.0]
        assert [(fault.line, fault.reason) for fault in faults] == [
            (3, "a price is not a finite number"),
            (4, "time is not a time"),
        ]
        assert faults[0].raw == "2012-05-01T00:02:00Z,five,7.0,4.0,6.0,2.0"


def test_decimals_in_parquet_are_rounded_once(tmp_path):
    price = pa.array(["0.10000000000000000555"] * 2, pa.string()).cast(pa.decimal128(30, 20))
    path = parquet(
        tmp_path,
        timestamp=[START, START + 60],
        **dict.fromkeys(("open", "high", "low", "close"), price),
        volume=[1, 2],
    )
    good, faults = read_candles(CANDLES, path)
    assert not faults
    assert good.open.tolist() == [0.1, 0.1]


def test_a_parquet_that_does_not_fit_stops(tmp_path):
    whole = {"open": [5.0], "high": [7.0], "low": [4.0], "close": [6.0], "volume": [2.0]}
    with pytest.raises(TickDataError, match=r"'timestamp,open,.*' fits no known format of candles"):
        read_candles(CANDLES, parquet(tmp_path, timestamp=[START], **whole | {"low": [[4.0]]}))
    with pytest.raises(TickDataError, match=r"candles\.parquet, from row 1: a column of booleans"):
        read_candles(CANDLES, parquet(tmp_path, timestamp=[START], **whole | {"low": [True]}))
    with pytest.raises(TickDataError, match=r"candles\.parquet, row 1: .* is of 'EUR'"):
        read_candles(CANDLES, parquet(tmp_path, symbol=["EUR"], timestamp=[START], **whole))


# ---------------------------------------------------------------------------- what is set aside
FAULTY = [  # time, the other fields, reason
    ("x", "5,7,4,6,2,11,1", "time is not a time"),
    ("", "5,7,4,6,2,11,1", "time is not a time"),
    ("7", "5,7,4,6,2,11,1", "time is not a time"),
    (START + 61, "5,7,4,6,2,11,1", Reason.START.words),
    (START + 61, "5,7,4,6,0,0,0", Reason.START.words),
    (START + 60, "5,7,4,6,x,11,1", "volume is not a finite number"),
    (START + 60, "5,7,4,6,,11,1", "volume is not a finite number"),
    (START + 60, "5,7,4,6,nan,11,1", "volume is not a finite number"),
    (START + 60, "5,7,4,6,-inf,11,1", "volume is not a finite number"),
    (START + 60, "5,7,4,6,-2,-11,1", "volume is below zero"),
    (START + 60, "x,7,4,6,2,11,1", "a price is not a finite number"),
    (START + 60, "5,inf,4,6,2,11,1", "a price is not a finite number"),
    (START + 60, "5,7,,6,2,11,1", "a price is not a finite number"),
    (START + 60, "5,7,4,nan,2,11,1", "a price is not a finite number"),
    (START + 60, "5,7,4,6\xff,2,11,1", "a price is not a finite number"),
    (START + 60, "5,7,4,6\r1,2,11,1", "a price is not a finite number"),
    (START + 60, '5,7,4,6"1,2,11,1', "a price is not a finite number"),
    (START + 60, "0,7,0,6,2,11,1", "a price is not above zero"),
    (START + 60, "5,7,-4,6,2,11,1", "a price is not above zero"),
    (START + 60, "8,7,4,6,2,11,1", "high is not the highest, or low the lowest price"),
    (START + 60, "5,7,4,7.01,2,11,1", "high is not the highest, or low the lowest price"),
    (START + 60, "3,7,4,6,2,11,1", "high is not the highest, or low the lowest price"),
    (START + 60, "5,7,4,3.99,2,11,1", "high is not the highest, or low the lowest price"),
    (START + 60, "5,4,7,6,2,11,1", "high is not the highest, or low the lowest price"),
    (START + 60, "5,7,4,6,2,x,1", "the volume in the other currency is not a finite number"),
    (START + 60, "5,7,4,6,2,inf,1", "the volume in the other currency is not a finite number"),
    (START + 60, "5,7,4,6,2,,1", "the volume in the other currency is not a finite number"),
    (START + 60, "5,1e16,4,6,2,11,1", "a price is not from 1e-18 to 1e15"),
    (START + 60, "5,7,1e-19,6,2,11,1", "a price is not from 1e-18 to 1e15"),
    (START + 60, "5,7,4,6,1e150,1e150,1", "volume is not from 1e-18 to 1e18"),
    (START + 60, "5,7,4,6,2,11,x", "buy volume is not a number from zero to the volume"),
    (START + 60, "5,7,4,6,2,11,", "buy volume is not a number from zero to the volume"),
    (START + 60, "5,7,4,6,2,11,-0.1", "buy volume is not a number from zero to the volume"),
    (START + 60, "5,7,4,6,2,11,2.1", "buy volume is not a number from zero to the volume"),
    (START + 60, "5,7,4,6,2,11", "row has 7 fields, not 8"),
    (START + 60, "5,7,4,6,2,11,1,9", "row has 9 fields, not 8"),
    ("torn", "", "row has 2 fields, not 8"),
]


def test_every_reason_is_tried():
    of_candles = {r.words for r in Reason if Reason.START <= r <= Reason.BUY_VOLUME}
    assert len(of_candles) == 11
    assert {reason for *_, reason in FAULTY} == of_candles - {Reason.END.words} | {
        Reason.TIME.words
    } | {reason for *_, reason in FAULTY if reason.startswith("row has")}


@pytest.mark.parametrize(
    ("end", "is_one"),
    [
        (f"{START + 59}999", True),
        (f"{START + 59}", True),
        (f"{START + 60}", True),
        (f"{START + 58}", False),
        (f"{START + 61}", False),
        (f"{START + 299}999", False),
        ("", False),
    ],
)
def test_a_close_time_is_the_end_of_the_candle_or_the_start_of_the_next(tmp_path, end, is_one):
    head = HEADER.replace("\n", ",close_time\n")
    good, faults = read(
        tmp_path, head + f"{START},5,7,4,6,2,{end}\n{START + 60},5,7,4,6,2,{START + 119}\n"
    )
    assert good.line.tolist() == [2, 3] if is_one else [3]
    assert [fault.reason for fault in faults] == [] if is_one else [Reason.END.words]


@pytest.mark.parametrize("time", ["2012-05-01", "2012-05-01 00:00", "2012-05-01T00:00"])
def test_days_and_minutes_may_be_written_short(tmp_path, time):
    days = market(vendor=None, candle_minutes=1440)
    good = read_good(tmp_path, HEADER + f"{time},5,7,4,6,2\n", days)
    assert good.time_ns.tolist() == [(START + 86_400) * 10**9 - 1]
    whole = {name: [5.0] for name in ("open", "high", "low", "close", "volume")}
    path = parquet(tmp_path, timestamp=pa.array([datetime.date(2012, 5, 1)]), **whole)
    assert read_candles(days, path)[0].time_ns.tolist() == [(START + 86_400) * 10**9 - 1]


@pytest.mark.parametrize(("time", "fields", "reason"), FAULTY)
def test_a_bad_row_in_the_middle_is_set_aside_with_its_line_and_text(
    tmp_path, time, fields, reason
):
    bad = f"{time},{fields}"
    text = FULL + rows("5,7,4,6,2,11,1") + bad + "\n" + rows("6,7,4,5,2,11,1", start=START + 120)
    good, faults = read(tmp_path, text.encode("latin-1"))
    assert good.open.tolist() == [5.0, 6.0]
    assert good.line.tolist() == [2, 4]
    shown = bad.encode("latin-1").decode("utf-8", "replace")
    assert [(fault.line, fault.reason, fault.raw) for fault in faults] == [(3, reason, shown)]
    has_time = isinstance(time, int) and not reason.startswith("row has")
    assert faults[0].own_time == has_time
    end_ns = (time + 60 if has_time else START + 60) * 10**9 - 1  # else that of the row before
    assert faults[0].time_ns == end_ns


def test_the_first_reason_is_named(tmp_path):
    text = FULL + rows("5,7,4,6,2,11,1") + "x,0,-1,nan,nan,nan,nan,nan\n"
    assert [fault.reason for fault in read(tmp_path, text)[1]] == ["time is not a time"]


@pytest.mark.parametrize("fields", ["5,5,5,5,2,5,0", "5,5,5,5,2,20,2", "5,7,4,6,1e-9,5e-9,0"])
def test_what_is_on_the_edge_of_a_fault_is_none(tmp_path, fields):
    """Volumes that were rounded may put the mean price far beyond the candle."""
    assert read_good(tmp_path, FULL + rows(fields)).line.tolist() == [2]


def test_faults_stand_in_the_order_of_the_file(tmp_path):
    text = HEADER + "torn\n" + rows("5,7,4,6,2", "5,7,4,6,-1") + "x,5,7,4,6,2\ny\n"
    text += rows("5,7,4,6,2", "0,7,0,6,2", "5,7,4,6,2", start=START + 240)
    for block_bytes in (45, 64, 1 << 20):
        good, faults = read(tmp_path, text, block_bytes=block_bytes)
        assert good.line.tolist() == [3, 7, 9]
        assert [fault.line for fault in faults] == [2, 4, 5, 6, 8]
        assert [fault.own_time for fault in faults] == [False, True, False, False, True]
        minutes = [(fault.time_ns + 1) // 10**9 - START for fault in faults]
        assert minutes == [60, 120, 120, 120, 360]


def test_prices_beyond_floats_are_set_aside_without_a_warning(tmp_path):
    text = FULL + rows("1e308,1e308,1e308,1e308,2,11,1", "5,7,4,6,1e-320,1e300,0", "5,7,4,6,2,11,1")
    good, faults = read(tmp_path, text)
    assert good.line.tolist() == [4]
    assert len(faults) == 2


# ---------------------------------------------------------------------------- without trades
@pytest.mark.parametrize(
    "fields",
    [
        "5,5,5,5,0",
        "5,5,5,5,0.000",
        "5,5,5,5,-0.0",
        ",,,,0",
        "nan,NaN,nan,nan,0",
        "0,0,0,0,0",
        "x,y,z,,0",
    ],
)
def test_a_candle_in_which_nothing_traded_may_have_any_prices(tmp_path, fields):
    good = read_good(tmp_path, HEADER + rows("5,7,4,6,2", fields, "5,7,4,6,2"))
    assert good.line.tolist() == [2, 3, 4]
    assert good.volume.tolist() == [2.0, 0.0, 2.0]
    assert good.notional.tolist()[1] == 0.0


def test_a_candle_in_which_nothing_traded_has_neither_volume(tmp_path):
    good = read_good(tmp_path, FULL + rows("5,7,4,6,2,11,1", ",,,,0,,", "5,5,5,5,0,0.0,0.0"))
    assert good.volume.tolist() == [2.0, 0.0, 0.0]
    assert good.notional.tolist() == [11.0, 0.0, 0.0]
    settings = market(candle_minutes=1, contract_size=10, contract_is_inverse=True)
    good = read_good(tmp_path, HEADER + rows("5,7,4,6,2", ",,,,0"), settings)
    assert good.volume.tolist() == [20 / (17 / 3), 0.0]


# ---------------------------------------------------------------------------- what stops
@pytest.mark.parametrize(
    "tail",
    [
        f"{START + 60}",
        f"{START + 60},5,7,4\n",
        f"{START + 60},5,7,4,6\n\n",
        f"{START + 60},5,7,4,6,",
        f"{START + 60},5,7,4,6,-",
        f'{START + 60},5,7,4,6,"2',
    ],
)
def test_a_last_row_that_is_cut_off_stops(tmp_path, tail):
    text = HEADER + rows("5,7,4,6,2") + tail
    for name in ("candles.csv", "candles.csv.gz"):
        with pytest.raises(TickDataError, match=r"row 3: .* is cut off"):
            read(tmp_path, text, name=name)


def test_a_number_that_ends_a_plain_file_may_be_cut_off(tmp_path):
    """An archive has a length and a checksum; where the last field is not used, nothing is lost."""
    text = HEADER + rows("5,7,4,6,2", "5,7,4,6,21").rstrip("\n")
    with pytest.raises(TickDataError, match=r"candles\.csv, row 3: .* without a newline"):
        read(tmp_path, text)
    assert read_good(tmp_path, text, name="candles.csv.gz").volume.tolist() == [2.0, 21.0]
    assert read_good(tmp_path, rows("5,7,4,6,2,31").rstrip("\n")).volume.tolist() == [2.0]


def test_a_file_most_of_whose_rows_are_unreadable_stops(tmp_path):
    good = rows(*["5,7,4,6,2"] * 1000)
    damaged = "<html>\n" * 2001 + good
    with pytest.raises(TickDataError, match=r"candles\.csv, row 2002: '<html>': row has 1 fields"):
        read(tmp_path, HEADER + damaged)
    few = "<html>\n" * 2000 + good
    assert len(read(tmp_path, HEADER + few)[1]) == 2000
    readable = rows(*["5,7,4,6,-2"] * 2001) + good
    assert len(read(tmp_path, HEADER + readable)[1]) == 2001


def test_mixed_units_of_time_stop(tmp_path):
    text = HEADER + rows("5,7,4,6,2") + f"{START + 60}000,5,7,4,6,2\n"
    for more in ("", ",5,7,4,6,-2"):
        bad = text if not more else text.replace("000,5,7,4,6,2", "000" + more)
        with pytest.raises(
            TickDataError, match=r"row 3: .* has its time in ms, others have it in s"
        ):
            read(tmp_path, bad)


def test_a_file_without_a_single_time_stops(tmp_path):
    with pytest.raises(TickDataError, match=r"candles\.csv, row 2: 'x,5,7,4,6,2': time is not a"):
        read(tmp_path, HEADER + "x,5,7,4,6,2\ny,5,7,4,6,2\n")


@pytest.mark.parametrize("text", ["", "\n\n", "\r\n"])
def test_an_empty_file_stops(tmp_path, text):
    with pytest.raises(TickDataError, match=r"candles\.csv: holds no row"):
        read(tmp_path, text)


def test_trades_are_no_candles(tmp_path):
    trades = "id,price,qty,quote_qty,time,is_buyer_maker\n1,5,2,10,1335830400000,true\n"
    with pytest.raises(TickDataError, match=r"candles\.csv, row 1: .* no known format of candles"):
        read(tmp_path, trades)
    with pytest.raises(TickDataError, match="it looks like candles: set `candle_minutes:`"):
        read(tmp_path, KLINES + f"{START}000,{KLINE.format(end=START)}", market(vendor=None))


def test_a_candle_that_is_not_over_yet_is_set_aside(tmp_path, monkeypatch):
    """It will be another one when it is."""
    text = HEADER + rows("5,7,4,6,2", "6,7,4,6,2", "7,7,4,6,2")
    for seconds, n_over in ((119, 1), (120, 2), (179, 2), (180, 3)):
        now_ns = (START + seconds) * 10**9 - (seconds % 60 == 0)  # the last instant of a candle
        monkeypatch.setattr(reading, "time", SimpleNamespace(time_ns=lambda now=now_ns: now))
        good, faults = read(tmp_path, text)
        assert good.open.tolist() == [5.0, 6.0, 7.0][:n_over]
        assert [(f.line, f.reason, f.raw) for f in faults] == [
            (line, Reason.FUTURE.words, text.splitlines()[line - 1])
            for line in range(n_over + 2, 5)
        ]


# ---------------------------------------------------------------------------- blocks
LINES = {
    "{t},5,7,4,6,2": "good",
    '"{t}", 5 ,7,4,"6",2': "good",
    "{t},,,,,0": "good",
    "{t},5,7,4,6,-2": "fault",
    "{t},5,7,4,6": "fault",
    "{t}1,5,7,4,6,2,": "fault",
    "x,5,7,4,6,2": "fault",
    "caf\u00e9": "fault",
    "\ufeff{t},5,7,4,6,2": "fault",
    "{t},5,7,4,6\udcff,2": "fault",
    "": "blank",
    "  \t": "blank",
    "\r": "blank",
}


@pytest.mark.slow
@given(
    st.lists(st.sampled_from(sorted(LINES)), max_size=30),
    st.integers(48, 150),
    st.sampled_from(["\n", "\r\n"]),
)
@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_blocks_change_nothing_and_no_line_is_lost(tmp_path, drawn, size, end):
    drawn = [*drawn, "{t},5,7,4,6,2"]
    lines = [line.format(t=START + 60 * i) for i, line in enumerate(drawn)]
    text = HEADER + end.join(lines) + end
    path = put(tmp_path, text.encode("utf-8", "surrogateescape"))
    whole, whole_faults = read_candles(CANDLES, path)
    pieces, pieces_faults = read_candles(CANDLES, path, block_bytes=size)
    assert_same_candles(whole, pieces)
    assert whole_faults == pieces_faults
    kinds = {
        kind: [i + 2 for i, x in enumerate(drawn) if LINES[x] == kind] for kind in LINES.values()
    }
    assert whole.line.tolist() == kinds["good"]
    assert [fault.line for fault in whole_faults] == kinds["fault"]
    starts = [(START + 60 * (line - 2) + 60) * 10**9 - 1 for line in kinds["good"]]
    assert whole.time_ns.tolist() == starts


def test_a_byte_order_mark_inside_a_file_is_part_of_its_row_wherever_a_block_begins(tmp_path):
    """Of files that were put end to end: pyarrow would pass over it where a block begins."""
    text = HEADER + rows("5,7,4,6,2") + "\ufeff" + rows("5,7,4,6,2", "5,7,4,6,2", start=START + 60)
    for block_bytes in (40, 64, 1 << 20):
        good, faults = read(tmp_path, text, block_bytes=block_bytes)
        assert good.line.tolist() == [2, 4]
        assert [fault.line for fault in faults] == [3]


@pytest.mark.parametrize("block_bytes", [2048, 50_000])
def test_a_whole_dump_does_not_depend_on_blocks(tmp_path, klines, block_bytes):
    whole = read_good(tmp_path, klines)
    assert_same_candles(read(tmp_path, klines, block_bytes=block_bytes)[0], whole)
