"""Real dumps load with a market's name, symbol, files and first month, and nothing is lost.

The figures are those that stand beside the dumps in SOURCES.md.
"""

import gzip
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from price_physics.months import Month
from price_physics.study.market import Market, TradeMarket
from price_physics.ticks.index import FileIndex

from . import naive
from .helpers import SHARED, build_month, read_all, real

pytestmark = pytest.mark.slow  # whole months of real dumps

NS = 10**9


def market(folder: str, symbol: str, first_month: str, files: str = "*") -> Market:
    return TradeMarket(
        name=folder, symbol=symbol, files=[f"{folder}/{files}"], first_month=first_month
    )


def build_all(settings: Market, last_month: str) -> dict[str, tuple[pd.DataFrame, object]]:
    """Every month's ticks and result."""
    index, built = FileIndex(settings), {}
    for month in Month.span(settings.first_month, Month.parse(last_month)):
        result = build_month(settings, SHARED, month, index)
        built[str(month)] = result.ticks.frame(), result
    return built


def total(built, key: str) -> int:
    return sum(result.quality[key] or 0 for _, result in built.values())


def span(built) -> tuple[str, str]:
    times = np.concatenate([ticks["time_ns"].to_numpy() for ticks, _ in built.values()])
    assert (np.diff(times) >= 0).all()
    first, last = (pd.Timestamp(times[place], tz="UTC") for place in (0, -1))
    return f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"


# ---------------------------------------------------------------------------- bitstamp_usd
@real("bitstamp_usd")
def test_bitstamp():
    built = build_all(market("bitstamp_usd", "BTCUSD", "2011-09"), "2012-05")
    rows = [result.quality["rows_read"] for _, result in built.values()]
    assert rows == [134, 150, 135, 185, 695, 1002, 1226, 2353, 4119]
    assert sum(rows) == 9_999
    assert span(built) == ("2011-09-13", "2012-05-31")
    assert total(built, "identical_rows_kept") == 1_695
    assert total(built, "duplicates_dropped") == 0
    reasons = sum((Counter(r.quality["quarantine_reasons"]) for _, r in built.values()), Counter())
    assert reasons == {"qty is not above zero": 1}
    silences = [result.quality["longest_silence_seconds"] for _, result in built.values()]
    assert max(silences) / 3600 == pytest.approx(91, abs=0.01)


# ---------------------------------------------------------------------------- intersango_gbp
@real("intersango_gbp")
def test_intersango():
    built = build_all(market("intersango_gbp", "BTCGBP", "2011-09"), "2014-01")
    assert total(built, "rows_read") == total(built, "ticks") == 91_012
    assert span(built)[0][:7] == "2011-09"
    assert span(built)[1][:7] == "2014-01"
    assert total(built, "rows_out_of_order") == 1
    assert built["2013-12"][1].quality["rows_out_of_order"] == 1
    assert total(built, "quarantined") == total(built, "duplicates_dropped") == 0
    n_ticks = {month: len(ticks) for month, (ticks, _) in built.items()}
    busy = [str(month) for month in Month.span(Month(2011, 12), Month(2012, 8))]
    assert min(n_ticks[month] for month in busy) > 4_000
    assert n_ticks["2012-10"] < n_ticks["2012-09"] / 2
    assert max(n for month, n in n_ticks.items() if month > "2013-07") < 100
    assert all((ticks["time_ns"] % NS == 0).all() for ticks, _ in built.values())


@real("intersango_gbp")
def test_intersango_equals_a_slow_reading():
    with gzip.open(SHARED / "intersango_gbp/intrsngGBP.csv.gz", "rt") as stream:
        slow = naive.read_bitcoincharts(stream.read())
    settings = market("intersango_gbp", "BTCGBP", "2011-09")
    rows, faults = read_all(settings, SHARED / "intersango_gbp/intrsngGBP.csv.gz")
    assert not faults
    columns = (rows.time_ns.tolist(), rows.price.tolist(), rows.qty.tolist())
    assert list(zip(*columns, strict=True)) == slow


# ---------------------------------------------------------------------------- binance_btcusdc
@pytest.fixture(scope="module")
def binance():
    return build_all(market("binance_btcusdc", "BTCUSDC", "2019-05"), "2019-06")


@real("binance_btcusdc")
def test_binance_changes_its_format_half_way(binance):
    assert total(binance, "rows_read") == total(binance, "ticks") == 724_731
    assert span(binance) == ("2019-05-25", "2019-06-23")
    assert total(binance, "quarantined") == total(binance, "duplicates_dropped") == 0
    assert total(binance, "sides_inferred") == 0
    names = [name for _, result in binance.values() for name in result.inputs if "/" in name]
    assert len(names) == 28
    assert {name.split("/")[1][:7] for name in binance["2019-05"][1].inputs if "/" in name} == {
        "2019-05"
    }


