"""Dirt that must be seen: read as it is meant, or refused with a remedy that works."""

import bz2
import gzip
import lzma
import os
import re
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
import yaml

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.study.reading import MARKET, load_market, load_study
from price_physics.study.trial import config_hash
from price_physics.ticks import look
from price_physics.ticks.reading.parse import UNITS, parse_times
from price_physics_tests.study.make import market_of

from .helpers import MAY, ROOT, START, build_month, market, put

HEADER = "timestamp,price,qty\n"
CANDLE_HEADER = "timestamp,open,high,low,close,volume\n"
AS_MANY_AS_DEFAULT = 0.01


def strict(**settings):
    """A market with the limit that a market has by default; its vendor is recognised."""
    defaults = {"vendor": None, "quarantine_limit": AS_MANY_AS_DEFAULT}
    return market(**defaults | settings)


def trades(seconds, extra=""):
    """Rows of trades, each of another price and quantity."""
    return "".join(f"{START + s},{5 + s % 7}.5,{1 + s % 5}.25{extra}\n" for s in seconds)


def candles(minutes, fields="5,7,4,6,2"):
    return "".join(f"{START + 60 * minute},{fields}\n" for minute in minutes)


def refusal(settings, folder, month=MAY) -> str:
    with pytest.raises(TickDataError) as caught:
        build_month(settings, folder, month)
    return str(caught.value)


def remedy_of(message: str) -> dict:
    """The line of YAML that a message tells to write."""
    [line] = re.findall(r"`([a-z_]+: [^`]+)`", message)
    return yaml.safe_load(line)


def pasted(command: str, folder: Path) -> None:
    """Run a command that a message tells to run, in the project's folder."""
    subprocess.run(["sh", "-c", command], cwd=folder, check=True)


# ---------------------------------------------------------------------------- sides
WORDS = {
    "databento": ("B", "A", "N"),
    "names of the book": ("bid", "ask", "none"),
    "letters": ("b", "s", ""),
    "numbers": ("1", "-1", ""),
    "signed numbers": ("+1", "-1", "nan"),
    "verbs": ("BUY", "Sell", "UNKNOWN"),
    "people": ("buyer", "seller", "NULL"),
}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_sides_are_known_by_their_meaning_and_an_unknown_one_loses_no_row(tmp_path, words, kind):
    bought, sold, unknown = words
    sides = [bought, sold, sold, unknown, bought] * 40
    if kind == "csv":
        text = "".join(f"{START + i},5,1,{side}\n" for i, side in enumerate(sides))
        put(tmp_path, "timestamp,price,qty,side\n" + text)
    else:
        table = {"timestamp": [START + i for i in range(200)], "price": [5.0] * 200}
        pa.parquet.write_table(
            pa.table(table | {"qty": [1.0] * 200, "side": sides}), tmp_path / "t.parquet"
        )
    result = build_month(strict(), tmp_path, MAY)
    signs = result.ticks.frame()["tick_sign"].tolist()
    assert signs == [1, -1, -1, -1, 1] * 40  # where it is unknown prices tell: as the trade before
    assert result.quality["sides_inferred"] == 40
    assert result.quality["quarantined"] == 0


def test_whole_numbers_of_a_parquet_are_sides(tmp_path):
    columns = {"timestamp": [START, START + 1], "price": [5.0, 5.0], "qty": [1.0, 1.0]}
    for kind in (pa.int8(), pa.float64()):
        table = pa.table(columns | {"side": pa.array([1, -1], kind)})
        pa.parquet.write_table(table, tmp_path / "t.parquet")
        signs = build_month(strict(), tmp_path, MAY).ticks.frame()["tick_sign"]
        assert signs.tolist() == [1, -1]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_words_that_are_not_understood_stop_by_name_and_can_be_explained(tmp_path, kind):
    sides = ["up", "up", "a very long word", "down"]
    if kind == "csv":
        text = "".join(f"{START + i},5,1,{side}\n" for i, side in enumerate(sides))
        put(tmp_path, "timestamp,price,qty,side\n" + text)
    else:
        table = {"timestamp": [START + i for i in range(4)], "price": [5.0] * 4, "qty": [1.0] * 4}
        pa.parquet.write_table(pa.table(table | {"side": sides}), tmp_path / "t.parquet")
    message = refusal(strict(), tmp_path)
    place = r"t\.parquet, row 1: " if kind == "parquet" else r"ticks\.csv, row 2: "
    assert re.match(place, message)
    assert "'up', 'a very long word', 'down'" in message
    assert "configs/markets/toy.yaml" in message
    remedy = remedy_of(message)
    found = build_month(strict(**remedy), tmp_path, MAY)
    assert found.quality["sides_inferred"] == 4
    words = remedy["side_words"] | {"up": "buy", "down": "sell", "A very LONG word": "sell"}
    found = build_month(strict(side_words=words), tmp_path, MAY)
    assert found.ticks.frame()["tick_sign"].tolist() == [1, 1, -1, -1]
    assert found.quality["sides_inferred"] == 0


