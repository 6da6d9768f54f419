"""The stage, on toy files and on the sample of the repository."""

import json
from collections import Counter
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.schemas.ticks import QUARANTINE, TICKS
from price_physics.store import spool
from price_physics.study.reading import load_market
from price_physics.ticks.index import FileIndex
from price_physics.ticks.month import intake, sort
from price_physics.ticks.month import trades as cleaning
from price_physics.ticks.month.sort import TickSorter

from . import naive
from .helpers import (
    BITCOINCHARTS,
    DAY,
    MAY,
    ROOT,
    START,
    build_month,
    files_of,
    market,
    put,
)

SAMPLE = load_market(ROOT / "configs/markets/bitstamp_usd.yaml")
SAMPLE_MONTHS = Month.span(SAMPLE.first_month, SAMPLE.last_month)
WITH_IDS = market(header=["trade_id", "timestamp", "price", "qty", "side"])


def build(settings, folder, month=MAY, index=None):
    """Build, and check what must hold of every result."""
    result = build_month(settings, folder, month, index)
    ticks = result.ticks.frame()
    for schema, frame in ((TICKS, ticks), (QUARANTINE, result.quarantine)):
        schema.to_arrow(frame)
    report = json.loads(json.dumps(result.quality, allow_nan=False))
    assert report["ticks"] == len(result.ticks) == len(ticks)
    assert report["quarantined"] == len(result.quarantine) == report["quarantine_listed"]
    assert report["quarantined"] == sum(report["quarantine_reasons"].values())
    kept = report["ticks"] + report["quarantined"] + report["duplicates_dropped"]
    assert report["rows_read"] == kept == sum(f["rows"] for f in report["files"])
    assert files_of(result.inputs) == [f["file"] for f in report["files"]]
    time_ns = ticks["time_ns"].to_numpy()
    assert (np.diff(time_ns) >= 0).all()
    assert ((time_ns >= month.start_ns) & (time_ns < month.stop_ns)).all()
    known_at = result.quarantine["known_at"].to_numpy()
    assert (known_at <= month.end_ns).all()
    assert month == settings.first_month or (known_at >= month.start_ns).all()
    assert set(ticks["tick_sign"]) <= {-1, 1}
    return result


def bytes_of(result) -> bytes:
    result.ticks.file.seek(0)
    return result.ticks.file.read()


def assert_same(first, second):
    assert bytes_of(first) == bytes_of(second)
    pd.testing.assert_frame_equal(first.quarantine, second.quarantine)
    assert first.quality == second.quality
    assert first.inputs == second.inputs
    assert first.synthetic == second.synthetic


# ---------------------------------------------------------------------------- toy files
def test_rows_of_several_files_are_sorted_deduplicated_and_accounted_for(tmp_path):
    put(tmp_path, f"3,{START + 3},5.0,1.0,buy\n1,{START + 1},5.0,1.0,sell\n", "a.csv")
    again = f"1,{START + 1},5.0,1.0,sell\n3,{START + 4},5.0,1.0,buy\n"
    put(tmp_path, again + f"2,{START + 1},6.0,1.0,\n9,{START + 2},6.0,0,buy\n", "b.csv.gz")
    result = build(WITH_IDS, tmp_path)
    assert result.ticks.frame()["trade_id"].tolist() == [1, 2, 3]
    assert result.ticks.frame()["tick_sign"].tolist() == [-1, 1, 1]
    assert result.quarantine.to_numpy().tolist() == [
        [
            *("b.csv.gz", 2, "trade_id repeated with another payload"),
            *(f"3,{START + 4},5.0,1.0,buy", (START + 4) * 10**9),
        ],
        [
            *("b.csv.gz", 4, "qty is not above zero"),
            *(f"9,{START + 2},6.0,0,buy", (START + 2) * 10**9),
        ],
    ]
    report = result.quality
    assert report["rows_read"] == 6
    assert report["duplicates_dropped"] == 1
    assert report["sides_inferred"] == 1
    assert report["sides_inferred_share"] == pytest.approx(1 / 3)
    assert report["rows_out_of_order"] == 2
    assert report["missing_ids"] == 0
    assert report["files"] == [{"file": "a.csv", "rows": 2}, {"file": "b.csv.gz", "rows": 4}]


