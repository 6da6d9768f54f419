"""One file to rows and faults: lines keep their numbers, and what cannot be trusted stops."""

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from price_physics.errors import TickDataError
from price_physics.ticks.reading import trades
from price_physics.ticks.reading.read import read_file, read_raw
from price_physics.ticks.reading.rows import NO_ID, ORDERED_ID, TEXT_ID

from .helpers import (
    BITCOINCHARTS,
    GENERIC,
    MAY,
    START,
    assert_same_rows,
    market,
    put,
    read_all,
)

HEADER = "timestamp,price,qty\n"


def rows(*fields, start=START):
    return "".join(f"{start + i},{row}\n" for i, row in enumerate(fields))


def read(folder, text, settings=GENERIC, name="ticks.csv", **options):
    return read_all(settings, put(folder, text, name), **options)


# ---------------------------------------------------------------------------- what is read
@pytest.mark.parametrize(
    ("name", "end"), [("t.csv", "\n"), ("t.csv.gz", "\n"), ("t.csv.gz", ""), ("t.zip", "")]
)
def test_good_rows(tmp_path, name, end):
    text = HEADER + rows("5.0,1.0", "5.5,2.0").rstrip("\n") + end
    good, faults = read(tmp_path, text, name=name)
    assert good.time_ns.tolist() == [START * 10**9, (START + 1) * 10**9]
    assert good.price.tolist() == [5.0, 5.5]
    assert good.qty.tolist() == [1.0, 2.0]
    assert good.line.tolist() == [2, 3]
    assert good.id_kind.tolist() == [NO_ID, NO_ID]
    assert good.sign.tolist() == [0, 0]
    assert not faults


def test_a_header_of_the_market_serves_files_without_one(tmp_path):
    names = {"timestamp": "t", "price": "p", "qty": "q", "trade_id": "id", "is_buyer_maker": "m"}
    settings = market(header=["id", "t", "p", "q", "m"], columns=names)
    line = f"7,{START},5.0,1.0,t\n"
    plain, _ = read(tmp_path, line, settings, "a.csv")
    headed, _ = read(tmp_path, "id,t,p,q,m\n" + line, settings, "b.csv")
    assert_same_rows(plain, headed._replace(line=np.array([1])))
    assert plain.trade_id.tolist() == [7]
    assert plain.id_kind.tolist() == [ORDERED_ID]
    assert plain.sign.tolist() == [-1]


def test_crlf_blank_lines_and_quotes_do_no_harm(tmp_path):
    text = '\r\n"timestamp","price","qty"\r\n\r\n'
    text += f'"{START}","5.0",1.0\r\n\r\n"{START + 1}", 5.5 ,2.0\r\n\r\n'
    good, faults = read(tmp_path, text)
    assert good.line.tolist() == [4, 6]
    assert good.qty.tolist() == [1.0, 2.0]
    assert not faults


@pytest.mark.parametrize("n_blank", [10, 300_000])
def test_blank_lines_before_the_first_row_hide_nothing(tmp_path, n_blank):
    good, _ = read(tmp_path, "\n" * n_blank + HEADER + rows("5,1", "6,1"))
    assert good.line.tolist() == [n_blank + 2, n_blank + 3]


def test_a_tab_may_be_the_last_field_of_the_last_row(tmp_path):
    text = "timestamp\tprice\tqty\tside\n" + f"{START}\t5\t1\tbuy\n{START}\t6\t1\t\n"
    good, faults = read(tmp_path, text)
    assert good.sign.tolist() == [1, 0]
    assert not faults


def test_text_ids_are_hashed_alike_whoever_reads_them(tmp_path):
    """The kernel reads the first, the careful path the others; parquet has a way of its own."""
    head = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    ids = ["ab-12", '" ab-12"', '"ab-12"', "ab-12\t", "", "ab-13", "caf\u00e9"]
    text = head + "".join(f"x,TOY,{START}000000,{START}000000,{i},buy,5,1\n" for i in ids)
    good, faults = read(tmp_path, text, market(vendor=None))
    assert not faults
    assert good.trade_id[0] == good.trade_id[1] == good.trade_id[2] == good.trade_id[3] != 0
    assert good.id_kind.tolist() == [TEXT_ID] * 4 + [NO_ID] + [TEXT_ID] * 2
    columns = {"exchange": "x", "symbol": "TOY", "timestamp": START * 10**6}
    columns |= {"local_timestamp": START, "id": "ab-12", "side": "buy", "price": 5.0, "amount": 1.0}
    path = parquet(tmp_path, **{name: [value] for name, value in columns.items()})
    assert read_all(market(vendor=None), path)[0].trade_id.tolist() == [good.trade_id[0]]