def test_a_number_that_could_be_either_side_is_not_guessed(tmp_path):
    put(tmp_path, f"timestamp,price,qty,side\n{START},5,1,1\n{START},5,1,2\n{START},5,1,0\n")
    message = refusal(strict(), tmp_path)
    assert "'2', '0'" in message
    words = {"1": "buy", "2": "sell", "0": "unknown"}
    found = build_month(strict(side_words=words), tmp_path, MAY)
    assert found.ticks.frame()["tick_sign"].tolist() == [1, -1, -1]


@pytest.mark.parametrize("word", ["maybe", "2"])
def test_a_maker_that_is_not_understood_stops(tmp_path, word):
    put(tmp_path, f"timestamp,price,qty,is_buyer_maker\n{START},5,1,yes\n{START},5,1,{word}\n")
    assert f"'{word}'" in refusal(strict(), tmp_path)
    found = build_month(strict(side_words={word: "buy"}), tmp_path, MAY)
    assert found.ticks.frame()["tick_sign"].tolist() == [-1, 1]


def test_a_word_at_the_torn_end_of_a_file_is_cut_off_and_not_misunderstood(tmp_path):
    put(tmp_path, f"timestamp,price,qty,side\n{START},5,1,buy\n{START},5,1,se")
    assert "is cut off" in refusal(strict(), tmp_path)


# ---------------------------------------------------------------------------- the limit
@pytest.mark.parametrize("n_bad", [1, 3])
@pytest.mark.parametrize("fields", ["5,0", "-5,1", "x,1", "5"])
def test_a_month_stops_above_its_limit_whatever_the_reason_and_the_size(tmp_path, fields, n_bad):
    bad = f"{START + 500},{fields}\n" * n_bad
    put(tmp_path, HEADER + trades(range(99 * n_bad)) + bad + trades(range(600, 601)))
    assert build_month(strict(), tmp_path, MAY).quality["quarantined"] == n_bad  # not above it
    put(tmp_path, HEADER + trades(range(97 * n_bad)) + bad + trades(range(600, 601)))
    message = refusal(strict(), tmp_path)
    share = n_bad / (98 * n_bad + 1)
    assert f"{n_bad} of {98 * n_bad + 1} rows would be set aside, {share:.2%}" in message
    assert f"ticks.csv, row {97 * n_bad + 2}: '{START + 500},{fields}'" in message
    remedy = remedy_of(message.replace("`columns:`", ""))
    assert build_month(strict(**remedy), tmp_path, MAY).quality["quarantined"] == n_bad


def test_candles_and_repeated_ids_count_against_the_limit(tmp_path):
    put(tmp_path, CANDLE_HEADER + candles(range(50)) + candles([50], "5,4,7,6,2"))
    message = refusal(strict(candle_minutes=1), tmp_path)
    assert "1 of 51 rows would be set aside, 1.96%" in message
    assert "high is not the highest" in message
    (tmp_path / "ticks.csv").unlink()
    ids = "trade_id,timestamp,price,qty\n"
    put(tmp_path, ids + "".join(f"{min(i, 48)},{START + i},{5 + i},1\n" for i in range(50)))
    assert "trade_id repeated with another payload" in refusal(strict(), tmp_path)


def test_the_limit_only_refuses_data_and_is_no_part_of_a_trial():
    path = ROOT / "configs" / "markets" / "bitstamp_usd.yaml"
    study, plain = load_study(ROOT / "configs" / "studies" / "demo.yaml"), load_market(path)
    assert plain.quarantine_limit == AS_MANY_AS_DEFAULT
    assert "quarantine_limit" not in plain.model_dump()
    raised = plain.model_copy(update={"quarantine_limit": 0.5})
    assert raised.model_dump()["quarantine_limit"] == 0.5
    assert config_hash(study, raised) == config_hash(study, plain)
    explained = plain.model_copy(update={"side_words": {"up": "buy"}})
    assert config_hash(study, explained) != config_hash(study, plain)


