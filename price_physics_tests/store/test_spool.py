"""Long tables: written as they come, stored once, read back piece by piece."""

import gc
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from price_physics.errors import PartitionCorrupt
from price_physics.months import Month
from price_physics.schemas.ticks import TICKS
from price_physics.store import partitions, spool
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store
from price_physics.store.spool import TableSpool

KEY, MONTH = ("demo", "ticks"), Month(2012, 3)


def make_table(n_rows: int) -> pa.Table:
    generator = np.random.default_rng(n_rows)
    frame = pd.DataFrame(
        {
            "time_ns": MONTH.start_ns + np.sort(generator.integers(0, 10**12, n_rows)),
            "trade_id": pd.array(generator.integers(0, 10**9, n_rows), "Int64"),
            "price": generator.integers(500, 600, n_rows) / 100,
            "qty": generator.random(n_rows),
            "tick_sign": generator.choice(np.array([-1, 1], np.int8), n_rows),
        }
    )
    frame.loc[frame.index % 5 == 3, "trade_id"] = pd.NA
    return TICKS.to_arrow(frame)


def spooled(table: pa.Table, cuts=(), folder=None):
    spool_ = TableSpool(TICKS, folder)
    edges = [0, *sorted(cuts), table.num_rows]
    for start, stop in pairwise(edges):
        spool_.append(table.slice(start, stop - start))
    return spool_.finish()


def bytes_of(table) -> bytes:
    table.file.seek(0)
    return table.file.read()


@pytest.mark.slow
@given(st.integers(0, 120), st.lists(st.integers(0, 120), max_size=6), st.integers(1, 50))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_the_bytes_do_not_depend_on_the_pieces(n_rows, cuts, row_group):
    table = make_table(n_rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool, "ROW_GROUP", row_group)
        pieces = spooled(table, [min(cut, n_rows) for cut in cuts])
        whole = spooled(table)
    assert bytes_of(pieces) == bytes_of(whole)
    assert len(pieces) == n_rows
    read = pa.parquet.ParquetFile(pieces.file)
    sizes = [read.metadata.row_group(i).num_rows for i in range(read.metadata.num_row_groups)]
    assert sizes == [row_group] * (n_rows // row_group) + [n_rows % row_group] * (
        n_rows % row_group > 0
    )
    assert TICKS.to_arrow(pieces.frame()).equals(table)


@pytest.mark.slow
def test_real_row_groups_do_not_depend_on_the_pieces():
    table = make_table(spool.ROW_GROUP + 70_000)
    first, second = spooled(table), spooled(table, [1, 300_000, spool.ROW_GROUP + 1])
    assert bytes_of(first) == bytes_of(second)
    assert pa.parquet.ParquetFile(first.file).metadata.num_row_groups == 2


def test_a_stored_table_is_the_same_whether_it_was_spooled_or_a_frame(tmp_path):
    table = make_table(1000)
    stores = [Store(tmp_path / name) for name in ("spooled", "frame")]
    pieces = spooled(table, [10, 500])
    for store, rows in zip(stores, (pieces, pieces.frame()), strict=True):
        store.write(KEY, MONTH, Artefact(tables=((TICKS, rows),)), code_version="1")
    first, second = (store.read(KEY, MONTH) for store in stores)
    assert first.data_version == second.data_version
    assert first.manifest["files"]["ticks.parquet"] == second.manifest["files"]["ticks.parquet"]
    assert first.manifest["files"]["ticks.parquet"]["rows"] == 1000
    pd.testing.assert_frame_equal(first.table("ticks"), pieces.frame())


@pytest.mark.slow
def test_what_waits_on_disk_has_no_name_and_goes_with_the_table(tmp_path):
    table = spooled(make_table(10), folder=tmp_path)
    file = table.file
    assert not list(tmp_path.iterdir())
    assert not file.closed
    del table
    gc.collect()
    assert file.closed


def test_a_spool_may_be_given_up():
    """No writer is left behind that complains when it is forgotten."""
    spool_ = TableSpool(TICKS)
    spool_.append(make_table(10))
    spool_.close()
    del spool_
    gc.collect()


def test_a_piece_that_does_not_fit_is_refused():
    spool_ = TableSpool(TICKS)
    spool_.append(make_table(5).drop_columns("qty"))
    with pytest.raises(ValueError, match="schema"):
        spool_.finish()
    spool_.close()


# ---------------------------------------------------------------------------- chunks
@pytest.fixture
def stored(tmp_path):
    def store(n_rows):
        artefact = Artefact(tables=((TICKS, spooled(make_table(n_rows))),))
        return Store(tmp_path).write(KEY, MONTH, artefact, code_version="1")

    return store


@pytest.mark.parametrize(
    ("n_rows", "sizes"), [(25, [10, 10, 5]), (20, [10, 10]), (3, [3]), (0, [])]
)
def test_chunks_are_the_table_piece_by_piece(stored, monkeypatch, n_rows, sizes):
    monkeypatch.setattr(partitions, "CHUNK_ROWS", 10)
    partition = stored(n_rows)
    chunks = list(partition.chunks("ticks"))
    assert [len(chunk) for chunk in chunks] == sizes
    whole = partition.table("ticks")
    assert all((chunk.dtypes == whole.dtypes).all() for chunk in chunks)
    if chunks:
        pd.testing.assert_frame_equal(pd.concat(chunks, ignore_index=True), whole)


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete"])
def test_no_chunk_of_a_damaged_table_is_handed_out(stored, damage):
    partition = stored(1000)
    path = partition.folder / partition.manifest["files"]["ticks.parquet"]["path"]
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw if damage == "flip" else raw[:-10])
    if damage == "delete":
        path.unlink()
    with pytest.raises(PartitionCorrupt, match=r"ticks-\w+\.parquet"):
        next(partition.chunks("ticks"))
    with pytest.raises(PartitionCorrupt, match=r"ticks-\w+\.parquet"):
        partition.verify()


def test_chunks_of_no_such_table(stored):
    with pytest.raises(PartitionCorrupt, match=r"holds no 'bars\.parquet'"):
        next(stored(3).chunks("bars"))
