"""The stage, on toy files, on the sample of the repository and on real dumps."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from price_physics.errors import TickDataError
from price_physics.months import Month
from price_physics.schemas import QUARANTINE, TICKS
from price_physics.study import load_market
from price_physics.ticks.build import build_ticks
from price_physics.ticks.read import read_file

from . import naive
from .helpers import BITCOINCHARTS, MAY, ROOT, SHARED, START, market, put

SAMPLE = load_market(ROOT / "configs/markets/bitstamp_usd.yaml")
SAMPLE_MONTHS = Month.span(SAMPLE.first_month, SAMPLE.last_month)
WITH_IDS = market(header=["trade_id", "timestamp", "price", "qty", "side"])


def build(settings, folder, month=MAY):
    """Build, and check what must hold of every result."""
    result = build_ticks(settings, folder, month)
    for schema, frame in ((TICKS, result.ticks), (QUARANTINE, result.quarantine)):
        schema.to_arrow(frame)
    report = json.loads(json.dumps(result.quality, allow_nan=False))
    assert report["ticks"] == len(result.ticks)
    assert report["quarantined"] == len(result.quarantine)
    kept = report["ticks"] + report["quarantined"] + report["duplicates_dropped"]
    assert report["rows_read_in_month"] == kept == sum(f["rows"] for f in report["files"])
    time_ns = result.ticks["time_ns"].to_numpy()
    assert (np.diff(time_ns) >= 0).all()
    assert ((time_ns >= month.start_ns) & (time_ns < month.stop_ns)).all()
    known_at = result.quarantine["known_at"].to_numpy()
    assert ((known_at >= month.start_ns) & (known_at <= month.end_ns)).all()
    assert set(result.ticks["tick_sign"]) <= {-1, 1}
    return result


def assert_same(first, second):
    pd.testing.assert_frame_equal(first.ticks, second.ticks)
    pd.testing.assert_frame_equal(first.quarantine, second.quarantine)
    assert first.quality == second.quality


# ---------------------------------------------------------------------------- toy files
def test_rows_of_several_files_are_sorted_deduplicated_and_accounted_for(tmp_path):
    put(tmp_path, f"3,{START + 3},5.0,1.0,buy\n1,{START + 1},5.0,1.0,sell\n", "a.csv")
    again = f"1,{START + 1},5.0,1.0,sell\n3,{START + 4},5.0,1.0,buy\n"
    put(tmp_path, again + f"2,{START + 1},6.0,1.0,\n9,{START + 2},6.0,0,buy\n", "b.csv.gz")
    result = build(WITH_IDS, tmp_path)
    assert result.ticks["trade_id"].tolist() == [1, 2, 3]
    assert result.ticks["tick_sign"].tolist() == [-1, 1, 1]
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
    assert report["rows_read_in_month"] == 6
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
    assert result.ticks["price"].tolist() == [5.0, 5.0, 3.0, 2.0, 9.0]
    assert result.ticks["tick_sign"].tolist() == [1, 1, -1, -1, 1]
    assert result.ticks["trade_id"].isna().all()
    assert result.quality["identical_rows_kept"] == 1
    assert result.quality["duplicates_dropped"] == 0
    assert result.quality["missing_ids"] is None
    assert result.quality["sides_inferred_share"] == 1.0


def test_months_are_cut_by_trade_time_not_by_file_name(tmp_path):
    edge = MAY.stop_ns // 10**9
    put(tmp_path, f"{edge - 1},5.0,1\n{edge},6.0,1\n", "trades-2012-04.csv")
    assert build(BITCOINCHARTS, tmp_path).ticks["price"].tolist() == [5.0]
    assert build(BITCOINCHARTS, tmp_path, MAY + 1).ticks["price"].tolist() == [6.0]


def test_the_last_nanosecond_belongs_to_the_month(tmp_path):
    put(tmp_path, f"timestamp,price,qty\n{MAY.end_ns},5.0,1\n{MAY.stop_ns},6.0,1\n")
    assert build(market(), tmp_path).ticks["price"].tolist() == [5.0]


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
    assert result.ticks.empty
    assert result.quality["empty"]
    assert result.quality["files"] == []
    assert result.ticks.dtypes["time_ns"] == np.int64
    assert result.ticks.dtypes["tick_sign"] == np.int8


def test_a_month_whose_file_has_not_arrived_stops(tmp_path):
    """Taken for an empty market it would close positions and add flat days to the verdict."""
    put(tmp_path, f"{START},5.0,1\n")
    message = r"no file holds a trade of \d{4}-\d\d or later, the last is of .*set last_month"
    with pytest.raises(TickDataError, match=message):
        build_ticks(BITCOINCHARTS, tmp_path, MAY + 1)


def test_no_trade_at_all_stops(tmp_path):
    put(tmp_path, f"{START},0,1\n")
    with pytest.raises(TickDataError, match=r"hold no trade at all.*configs/markets/toy\.yaml"):
        build_ticks(BITCOINCHARTS, tmp_path, MAY)


def test_no_file_at_all_stops(tmp_path):
    with pytest.raises(TickDataError, match="put the vendor's files there"):
        build_ticks(BITCOINCHARTS, tmp_path, MAY)


def test_a_damaged_file_stops_every_month(tmp_path):
    put(tmp_path, f"{START},5.0,1\n", "a.csv")
    path = put(tmp_path, f"{START},5.0,1\n" * 100, "b.csv.gz")
    path.write_bytes(path.read_bytes()[:-4])
    for month in (MAY, MAY + 1):
        with pytest.raises(TickDataError, match=r"b\.csv\.gz, after row 100: damaged or cut off"):
            build_ticks(BITCOINCHARTS, tmp_path, month)


def test_the_report_names_synthetic_markets_and_rows_before_the_first_month(tmp_path):
    later = (MAY + 1).start_ns // 10**9
    put(tmp_path, f"{START - 9},5.0,1\n{START},5.0,1\n{later},5.0,1\n")
    synthetic = market(vendor="bitcoincharts", synthetic=True)
    report = build(synthetic, tmp_path).quality
    assert report["synthetic"] is True
    assert report["rows_before_first_month"] == 1
    assert report["rows_read_in_month"] == 1
    assert "rows_before_first_month" not in build(BITCOINCHARTS, tmp_path, MAY + 1).quality
    assert build(BITCOINCHARTS, tmp_path).quality["synthetic"] is False


LINE = st.sampled_from(
    [f"{i},{t},{p},1,buy" for i in (1, 2, 3) for t in (START, START + 1) for p in (5, 0)]
    + [f"4,{MAY.stop_ns // 10**9},5,1,buy", f"5,{START},5", "6,x,5,1,buy", f"7,{START},5,1,", ""]
)


@given(st.lists(LINE, max_size=12), st.lists(LINE, max_size=6))
@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_row_is_in_exactly_one_place(tmp_path, first, second):
    whole = f"8,{START},5,1,sell"
    june = f"9,{MAY.stop_ns // 10**9},5,1,sell"  # or June would not have arrived yet
    for name, lines in (("a.csv", first), ("b.csv", [june, *second])):
        put(tmp_path, "\n".join([whole, *lines, whole]) + "\n", name)
    n_read = sum(build(WITH_IDS, tmp_path, m).quality["rows_read_in_month"] for m in (MAY, MAY + 1))
    assert n_read == 5 + sum(bool(line) for line in first + second)


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
        assert_same(build(WITH_IDS, tmp_path, MAY), before[MAY])
        after = build(WITH_IDS, tmp_path, MAY + 1)
        for name, known_at in (("ticks", "time_ns"), ("quarantine", "known_at")):
            old, new = (getattr(r, name) for r in (before[MAY + 1], after))
            old, new = (f[f[known_at] <= cut_ns].reset_index(drop=True) for f in (old, new))
            assert len(old) > 3
            pd.testing.assert_frame_equal(old, new)
        if cut_ns == (MAY + 1).end_ns:
            assert_same(after, before[MAY + 1])


# ---------------------------------------------------------------------------- the sample
@pytest.fixture(scope="module")
def sample():
    return {month: build(SAMPLE, ROOT, month) for month in SAMPLE_MONTHS}


def test_sample_counts_by_month(sample):
    text = (ROOT / "data/sample/bitstamp_usd/bitstampUSD.csv").read_text()
    counts = {str(m): r.quality["rows_read_in_month"] for m, r in sample.items()}
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
    ticks = pd.concat([r.ticks for r in sample.values()])
    found = ticks[["time_ns", "price", "qty"]].itertuples(index=False, name=None)
    assert list(found) == sorted(rows, key=lambda row: row[0])
    for result in sample.values():
        price = result.ticks["price"].tolist()
        assert result.ticks["tick_sign"].tolist() == naive.tick_rule(price, [0] * len(price))


def test_sample_silence_of_91_hours(sample):
    """It begins in September: a silence over the month's start is seen from the later month."""
    october = sample[Month(2011, 10)].quality
    assert october["longest_silence_seconds"] == 1_317_624_403 - 1_317_296_795
    assert october["longest_silence_start_ns"] == 1_317_296_795 * 10**9
    assert max(r.quality["longest_silence_seconds"] for r in sample.values()) == 327_608