def test_rows_before_the_first_month_count_neither_against_the_limit_nor_the_score(tmp_path):
    june = market_of(**strict().model_dump() | {"first_month": "2012-06"})
    day, first = 86_400, (MAY + 1).start_ns // 10**9
    whole = "".join(f"{first + day * i},5,1\n" for i in range(30))
    put(tmp_path, HEADER + whole)
    alone = build_month(june, tmp_path, MAY + 1).quality
    put(tmp_path, HEADER + trades(range(50)) + f"{START},0,0\n" + whole)
    found = build_month(june, tmp_path, MAY + 1).quality
    assert found["rows_before_first_month"] == 51
    assert found["score"] == alone["score"]
    assert found["quarantined"] == 0


# ---------------------------------------------------------------------------- overlaps
OVERLAPS = {
    "the last rows again": (range(3000), range(2000, 3000)),
    "a few rows again": (range(3000), range(2990, 3000)),
    "two files that overlap": (range(2000), range(1500, 4000)),
    "all of them, and one more": (range(2000), range(2001)),
    "a stretch in the middle": (range(3000), range(1000, 1100)),
    "only every other row": (range(0, 3000, 2), range(2000, 3000)),
}


@pytest.mark.parametrize("extra", ["", ",buy"])
@pytest.mark.parametrize("spans", OVERLAPS.values(), ids=OVERLAPS)
def test_files_without_ids_that_hold_the_same_stretch_stop_by_name(tmp_path, spans, extra):
    header = HEADER.strip() + (",side" if extra else "") + "\n"
    for name, span in zip(("a.csv", "b.csv"), spans, strict=True):
        put(tmp_path, header + trades(span, extra), name)
    message = refusal(strict(), tmp_path)
    both = sorted(set(spans[0]) & set(spans[1]))
    first, last = (
        f"{datetime.fromtimestamp(START + second, UTC):%Y-%m-%d %H:%M:%S}"
        for second in (both[0], both[-1])
    )
    assert f"{len(both)} trades without ids are there twice, from {first} to {last} UTC" in message
    assert "a.csv, rows " in message
    assert "b.csv, rows " in message
    (tmp_path / "b.csv").unlink()
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == len(spans[0])


def test_the_command_against_an_overlap_works(tmp_path):
    put(tmp_path, HEADER + trades(range(2000)), "a.csv")
    put(tmp_path, HEADER + trades(range(1500, 4000)), "b.csv")
    [command] = re.findall(r"`(sed [^`]+)`", refusal(strict(), tmp_path))
    pasted(command, tmp_path)
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == 4000


@pytest.mark.parametrize("order", [1, -1])
def test_a_file_that_repeats_itself_stops(tmp_path, order):
    lines = trades(range(500)).splitlines(keepends=True)[::order]
    put(tmp_path, HEADER + "".join(lines + lines[200:400]))
    assert "200 trades without ids are there twice" in refusal(strict(), tmp_path)


def test_a_file_with_ids_and_one_without_hold_the_same_stretch(tmp_path):
    ids = "".join(f"{7 + i},{row}\n" for i, row in enumerate(trades(range(900)).split()))
    put(tmp_path, "trade_id," + HEADER + ids, "a.csv")
    put(tmp_path, HEADER + trades(range(800, 1000)), "b.csv")
    assert "100 trades without ids are there twice" in refusal(strict(), tmp_path)


def test_equal_trades_that_may_both_have_happened_are_kept(tmp_path):
    """Within a second, in one file or where one file ends and the next begins; and by chance."""
    same = f"{START + 900},5,1\n"
    put(tmp_path, HEADER + trades(range(900)) + same * 20, "a.csv")
    put(tmp_path, HEADER + same * 20 + trades(range(901, 1800)), "b.csv")
    rng = np.random.default_rng(1)
    rows = sorted(rng.integers(2000, 9000, 4000).tolist())
    other = "".join(f"{START + s},{5 + rng.integers(3)},{1 + rng.integers(3)}\n" for s in rows)
    put(tmp_path, HEADER + other, "c.csv")
    chance = "".join(f"{START + s},{5 + rng.integers(3)},{1 + rng.integers(3)}\n" for s in rows)
    put(tmp_path, HEADER + chance, "d.csv")
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == 900 + 899 + 40 + 8000


