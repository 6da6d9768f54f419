"""Blocks that arrive in any order leave in one, whatever memory holds of them meanwhile."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.ticks.month import sort
from price_physics.ticks.month.sort import TickSorter
from price_physics.ticks.reading.rows import TradeRows

from .helpers import assert_same_rows, make_rows


def lexsorted(blocks):
    """The plain way: all rows at once; those without an id that orders come last of their time."""
    rows = TradeRows.concatenate([block for block, _ in blocks])
    file = np.concatenate([np.full(len(b.time_ns), f, np.int32) for b, f in blocks])
    place = np.arange(len(file))
    orders = rows.id_kind == 1
    order = np.lexsort((place, np.where(orders, rows.trade_id, 0), ~orders, rows.time_ns))
    return rows.at(order), file[order]


def collect(blocks, **options):
    sorter = TickSorter(**options)
    for block, file in blocks:
        sorter.add(block, file)
    slices = list(sorter.slices())
    again = list(sorter.slices())
    sorter.close()
    for one, other in zip(slices, again, strict=True):
        assert_same_rows(one.rows, other.rows)
    times = [part.rows.time_ns for part in slices if part.rows.time_ns.size]
    assert all(before[-1] < after[0] for before, after in pairwise(times))
    if not slices:
        return TradeRows.empty(), np.empty(0, np.int32), 0
    rows = TradeRows.concatenate([part.rows for part in slices])
    return rows, np.concatenate([part.file for part in slices]), len(slices)


def assert_sorted(blocks, **options) -> int:
    rows, file, n_slices = collect(blocks, **options)
    if blocks:
        expected, expected_file = lexsorted(blocks)
        assert_same_rows(rows, expected)
        assert file.tolist() == expected_file.tolist()
    return n_slices


@st.composite
def blocks(draw):
    """Blocks of files: in order, backwards, or anyhow; times tie within and across blocks."""
    made, start = [], 0
    for file in range(draw(st.integers(0, 4))):
        for _ in range(draw(st.integers(0, 3))):
            n_rows = draw(st.integers(0, 9))
            times = draw(st.lists(st.integers(0, 6), min_size=n_rows, max_size=n_rows))
            order = draw(st.sampled_from(["sorted", "newest first", "anyhow"]))
            if order != "anyhow":
                times.sort(reverse=order == "newest first")
            kind = draw(st.lists(st.sampled_from([0, 1, 1, 2]), min_size=n_rows, max_size=n_rows))
            ids = draw(st.lists(st.integers(0, 3), min_size=n_rows, max_size=n_rows))
            rows = make_rows(np.array(times, np.int64) + start, ids, kind=kind)
            made.append((rows._replace(line=rows.line + 100 * len(made)), file))
            start += draw(st.sampled_from([0, 0, 3, 6, -4]))
    return made


@given(blocks(), st.integers(0, 30), st.integers(1, 20), st.integers(1, 6))
@settings(deadline=None, max_examples=100)
def test_rows_leave_in_the_order_of_a_plain_sort(made, memory_rows, slice_rows, sample):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sort, "_SAMPLE", sample)
        assert_sorted(made, memory_rows=memory_rows, slice_rows=slice_rows)


def long_blocks(order: str, n_blocks: int = 12, n_rows: int = 5000):
    generator = np.random.default_rng(3)
    made = []
    for number in range(n_blocks):
        times = np.sort(generator.integers(0, n_rows * 20, n_rows)) + number * n_rows * 20
        if order == "interleaved":
            times = np.sort(generator.integers(0, n_rows * 200, n_rows))
        if order == "ties":  # a block ends at the very time at which the next starts
            times = number * 1000 + np.sort(generator.integers(0, 1001, n_rows))
        made.append((make_rows(times, generator.integers(0, 99, n_rows)), number))
    if order == "newest first":
        made = [(rows.at(slice(None, None, -1)), f) for rows, f in reversed(made)]
    return made


@pytest.mark.parametrize("order", ["sorted", "newest first", "interleaved", "ties"])
@pytest.mark.parametrize("memory_rows", [0, 20_000, 1 << 24])
def test_long_blocks_leave_in_slices(order, memory_rows):
    made = long_blocks(order)
    n_slices = assert_sorted(made, memory_rows=memory_rows, slice_rows=8192)
    assert n_slices >= 7


def test_a_slice_holds_about_as_many_rows_as_it_should():
    sorter = TickSorter(memory_rows=10_000, slice_rows=8192)
    for rows, file in long_blocks("interleaved"):
        sorter.add(rows, file)
    sizes = [len(part.file) for part in sorter.slices()]
    sorter.close()
    assert sum(sizes) == 60_000
    assert max(sizes) < 2 * 8192


def test_what_waits_on_disk_has_no_name_there(tmp_path):
    sorter = TickSorter(tmp_path, memory_rows=0)
    sorter.add(make_rows([3, 1, 2]), 0)
    assert not list(tmp_path.iterdir())
    assert [part.rows.time_ns.tolist() for part in sorter.slices()] == [[1, 2, 3]]
    sorter.close()


def test_nothing_gives_no_slice():
    sorter = TickSorter()
    sorter.add(make_rows([]), 0)
    assert list(sorter.slices()) == []
    sorter.close()
