"""A date and a clock of digits alone: read right, or refused where it is a number as well."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from price_physics.errors import TickDataError
from price_physics.ticks.reading.compact_times import compact_time

from .helpers import market, put, read_all

START = datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC)
FRACTION = "123456789123"
HEAD = "timestamp,price,qty\n"
MINUTES = market(candle_minutes=1)


def dump(folder, n_fraction, name="ticks.csv"):
    """Three seconds of trades, their times with so many digits of a fraction."""
    moments = [f"{START + timedelta(seconds=k):%Y%m%d%H%M%S}" for k in range(3)]
    rows = [f"{moment}{FRACTION[:n_fraction]},{5 + k},1\n" for k, moment in enumerate(moments)]
    return put(folder, HEAD + "".join(rows) + "\n" * 60, name)


@pytest.mark.parametrize("n_fraction", range(13))
def test_every_number_of_digits_is_read_right_or_refused(tmp_path, n_fraction):
    path = dump(tmp_path, n_fraction)
    if n_fraction in (1, 2, 4, 5):  # 15, 16, 18, 19 digits
        with pytest.raises(
            TickDataError, match=r"ticks\.csv, row 2: the time 2019.* is 2019-01-02"
        ):
            read_all(market(), path)
        return
    rows, faults = read_all(market(), path)
    ns = int(START.timestamp()) * 10**9 + int(FRACTION[:n_fraction][:9].ljust(9, "0"))
    assert not faults
    assert rows.time_ns.tolist() == [ns + k * 10**9 for k in range(3)]


@pytest.mark.parametrize("n_fraction", [1, 2, 4, 5])
def test_what_is_refused_is_read_as_the_message_says(tmp_path, n_fraction):
    with pytest.raises(TickDataError, match="write it as") as raised:
        read_all(market(), dump(tmp_path, n_fraction))
    written = str(raised.value).partition("write it as ")[2].partition(" or in")[0]
    rows, faults = read_all(market(), put(tmp_path, f"{HEAD}{written},5,1\n"))
    assert not faults
    assert rows.time_ns[0] - int(START.timestamp()) * 10**9 == int(
        FRACTION[:n_fraction].ljust(9, "0")
    )


@pytest.mark.parametrize("form", ["%Y%m%d%H", "%Y%m%d%H%M"])
@pytest.mark.parametrize("settings", [market(), MINUTES])
def test_hours_and_minutes_are_refused_too(tmp_path, form, settings):
    moment = f"{START:{form}}"
    path = put(tmp_path, f"timestamp,open,high,low,close,volume\n{moment},5,5,5,5,1\n" * 1)
    if settings is not MINUTES:
        path = put(tmp_path, f"{HEAD}{moment},5,1\n")
    with pytest.raises(TickDataError, match=f"the time {moment} is 2019-01-02 03:0"):
        read_all(settings, path)


def test_numbers_of_a_table_are_refused_too(tmp_path):
    time = [201901020304051234, 201901020304051235]
    pq.write_table(
        pa.table({"timestamp": time, "price": [5.0] * 2, "qty": [1.0] * 2}), tmp_path / "t.parquet"
    )
    with pytest.raises(
        TickDataError, match=r"t\.parquet, row 1: the time 201901020304051234 is 2019"
    ):
        read_all(market(), tmp_path / "t.parquet")


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_numbers_are_numbers(tmp_path, unit):
    """One of them may read as a date by chance."""
    seconds = [201_901_020, 201_901_099]
    assert f"{seconds[0] * 10**6 + 304_051}" == "201901020304051"
    rows = [f"{s * unit + 304_051 * unit // 10**6},5,1\n" for s in seconds]
    found, faults = read_all(market(), put(tmp_path, HEAD + "".join(rows)))
    assert not faults
    assert (found.time_ns // 10**9).tolist() == seconds


def grid():
    """Seconds since 1970: every midnight of 2009 to 2032-06, every hour of a year, and any."""
    midnights = np.arange(1_230_768_000, 1_969_920_000, 86_400)
    hours = np.arange(1_325_376_000, 1_356_998_400, 3_600)
    anyhow = np.random.default_rng(7).integers(midnights[0], midnights[-1], 20_000)
    return np.concatenate([midnights, hours, anyhow])


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_no_unix_time_is_a_date(unit):
    """Whichever is alone in its file."""
    assert {compact_time(value) for value in (grid() * unit).tolist()} == {None}


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_unix_times_are_read_from_every_file(tmp_path, unit):
    """The first is a date of 1341 by its digits."""
    past = grid()[grid() < datetime(2026, 1, 1, tzinfo=UTC).timestamp()]
    for seconds in ([1_341_100_800], past.tolist()):
        times = [s * unit for s in seconds]
        csv = put(tmp_path, HEAD + "".join(f"{time},5,1\n" for time in times))
        table = pa.table(
            {"timestamp": times, "price": [5.0] * len(times), "qty": [1.0] * len(times)}
        )
        pq.write_table(table, tmp_path / "t.parquet")
        for path in (csv, tmp_path / "t.parquet"):
            rows, faults = read_all(market(), path)
            assert not faults
            assert rows.time_ns.tolist() == [s * 10**9 for s in seconds]
