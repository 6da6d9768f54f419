"""One file to one frame: lines keep their numbers, and what cannot be trusted stops."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from price_physics.errors import TickDataError
from price_physics.ticks.formats import Layout
from price_physics.ticks.lines import split_lines
from price_physics.ticks.read import read_file, read_raw

from .helpers import BITCOINCHARTS, START, market, put

HEADER = "timestamp,price,qty\n"
GENERIC = market()


def rows(*fields, start=START):
    return "".join(f"{start + i},{row}\n" for i, row in enumerate(fields))


def read(folder, text, settings=GENERIC, name="ticks.csv", **options):
    return read_file(settings, put(folder, text, name), folder, **options)


# ---------------------------------------------------------------------------- what is read
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.zip"])
@pytest.mark.parametrize("end", ["\n", ""])
def test_good_rows(tmp_path, name, end):
    text = HEADER + rows("5.0,1.0", "5.5,2.0").rstrip("\n") + end
    read_ticks = read(tmp_path, text, name=name)
    assert read_ticks.file == name
    assert not read_ticks.has_ids
    assert read_ticks.rows["time_ns"].tolist() == [START * 10**9, (START + 1) * 10**9]
    assert read_ticks.rows["price"].tolist() == [5.0, 5.5]
    assert read_ticks.rows["row"].tolist() == [2, 3]
    assert read_ticks.faults.empty


def test_a_header_of_the_market_serves_files_without_one(tmp_path):
    names = {"timestamp": "t", "price": "p", "qty": "q", "trade_id": "id", "is_buyer_maker": "m"}
    settings = market(header=["id", "t", "p", "q", "m"], columns=names)
    line = f"7,{START},5.0,1.0,t\n"
    plain = read(tmp_path, line, settings, "a.csv")
    headed = read(tmp_path, "id,t,p,q,m\n" + line, settings, "b.csv")
    pd.testing.assert_frame_equal(plain.rows, headed.rows.assign(row=1))
    assert plain.has_ids
    assert plain.rows["trade_id"].tolist() == [7]
    assert plain.rows["sign"].tolist() == [-1]


def test_crlf_byte_order_mark_blank_lines_and_quotes_do_no_harm(tmp_path):
    text = '\r\n"timestamp","price","qty"\r\n\r\n'
    text += f'"{START}","5.0",1.0\r\n\r\n"{START + 1}", 5.5 ,2.0\r\n\r\n'
    read_ticks = read(tmp_path, b"\xef\xbb\xbf" + text.encode())
    assert read_ticks.rows["row"].tolist() == [4, 6]
    assert read_ticks.rows["qty"].tolist() == [1.0, 2.0]
    assert read_ticks.faults.empty


def test_a_header_alone_is_a_file_without_trades(tmp_path):
    assert read(tmp_path, HEADER).rows.empty


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("5.0", "row has 2 fields, not 3"),
        ("5.0,1.0,2.0", "row has 4 fields, not 3"),
        ("5.0,0", "qty is not above zero"),
        ("nan,1.0", "price is not a finite number"),
        ('"5.0,1.0', "a quote is never closed"),
        ('5"0,"1.0', "a quote is never closed"),
        ("5.0,1\r0", "qty is not a finite number"),
        ("5.0,1\xff0", "qty is not a finite number"),
    ],
)
def test_a_bad_row_in_the_middle_is_set_aside_with_its_line_and_text(tmp_path, row, reason):
    text = (HEADER + rows("5.0,1.0", row, "6.0,1.0")).encode("latin-1")
    read_ticks = read(tmp_path, text)
    assert read_ticks.rows["price"].tolist() == [5.0, 6.0]
    assert read_ticks.rows["row"].tolist() == [2, 4]
    fault = read_ticks.faults.iloc[0]
    assert (fault["row"], fault["reason"]) == (3, reason)
    expected = f"{START + 1},{row}".encode("latin-1").decode("utf-8", "replace")
    assert fault["raw"] == expected


def test_a_fault_without_a_time_takes_that_of_the_row_before_else_of_the_next(tmp_path):
    text = HEADER + "x,5,1\n" + rows("5,1", "5,0") + "y,5,1\nz,5,1\n" + rows("5,1", start=START + 9)
    faults = read(tmp_path, text).faults
    assert faults["row"].tolist() == [2, 4, 5, 6]
    assert faults["own_time"].tolist() == [False, True, False, False]
    assert [t // 10**9 - START for t in faults["time_ns"]] == [0, 1, 1, 1]


LINE = st.sampled_from(
    ["{t},5.0,1.0", "{t},5.0,0", "{t},5.0", "x,5.0,1.0", "", '{t},"5.0,1.0', '{t},"5.0",1.0', "\r"]
)


@given(st.lists(LINE, min_size=1, max_size=12), st.integers(8, 60), st.sampled_from(["\n", "\r\n"]))
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_size_of_blocks_changes_nothing_and_no_line_is_lost(tmp_path, lines, size, end):
    lines = [line.format(t=START + i) for i, line in enumerate(lines)] + [f"{START},5.0,1.0"]
    path = put(tmp_path, HEADER + end.join(lines) + end)
    whole, pieces = (read_file(GENERIC, path, tmp_path, s) for s in (1 << 20, size))
    pd.testing.assert_frame_equal(whole.rows, pieces.rows)
    pd.testing.assert_frame_equal(whole.faults, pieces.faults)
    good = [
        i + 2
        for i, x in enumerate(lines)
        if x.replace('"', "") == f"{x[:10]},5.0,1.0" and x.count('"') != 1 and x[0] != "x"
    ]
    assert whole.rows["row"].tolist() == good
    assert len(good) + len(whole.faults) == sum(bool(line.strip()) for line in lines)


def test_raw_text_can_be_read_again(tmp_path):
    path = put(tmp_path, HEADER + rows("5.0,1.0", "5.5,2.0", "6.0,3.0"), "t.csv.gz")
    raw = read_raw(GENERIC, path, "t.csv.gz", np.array([2, 4]))
    assert raw == [f"{START},5.0,1.0", f"{START + 2},6.0,3.0"]


def test_lines_that_are_all_torn():
    columns, places, torn = split_lines(b'1\n"2\n3,4,5,6', Layout(3, 0, 1, 2))
    assert {name: len(column) for name, column in columns.items()} == {
        "time": 0,
        "price": 0,
        "qty": 0,
    }
    assert places.tolist() == []
    assert list(torn) == [0, 1, 2]


# ---------------------------------------------------------------------------- what stops
@pytest.mark.parametrize(
    "tail",
    [
        f"{START + 9}",
        f"{START + 9},5.0",
        f"{START + 9},5.0\n",
        f"{START + 9},5.0\n\n",
        f"{START + 9},5.0,",
        f"{START + 9},5.0,-",
        f'{START + 9},5.0,"1',
    ],
)
def test_a_last_row_that_is_cut_off_stops(tmp_path, tail):
    text = HEADER + rows("5.0,1.0", "5.5,2.0") + tail
    with pytest.raises(TickDataError, match=rf"ticks\.csv, row 4: .*{START + 9}.* is cut off"):
        read(tmp_path, text)


def test_a_whole_last_row_with_a_bad_value_does_not_stop(tmp_path):
    assert len(read(tmp_path, HEADER + rows("5,1", "5,0").rstrip("\n")).faults) == 1
    assert len(read(tmp_path, HEADER + rows("5,1", "5,x")).faults) == 1


@pytest.mark.parametrize(
    ("time", "units"),
    [
        (f"{START}000", "time in ms, the rows before it in s"),
        (f"{START}000000", "time in us, the rows before it in s"),
        (f"{START}000000000", "time in ns, the rows before it in s"),
        ("2012-05-01T00:00:00Z", "time in ISO 8601, the rows before it in s"),
    ],
)
@pytest.mark.parametrize("block_bytes", [1, 1 << 20])
def test_mixed_units_of_time_stop(tmp_path, time, units, block_bytes):
    text = HEADER + rows("5,1", "5,1") + f"{time},6,1\n"
    with pytest.raises(TickDataError, match=rf"ticks\.csv, row 4: '{time},6,1' has its {units}"):
        read(tmp_path, text, block_bytes=block_bytes)


@pytest.mark.parametrize("text", ["", "\n\n", "\r\n"])
def test_an_empty_file_stops(tmp_path, text):
    with pytest.raises(TickDataError, match=r"ticks\.csv: holds no row"):
        read(tmp_path, text)


def test_an_unknown_schema_stops_with_file_row_and_value(tmp_path):
    with pytest.raises(
        TickDataError, match=r"ticks\.csv, row 1: 'when,what,how much' is no header"
    ):
        read(tmp_path, "when,what,how much\n1,2,3\n")
    with pytest.raises(TickDataError, match=r"row 1: 'time,price,amount' is not a bitcoincharts"):
        read(tmp_path, "time,price,amount\n", BITCOINCHARTS)


def test_a_file_without_a_single_time_stops(tmp_path):
    with pytest.raises(TickDataError, match=r"ticks\.csv, row 2: 'x,5,1': time is not a time"):
        read(tmp_path, HEADER + "x,5,1\ny,5,1\n")


# ---------------------------------------------------------------------------- parquet
def parquet(folder, name="ticks.parquet", **columns):
    path = folder / name
    pa.parquet.write_table(pa.table(columns), path)
    return path


def test_parquet(tmp_path):
    path = parquet(
        tmp_path,
        timestamp=pa.array([START * 10**9, START * 10**9 + 1], pa.timestamp("ns", "UTC")),
        price=[5.0, None],
        qty=[1.0, 2.0],
        side=["buy", "sell"],
        note=["a", "b"],
    )
    read_ticks = read_file(GENERIC, path, tmp_path)
    assert read_ticks.rows.to_numpy().tolist() == [[START * 10**9, 0, 5.0, 1.0, 1, 1]]
    fault = read_ticks.faults.iloc[0]
    assert (fault["row"], fault["reason"]) == (2, "price is not a finite number")
    assert "None,2.0,sell,b" in fault["raw"]
    assert read_raw(GENERIC, path, "t", np.array([1]))[0].endswith("5.0,1.0,buy,a")


def test_parquet_that_is_none_or_does_not_fit_stops(tmp_path):
    with pytest.raises(TickDataError, match=r"t\.parquet, after row 0: damaged"):
        read(tmp_path, "not parquet", name="t.parquet")
    path = parquet(tmp_path, timestamp=[START], price=[5.0])
    with pytest.raises(TickDataError, match="no column"):
        read_file(GENERIC, path, tmp_path)
    with pytest.raises(TickDataError, match="bitcoincharts dumps are text"):
        read_file(BITCOINCHARTS, path, tmp_path)
    path = parquet(tmp_path, timestamp=[START], price=[[5.0]], qty=[1.0])
    with pytest.raises(TickDataError, match="correct `columns:`"):
        read_file(GENERIC, path, tmp_path)


def test_parquet_and_text_agree(tmp_path):
    times, prices = [START * 1000 + i for i in range(5)], [0.1, 0.2, 0.3, 1e-7, 1 / 3]
    path = parquet(tmp_path, timestamp=times, price=prices, qty=[1.0] * 5)
    text = HEADER + "".join(f"{t},{p!r},1.0\n" for t, p in zip(times, prices, strict=True))
    binary, plain = read_file(GENERIC, path, tmp_path), read(tmp_path, text)
    pd.testing.assert_frame_equal(binary.rows, plain.rows.assign(row=range(1, 6)))