def test_sample_is_the_same_twice(sample):
    assert_same(build(SAMPLE, ROOT, MAY), sample[MAY])


# ---------------------------------------------------------------------------- real dumps
def real(folder):
    return pytest.mark.skipif(
        not (SHARED / folder).is_dir(), reason=f"real ticks are not there: {SHARED / folder}"
    )


@real("intersango_gbp")
def test_intersango():
    settings = market(vendor="bitcoincharts", files=["intersango_gbp/*.csv.gz"])
    result = build(settings, SHARED, Month(2012, 3))
    assert result.quality["ticks"] > 3_000
    assert set(result.quality["files"][0]) == {"file", "rows"}
    assert build(settings, SHARED, Month(2013, 12)).quality["rows_out_of_order"] == 1
    assert build(settings, SHARED, Month(2010, 1)).quality["empty"]
    whole = read_file(settings, SHARED / "intersango_gbp/intrsngGBP.csv.gz", SHARED)
    assert len(whole.rows) == 91_012
    assert whole.faults.empty


@real("coinbase_like")
def test_quoted_iso_times_with_sides():
    settings = market(columns={"qty": "amount", "side": "side"}, files=["coinbase_like/*.csv"])
    result = build(settings, SHARED, Month(2023, 9))
    assert result.quality["ticks"] == result.quality["rows_read_in_month"] == 5_882
    assert result.quality["sides_inferred"] == 0
    first = result.ticks.iloc[0]
    assert first["time_ns"] == pd.Timestamp("2023-09-05T16:00:01.281719Z").value
    assert (first["price"], first["qty"], first["tick_sign"]) == (25741.02, 0.02188038, -1)