def test_torn_lines_among_text_ids(tmp_path):
    head = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n"
    line = f"x,TOY,{START}000000,{START}000000,ab-12,buy,5,1\n"
    good, faults = read(tmp_path, head + line + "x,TOY\n" + line, market(vendor=None))
    assert good.line.tolist() == [2, 4]
    assert [fault.line for fault in faults] == [3]


def test_a_header_alone_is_a_file_without_trades(tmp_path):
    good, faults = read(tmp_path, HEADER)
    assert good.time_ns.size == 0
    assert not faults


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
    good, faults = read(tmp_path, text)
    assert good.price.tolist() == [5.0, 6.0]
    assert good.line.tolist() == [2, 4]
    assert [(fault.line, fault.reason) for fault in faults] == [(3, reason)]
    expected = f"{START + 1},{row}".encode("latin-1").decode("utf-8", "replace")
    assert faults[0].raw == expected


def test_a_fault_without_a_time_takes_that_of_the_row_before_else_of_the_next(tmp_path):
    text = HEADER + "x,5,1\n" + rows("5,1", "5,0") + "y,5,1\nz,5,1\n" + rows("5,1", start=START + 9)
    for block_bytes in (24, 40, 1 << 20):
        _, faults = read(tmp_path, text, block_bytes=block_bytes)
        assert [fault.line for fault in faults] == [2, 4, 5, 6]
        assert [fault.own_time for fault in faults] == [False, True, False, False]
        assert [fault.time_ns // 10**9 - START for fault in faults] == [0, 1, 1, 1]


LINE = st.sampled_from(
    ["{t},5.0,1.0", "{t},5.0,0", "{t},5.0", "x,5.0,1.0", "", '{t},"5.0,1.0', '{t},"5.0",1.0', "\r"]
)


@pytest.mark.slow
@given(
    st.lists(LINE, min_size=1, max_size=30),
    st.integers(24, 90),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([1, 2, 8]),
)
@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_blocks_and_threads_change_nothing_and_no_line_is_lost(tmp_path, lines, size, end, threads):
    lines = [line.format(t=START + i) for i, line in enumerate(lines)] + [f"{START},5.0,1.0"]
    path = put(tmp_path, HEADER + end.join(lines) + end)
    whole, whole_faults = read_all(GENERIC, path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: threads)
        pieces, pieces_faults = read_all(GENERIC, path, block_bytes=size)
    assert_same_rows(whole, pieces)
    assert whole_faults == pieces_faults
    good = [
        i + 2
        for i, x in enumerate(lines)
        if x.replace('"', "") == f"{x[:10]},5.0,1.0" and x.count('"') != 1 and x[0] != "x"
    ]
    assert whole.line.tolist() == good
    assert len(good) + len(whole_faults) == sum(bool(line.strip()) for line in lines)


def test_odd_lines_beyond_what_is_looked_at_at_once(tmp_path, monkeypatch):
    """They come in several passes over one block, and stay in the order of the file."""
    lines = ["5,0", "5,1", "x,1", "5e0,1"] * 30
    path = put(tmp_path, HEADER + rows(*lines))
    whole, whole_faults = read_all(GENERIC, path)
    monkeypatch.setattr(trades, "_MOST_ODD", 7)
    passes, passes_faults = read_all(GENERIC, path)
    assert_same_rows(whole, passes)
    assert whole_faults == passes_faults
    assert len(whole_faults) == 60
    assert whole.line.tolist() == sorted(whole.line)


def test_raw_text_can_be_read_again(tmp_path):
    path = put(tmp_path, HEADER + rows("5.0,1.0", "5.5,2.0", "6.0,3.0"), "t.csv.gz")
    raw = read_raw(path, "t.csv.gz", np.array([2, 4]))
    assert raw == [f"{START},5.0,1.0", f"{START + 2},6.0,3.0"]
    assert read_raw(path, "t.csv.gz", np.array([], np.int64)) == []


def test_the_symbol_is_compared_where_there_is_a_column_of_it(tmp_path):
    text = f"symbol,timestamp,price,qty\nToy,{START},5,1\n toy ,{START},5,1\n"
    assert read(tmp_path, text)[0].line.tolist() == [2, 3]
    for other in ("TOY2", "", "TO", '"T""OY"'):
        with pytest.raises(TickDataError, match=r"ticks\.csv, row 4: .* is of .*'TOY'"):
            read(tmp_path, text + f"{other},{START},5,1\n")


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
    text = HEADER + rows("5,1", "5,0").rstrip("\n")
    assert len(read(tmp_path, text, name="ticks.csv.gz")[1]) == 1
    assert len(read(tmp_path, HEADER + rows("5,1", "5,x"))[1]) == 1


def test_a_number_that_ends_a_plain_file_may_be_cut_off(tmp_path):
    """An archive has a length and a checksum; where the last field is no number, none is cut."""
    text = HEADER + rows("5,1", "5,12").rstrip("\n")
    with pytest.raises(TickDataError, match=r"ticks\.csv, row 3: .* without a newline"):
        read(tmp_path, text)
    with_side = f"timestamp,price,qty,side\n{START},5,1,buy"
    assert read(tmp_path, with_side)[0].sign.tolist() == [1]


def test_a_row_of_the_future_is_set_aside(tmp_path):
    """Taken for a trade it would say that all months up to it have arrived."""
    path = put(tmp_path, HEADER + rows("5,1", "6,1") + "7000000000,7,1\n")
    good, faults = read_all(GENERIC, path)
    assert good.line.tolist() == [2, 3]
    assert [(f.line, f.reason, f.own_time) for f in faults] == [(4, "time is in the future", False)]


@pytest.mark.parametrize(
    ("time", "units"),
    [
        (f"{START}000", "time in ms, others have it in s"),
        (f"{START}000000", "time in us, others have it in s"),
        (f"{START}000000000", "time in ns, others have it in s"),
        ("2012-05-01T00:00:00Z", "time in ISO 8601, others have it in s"),
    ],
)
@pytest.mark.parametrize("block_bytes", [32, 1 << 20])
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
    with pytest.raises(TickDataError, match=r"row 1: 'when,what' is not of `vendor: bitcoin"):
        read(tmp_path, "when,what\n", BITCOINCHARTS)
    with pytest.raises(TickDataError, match=r"row 1: 'when,what' fits no known format"):
        read(tmp_path, "when,what\n1,2\n", market(vendor=None))


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
def test_a_byte_order_mark_stops(tmp_path, mark):
    with pytest.raises(TickDataError, match=r"ticks\.csv, row 1: starts with a byte order mark"):
        read(tmp_path, mark + (HEADER + rows("5,1")).encode())


@pytest.mark.slow
def test_a_file_that_turns_into_something_else_stops_soon(tmp_path):
    """Thousands of lines without the columns are no rows to set aside one by one."""
    text = HEADER + rows(*["5,1"] * 100) + "x\n" * 100_000 + rows("5,1")
    with pytest.raises(
        TickDataError, match=r"ticks\.csv, row \d+: 'x': row has 1 fields, not 3, and"
    ):
        read(tmp_path, text)
    text = HEADER + rows(*["5,1", "5"] * 1000) + rows("5,1")
    assert len(read(tmp_path, text)[1]) == 1000


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
    good, faults = read_all(GENERIC, path)
    assert np.array(good).T.tolist() == [[START * 10**9, 0, 5.0, 1.0, 1, NO_ID, 1]]
    assert [(fault.line, fault.reason) for fault in faults] == [(2, "price is not a finite number")]
    assert "None,2.0,sell,b" in faults[0].raw
    assert read_raw(path, "t", np.array([1]))[0].endswith("5.0,1.0,buy,a")


def test_parquet_that_is_none_or_does_not_fit_stops(tmp_path):
    with pytest.raises(TickDataError, match=r"t\.parquet, after row 0: damaged"):
        read(tmp_path, "not parquet", name="t.parquet")
    path = parquet(tmp_path, timestamp=[START], price=[5.0])
    with pytest.raises(TickDataError, match="no column"):
        read_all(GENERIC, path)
    with pytest.raises(TickDataError, match="fits no known format"):
        read_all(market(vendor=None), path)
    path = parquet(tmp_path, timestamp=[START], price=[[5.0]], qty=[1.0])
    with pytest.raises(TickDataError, match=r"no column \['price'\]"):
        read_all(GENERIC, path)
    path = parquet(tmp_path, timestamp=[True], price=[5.0], qty=[1.0])
    with pytest.raises(TickDataError, match=r"row 1: 'True,5\.0,1\.0': time is not a time"):
        read_all(GENERIC, path)
    far = pa.array([2**62], pa.timestamp("us"))
    path = parquet(tmp_path, timestamp=far, price=[5.0], qty=[1.0])
    with pytest.raises(TickDataError, match=r"ticks\.parquet, from row 1"):
        read_all(GENERIC, path)
    two = {"price": [5.0, 5.0], "qty": [1.0, 1.0]}
    path = parquet(tmp_path, symbol=["TOY", "EUR"], timestamp=[START, START], **two)
    with pytest.raises(TickDataError, match=r"ticks\.parquet, row 2: .* is of 'EUR'"):
        read_all(GENERIC, path)
    path = parquet(tmp_path, timestamp=[START, START * 1000], **two)
    with pytest.raises(TickDataError, match=r"ticks\.parquet, row 2: .* in ms, others .* in s"):
        read_all(GENERIC, path)


@pytest.mark.slow
def test_a_parquet_s_texts_are_kept_once_and_its_lists_not_at_all(tmp_path):
    """Gigabytes of them may stand in a few bytes of a file."""
    n_rows = 50_000
    plain = {"timestamp": np.arange(n_rows) + START * 1000, "price": np.full(n_rows, 5.0)}
    plain["qty"] = plain["price"]
    long = pa.DictionaryArray.from_arrays(np.zeros(n_rows, np.int32), pa.array(["x" * 20_000]))
    offsets = np.arange(n_rows + 1, dtype=np.int32) * 1000
    lists = pa.ListArray.from_arrays(offsets, pa.nulls(offsets[-1], pa.int8()))
    path = parquet(tmp_path, **plain, note=long, levels=lists)
    allocated = pa.total_allocated_bytes()
    for block in read_file(GENERIC, path, "t"):
        assert block.rows.line[-1] == n_rows
        assert pa.total_allocated_bytes() - allocated < 32 << 20
    for name in ("side", "trade_id", "symbol"):
        path = parquet(tmp_path, **plain, **{name: long})
        with pytest.raises(TickDataError, match=r"row 1: a text of 20000 bytes where a value"):
            read_all(GENERIC, path)


def test_parquet_and_text_agree(tmp_path):
    times, prices = [START * 1000 + i for i in range(5)], [0.1, 0.2, 0.3, 1e-7, 1 / 3]
    path = parquet(tmp_path, timestamp=times, price=prices, qty=[1.0] * 5)
    text = HEADER + "".join(f"{t},{p!r},1.0\n" for t, p in zip(times, prices, strict=True))
    binary, _ = read_all(GENERIC, path)
    plain, _ = read(tmp_path, text)
    assert_same_rows(binary._replace(line=plain.line), plain)


def test_a_month_of_the_far_future_in_a_typed_column_is_set_aside(tmp_path):
    stamps = pa.array([MAY.start_ns, 2**63 - 10], pa.timestamp("ns"))
    path = parquet(tmp_path, timestamp=stamps, price=[5.0, 5.0], qty=[1.0, 1.0])
    _, faults = read_all(GENERIC, path)
    assert [(fault.line, fault.own_time) for fault in faults] == [(2, False)]


FUZZ = """
import sys
from pathlib import Path
from price_physics.errors import TickDataError
from price_physics.study.market import TradeMarket
from price_physics.ticks.reading.read import read_file

good, path = (Path(name) for name in sys.argv[1:])
market = TradeMarket(name="toy", symbol="TOY", files=["*"], first_month="2012-05")
data = good.read_bytes()
n_refused = 0
for place in range(int.from_bytes(data[-8:-4], "little") + 8):
    changed = bytearray(data)
    changed[-1 - place] ^= 1 << place % 8
    path.write_bytes(changed)
    try:
        list(read_file(market, path, "t"))
    except TickDataError:
        n_refused += 1
print(n_refused)
"""


@pytest.mark.slow
def test_no_damage_of_a_parquet_footer_ends_the_process(tmp_path):
    """Asked for the sizes of a damaged column, pyarrow aborts instead of raising."""
    times = list(range(START, START + 50))
    good = parquet(tmp_path, timestamp=times, price=[5.0] * 50, qty=[1.0] * 50)
    arguments = [sys.executable, "-c", FUZZ, str(good), str(tmp_path / "changed.parquet")]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 300