# ---------------------------------------------------------------------------- headers
OKX = "trade_id/撮合id,side/交易方向,size/数量,price/价格,created_time/成交时间\n"
OKX_ROWS = "".join(
    f"{7 + i},{'sell' if i % 3 else 'buy'},0.5,{6 + i % 2},{START + i}000\n" for i in range(90)
)


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8"])
@pytest.mark.parametrize("name", ["t.csv", "t.zip", "t.csv.gz"])
def test_a_bilingual_header_is_read_in_any_encoding(tmp_path, encoding, name):
    put(tmp_path, (OKX + OKX_ROWS).encode(encoding), name)
    result = build_month(strict(symbol="BTC-USDT"), tmp_path, MAY)
    ticks = result.ticks.frame()
    assert ticks["trade_id"].tolist() == list(range(7, 97))
    assert ticks["price"].tolist() == [6.0, 7.0] * 45
    assert ticks["qty"].tolist() == [0.5] * 90
    assert ticks["tick_sign"].tolist() == [1, -1, -1] * 30
    assert [name for name in result.inputs if name.startswith("format")] == ["format okx"]


CHINESE = "时间,价格,数量\n"
CHINESE_COLUMNS = {"timestamp": "时间", "price": "价格", "qty": "数量"}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("block_bytes", [None, 256])
def test_an_encoding_that_is_named_is_read(tmp_path, monkeypatch, encoding, block_bytes):
    if block_bytes:
        read_file = look.read_file
        monkeypatch.setattr(look, "read_file", lambda *given: read_file(*given, block_bytes))
    put(tmp_path, (CHINESE + trades(range(99)) + f"{START + 99},5,0\n").encode(encoding))
    unnamed = refusal(strict(columns=CHINESE_COLUMNS), tmp_path)
    if encoding.startswith("utf"):
        assert remedy_of(unnamed) == {"encoding": encoding}
    else:
        assert "encoding: gb18030" in unnamed
    result = build_month(strict(columns=CHINESE_COLUMNS, encoding=encoding), tmp_path, MAY)
    assert result.quality["ticks"] == 99
    assert result.quarantine["raw"].tolist() == [f"{START + 99},5,0"]


def test_a_wrong_encoding_stops_by_name(tmp_path):
    put(tmp_path, (CHINESE + trades(range(9))).encode("gb18030"))
    message = refusal(strict(columns=CHINESE_COLUMNS, encoding="utf-8"), tmp_path)
    assert message.startswith("ticks.csv: is not in `encoding: utf-8`")
    with pytest.raises(ValueError, match="klingon"):
        market(encoding="klingon")


PREAMBLES = {
    "a link": "https://www.vendor.com\n",
    "a title and a blank line": "Trades of TOY\n\n",
    "comments": "# made by a vendor\n# on 2012-05-01, for you, at no cost\n",
    "a comment as wide as a row": "# all, of, it\n",
    "several lines": "Vendor;s\nSymbol,TOY\nFrom 2012-05-01 on, daily, in UTC, all rows\n",
    "of Excel": "sep=,\n",
}


@pytest.mark.parametrize("above", PREAMBLES.values(), ids=PREAMBLES)
def test_lines_above_a_header_are_passed_over(tmp_path, above):
    put(tmp_path, above + HEADER + trades(range(60)) + f"{START + 99},5,x\n")
    result = build_month(market(vendor=None), tmp_path, MAY)
    assert result.quality["ticks"] == 60
    assert result.quarantine["row"].tolist() == [above.count("\n") + 62]
    put(tmp_path, above + "when,worth,much\n" + trades(range(60)))
    place = f"ticks.csv, row {above.count(chr(10)) + 1}: 'when,worth,much'"
    assert refusal(market(vendor=None), tmp_path).startswith(place)


def test_a_damaged_first_row_is_no_preamble(tmp_path):
    put(tmp_path, f"{START}\n" + trades(range(60)))
    result = build_month(market(vendor=None), tmp_path, MAY)
    assert result.quarantine["row"].tolist() == [1]
    assert result.quality["rows_read"] == 61


@pytest.mark.parametrize("header", [
    "unix,price,amount", "time,price,quantity", "Timestamp,Price,Size", "datetime,price,volume",
    "# timestamp,price,qty", "Gmt time,trade_price,Quantity", "timestamp/时间,price/价格,qty(数量)",
])  # fmt: skip
def test_well_known_names_need_no_mapping(tmp_path, header):
    put(tmp_path, header + "\n" + trades(range(60)))
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == 60


def test_well_known_names_of_candles_need_no_mapping(tmp_path):
    put(tmp_path, "Unix,Open,High,Low,Close,Amount\n" + candles(range(60)))
    assert build_month(strict(candle_minutes=1), tmp_path, MAY).quality["ticks"] == 60


def test_two_quantities_are_not_guessed(tmp_path):
    put(tmp_path, "unix,price,amount,size\n" + trades(range(9), ",7"))
    assert "map its columns under `columns:`" in refusal(strict(), tmp_path)
    found = build_month(strict(columns={"qty": "amount"}), tmp_path, MAY)
    assert found.ticks.frame()["qty"].tolist()[:3] == [1.25, 2.25, 3.25]


