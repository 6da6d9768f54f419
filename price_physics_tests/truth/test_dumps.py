"""Synthetic dumps as files: what a vendor's reader expects, byte for byte the same each time."""

import csv
import gzip
import hashlib
import io
import json
import uuid
import zipfile
from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pytest

from price_physics import __version__
from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.truth.dumps import SIDECAR_SUFFIX, SyntheticMarket, write_synthetic_dumps
from price_physics.truth.exchange import exchange_ticks
from price_physics.truth.vendors import DUMP_FORMATS, random_uuids

DEC = Month(2024, 12)
TICKS_A_DAY, SEED = 40, 5
BYBIT = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,"
    "foreignNotional"
)
TEXT_FORMATS = sorted(DUMP_FORMATS.keys() - {"generic_parquet"})


def write(folder, vendor, n_months=1, symbol="BTCUSDT", ticks_a_day=TICKS_A_DAY, **more):
    market = SyntheticMarket(symbol, DEC, n_months, ticks_a_day, SEED)
    return write_synthetic_dumps(market, vendor, folder, **more)


def text_of(path):
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            (member,) = archive.infolist()
            assert member.filename == f"{path.stem}.csv"
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            return archive.read(member).decode()
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    return path.read_text()


def rows_of(paths, header=None):
    """Rows of all files, each checked for its header."""
    found = []
    for path in paths:
        lines = list(csv.reader(io.StringIO(text_of(path))))
        if header:
            assert lines.pop(0) == header.split(",")
        found += lines
    assert len({len(row) for row in found}) == 1
    return found


@pytest.fixture(scope="module")
def ticks():
    hours = list(exchange_ticks(DEC, 2, TICKS_A_DAY, SEED))
    names = ("time_us", "trade_id", "price_ticks", "qty_lots", "is_buyer_maker", "move")
    return {name: np.concatenate([getattr(h, name) for h in hours]) for name in names}


