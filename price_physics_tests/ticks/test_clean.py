"""Repeated ids and missing sides, slice by slice, against slow references."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.ticks.kernels import hash_texts
from price_physics.ticks.month.clean import TickRule, find_repeats, identical_without_id
from price_physics.ticks.month.sort import Slice
from price_physics.ticks.reading.rows import NO_ID, ORDERED_ID, TEXT_ID

from . import naive
from .helpers import make_rows

TRADE_ID = st.one_of(st.none(), st.integers(0, 4), st.sampled_from(["a", "b", "c"]))
ROW = st.tuples(
    st.integers(0, 4),
    TRADE_ID,
    st.sampled_from([1.0, 2.0]),
    st.sampled_from([1.0, 2.0]),
    st.sampled_from([-1, 0, 1]),
)


def as_number(trade_id) -> int:
    if isinstance(trade_id, str):
        data = np.frombuffer(trade_id.encode(), np.uint8)
        return int(hash_texts(data, np.array([0, data.size]))[0])
    return trade_id or 0


def part(rows, cuts=()):
    """Part rows that lie in slices, cut between two times; gives what ``naive.part`` gives."""
    order = naive.order(rows)
    columns = list(zip(*(rows[i] for i in order), strict=True)) or [[]] * 5
    kinds = [{int: ORDERED_ID, str: TEXT_ID}.get(type(i), NO_ID) for i in columns[1]]
    whole = make_rows(
        columns[0], [as_number(i) for i in columns[1]], columns[2], columns[3], kinds, columns[4]
    )
    edges = [0, *np.searchsorted(whole.time_ns, sorted(set(cuts))), len(rows)]
    pieces = [whole.at(slice(a, b)) for a, b in pairwise(edges)]
    repeats = find_repeats(lambda: (Slice(p, np.zeros(len(p.line), np.int32)) for p in pieces))
    verdicts, first = [np.empty(0, np.int8)], 0
    for piece in pieces:
        verdicts.append(repeats.verdict(piece, first))
        first += len(piece.line)
    verdict = np.concatenate(verdicts)
    kept, dropped, conflicts = ([order[i] for i in np.flatnonzero(verdict == v)] for v in (0, 1, 2))
    return kept, sorted(conflicts), sorted(dropped)


@given(st.lists(ROW, max_size=14), st.sets(st.integers(0, 4)))
@settings(deadline=None, max_examples=200)
def test_repeats_equal_the_naive_whatever_the_slices(rows, cuts):
    assert part(rows, cuts) == naive.part(rows)


@pytest.mark.slow
@given(
    st.dictionaries(st.integers(0, 9), st.integers(0, 9)), st.sets(st.integers(0, 9)), st.booleans()
)
@settings(deadline=None)
def test_a_daily_file_beside_its_monthly_file_adds_nothing(time_of, moved, as_text):
    """Its rows are those of the month, a few at another time: these are conflicts, others go."""
    month = [(t, str(i) if as_text else i, 5.0, 1.0, 1) for i, t in time_of.items()]
    day = [
        (t + 20 * (i in moved), *row[1:])
        for (i, t), row in zip(time_of.items(), month, strict=True)
    ]
    n_rows = len(month)
    kept, conflicts, dropped = part(month + day)
    assert sorted(kept) == list(range(n_rows))
    assert conflicts == [n_rows + place for place, i in enumerate(time_of) if i in moved]
    assert dropped == [n_rows + place for place, i in enumerate(time_of) if i not in moved]


def test_of_a_repeated_id_the_earliest_stays_whatever_the_order_in_the_file():
    later, earlier = (9, 1, 5.0, 1.0, 1), (3, 1, 6.0, 1.0, 1)
    assert part([later, earlier]) == ([1], [0], [])
    assert part([earlier, later], cuts=[5]) == ([0], [1], [])


def test_identical_rows_without_ids_all_stay_in_file_order():
    assert part([(1, None, 5.0, 1.0, 0)] * 3) == ([0, 1, 2], [], [])


def test_exact_duplicates_go_and_other_payloads_are_parted():
    rows = [(1, 7, 5.0, 1.0, 1), (1, 7, 5.0, 1.0, 1), (1, 7, 5.0, 1.0, -1), (1, 7, 5.5, 1.0, 1)]
    assert part(rows) == ([0], [2, 3], [1])


def test_a_row_set_aside_twice_is_set_aside_twice():
    """Integers and texts alike: what counts is the row that stays."""
    for trade_id in (7, "a"):
        rows = [(0, trade_id, 5.0, 1.0, 1), (1, trade_id, 5.0, 1.0, 1), (1, trade_id, 5.0, 1.0, 1)]
        assert part(rows) == ([0], [1, 2], [])


def test_a_text_and_an_integer_are_never_the_same_id():
    assert part([(0, 7, 5.0, 1.0, 1), (0, "7", 5.0, 1.0, 1)]) == ([0, 1], [], [])
    seven = as_number("7")
    assert part([(0, seven, 5.0, 1.0, 1), (1, "7", 5.0, 1.0, 1)])[0] == [0, 1]


# ---------------------------------------------------------------------------- sides
PRICES = st.lists(st.sampled_from([1.0, 2.0, 3.0]), max_size=20)


@given(PRICES, st.data())
@settings(deadline=None)
def test_the_tick_rule_equals_the_naive_and_looks_back_only(prices, data):
    n = len(prices)
    signs = data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n))
    price, sign = np.array(prices, float), np.array(signs, np.int8)
    full = TickRule()(price, sign)
    assert full.tolist() == naive.tick_rule(prices, signs)
    assert full.dtype == np.int8
    cut = data.draw(st.integers(0, n))
    rule = TickRule()
    np.testing.assert_array_equal(rule(price[:cut], sign[:cut]), full[:cut])
    np.testing.assert_array_equal(rule(price[cut:], sign[cut:]), full[cut:])


# ---------------------------------------------------------------------------- identical rows
@given(st.lists(ROW, max_size=12))
@settings(deadline=None)
def test_identical_rows_without_an_id_are_counted(rows):
    rows = sorted(rows, key=lambda row: row[0])
    columns = list(zip(*rows, strict=True)) or [[]] * 5
    kinds = [NO_ID if i is None else ORDERED_ID for i in columns[1]]
    given_rows = make_rows(columns[0], [0] * len(rows), columns[2], columns[3], kinds)
    without = [(t, p, q) for t, i, p, q, _ in rows if i is None]
    assert identical_without_id(given_rows) == len(without) - len(set(without))