# ---------------------------------------------------------------------------- times
NOON = 1_337_947_445  # 2012-05-25 12:04:05 UTC
SAME_TIME = [
    "20120525 120405", "20120525120405", "20120525T120405", "20120525_120405", "20120525 12:04:05",
    "25.05.2012 12:04:05", "25.05.2012 12:04:05.000", "2012.05.25 12:04:05", "2012/05/25 12:04:05",
    "20120525 120405000", "20120525120405000", "2012-05-25 12:04:05 UTC",
    "25.05.2012 14:04:05.000 GMT+0200", "20120525 140405+0200",
]  # fmt: skip


@pytest.mark.parametrize("time", SAME_TIME)
def test_a_date_and_a_clock_are_read_as_vendors_write_them(tmp_path, time):
    values, units = parse_times(pa.array([time, "no time"]))
    assert values.tolist() == [NOON * 10**9, 0]
    assert [UNITS[unit] for unit in units] == ["ISO 8601", "no time"]
    put(tmp_path, HEADER + f"{time},5,1\n")
    assert build_month(strict(), tmp_path, MAY).quality["first_tick_ns"] == NOON * 10**9


def test_fractions_of_such_clocks_are_exact():
    values, _ = parse_times(pa.array(["20120525 120405123", "25.05.2012 12:04:05.123456789"]))
    assert values.tolist() == [NOON * 10**9 + 123_000_000, NOON * 10**9 + 123_456_789]


@pytest.mark.parametrize("time", [
    "05/25/2012 12:04:05", "25/05/2012 12:04:05", "20121325 120405", "20120532 120405",
    "20120525 250405", "25.13.2012 12:04:05", "31.02.2012 12:04:05", "20120525 1204", "120405",
])  # fmt: skip
def test_a_time_that_nobody_can_tell_is_none(tmp_path, time):
    """With slashes the day may be the month."""
    assert parse_times(pa.array([time]))[1].tolist() == [0]
    put(tmp_path, HEADER + f"{time},5,1\n" * 9)
    assert "time is not a time" in refusal(strict(), tmp_path)


@pytest.mark.parametrize("date", ["20120501", "01.05.2012", "2012/05/01", "2012-05-01"])
def test_a_candle_of_a_day_may_have_no_clock(tmp_path, date):
    put(tmp_path, CANDLE_HEADER + f"{date},5,7,4,6,2\n")
    result = build_month(strict(candle_minutes=1440), tmp_path, MAY)
    assert result.candles["open_time_ns"].tolist() == [START * 10**9]


def test_candles_of_histdata_are_read_where_they_have_a_volume_and_else_are_quotes(tmp_path):
    settings = strict(
        candle_minutes=60, header=["timestamp", *CANDLE_HEADER.strip().split(",")[1:]]
    )
    rows = [
        f"201205{1 + i // 24:02d} {i % 24:02d}0000;1.1;1.{2 + i % 3};1.0;1.1;" for i in range(90)
    ]
    put(tmp_path, "".join(row + "7\n" for row in rows))
    assert build_month(settings, tmp_path, MAY).quality["ticks"] == 90
    put(tmp_path, "".join(row + "0\n" for row in rows))
    assert "these are quotes, marks or an index, not trades" in refusal(settings, tmp_path)


# ---------------------------------------------------------------------------- no trades
@pytest.mark.parametrize(
    "header", ["timestamp,bid,ask", "Gmt time,Ask,Bid", "ts,bid_price,ask_price"]
)
def test_quotes_are_refused_as_such(tmp_path, header):
    put(tmp_path, header + "\n" + trades(range(9)))
    for settings in (strict(), strict(columns={"price": header.split(",")[1]})):
        message = refusal(settings, tmp_path)
        assert message.startswith("ticks.csv, row 1: the columns ")
        assert "are quotes, a bid and an ask, and no trades" in message
    put(tmp_path, trades(range(9)))
    headless = strict(header=header.split(","), columns={"price": header.split(",")[1]})
    assert "are quotes, a bid and an ask" in refusal(headless, tmp_path)


@pytest.mark.parametrize("row", ["{s},{p:.4f},{q:.4f}\n", "{d},{p:.5f},{q:.5f},0\n"])
def test_quotes_without_a_header_are_refused_as_such(tmp_path, row):
    rows = [
        row.format(s=START + i, d=f"20120501 {i:06d}123", p=1.3 + i / 1e3, q=1.3002 + i / 1e3)
        for i in range(59)
    ]
    put(tmp_path, "".join(rows))
    message = refusal(strict(), tmp_path)
    assert "looks like quotes, a time, a bid and an ask, and no trades" in message
    header = ["timestamp", "price", "qty", "note"][: rows[0].count(",") + 1]
    assert build_month(strict(header=header), tmp_path, MAY).quality["ticks"] == 59