def test_ties_keep_the_order_of_files_and_lines(tmp_path):
    put(tmp_path, f"{START},3.0,1\n{START},2.0,1\n", "b.csv")
    put(tmp_path, f"{START + 1},9.0,1\n{START},5.0,1\n{START},5.0,1\n", "a.csv")
    result = build(BITCOINCHARTS, tmp_path)
    ticks = result.ticks.frame()
    assert ticks["price"].tolist() == [5.0, 5.0, 3.0, 2.0, 9.0]
    assert ticks["tick_sign"].tolist() == [1, 1, -1, -1, 1]
    assert ticks["trade_id"].isna().all()
    assert result.quality["identical_rows_kept"] == 1
    assert result.quality["duplicates_dropped"] == 0
    assert result.quality["missing_ids"] is None
    assert result.quality["sides_inferred_share"] == 1.0


def test_months_are_cut_by_trade_time_not_by_file_name(tmp_path):
    edge = MAY.stop_ns // 10**9
    put(tmp_path, f"{edge - 1},5.0,1\n{edge},6.0,1\n", "trades-2012-04.csv")
    assert build(BITCOINCHARTS, tmp_path).ticks.frame()["price"].tolist() == [5.0]
    assert build(BITCOINCHARTS, tmp_path, MAY + 1).ticks.frame()["price"].tolist() == [6.0]


def test_the_last_nanosecond_belongs_to_the_month(tmp_path):
    put(tmp_path, f"timestamp,price,qty\n{MAY.end_ns},5.0,1\n{MAY.stop_ns},6.0,1\n")
    assert build(market(), tmp_path).ticks.frame()["price"].tolist() == [5.0]


def test_a_fault_without_a_time_is_known_when_its_month_ends(tmp_path):
    edge = MAY.stop_ns // 10**9
    put(tmp_path, f"{edge - 1},5.0,1\nx,5.0,1\n{edge},6.0,1\n")
    quarantine = build(BITCOINCHARTS, tmp_path).quarantine
    assert quarantine["known_at"].tolist() == [MAY.end_ns]
    assert quarantine["raw"].tolist() == ["x,5.0,1"]
    assert build(BITCOINCHARTS, tmp_path, MAY + 1).quarantine.empty


def test_a_month_without_trades_is_empty_if_others_have_some(tmp_path):
    later = (MAY + 4).start_ns // 10**9
    put(tmp_path, f"{START},5.0,1\n{later},5.0,1\n")
    result = build(BITCOINCHARTS, tmp_path, MAY + 3)
    assert len(result.ticks) == 0
    assert result.quality["empty"]
    assert result.quality["score"] is None
    assert result.quality["files"] == []
    assert result.inputs.keys() == {"last trade before"}
    assert result.ticks.frame().dtypes["time_ns"] == np.int64
    assert result.ticks.frame().dtypes["tick_sign"] == np.int8


def test_a_month_whose_file_has_not_arrived_stops(tmp_path):
    """Taken for an empty market it would close positions and add flat days to the verdict."""
    put(tmp_path, f"{START},5.0,1\n")
    message = r"no file holds a trade of \d{4}-\d\d or later, the last is of .*set last_month"
    with pytest.raises(TickDataError, match=message):
        build_month(BITCOINCHARTS, tmp_path, MAY + 1)


def test_no_trade_at_all_stops(tmp_path):
    put(tmp_path, f"{START},0,1\n")
    with pytest.raises(TickDataError, match=r"hold no trade at all.*configs/markets/toy\.yaml"):
        build_month(BITCOINCHARTS, tmp_path, MAY)


def test_no_file_at_all_stops(tmp_path):
    with pytest.raises(TickDataError, match="put the vendor's files there"):
        build_month(BITCOINCHARTS, tmp_path, MAY)


def test_a_damaged_file_stops_every_month(tmp_path):
    put(tmp_path, f"{START},5.0,1\n", "a.csv")
    path = put(tmp_path, f"{START},5.0,1\n" * 100, "b.csv.gz")
    path.write_bytes(path.read_bytes()[:-4])
    for month in (MAY, MAY + 1):
        with pytest.raises(TickDataError, match=r"b\.csv\.gz, after row 100: damaged or cut off"):
            build_month(BITCOINCHARTS, tmp_path, month)


def test_rows_before_the_first_month_are_outside_and_no_dirt(tmp_path):
    later = (MAY + 1).start_ns // 10**9
    put(tmp_path, f"{START - 9},5.0,1\n{START},5.0,1\n{START - 8},6,1\n{later},5,1\n", "a.csv")
    put(tmp_path, f"{START - 99},5.0,1\nx,5,1\n", "b.csv")
    put(tmp_path, f"{START - 7},5.0,0\n{START + 1},5.0,1\n", "c.csv")
    index = FileIndex(BITCOINCHARTS)
    first_run = build(BITCOINCHARTS, tmp_path, index=index)
    assert_same(first_run, build(BITCOINCHARTS, tmp_path, index=index))
    assert first_run.quarantine.empty
    assert first_run.quality["rows_read"] == first_run.quality["ticks"] == 2
    assert first_run.quality["rows_before_first_month"] == 3  # those of b.csv, which is not read
    assert first_run.quality["rows_out_of_order"] == 0
    later_run = build(BITCOINCHARTS, tmp_path, MAY + 1, index)
    assert later_run.quality["rows_before_first_month"] == 0
    assert build(BITCOINCHARTS, tmp_path, MAY + 1, index).quarantine.empty


