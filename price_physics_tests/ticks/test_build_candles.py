"""The stage of candles: a month of them, what was set aside, and what stops it."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.schemas.ticks import CANDLES, QUARANTINE
from price_physics.study.outages import Outage
from price_physics.ticks.index import FileIndex
from price_physics.ticks.month import intake
from price_physics.ticks.reading import read as reading
from price_physics.ticks.reading.reasons import Reason

from . import naive
from .helpers import DAY, MAY, START, build_month, files_of, market, put

NOT_A_START = Reason.START.words
REPEATED_CANDLE = Reason.REPEATED_CANDLE.words
MINUTES = market(vendor=None, candle_minutes=1)
HOURS = market(vendor=None, candle_minutes=60)
HEADER = "timestamp,open,high,low,close,volume\n"
FULL = "timestamp,open,high,low,close,volume,quote_volume,buy_volume\n"
PLAIN = "5,7,4,6,2"


def row(minute, fields=PLAIN):
    return f"{START + 60 * minute},{fields}\n"


def rows(minutes, fields=PLAIN):
    return "".join(row(minute, fields) for minute in minutes)


def end_ns(minute):
    """The last instant of a candle of a minute."""
    return (START + 60 * minute + 60) * 10**9 - 1


def tuples(frame):
    return list(frame.itertuples(index=False, name=None))


def minutes_of(result):
    return ((result.candles["open_time_ns"] // 10**9 - START) // 60).tolist()


def build(settings, folder, month=MAY, index=None):
    """Build, and check what must hold of every result."""
    result = build_month(settings, folder, month, index)
    candles = result.candles
    for schema, frame in ((CANDLES, candles), (QUARANTINE, result.quarantine)):
        schema.to_arrow(frame)
    quality = json.loads(json.dumps(result.quality, allow_nan=False))
    assert quality["ticks"] == len(candles)
    assert quality["empty"] == candles.empty
    assert quality["quarantined"] == len(result.quarantine) == quality["quarantine_listed"]
    assert quality["quarantined"] == sum(quality["quarantine_reasons"].values())
    kept = quality["ticks"] + quality["candles_without_trade"]
    gone = quality["quarantined"] + quality["duplicates_dropped"]
    assert quality["rows_read"] == kept + gone == sum(f["rows"] for f in quality["files"])
    assert files_of(result.inputs) == [f["file"] for f in quality["files"]]
    close_ns = candles["close_time_ns"].to_numpy()
    assert (np.diff(close_ns) > 0).all()
    assert ((close_ns >= month.start_ns) & (close_ns <= month.end_ns)).all()
    assert (close_ns - candles["open_time_ns"] == settings.candle_ns - 1).all()
    assert (candles["volume"] > 0).all()
    assert (candles["low"] <= candles[["open", "close"]].min(axis=1)).all()
    assert (candles["high"] >= candles[["open", "close"]].max(axis=1)).all()
    assert ((candles["buy_volume"] >= 0) & (candles["buy_volume"] <= candles["volume"])).all()
    assert (result.quarantine["known_at"] <= month.end_ns).all()
    return result


def assert_same(first, second):
    pd.testing.assert_frame_equal(first.candles, second.candles, check_exact=True)
    pd.testing.assert_frame_equal(first.quarantine, second.quarantine)
    assert first.quality == second.quality
    assert first.inputs == second.inputs


# ---------------------------------------------------------------------------- a month
def test_candles_of_several_files_are_sorted_and_told_with_all_they_hold(tmp_path):
    put(tmp_path, FULL + row(2, "6,8,5,7,3,19,1") + row(0, "5,7,4,6,2,11,0.5"), "a.csv")
    put(tmp_path, FULL + row(1, "6,6,6,6,1,6,1"), "b.csv.gz")
    result = build(MINUTES, tmp_path)
    assert tuples(result.candles) == [
        (START * 10**9, end_ns(0), 5, 7, 4, 6, 2, 11, 0.5),
        ((START + 60) * 10**9, end_ns(1), 6, 6, 6, 6, 1, 6, 1),
        ((START + 120) * 10**9, end_ns(2), 6, 8, 5, 7, 3, 19, 1),
    ]
    assert result.quality["files"] == [
        {"file": "a.csv", "rows": 2},
        {"file": "b.csv.gz", "rows": 1},
    ]
    assert result.quality["rows_out_of_order"] == 1
    assert result.quality["sides_inferred"] == 0
    assert result.quality["candles_absent"] == 0
    assert result.quality["first_tick_ns"] == end_ns(0)
    assert result.quality["last_tick_ns"] == end_ns(2)
    assert result.quality["typical_gap_seconds"] == 60


def test_a_dump_without_volumes_of_both_kinds_takes_the_typical_price_and_the_tick_rule(tmp_path):
    closes = [6, 6, 7, 7, 5, 5, 4, 6, 6]
    text = "".join(row(i, f"5,9,4,{close},{i + 1}") for i, close in enumerate(closes))
    put(tmp_path, HEADER + text)
    result = build(MINUTES, tmp_path)
    volume = np.arange(1.0, 10.0)
    signs = np.array(naive.tick_rule(closes, [0] * 9))
    assert result.candles["buy_volume"].tolist() == np.where(signs > 0, volume, 0.0).tolist()
    assert 0 < (signs > 0).sum() < 9
    typical = [(9 + 4 + close) / 3 for close in closes]
    assert result.candles["notional"].tolist() == pytest.approx(volume * typical, rel=1e-15)
    assert result.quality["sides_inferred"] == 9
    assert result.quality["sides_inferred_share"] == 1.0


def test_the_tick_rule_passes_over_candles_without_trade(tmp_path):
    put(tmp_path, HEADER + row(0, "5,9,4,6,2") + row(1, "9,9,9,9,0") + row(2, "5,9,4,6,2"))
    assert build(MINUTES, tmp_path).candles["buy_volume"].tolist() == [2.0, 2.0]


def test_a_candle_is_of_the_month_in_which_it_ends_whatever_its_file_is_called(tmp_path):
    last = (MAY.stop_ns - MAY.start_ns) // 60_000_000_000 - 1
    put(tmp_path, HEADER + rows([last - 1, last, last + 1, last + 2]), "candles-2012-04.csv")
    assert minutes_of(build(MINUTES, tmp_path)) == [last - 1, last]
    june = build(MINUTES, tmp_path, MAY + 1)
    assert minutes_of(june) == [last + 1, last + 2]
    assert june.quality["longest_silence_seconds"] == 60
    assert june.inputs["last trade before"] == str(MAY.end_ns)


def test_a_month_without_candles_is_empty_if_others_have_some(tmp_path):
    later = (MAY + 4).start_ns // 10**9
    put(tmp_path, HEADER + row(0) + f"{later},{PLAIN}\n")
    result = build(MINUTES, tmp_path, MAY + 3)
    assert result.candles.empty
    assert result.quality["score"] is None
    assert result.quality["missing_ids"] is None
    assert result.candles.dtypes.tolist() == [np.int64] * 2 + [np.float64] * 7


def test_a_month_in_which_nothing_traded_is_empty(tmp_path):
    put(tmp_path, HEADER + rows(range(30), ",,,,0"))
    result = build(MINUTES, tmp_path)
    assert result.quality["empty"]
    assert result.quality["candles_without_trade"] == result.quality["rows_read"] == 30


def test_a_month_that_has_not_arrived_stops(tmp_path):
    put(tmp_path, HEADER + row(0))
    message = r"no file holds a candle of 2012-06 or later, the last is of 2012-05-01 00:00:59"
    with pytest.raises(TickDataError, match=message):
        build_month(MINUTES, tmp_path, MAY + 1)


def test_no_candle_at_all_stops(tmp_path):
    put(tmp_path, HEADER + row(0, "5,4,7,6,2"))
    with pytest.raises(TickDataError, match=r"hold no candle at all.*high is not the highest"):
        build_month(MINUTES, tmp_path, MAY)


def test_a_candle_that_is_not_over_yet_is_no_candle_of_the_month(tmp_path, monkeypatch):
    now = SimpleNamespace(time_ns=lambda: end_ns(1))
    monkeypatch.setattr(reading, "time", now)
    put(tmp_path, HEADER + rows(range(3)))
    result = build(MINUTES, tmp_path)
    assert minutes_of(result) == [0, 1]
    assert result.quarantine["reason"].tolist() == [Reason.FUTURE.words]
    assert result.quarantine["known_at"].tolist() == [MAY.end_ns]


def test_candles_before_the_first_month_are_outside_and_no_dirt(tmp_path):
    put(tmp_path, HEADER + rows([-2, -1, 0, 1]))
    result = build(MINUTES, tmp_path)
    assert minutes_of(result) == [0, 1]
    assert result.quarantine.empty
    assert result.quality["rows_before_first_month"] == 2
    assert result.quality["score"] == build(MINUTES, tmp_path).quality["score"]


def test_faults_are_listed_with_file_line_text_and_when_they_were_known(tmp_path):
    put(tmp_path, HEADER + row(0) + row(1, "5,4,7,6,2") + "x,1,2,3\n" + row(2), "b.csv")
    put(tmp_path, HEADER + f"{START + 7},{PLAIN}\n" + row(3), "a.csv.gz")
    result = build(MINUTES, tmp_path)
    assert minutes_of(result) == [0, 2, 3]
    reason = "high is not the highest, or low the lowest price"
    assert result.quarantine.to_numpy().tolist() == [
        ["a.csv.gz", 2, NOT_A_START, f"{START + 7},{PLAIN}", (START + 67) * 10**9 - 1],
        ["b.csv", 3, reason, row(1, "5,4,7,6,2").strip(), end_ns(1)],
        ["b.csv", 4, "row has 4 fields, not 6", "x,1,2,3", MAY.end_ns],
    ]
    assert result.quality["candles_absent"] == 1


# ---------------------------------------------------------------------------- without trades
@pytest.mark.parametrize("silent", [",,,,0", "6,6,6,6,0", "nan,nan,nan,nan,0.0"])
def test_candles_without_trade_are_counted_and_neither_kept_nor_set_aside(tmp_path, silent):
    put(tmp_path, HEADER + row(0) + row(1, silent) + row(2, silent) + row(3))
    result = build(MINUTES, tmp_path)
    assert minutes_of(result) == [0, 3]
    assert result.quality["candles_without_trade"] == 2
    assert result.quality["quarantined"] == 0
    assert result.quality["candles_absent"] == 0  # they are there, nothing was lost
    assert result.quality["longest_silence_seconds"] == 180


# ---------------------------------------------------------------------------- repeated
def test_a_repeated_candle_is_dropped_if_it_says_the_same_and_set_aside_if_not(tmp_path):
    """The one of the larger volume stays, wherever it stands: the other was not over, maybe."""
    other = "5,7,4,6,1.5"
    put(tmp_path, HEADER + rows([0, 1, 1]) + row(0, other), "a.csv")
    put(tmp_path, HEADER + row(1, other) + rows([2, 0]), "b.csv")
    result = build(MINUTES, tmp_path)
    assert minutes_of(result) == [0, 1, 2]
    assert result.candles["volume"].tolist() == [2.0, 2.0, 2.0]
    assert result.quality["duplicates_dropped"] == 2
    assert result.quarantine.to_numpy().tolist() == [
        ["a.csv", 5, REPEATED_CANDLE, row(0, other).strip(), end_ns(0)],
        ["b.csv", 2, REPEATED_CANDLE, row(1, other).strip(), end_ns(1)],
    ]


@pytest.mark.parametrize("place", range(7))
def test_any_value_makes_a_repeated_candle_another_one(tmp_path, place):
    fields = ["5", "7", "4", "6", "2", "11", "1"]
    put(tmp_path, FULL + row(0, ",".join(fields)), "a.csv")
    changed = ["5.5", "7.5", "4.5", "6.5", "1.5", "11.5", "1.5"]
    put(tmp_path, FULL + row(0, ",".join([*fields[:place], changed[place], *fields[place + 1 :]])))
    result = build(MINUTES, tmp_path)
    assert result.quality["quarantine_reasons"] == {REPEATED_CANDLE: 1}
    assert result.candles.iloc[0, 2:].tolist() == [5, 7, 4, 6, 2, 11, 1]


def test_unknown_values_are_the_same_twice(tmp_path):
    put(tmp_path, HEADER + row(0) + row(1, ",,,,0") + row(1, ",,,,0") + row(0))
    result = build(MINUTES, tmp_path)
    assert result.quality["duplicates_dropped"] == 2
    assert result.quality["candles_without_trade"] == 1


BEGUN = "5,6,5,5.5,0.5"
"""The plain candle, before it was over."""


def test_a_candle_that_was_read_before_it_was_over_makes_room_for_the_whole_one(tmp_path):
    """Downloads that go on where the last one ended leave one a time, as many as there were."""
    put(tmp_path, HEADER + rows(range(50), BEGUN) + row(50, ",,,,0") + row(60), "a.csv")
    put(tmp_path, HEADER + rows(range(51)), "b.csv")
    result = build(MINUTES, tmp_path)
    assert minutes_of(result) == [*range(51), 60]
    assert set(result.candles["volume"]) == {2.0}
    assert result.quality["quarantine_reasons"] == {REPEATED_CANDLE: 51}
    assert set(result.quarantine["file"]) == {"a.csv"}


def test_too_many_candles_with_other_values_are_of_another_instrument(tmp_path):
    other = "9,9.5,8.5,9,1"
    put(tmp_path, HEADER + rows(range(200)), "a.csv")
    put(tmp_path, HEADER + rows(range(5), other) + rows(range(9, 30), BEGUN), "b.csv")
    result = build(MINUTES, tmp_path)
    assert result.quality["quarantined"] == 26
    assert result.candles["volume"].tolist() == [2.0] * 200
    put(tmp_path, HEADER + rows(range(6), other) + rows(range(9, 30), BEGUN), "b.csv")
    message = (
        r"2012-05: 6 candles are there again with other values, such as a\.csv, row 2: "
        r"'1335830400,5,7,4,6,2' and b\.csv, row 2: '1335830400,9,9\.5,8\.5,9,1'.*name only one"
    )
    with pytest.raises(TickDataError, match=message):
        build_month(MINUTES, tmp_path, MAY)
    put(tmp_path, HEADER + rows(range(1_000)), "a.csv")  # of many candles one in a hundred
    assert build(MINUTES, tmp_path).quality["quarantined"] == 27


def test_two_instruments_of_few_candles_stop(tmp_path):
    days = market(vendor=None, candle_minutes=1440)
    put(tmp_path, HEADER + rows(range(0, 31 * 1440, 1440)), "a.csv")
    put(tmp_path, HEADER + rows(range(0, 20 * 1440, 1440), "50,70,40,60,1"), "b.csv")
    with pytest.raises(TickDataError, match=r"20 candles are there again .*b\.csv, row 2"):
        build_month(days, tmp_path, MAY)


def test_all_that_is_set_aside_is_counted_and_much_of_it_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "MOST_LISTED", 5)
    put(tmp_path, HEADER + rows(range(20)), "a.csv")
    put(tmp_path, HEADER + rows(range(7), BEGUN), "b.csv")
    result = build_month(MINUTES, tmp_path, MAY)
    assert result.quality["quarantine_reasons"] == {REPEATED_CANDLE: 7}
    assert result.quality["quarantine_listed"] == len(result.quarantine) == 5


# ---------------------------------------------------------------------------- of another length
@pytest.mark.parametrize("stray", [[], [601], [601, 602, 3001, 3002]])
def test_candles_longer_than_the_market_says_stop(tmp_path, stray):
    """A few rows between, as of another file, hide nothing: all the others look ahead."""
    message = (
        r"b\.csv: \d\d candles of 2012-05 follow the one before by 180 minutes, \d by 1; correct"
    )
    put(tmp_path, HEADER + rows([*range(0, 1320, 60), *range(3000, 9000, 180), *stray]), "b.csv")
    with pytest.raises(TickDataError, match=message):
        build_month(MINUTES, tmp_path, MAY)
    put(tmp_path, HEADER + rows(range(9000, 10_000)), "a.csv")  # each file by itself
    with pytest.raises(TickDataError, match=r"b\.csv: \d+ candles of 2012-05 follow"):
        build_month(MINUTES, tmp_path, MAY)


def test_silences_of_any_length_are_silences(tmp_path):
    rng = np.random.default_rng(3)
    put(tmp_path, HEADER + rows(np.flatnonzero(rng.random(40_000) < 0.02).tolist()))
    assert build(MINUTES, tmp_path).quality["ticks"] > 700


def test_few_candles_do_not_tell_how_long_they_are(tmp_path):
    put(tmp_path, HEADER + rows(range(0, 21 * 60, 60)))
    assert build(MINUTES, tmp_path).quality["ticks"] == 21


@pytest.mark.parametrize("minutes", [1440, 240, 120])
def test_candles_shorter_than_the_market_says_stop(tmp_path, minutes):
    """The first hour of a day would be taken for the day."""
    put(tmp_path, HEADER + rows(range(0, 31 * 1440, 60)))
    settings = market(vendor=None, candle_minutes=minutes)
    message = (
        rf"\d+ of 7\d\d rows are no candles of {minutes} minutes, such as ticks\.csv, row 3: .*"
        r"correct candle_minutes, or map `timestamp:` to the column of starts"
    )
    with pytest.raises(TickDataError, match=message):
        build_month(settings, tmp_path, MAY)


def test_a_long_file_of_shorter_candles_or_of_closes_stops(tmp_path):
    put(tmp_path, HEADER + rows(range(6000)))
    with pytest.raises(TickDataError, match=r"5900 of 6000 rows are no candles of 60 minutes"):
        build_month(HOURS, tmp_path, MAY)
    closes = "".join(f"{START + 60 * i + 59},{PLAIN}\n" for i in range(6000))
    put(tmp_path, HEADER + closes + row(6000))
    with pytest.raises(TickDataError, match=r"6000 of 6001 .*column of starts, which must be in"):
        build_month(MINUTES, tmp_path, MAY)


def test_close_times_that_are_there_tell_the_length(tmp_path):
    klines = "".join(
        f"{START + 300 * i}000,5,7,4,6,2,{START + 300 * (i + 1) - 1}999,11,9,1,5,0\n"
        for i in range(15)
    )
    put(tmp_path, klines)
    five = build(market(vendor=None, candle_minutes=5), tmp_path)
    assert five.quality["ticks"] == 15
    with pytest.raises(TickDataError, match=r"close time is not the end of a candle"):
        build_month(MINUTES, tmp_path, MAY)


def test_some_candles_between_are_set_aside(tmp_path):
    put(tmp_path, HEADER + rows(range(0, 20 * 60, 60)) + rows(range(30, 20 * 60, 60)))
    result = build(HOURS, tmp_path)
    assert result.quality["quarantine_reasons"] == {NOT_A_START: 20}
    assert result.quality["ticks"] == 20


# ---------------------------------------------------------------------------- gaps
def test_missing_candles_are_counted_and_stop_the_strict_only(tmp_path):
    put(tmp_path, HEADER + rows([i for i in range(31 * 1440) if i not in (7, 900, 901)]))
    quality = build(MINUTES, tmp_path).quality
    assert quality["candles_absent"] == 3
    assert quality["candles_absent_share"] == 3 / (31 * 1440)
    strict = market(vendor=None, candle_minutes=1, strict_gaps=True)
    assert build(strict, tmp_path).quality["missing_days"] == []
    put(tmp_path, HEADER + rows([i for i in range(31 * 1440) if not 900 <= i < 1000]))
    with pytest.raises(TickDataError, match=r"2012-05: 100 candles are missing, 0\.22% of them"):
        build_month(strict, tmp_path, MAY)


def test_candles_that_are_left_out_where_nothing_traded_are_not_missing(tmp_path):
    """As of Kraken: candles that seldom follow one another say nothing of those that are not."""
    rng = np.random.default_rng(3)
    put(tmp_path, HEADER + rows(np.flatnonzero(rng.random(31 * 1440) < 0.1).tolist()))
    strict = market(vendor=None, candle_minutes=1, strict_gaps=True)
    quality = build(strict, tmp_path).quality
    assert quality["candles_absent_share"] is None
    assert quality["candles_absent"] > 30_000


def test_missing_days_stop_the_strict_only(tmp_path):
    hours = [i * 60 for i in range(31 * 24) if i // 24 not in (6, 7)]
    put(tmp_path, HEADER + rows(hours) + rows([6 * 1440], ",,,,0"))
    assert build(HOURS, tmp_path).quality["missing_days"] == ["2012-05-07", "2012-05-08"]
    strict = {"vendor": None, "candle_minutes": 60, "strict_gaps": True}
    with pytest.raises(TickDataError, match=r"no trade on 2012-05-07, 2012-05-08; .*`outages:`"):
        build_month(market(**strict), tmp_path, MAY)
    silence = Outage(start="2012-05-07", end="2012-05-08", reason="maintenance")
    with pytest.raises(TickDataError, match="47 candles are missing"):
        build_month(market(**strict, outages=[silence]), tmp_path, MAY)


# ---------------------------------------------------------------------------- files
def test_a_file_is_read_once_until_the_length_of_a_candle_changes(tmp_path, was_read):
    june = (MAY.stop_ns - MAY.start_ns) // 60_000_000_000
    folder, path = tmp_path / "dumps", tmp_path / "index.json"
    folder.mkdir()
    put(folder, HEADER + rows([0, 60]), "a.csv")
    put(folder, HEADER + rows([june, june + 60]), "b.csv")
    build(HOURS, folder, MAY, FileIndex(HOURS, path))
    assert was_read == ["a.csv", "b.csv"]
    was_read.clear()
    build(HOURS, folder, MAY + 1, FileIndex(HOURS, path))
    assert was_read == ["b.csv"]
    was_read.clear()
    build(MINUTES, folder, MAY, FileIndex(MINUTES, path))
    assert was_read == ["a.csv", "b.csv"]


def test_a_zip_is_compared_with_its_checksum(tmp_path):
    path = put(tmp_path, HEADER + rows(range(3)), "TOY-1m-2012-05.zip")
    beside = tmp_path / "TOY-1m-2012-05.zip.CHECKSUM"
    beside.write_text(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
    assert minutes_of(build(MINUTES, tmp_path)) == [0, 1, 2]
    beside.write_text("0" * 64)
    with pytest.raises(TickDataError, match=r"2012-05\.zip: sha256 is .* says '0000"):
        build_month(MINUTES, tmp_path, MAY)


def test_synthetic_candles_are_marked_by_the_market_or_by_their_file(tmp_path):
    put(tmp_path, HEADER + row(0))
    assert build(MINUTES, tmp_path).quality["synthetic"] is False
    marked = build(market(vendor=None, candle_minutes=1, synthetic=True), tmp_path)
    assert (marked.synthetic, marked.quality["synthetic"]) == (True, True)
    (tmp_path / "ticks.csv.SYNTHETIC").touch()
    assert build(MINUTES, tmp_path).synthetic
    assert build(MINUTES, tmp_path).inputs["ticks.csv.SYNTHETIC"] == "there"


def some_candles(n_days=75, seed=11):
    """Lines of six-hour candles, some without trade."""
    generator = np.random.default_rng(seed)
    volumes = generator.integers(0, 5, n_days * 4)
    closes = generator.integers(4, 8, n_days * 4)
    pairs = enumerate(zip(closes, volumes, strict=True))
    return [f"{START + DAY // 4 * i},5,8,4,{close},{volume}\n" for i, (close, volume) in pairs]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["newest first", "interleaved", "small files", "twice"])
def test_how_the_files_lie_changes_no_candle(tmp_path, how):
    lines, six_hours = some_candles(), market(vendor=None, candle_minutes=360)
    plain, other = tmp_path / "plain", tmp_path / "other"
    plain.mkdir()
    other.mkdir()
    put(plain, HEADER + "".join(lines))
    order = np.random.default_rng(1).permutation(len(lines))
    files = {
        "newest first": [lines[::-1]],
        "interleaved": [[lines[i] for i in order[::2]], [lines[i] for i in order[1::2]]],
        "small files": [lines[i : i + 8] for i in range(0, len(lines), 8)][::-1],
        "twice": [lines, lines[40:]],
    }[how]
    for number, part in enumerate(files):
        put(other, HEADER + "".join(part), f"{number:03d}.csv")
    for month in (MAY, MAY + 1, MAY + 2):
        expected, found = build(six_hours, plain, month), build(six_hours, other, month)
        assert len(expected.candles) > 30
        pd.testing.assert_frame_equal(found.candles, expected.candles, check_exact=True)
        told = ("candles_without_trade", "candles_absent", "ticks", "longest_silence_seconds")
        assert {k: found.quality[k] for k in told} == {k: expected.quality[k] for k in told}


def test_later_rows_change_nothing_before_them(tmp_path):
    """Tamper with all that was known after t: what was known by t stays."""
    lines, six_hours = some_candles(), market(vendor=None, candle_minutes=360)
    lines[30], lines[130] = "torn\n", lines[129]
    put(tmp_path, HEADER + "".join(lines))
    before = {month: build(six_hours, tmp_path, month) for month in (MAY, MAY + 1)}
    for n_kept in (124, 200):  # all of May; some of June
        changed = [f"{line.split(',')[0]},5,9,3,4,7\n" for line in lines[n_kept:]]
        put(tmp_path, HEADER + "".join([*lines[:n_kept], *changed, changed[-1]]))
        may = build(six_hours, tmp_path)
        pd.testing.assert_frame_equal(may.candles, before[MAY].candles, check_exact=True)
        pd.testing.assert_frame_equal(may.quarantine, before[MAY].quarantine)
        assert may.quality == before[MAY].quality
        june, old = build(six_hours, tmp_path, MAY + 1).candles, before[MAY + 1].candles
        cut_ns = (START + DAY // 4 * n_kept) * 10**9
        known, was_known = (f[f["close_time_ns"] < cut_ns] for f in (june, old))
        assert n_kept == 124 or len(known) > 30
        pd.testing.assert_frame_equal(known, was_known, check_exact=True)


# ---------------------------------------------------------------------------- every row
JUNE = (MAY.stop_ns - MAY.start_ns) // 60_000_000_000
LINE = st.sampled_from(
    [row(m, f) for m in (0, 1, 2, JUNE) for f in (PLAIN, "5,7,4,6,1", ",,,,0", "5,7,4,6,-1")]
    + [row(-1), f"{START + 7},{PLAIN}\n", f"x,{PLAIN}\n", "torn\n", row(3, ",,,,1"), "\n", " \n"]
    + [row(60 * 24 * 366 * 180)]
)


@pytest.mark.slow
@given(st.lists(LINE, max_size=20), st.lists(LINE, max_size=10))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_in_exactly_one_place(tmp_path, first, second):
    """In the report of its month; what holds of all reports is checked by `build`."""
    index = FileIndex(MINUTES)
    for name, lines in (("a.csv", first), ("b.csv", [row(JUNE + 1), *second])):
        put(tmp_path, "".join([HEADER, row(5), *lines, row(6)]), name)
    found = [build(MINUTES, tmp_path, month, index) for month in (MAY, MAY + 1)]
    n_rows = 5 + sum(bool(line.strip()) for line in first + second)
    n_read = sum(result.quality["rows_read"] for result in found)
    assert n_read + found[0].quality["rows_before_first_month"] == n_rows
    assert_same(build(MINUTES, tmp_path, MAY, index), found[0])
    kept = naive_candles([row(5), *first, row(6), row(5), row(JUNE + 1), *second, row(6)])
    for month, result in zip((MAY, MAY + 1), found, strict=True):
        of_month = [candle for candle in kept if Month.of(candle[0]) == month]
        columns = ["close_time_ns", "open", "high", "low", "close", "volume"]
        assert tuples(result.candles[columns]) == of_month


def naive_candles(lines):
    """The good candle of every time of which most was traded, one line after the other."""
    largest = {}
    for line in lines:
        fields = line.strip().split(",")
        whole = len(fields) == 6 and fields[0].isdigit() and int(fields[0]) % 60 == 0
        if not whole or not START <= int(fields[0]) < 7_258_118_400 // 2:
            continue
        volume = float(fields[5])
        if volume == 0 or (volume > 0 and all(fields[1:5])):
            values = [float(field) if volume else 0.0 for field in fields[1:]]
            time = (int(fields[0]) + 60) * 10**9 - 1
            if time not in largest or values[-1] > largest[time][-1]:
                largest[time] = values
    return [(time, *values) for time, values in sorted(largest.items()) if values[-1] > 0]


# ---------------------------------------------------------------------------- quality
def test_a_dump_without_volume_stops(tmp_path):
    moving = "".join(row(i, f"{5 + i},{5 + i},{5 + i},{5 + i},0") for i in range(30))
    put(tmp_path, HEADER + moving)
    with pytest.raises(TickDataError, match="all 30 candles have a volume of 0, and prices move"):
        build_month(MINUTES, tmp_path, MAY)


def test_wicks_that_no_other_candle_has_are_reported_as_spikes(tmp_path):
    plain = [f"{50 + i % 3},{53 + i % 3},{49 - i % 2},{51 + i % 2},2" for i in range(100)]
    put(tmp_path, HEADER + "".join(row(i, fields) for i, fields in enumerate(plain)))
    clean = build(MINUTES, tmp_path).quality
    assert clean["reverting_spikes"] == 0
    plain[40], plain[60] = "50,53,0.001,51,2", "50,5300,49,51,2"
    put(tmp_path, HEADER + "".join(row(i, fields) for i, fields in enumerate(plain)))
    dirty = build(MINUTES, tmp_path).quality
    assert dirty["reverting_spikes"] == 2
    assert dirty["score"] < clean["score"]


def test_a_dump_that_is_newest_first_is_in_order(tmp_path):
    put(tmp_path, HEADER + rows(range(100)))
    score = build(MINUTES, tmp_path).quality["score"]
    put(tmp_path, HEADER + rows(range(99, -1, -1)))
    quality = build(MINUTES, tmp_path).quality
    assert (quality["rows_out_of_order"], quality["score"]) == (0, score)
