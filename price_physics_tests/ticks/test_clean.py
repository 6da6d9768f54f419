"""Sorting, duplicates, sides and the report's counts, against slow references."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.ticks import quality
from price_physics.ticks.clean import sort_and_part, tick_rule

from . import naive

ROW = st.tuples(
    st.integers(0, 4),
    st.one_of(st.none(), st.integers(0, 4)),
    st.sampled_from([1.0, 2.0]),
    st.sampled_from([1.0, 2.0]),
    st.sampled_from([-1, 0, 1]),
)


def frame(rows):
    columns = ["time_ns", "trade_id", "price", "qty", "sign"]
    filled = [(t, 0 if i is None else i, p, q, s) for t, i, p, q, s in rows]
    table = pd.DataFrame(filled, columns=columns).astype({"price": float, "qty": float})
    return table, np.array([i is not None for _, i, *_ in rows], bool)


@given(st.lists(ROW, max_size=14))
@settings(deadline=None)
def test_sorting_and_parting_equal_the_naive(rows):
    kept, repeated, n_dropped = sort_and_part(*frame(rows))
    assert (kept.tolist(), repeated.tolist(), n_dropped) == naive.sort_and_part(rows)
    assert kept.size + repeated.size + n_dropped == len(rows)


def test_of_a_repeated_id_the_earliest_stays_whatever_the_order_in_the_file():
    later, earlier = (9, 1, 5.0, 1.0, 1), (3, 1, 6.0, 1.0, 1)
    assert sort_and_part(*frame([later, earlier]))[0].tolist() == [1]
    assert sort_and_part(*frame([earlier, later]))[0].tolist() == [0]


def test_identical_rows_without_ids_all_stay_in_file_order():
    rows = [(1, None, 5.0, 1.0, 0)] * 3
    kept, repeated, n_dropped = sort_and_part(*frame(rows))
    assert (kept.tolist(), repeated.size, n_dropped) == ([0, 1, 2], 0, 0)


def test_exact_duplicates_go_and_other_payloads_are_parted():
    rows = [(1, 7, 5.0, 1.0, 1), (1, 7, 5.0, 1.0, 1), (1, 7, 5.0, 1.0, -1), (1, 7, 5.5, 1.0, 1)]
    kept, repeated, n_dropped = sort_and_part(*frame(rows))
    assert (kept.tolist(), repeated.tolist(), n_dropped) == ([0], [2, 3], 1)


PRICES = st.lists(st.sampled_from([1.0, 2.0, 3.0]), max_size=20)


@given(PRICES, st.data())
@settings(deadline=None)
def test_the_tick_rule_equals_the_naive_and_looks_back_only(prices, data):
    n = len(prices)
    signs = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n))
    price, sign = np.array(prices, float), np.array(signs, np.int8)
    full = tick_rule(price, sign)
    assert full.tolist() == naive.tick_rule(prices, signs)
    assert full.dtype == np.int8
    cut = data.draw(st.integers(0, n))
    np.testing.assert_array_equal(tick_rule(price[:cut], sign[:cut]), full[:cut])


# ---------------------------------------------------------------------------- quality
def test_gaps():
    report = quality.gaps(np.array([0, 0, 1, 2, 3, 14, 15, 25]) * 10**9)
    assert report == {
        "typical_gap_seconds": 1.0,
        "silences_over_ten_typical_gaps": 1,
        "longest_silence_seconds": 11.0,
        "longest_silence_start_ns": 3 * 10**9,
    }


@pytest.mark.parametrize("time_ns", [[], [5], [5, 5]])
def test_gaps_of_nothing(time_ns):
    report = quality.gaps(np.array(time_ns, np.int64))
    assert report["typical_gap_seconds"] is None
    assert report["silences_over_ten_typical_gaps"] == 0


@pytest.mark.parametrize(
    ("tail", "n_spikes"),
    [
        ([150, 100], 1),
        ([60, 100], 1),
        ([150, 151], 0),  # it stays
        ([150, 130], 0),  # comes back by less than half
        ([100.3, 100], 0),  # not far enough
        ([150, 100, 100, 60, 100], 2),
    ],
)
def test_spikes_that_revert(tail, n_spikes):
    price = np.array([100, 100.1, 100, 100.1, 100, 100.1, 100, 100, *tail], float)
    assert quality.reverting_spikes(price) == n_spikes


def test_no_spikes_in_nothing():
    for price in ([], [5.0], [5.0, 5.0, 5.0]):
        assert quality.reverting_spikes(np.array(price, float)) == 0


def test_missing_ids():
    ids = pd.array([5, 9, None, 6], "Int64")
    assert quality.missing_ids(pd.DataFrame({"trade_id": ids})) == 2
    assert quality.missing_ids(pd.DataFrame({"trade_id": ids[2:3]})) is None


def test_rows_out_of_order_within_each_file():
    rows = pd.DataFrame({"time_ns": [3, 1, 2, 2, 1, 0], "file": [0, 0, 0, 0, 1, 1]})
    assert quality.out_of_order(rows) == 2