def test_synthetic_ticks_are_marked_by_the_market_or_by_their_file(tmp_path):
    later = (MAY + 1).start_ns // 10**9
    put(tmp_path, f"{START},5.0,1\n", "a.csv")
    put(tmp_path, f"{later},5.0,1\n", "b.csv")
    assert not build(BITCOINCHARTS, tmp_path).synthetic
    result = build(market(vendor="bitcoincharts", synthetic=True), tmp_path)
    assert result.synthetic
    assert result.quality["synthetic"] is True
    (tmp_path / "b.csv.SYNTHETIC").touch()
    assert not build(BITCOINCHARTS, tmp_path).synthetic
    assert build(BITCOINCHARTS, tmp_path, MAY + 1).synthetic


def test_a_file_that_does_not_match_its_checksum_stops(tmp_path):
    put(tmp_path, f"{START},5.0,1\n", "a.csv")
    (tmp_path / "a.csv.CHECKSUM").write_text("0" * 64)
    with pytest.raises(TickDataError, match=r"a\.csv: sha256 is .* a\.csv\.CHECKSUM says '0000"):
        build_month(BITCOINCHARTS, tmp_path, MAY)


def test_all_that_is_set_aside_is_counted_and_much_of_it_listed(tmp_path, monkeypatch):
    for module in (intake, cleaning):
        monkeypatch.setattr(module, "MOST_LISTED", 5)
    bad = [f"{i},{START},5,0,buy" for i in range(4)]
    good = [f"{i},{START + i},5,1,buy" for i in range(10, 20)]
    other = [f"{i},{START + i + 50},5,1,buy" for i in range(10, 17)]
    put(tmp_path, "\n".join([*bad, *good]) + "\n", "a.csv")
    put(tmp_path, "\n".join(other) + "\n", "b.csv")
    result = build_month(WITH_IDS, tmp_path, MAY)
    assert result.quality["quarantine_reasons"] == {
        "qty is not above zero": 4,
        "trade_id repeated with another payload": 7,
    }
    assert result.quality["quarantined"] == 11
    assert result.quality["quarantine_listed"] == len(result.quarantine) == 5
    put(tmp_path, "\n".join(good) + "\n", "a.csv")
    result = build_month(WITH_IDS, tmp_path, MAY)
    assert result.quality["quarantined"] == 7
    assert result.quarantine["row"].tolist() == [1, 2, 3, 4, 5]


LINE = st.sampled_from(
    [f"{i},{t},{p},1,buy" for i in (1, 2, 3) for t in (START, START + 1) for p in (5, 0)]
    + [f"4,{MAY.stop_ns // 10**9},5,1,buy", f"5,{START},5", "6,x,5,1,buy", f"7,{START},5,1,", ""]
)


@pytest.mark.slow
@given(st.lists(LINE, max_size=12), st.lists(LINE, max_size=6))
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_in_exactly_one_place(tmp_path, first, second):
    whole = f"8,{START},5,1,sell"
    june = f"9,{MAY.stop_ns // 10**9},5,1,sell"  # or June would not have arrived yet
    for name, lines in (("a.csv", first), ("b.csv", [june, *second])):
        put(tmp_path, "\n".join([whole] * 20 + lines + [whole]) + "\n", name)
    n_read = sum(build(WITH_IDS, tmp_path, m).quality["rows_read"] for m in (MAY, MAY + 1))
    assert n_read == 2 * 21 + 1 + sum(bool(line) for line in first + second)


def assert_same_content(first, second):
    """The same but for the hash of the file, which also holds other months."""
    assert bytes_of(first) == bytes_of(second)
    pd.testing.assert_frame_equal(first.quarantine, second.quarantine)
    assert first.quality == second.quality