def check(ticks, rows, *, time, unit_us, price, qty, trade_id=None, side=None, maker_is=None):
    """Compare the columns at the given places with the ticks, exactly."""
    assert len(rows) == len(ticks["time_us"]) == (31 + 31) * TICKS_A_DAY
    assert [Decimal(r[price]) for r in rows] == [Decimal(int(p)) / 10 for p in ticks["price_ticks"]]
    assert [Decimal(r[qty]) for r in rows] == [Decimal(int(q)) / 1000 for q in ticks["qty_lots"]]
    assert [int(r[time]) for r in rows] == (ticks["time_us"] // unit_us).tolist()
    if trade_id is not None:
        assert [int(r[trade_id]) for r in rows] == ticks["trade_id"].tolist()
    if side is not None:
        assert {r[side] for r in rows} == set(maker_is)
        assert [r[side] == maker_is[0] for r in rows] == ticks["is_buyer_maker"].tolist()


def notionals(ticks):
    return [
        Decimal(int(p)) * int(q) / 10_000
        for p, q in zip(ticks["price_ticks"], ticks["qty_lots"], strict=True)
    ]


# ---------------------------------------------------------------------------- formats
def test_binance_spot_turns_to_microseconds_in_2025(tmp_path, ticks):
    paths = write(tmp_path, "binance_spot_trades", n_months=2)
    assert [p.name for p in paths] == [f"BTCUSDT-trades-{m}.zip" for m in ("2024-12", "2025-01")]
    december, january = (rows_of([p]) for p in paths)
    rows = december + january
    times = [r[4] for r in rows]
    assert {len(t) for t in times[: len(december)]} == {13}
    assert {len(t) for t in times[len(december) :]} == {16}
    for row in december:  # bring both to microseconds, but for the digits that ms have not
        row[4] += "000"
    cut = ticks | {"time_us": ticks["time_us"].copy()}
    cut["time_us"][: len(december)] -= cut["time_us"][: len(december)] % 1_000
    check(cut, rows, time=4, unit_us=1, price=1, qty=2, trade_id=0, side=5,
          maker_is=("True", "False"))  # fmt: skip
    assert [Decimal(r[3]) for r in rows] == notionals(ticks)
    assert {r[6] for r in rows} == {"True"}
    assert all(len(r[i].split(".")[1]) == 8 for r in rows for i in (1, 2, 3))


def test_binance_futures(tmp_path, ticks):
    paths = write(tmp_path, "binance_futures_trades", n_months=2)
    assert [p.name for p in paths] == [f"BTCUSDT-trades-{m}.zip" for m in ("2024-12", "2025-01")]
    rows = rows_of(paths, "id,price,qty,quote_qty,time,is_buyer_maker")
    check(ticks, rows, time=4, unit_us=1_000, price=1, qty=2, trade_id=0, side=5,
          maker_is=("true", "false"))  # fmt: skip
    assert [Decimal(r[3]) for r in rows] == notionals(ticks)


@pytest.mark.slow
def test_bybit_derivatives_by_the_day(tmp_path, ticks):
    paths = write(tmp_path, "bybit_derivatives", n_months=2)
    assert [p.name for p in paths[:2]] == ["BTCUSDT2024-12-01.csv.gz", "BTCUSDT2024-12-02.csv.gz"]
    assert len(paths) == 62
    rows = rows_of(paths, BYBIT)
    times = [r[0] for r in rows]
    for row in rows:
        row[0] = row[0].replace(".", "")
    check(ticks, rows, time=0, unit_us=100, price=4, qty=3, side=2, maker_is=("Sell", "Buy"))
    assert all(float(t) > 1.7e9 for t in times)
    assert {r[1] for r in rows} == {"BTCUSDT"}
    assert [Decimal(r[9]) for r in rows] == notionals(ticks)
    assert [Decimal(r[7]) for r in rows] == [n * 10**8 for n in notionals(ticks)]
    assert [r[8] for r in rows] == [r[3] for r in rows]
    assert len({uuid.UUID(r[6]) for r in rows}) == len(rows)
    assert {uuid.UUID(r[6]).version for r in rows} == {4}


def test_bybit_tick_directions(tmp_path):
    rows = rows_of(write(tmp_path, "bybit_derivatives"), BYBIT)
    before, last = None, "ZeroPlusTick"  # a market that has not moved yet went up
    for row in rows:
        price = Decimal(row[4])
        if before is not None and price != before:
            last = "ZeroPlusTick" if price > before else "ZeroMinusTick"
            assert row[5] == last.removeprefix("Zero")
        else:
            assert row[5] == last
        before = price


def test_uuids_depend_on_seed_and_id_only():
    ids = np.array([1, 2, 3])
    all_three, last = random_uuids(ids, 1), random_uuids(ids[2:], 1)
    assert (all_three[2:] == last).all()
    assert (all_three != random_uuids(ids, 2)).any(axis=1).all()
    assert {uuid.UUID(row.tobytes().decode()).variant for row in all_three} == {uuid.RFC_4122}


@pytest.mark.slow
def test_tardis_by_the_day_names_itself_synthetic(tmp_path, ticks):
    paths = write(tmp_path, "tardis", n_months=2)
    assert paths[0].name == "synthetic_trades_2024-12-01_BTCUSDT.csv.gz"
    rows = rows_of(paths, "exchange,symbol,timestamp,local_timestamp,id,side,price,amount")
    check(ticks, rows, time=2, unit_us=1, price=6, qty=7, trade_id=4, side=5,
          maker_is=("sell", "buy"))  # fmt: skip
    assert {(r[0], r[1]) for r in rows} == {("synthetic", "BTCUSDT")}
    assert all(int(r[3]) > int(r[2]) for r in rows)


def test_bitcoincharts(tmp_path, ticks):
    rows = rows_of(write(tmp_path, "bitcoincharts", n_months=2))
    assert len(rows[0]) == 3
    check(ticks, rows, time=0, unit_us=1_000_000, price=1, qty=2)


@pytest.mark.slow
def test_generic_text_and_parquet(tmp_path, ticks):
    rows = rows_of(
        write(tmp_path, "generic", n_months=2), "timestamp,price,qty,trade_id,is_buyer_maker"
    )
    check(ticks, rows, time=0, unit_us=1, price=1, qty=2, trade_id=3, side=4,
          maker_is=("true", "false"))  # fmt: skip
    paths = write(tmp_path, "generic_parquet", n_months=2)
    assert paths[0].name == "BTCUSDT-2024-12.parquet"
    tables = [pq.read_table(path).to_pydict() for path in paths]
    column = {name: tables[0][name] + tables[1][name] for name in tables[0]}
    assert column["timestamp"] == [int(r[0]) for r in rows]
    assert column["price"] == [float(r[1]) for r in rows]
    assert column["qty"] == [float(r[2]) for r in rows]
    assert column["trade_id"] == [int(r[3]) for r in rows]
    assert column["is_buyer_maker"] == [r[4] == "true" for r in rows]


# ---------------------------------------------------------------------------- files
@pytest.mark.slow
@pytest.mark.parametrize("vendor", sorted(DUMP_FORMATS))
def test_same_bytes_and_a_longer_market_starts_with_them(tmp_path, vendor):
    once, again, longer = (tmp_path / name for name in ("a", "b", "c"))
    paths = write(once, vendor, ticks_a_day=2)
    write(again, vendor, ticks_a_day=2)
    assert len(write(longer, vendor, n_months=2, ticks_a_day=2)) > len(paths)
    names = sorted(p.name for p in once.iterdir())
    assert names == sorted(p.name for p in again.iterdir())
    for name in names:
        assert (once / name).read_bytes() == (again / name).read_bytes()
        assert (once / name).read_bytes() == (longer / name).read_bytes()


@pytest.mark.parametrize("vendor", sorted(DUMP_FORMATS))
def test_every_file_is_marked_as_synthetic(tmp_path, vendor):
    paths = write(tmp_path, vendor, symbol="ETH-USD_T", ticks_a_day=2)
    for path in paths:
        mark = json.loads(path.with_name(path.name + SIDECAR_SUFFIX).read_text())
        assert mark == {
            "synthetic": True,
            "generator": "price-physics synthetic-ticks",
            "version": __version__,
            "symbol": "ETH-USD_T",
            "month": "2024-12",
            "first_month": "2024-12",
            "ticks_a_day": 2,
            "seed": SEED,
            "vendor": vendor,
        }
    beside = {".SYNTHETIC", ".CHECKSUM"}
    assert {p for p in tmp_path.iterdir() if p.suffix not in beside} == set(paths)


def test_a_file_is_marked_before_it_exists(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("price_physics.truth.dumps.csv_blocks", fail)
    with pytest.raises(OSError, match="full"):
        write(tmp_path, "tardis")
    assert [p.name for p in tmp_path.iterdir()] == [
        "synthetic_trades_2024-12-01_BTCUSDT.csv.gz.SYNTHETIC"
    ]


def test_failing_to_pack_is_an_error_and_leaves_no_file(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("gzip.GzipFile.write", fail)
    with pytest.raises(OSError, match="full"):
        write(tmp_path, "tardis")
    assert not list(tmp_path.glob("*.gz"))


@pytest.mark.parametrize("vendor", ["binance_spot_trades", "binance_futures_trades"])
def test_checksum_is_that_of_the_zip(tmp_path, vendor):
    (path,) = write(tmp_path, vendor)
    checksum = (tmp_path / f"{path.name}.CHECKSUM").read_text()
    assert checksum == f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"


@pytest.mark.parametrize("vendor", TEXT_FORMATS)
def test_lines_end_with_a_newline_and_no_carriage_return(tmp_path, vendor):
    content = text_of(write(tmp_path, vendor, ticks_a_day=2)[-1])
    assert content.endswith("\n")
    assert not content.endswith("\n\n")
    assert "\r" not in content


def test_days_without_a_trade_have_no_file(tmp_path):
    paths = write(tmp_path, "tardis", ticks_a_day=1)
    rows = rows_of(paths, "exchange,symbol,timestamp,local_timestamp,id,side,price,amount")
    assert len(paths) < 31
    assert len(rows) == 31


def test_progress_counts_days_to_the_last(tmp_path):
    seen = []
    write(tmp_path, "generic", n_months=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(day, 62) for day in range(1, 63)]


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"vendor 'mtgox': choose one of .*binance_spot_trades"):
        write(tmp_path / "no", "mtgox")
    with pytest.raises(ConfigError, match=r"symbol '\.\./x': use letters"):
        write(tmp_path / "no", "generic", symbol="../x")
    market = SyntheticMarket("BTCUSDT", DEC, 1, 1, -1)
    with pytest.raises(ConfigError, match="seed = -1"):
        write_synthetic_dumps(market, "generic", tmp_path / "no")
    assert not (tmp_path / "no").exists()