def test_quantities_near_the_price_by_chance_are_quantities(tmp_path):
    put(tmp_path, "".join(f"{START + i},{5 + i % 3}.0,{5 + i % 4}.0\n" for i in range(60)))
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == 60


def test_trades_beside_the_quotes_of_their_moment_are_trades(tmp_path):
    put(tmp_path, "timestamp,price,qty,bid,ask\n" + trades(range(9), ",5,6"))
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == 9


def test_candles_without_a_volume_are_refused_as_such(tmp_path):
    put(tmp_path, "timestamp,open,high,low,close\n" + candles(range(9), "5,7,4,6"))
    message = refusal(strict(candle_minutes=1), tmp_path)
    assert "are candles without a volume: these are quotes, marks or an index" in message


# ---------------------------------------------------------------------------- compression
TEXT = (HEADER + trades(range(3000))).encode()
PACK = {
    "zst": lambda data: pa.compress(data, "zstd", asbytes=True),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "gz": gzip.compress,
}


@pytest.mark.parametrize("name", ["t.csv.{}", "t.{}", "t.csv"])
@pytest.mark.parametrize("suffix", PACK)
def test_compressed_text_is_read_whatever_its_name(tmp_path, suffix, name):
    (tmp_path / name.format(suffix)).write_bytes(PACK[suffix](TEXT))
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == 3000


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("cut", [1, 4, 20, 700])
def test_a_compressed_file_that_is_cut_off_is_refused(tmp_path, suffix, cut):
    (tmp_path / f"t.csv.{suffix}").write_bytes(PACK[suffix](TEXT)[:-cut])
    message = r"t\.csv\.\w+.*: damaged or cut off: .*; download it again"
    assert re.match(message, refusal(strict(), tmp_path))