def test_later_trades_change_nothing_before_them(tmp_path):
    """Tamper with all that happened after t: what was known by t stays, byte for byte."""
    generator = np.random.default_rng(5)
    step = generator.integers(0, 40_000, 400)
    times = START + np.cumsum(step)
    price = 5 + generator.integers(-2, 3, 400) / 10
    ids = generator.integers(0, 300, 400)
    lines = [
        f"{i},{t},{p:.1f},{q},"
        for i, t, p, q in zip(ids, times, price, generator.integers(0, 4, 400), strict=True)
    ]
    put(tmp_path, "\n".join(lines) + "\n")
    before = {month: build(WITH_IDS, tmp_path, month) for month in (MAY, MAY + 1, MAY + 2)}
    assert before[MAY + 2].quality["ticks"] > 10
    for cut_ns in ((MAY + 1).end_ns, MAY.start_ns + 45 * 86400 * 10**9):
        changed = [
            line if t * 10**9 <= cut_ns else f"{i},{t + 1},{p * 3:.1f},7,buy"
            for line, i, t, p in zip(lines, ids[::-1], times, price, strict=True)
        ]
        put(tmp_path, "\n".join(changed) + "\n")
        assert_same_content(build(WITH_IDS, tmp_path, MAY), before[MAY])
        old_run, after = before[MAY + 1], build(WITH_IDS, tmp_path, MAY + 1)
        for name, known_at in (("ticks", "time_ns"), ("quarantine", "known_at")):
            tables = [
                {"ticks": r.ticks.frame(), "quarantine": r.quarantine} for r in (old_run, after)
            ]
            old, new = (table[name] for table in tables)
            old, new = (f[f[known_at] <= cut_ns].reset_index(drop=True) for f in (old, new))
            assert len(old) > 3
            pd.testing.assert_frame_equal(old, new)
        if cut_ns == (MAY + 1).end_ns:
            assert_same_content(after, before[MAY + 1])


def test_a_later_file_changes_nothing_in_earlier_months(tmp_path):
    june = (MAY + 1).start_ns // 10**9
    put(tmp_path, f"1,{START},5,1,\n2,{START + 9},6,1,\n2,{START + 20},6,1,\n", "a.csv")
    put(tmp_path, f"3,{june},6,1,\n", "b.csv")
    index = FileIndex(WITH_IDS)
    before = build(WITH_IDS, tmp_path, index=index)
    put(tmp_path, f"2,{june + 1},7,1,\n4,{june + 2},7,1,\n", "0.csv")
    put(tmp_path, f"9,{june + 9 * DAY * 30},7,1,\nx,x,x,x,x\n", "c.csv")
    for known in (index, FileIndex(WITH_IDS)):
        assert_same(build(WITH_IDS, tmp_path, index=known), before)