@real("binance_btcusdc")
def test_binance_s_ids(binance):
    """None twice; those missing within the months and between them add up to all that are."""
    ids = [ticks["trade_id"].to_numpy(np.int64) for ticks, _ in binance.values()]
    both = np.concatenate(ids)
    assert len(np.unique(both)) == both.size
    within = [result.quality["missing_ids"] for _, result in binance.values()]
    between = ids[1].min() - ids[0].max() - 1
    assert [*within, between] == [92_554, 2_009, 0]
    assert sum(within) + between == both.max() - both.min() + 1 - both.size == 94_563
    may = binance["2019-05"][1].quality
    assert may["missing_ids_share"] == 92_554 / (92_554 + 152_912)
    assert may["missing_days"] == ["2019-05-27", "2019-05-28"]
    assert may["longest_silence_seconds"] / 3600 == pytest.approx(54.5, abs=0.05)
    gap = pd.Timestamp(may["longest_silence_start_ns"])
    assert f"{gap:%m-%d}" == "05-26"
    silence = ids[0][np.searchsorted(binance["2019-05"][0]["time_ns"], gap.value + 1)]
    before = ids[0][np.searchsorted(binance["2019-05"][0]["time_ns"], gap.value)]
    assert silence - before == pytest.approx(92_000, rel=0.01)


@real("binance_btcusdc")
def test_binance_s_trades_of_one_millisecond_keep_the_order_of_their_ids(binance):
    n_ties = 0
    for ticks, _ in binance.values():
        tied = np.diff(ticks["time_ns"].to_numpy()) == 0
        n_ties += int(tied.sum())
        assert (np.diff(ticks["trade_id"].to_numpy(np.int64))[tied] > 0).all()
        assert (ticks["time_ns"] % 10**6 == 0).all()
    assert n_ties == 214_172


@real("binance_btcusdc")
def test_binance_s_files_are_scrambled():
    settings = market("binance_btcusdc", "BTCUSDC", "2019-05")
    n_back = n_steps = 0
    for path in sorted((SHARED / "binance_btcusdc").iterdir()):
        rows, faults = read_all(settings, path)
        assert not faults
        steps = np.diff(rows.trade_id)
        n_back += int((steps < 0).sum())
        n_steps += steps.size
    assert n_back / n_steps == pytest.approx(1 / 3, abs=0.05)


# ---------------------------------------------------------------------------- bitflyer_btcjpy
FIRST, SECOND = "bitflyer.execution.20180130.BTC_JPY.csv.gz", "*.v2.csv.gz"


def bitflyer(files: str):
    built = build_all(market("bitflyer_btcjpy", "BTC_JPY", "2018-01", files), "2018-01")
    return built["2018-01"]


@real("bitflyer_btcjpy")
@pytest.mark.parametrize(
    ("files", "n_rows", "n_blank"), [(FIRST, 93_363, 345), (SECOND, 93_303, 0)]
)
def test_a_japanese_day_straddles_two_utc_days(files, n_rows, n_blank):
    ticks, result = bitflyer(files)
    assert result.quality["rows_read"] == n_rows
    assert result.quality["quarantined"] == n_blank
    assert set(result.quality["quarantine_reasons"]) <= {"time is not a time"}
    assert result.quality["sides_inferred"] == 42
    assert result.quality["missing_ids"] > 500_000
    assert result.quality["missing_ids_share"] is None
    days = pd.to_datetime(ticks["time_ns"], utc=True).dt.strftime("%m-%d")
    assert set(days) == {"01-29", "01-30"}
    assert (result.quarantine["known_at"] == Month(2018, 1).end_ns).all()
    pause = result.quality["longest_silence_start_ns"]
    end = pd.Timestamp(pause + int(result.quality["longest_silence_seconds"] * NS), tz="UTC")
    assert f"{end:%H:%M}" == "19:12"


@real("bitflyer_btcjpy")
def test_the_same_day_twice_is_that_day():
    """Rows of both files go once; those whose time one file lacks come from the other."""
    (first, _), (second, _), (both, result) = (bitflyer(files) for files in (FIRST, SECOND, "*"))
    ids = [set(ticks["trade_id"]) for ticks in (first, second)]
    assert result.quality["rows_read"] == 93_363 + 93_303
    assert result.quality["duplicates_dropped"] == len(ids[0] & ids[1]) == 92_958
    assert result.quality["quarantine_reasons"] == {"time is not a time": 345}
    assert set(both["trade_id"]) == ids[0] | ids[1]
    assert len(both) == len(ids[0] | ids[1])
    known = both["trade_id"].isin(ids[0])
    columns = ["time_ns", "trade_id", "price", "qty"]
    pd.testing.assert_frame_equal(both.loc[known, columns].reset_index(drop=True), first[columns])


# ---------------------------------------------------------------------------- coinbase_like
@real("coinbase_like")
def test_quoted_iso_times_with_sides():
    ticks, result = build_all(market("coinbase_like", "BTC-USD", "2023-09"), "2023-09")["2023-09"]
    assert result.quality["ticks"] == result.quality["rows_read"] == 5_882
    assert result.quality["sides_inferred"] == 0
    times = pd.to_datetime(ticks["time_ns"], utc=True)
    assert (times.dt.strftime("%Y-%m-%d %H") == "2023-09-05 16").all()
    assert ticks["time_ns"].iloc[0] == pd.Timestamp("2023-09-05T16:00:01.281719Z").value
    assert ticks[["price", "qty", "tick_sign"]].iloc[0].tolist() == [25741.02, 0.02188038, -1]


def test_every_folder_of_real_ticks_has_a_test():
    if not SHARED.is_dir():
        pytest.skip(f"real ticks are not there: {SHARED}")
    tested = {
        "bitstamp_usd",
        "intersango_gbp",
        "binance_btcusdc",
        "bitflyer_btcjpy",
        "coinbase_like",
    }
    assert {path.name for path in SHARED.iterdir() if path.is_dir()} == tested