@pytest.mark.parametrize("suffix", ["zst", "bz2", "xz"])
def test_a_compressed_file_that_is_something_else_is_refused(tmp_path, suffix):
    (tmp_path / f"t.csv.{suffix}").write_bytes(b"plain text, and no archive\n" * 9)
    assert "damaged or cut off" in refusal(strict(), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", PACK)
def test_a_bomb_in_any_compression_is_refused(tmp_path, suffix):
    (tmp_path / f"t.csv.{suffix}").write_bytes(PACK[suffix](HEADER.encode() + b"\n" * (40 << 20)))
    assert "refused as a bomb" in refusal(strict(), tmp_path)


KINDS = {
    "Feather": ("t.feather", lambda p: pa.feather.write_feather(pa.table({"a": [1]}), p)),
    "parquet": ("t.csv", lambda p: pa.parquet.write_table(pa.table({"a": [1]}), p)),
    "7z": ("t.csv", lambda p: p.write_bytes(b"7z\xbc\xaf\x27\x1c" + b"\0" * 99)),
    "RAR": ("t.csv", lambda p: p.write_bytes(b"Rar!\x1a\x07\x01" + b"\0" * 99)),
    "LZ4": ("t.csv", lambda p: p.write_bytes(b"\x04\x22\x4d\x18" + b"\0" * 99)),
    "Brotli": ("t.csv.br", lambda p: p.write_bytes(b"\x0b\x02\x80")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_read_is_named_with_a_command(tmp_path, kind):
    name, write = KINDS[kind]
    write(tmp_path / name)
    message = refusal(strict(), tmp_path)
    assert message.startswith(f"{name}: is ")
    assert kind in message
    assert re.search(rf"convert it, `[^`]*{re.escape(name)}[^`]*`", message)


def test_the_command_that_converts_feather_works(tmp_path):
    columns = {"timestamp": [START, START + 1], "price": [5.0, 6.0], "qty": [1.0, 1.0]}
    pa.feather.write_feather(pa.table(columns), tmp_path / "t x.feather")
    [command] = re.findall(r"convert it, `([^`]+)`", refusal(strict(files=["t*"]), tmp_path))
    command = command.replace("python", sys.executable, 1)
    pasted(command, tmp_path)
    assert build_month(strict(files=["*.parquet"]), tmp_path, MAY).quality["ticks"] == 2


def test_a_tar_in_a_gzip_is_named(tmp_path):
    (tmp_path / "x").write_bytes(TEXT)
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "x", "t.csv")
    message = refusal(strict(files=["*.gz"]), tmp_path)
    assert message.startswith("t.tar.gz: is a tar archive; unpack it, `tar -xf t.tar.gz`")


# ---------------------------------------------------------------------------- ids
@pytest.mark.parametrize("blank", ["", "null", "nan", "None"])
def test_a_blank_id_is_none_and_no_fault(tmp_path, blank):
    rows = [f"{START + i},{blank if i < 300 else 7},{5 + i % 3},1\n" for i in range(301)]
    put(tmp_path, "timestamp,id,price,qty\n" + "".join(rows))
    for columns in ({"trade_id": "id"}, {"trade_id": "id", "qty": "qty"}):
        result = build_month(strict(columns=columns), tmp_path, MAY)
        assert result.quality["ticks"] == 301
        assert result.quality["quarantined"] == 0
    put(tmp_path, "timestamp,id,price,qty\n" + "".join(rows[::-1]))
    ids = build_month(strict(columns={"trade_id": "id"}), tmp_path, MAY).ticks.frame()["trade_id"]
    assert ids.isna().sum() == 300
    assert ids.dropna().tolist() == [7]


# ---------------------------------------------------------------------------- candles
def test_two_exports_of_the_same_candles_stop_side_by_side(tmp_path):
    put(tmp_path, CANDLE_HEADER + candles(range(48), "5.04,7,4,6,2.1234"), "a.csv")
    put(tmp_path, CANDLE_HEADER + candles(range(48), "5,7,4,6.03,2.12"), "b.csv")
    message = refusal(strict(candle_minutes=1), tmp_path)
    assert f"a.csv, row 2: '{START},5.04,7,4,6,2.1234'" in message
    assert f"b.csv, row 2: '{START},5,7,4,6.03,2.12'" in message
    one = strict(candle_minutes=1, files=["a.csv"])
    assert build_month(one, tmp_path, MAY).quality["ticks"] == 48


def test_candles_left_out_where_nobody_traded_have_a_name_of_their_own(tmp_path):
    put(tmp_path, CANDLE_HEADER + candles(i for i in range(600) if i % 3))
    quality = build_month(strict(candle_minutes=1), tmp_path, MAY).quality
    assert quality["missing_ids"] is None
    assert quality["missing_ids_share"] is None
    assert quality["candles_absent"] == 199
    assert quality["candles_without_trade"] == 0
    put(tmp_path, CANDLE_HEADER + candles(range(1, 600)))
    whole = build_month(strict(candle_minutes=1), tmp_path, MAY).quality
    assert quality["score"] == whole["score"]


def test_where_silent_candles_are_written_an_absent_one_is_lost(tmp_path):
    lines = [candles([i], "5,7,4,6,2" if i % 9 else "6,6,6,6,0") for i in range(600)]
    put(tmp_path, CANDLE_HEADER + "".join(lines))
    whole = build_month(strict(candle_minutes=1), tmp_path, MAY).quality
    put(tmp_path, CANDLE_HEADER + "".join(lines[:100] + lines[200:]))
    holes = build_month(strict(candle_minutes=1), tmp_path, MAY).quality
    assert (whole["candles_absent"], holes["candles_absent"]) == (0, 100)
    assert holes["score"] == pytest.approx(whole["score"] * 5 / 6)


def test_a_second_volume_that_contradicts_the_first_is_not_believed(tmp_path):
    header = CANDLE_HEADER.strip() + ",quote_volume\n"
    wrong = candles(range(40), "5,7,4,6,2,3.99") + candles(range(40, 60), "5,7,4,6,2,28.01")
    put(tmp_path, header + candles(range(60, 120), "5,7,4,6,2,11") + wrong)
    result = build_month(strict(candle_minutes=1), tmp_path, MAY)
    assert result.quality["ticks"] == 120
    assert result.quality["volumes_not_believed"] == 60
    assert result.candles["volume"].tolist() == [2.0] * 120
    assert result.candles["notional"].tolist() == pytest.approx([2 * 17 / 3] * 60 + [11.0] * 60)
    put(tmp_path, header + candles(range(60, 119), "5,7,4,6,2,11") + wrong)
    message = refusal(strict(candle_minutes=1), tmp_path)
    assert "give no price of 60 of 119 candles, such as ticks.csv, row 61: " in message
    assert "map `volume:`" in message


# ---------------------------------------------------------------------------- poison
@pytest.mark.parametrize("fields", ["1e150,1", "5,1e150", "1e150,1e150", "1e-150,1", "5,1e-150"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_prices_and_quantities_that_no_venue_has_are_set_aside_where_they_enter(
    tmp_path, fields, kind
):
    price, qty = fields.split(",")
    if kind == "csv":
        put(tmp_path, HEADER + trades(range(200)) + f"{START + 200},{fields}\n")
    else:
        columns = {"timestamp": [START + i for i in range(201)]}
        columns |= {"price": [5.0] * 200 + [float(price)], "qty": [1.0] * 200 + [float(qty)]}
        pa.parquet.write_table(pa.table(columns), tmp_path / "t.parquet")
    result = build_month(strict(), tmp_path, MAY)
    assert result.quality["ticks"] == 200
    [reason] = result.quarantine["reason"]
    assert "is not from 1e-18 to 1e1" in reason


# ---------------------------------------------------------------------------- no files
def fifo(path: Path) -> None:
    os.mkfifo(path)


def loop(path: Path) -> None:
    path.symlink_to(path.name)


ODD = {
    "a named pipe": (fifo, r"is a named pipe \(FIFO\), and no dump"),
    "a device": (lambda p: p.symlink_to("/dev/zero"), "is a link to /dev/zero, a device"),
    "a dangling link": (lambda p: p.symlink_to("gone"), "a link to gone, which is not there"),
    "a loop": (loop, r"is a link to .*, a loop"),
}


@pytest.mark.parametrize("name", ["b.csv", "a.csv.CHECKSUM", "a.csv.SYNTHETIC"])
@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_file_is_named_and_its_removal_works(tmp_path, odd, name):
    make, message = ODD[odd]
    put(tmp_path, HEADER + trades(range(9)), "a.csv")
    make(tmp_path / name)
    for pattern in ("*", "**/*", "a*" if name.startswith("a") else "b*"):
        found = refusal(strict(files=[pattern]), tmp_path)
        assert found.startswith(f"{name}: is ")
        assert re.search(message, found)
    [command] = re.findall(r"`(rm [^`]+)`", found)
    pasted(command, tmp_path)
    assert build_month(strict(), tmp_path, MAY).quality["ticks"] == 9


@pytest.mark.parametrize("n_loops", [1, 3])
def test_links_to_a_folder_above_are_named_and_never_followed(tmp_path, n_loops):
    put(tmp_path, HEADER + trades(range(9)), "a.csv")
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    for number in range(n_loops):
        (tmp_path / "deep" / "deeper" / f"l{number}").symlink_to("../..")
    message = refusal(strict(files=["**/*.csv"]), tmp_path)
    assert re.match(r"deep/deeper/l\d: is a link to \.\./\.\., a folder above it: a loop", message)


def test_links_to_files_and_folders_are_followed(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "else").mkdir()
    put(tmp_path / "else", HEADER + trades(range(9)), "a.csv")
    (tmp_path / "data" / "folder").symlink_to("../else")
    (tmp_path / "data" / "b.csv").symlink_to("../else/a.csv")
    assert build_month(strict(files=["data/folder/*.csv"]), tmp_path, MAY).quality["ticks"] == 9
    assert build_month(strict(files=["data/b.csv"]), tmp_path, MAY).quality["ticks"] == 9
    assert build_month(strict(files=["data/*/**/*.csv"]), tmp_path, MAY).quality["ticks"] == 9


# ---------------------------------------------------------------------------- the cases
CASES = ROOT.parent / "shared" / "cases"
RIGHT = {
    "side_letters": 20_000,
    "almost_all_rows_quarantined": "3900 of 4000 rows would be set aside",
    "overlap_without_ids": "20000 trades without ids are there twice",
    "okx_gbk_header": 3_000,
    "cryptodatadownload_preamble": 701,
    "histdata_times": "these are quotes, marks or an index, not trades",
    "other_compression": 2_000,
    "blank_ids": 301,
    "same_candles_rounded": "23 candles are there again with other values",
    "rows_before_first_month": 744,
}


@pytest.mark.slow
@pytest.mark.skipif(not CASES.is_dir(), reason=f"the cases are not there: {CASES}")
@pytest.mark.parametrize("case", RIGHT)
def test_a_case_of_dirt_is_read_or_refused_as_it_should_be(case):
    text = (CASES / case / "market.yaml").read_text(encoding="utf-8")
    settings = MARKET.validate_python(yaml.safe_load(text) | {"name": "case"})
    first: Month = settings.first_month
    if isinstance(RIGHT[case], str):
        assert RIGHT[case] in refusal(settings, CASES / case, first)
        return
    quality = build_month(settings, CASES / case, first).quality
    assert quality["ticks"] == RIGHT[case]
    assert quality["quarantined"] == 0