# ---------------------------------------------------------------------------- how files lie
def trades(n_rows=400, n_days=90, seed=7):
    """(id, second, price, qty, side): ids in order of time but for ties, some sides missing."""
    generator = np.random.default_rng(seed)
    times = START + np.sort(generator.integers(0, n_days * DAY, n_rows) // 3600 * 3600)
    sides = generator.choice(["buy", "sell", ""], n_rows)
    prices = 5 + generator.integers(0, 9, n_rows) / 8
    return [
        (i, t, p, 1 + i % 3, s)
        for i, (t, p, s) in enumerate(zip(times, prices, sides, strict=True))
    ]


def write(folder, name, rows):
    put(folder, "".join(f"{i},{t},{p},{q},{s}\n" for i, t, p, q, s in rows), name)


def lay(folder, rows, how):
    """The same trades in files of several kinds."""
    folder.mkdir()
    generator = np.random.default_rng(1)
    if how == "one file":
        write(folder, "a.csv", rows)
    elif how == "newest first":
        write(folder, "a.csv.gz", rows[::-1])
    elif how == "interleaved":
        write(folder, "a.zip", [rows[i] for i in generator.permutation(len(rows))])
    elif how == "straddling":
        for number, start in enumerate(range(0, len(rows), 37)):
            write(folder, f"{number % 5}-{number:03d}.csv", rows[start : start + 37])
    else:  # a file a day, names backwards, and everything again in files of a month
        days = sorted({t // DAY for _, t, *_ in rows})
        for number, day in enumerate(days):
            write(folder, f"d{999 - number}.csv", [row for row in rows if row[1] // DAY == day])
        write(folder, "m.csv", [row for row in rows if row[1] < START + 31 * DAY])
    return folder


def reports_alike(report):
    """What a report says about the trades, however their files lay."""
    ways = ("files", "rows_read", "rows_out_of_order", "duplicates_dropped", "score")
    return {name: value for name, value in report.items() if name not in ways}


@pytest.fixture(scope="module")
def one_file(tmp_path_factory):
    folder = lay(tmp_path_factory.mktemp("x") / "one", trades(), "one file")
    return {month: build(WITH_IDS, folder, month) for month in (MAY, MAY + 1, MAY + 2)}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["newest first", "interleaved", "straddling", "days and months"])
def test_how_the_files_lie_changes_nothing(tmp_path, how, one_file):
    folder = lay(tmp_path / "files", trades(), how)
    index = FileIndex(WITH_IDS)
    for month, expected in one_file.items():
        result = build(WITH_IDS, folder, month, index)
        assert bytes_of(result) == bytes_of(expected)
        assert reports_alike(result.quality) == reports_alike(expected.quality)
        dropped = len(result.ticks) if (how, month) == ("days and months", MAY) else 0
        assert result.quality["duplicates_dropped"] == dropped


@pytest.mark.slow
@pytest.mark.parametrize("memory_rows", [0, 50, 1 << 24])
@pytest.mark.parametrize("slice_rows", [1, 64, 1 << 21])
def test_memory_changes_no_byte(tmp_path, monkeypatch, one_file, memory_rows, slice_rows):
    folder = lay(tmp_path / "files", trades(), "straddling")
    monkeypatch.setattr(sort, "_SAMPLE", 4)
    sorter = partial(TickSorter, memory_rows=memory_rows, slice_rows=slice_rows)
    monkeypatch.setattr(cleaning, "TickSorter", sorter)
    result = build_month(WITH_IDS, folder, MAY, scratch=tmp_path)
    assert bytes_of(result) == bytes_of(one_file[MAY])
    assert reports_alike(result.quality) == reports_alike(one_file[MAY].quality)
    assert [path.name for path in tmp_path.iterdir()] == ["files"]


def test_row_groups_do_not_depend_on_slices(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "ROW_GROUP", 32)
    monkeypatch.setattr(sort, "_SAMPLE", 4)
    folder, found = lay(tmp_path / "files", trades(), "interleaved"), []
    for slice_rows in (1, 40, 1 << 21):
        monkeypatch.setattr(cleaning, "TickSorter", partial(TickSorter, slice_rows=slice_rows))
        found.append(bytes_of(build_month(WITH_IDS, folder, MAY)))
    assert found[0] == found[1] == found[2]


# ---------------------------------------------------------------------------- the sample
@pytest.fixture(scope="module")
def sample():
    return {month: build(SAMPLE, ROOT, month) for month in SAMPLE_MONTHS}


def test_sample_counts_by_month(sample):
    text = (ROOT / "data/sample/bitstamp_usd/bitstampUSD.csv").read_text()
    counts = {str(m): r.quality["rows_read"] for m, r in sample.items()}
    assert counts == naive.count_by_month(naive.read_bitcoincharts(text))
    assert list(counts.values()) == [134, 150, 135, 185, 695, 1002, 1226, 2353, 4119]
    assert sum(counts.values()) == 9_999


def test_sample_has_one_zero_amount(sample):
    reasons = sum((Counter(r.quality["quarantine_reasons"]) for r in sample.values()), Counter())
    assert reasons == {"qty is not above zero": 1}
    assert sample[MAY].quarantine["raw"].tolist() == ["1337596081,5.080000000000,0.000000000000"]


def test_sample_keeps_its_repeated_rows(sample):
    assert sum(r.quality["identical_rows_kept"] for r in sample.values()) == 1_695
    assert sum(r.quality["duplicates_dropped"] for r in sample.values()) == 0


def test_sample_equals_a_slow_reading(sample):
    text = (ROOT / "data/sample/bitstamp_usd/bitstampUSD.csv").read_text()
    rows = [row for row in naive.read_bitcoincharts(text) if row[1] > 0 and row[2] > 0]
    ticks = pd.concat([r.ticks.frame() for r in sample.values()])
    found = ticks[["time_ns", "price", "qty"]].itertuples(index=False, name=None)
    assert list(found) == sorted(rows, key=lambda row: row[0])
    for result in sample.values():
        price = result.ticks.frame()["price"].tolist()
        assert result.ticks.frame()["tick_sign"].tolist() == naive.tick_rule(
            price, [0] * len(price)
        )


def test_sample_silence_of_91_hours(sample):
    """It begins in September: a silence over the month's start is seen from the later month."""
    october = sample[Month(2011, 10)].quality
    assert october["longest_silence_seconds"] == 1_317_624_403 - 1_317_296_795
    assert october["longest_silence_start_ns"] == 1_317_296_795 * 10**9
    assert max(r.quality["longest_silence_seconds"] for r in sample.values()) == 327_608


def test_sample_is_the_same_twice(sample):
    assert_same(build(SAMPLE, ROOT, MAY), sample[MAY])