@real("bitflyer_btcjpy")
def test_a_japanese_day_straddles_two_utc_days_and_its_blank_times_are_set_aside():
    names = {"timestamp": "exec_date", "qty": "size", "trade_id": "id", "side": "side"}
    settings = market(columns=names, files=["bitflyer_btcjpy/*JPY.csv.gz"])
    result = build(settings, SHARED, Month(2018, 1))
    assert result.quality["rows_read_in_month"] == 93_363
    assert result.quality["quarantine_reasons"] == {"time is not a time": 345}
    assert result.quality["sides_inferred"] == 42
    days = pd.to_datetime(result.ticks["time_ns"], utc=True).dt.strftime("%m-%d")
    assert set(days) == {"01-29", "01-30"}


@real("binance_btcusdc")
def test_scrambled_websocket_files():
    names = {"timestamp": "trade_time", "qty": "quantity", "trade_id": "trade_id"}
    names["is_buyer_maker"] = "buyer_market_maker"
    settings = market(columns=names, files=["binance_btcusdc/2019-05-3*.csv.gz"])
    result = build(settings, SHARED, Month(2019, 5))
    assert result.quality["quarantined"] == result.quality["duplicates_dropped"] == 0
    assert result.quality["rows_out_of_order"] > 0
    assert result.quality["sides_inferred"] == 0
    order = np.lexsort((result.ticks["trade_id"].to_numpy(np.int64), result.ticks["time_ns"]))
    np.testing.assert_array_equal(order, np.arange(len(order)))
