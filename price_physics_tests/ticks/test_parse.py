"""Text and typed columns to numbers, one value independent of the others."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from price_physics.ticks.reading.parse import (
    UNITS,
    parse_columns,
    parse_integers,
    parse_numbers,
    parse_times,
)
from price_physics.ticks.reading.reasons import Reason

NS = 1_315_922_016_123_456_789


def times(*values):
    return parse_times(pa.array(list(values)))


@pytest.mark.parametrize(
    ("text", "ns", "unit"),
    [
        ("1315922016", 1_315_922_016 * 10**9, "s"),
        (" 1315922016 ", 1_315_922_016 * 10**9, "s"),
        ("1315922016123", 1_315_922_016_123 * 10**6, "ms"),
        ("1315922016123456", 1_315_922_016_123_456 * 10**3, "us"),
        (str(NS), NS, "ns"),
        ("1315922016.123456789", NS, "s"),
        ("1315922016.5", 1_315_922_016_500_000_000, "s"),
        ("1315922016.", 1_315_922_016_000_000_000, "s"),
        ("1315922016123.456789", NS, "ms"),
        ("1315922016123456.7891", NS, "us"),
        ("2011-09-13T13:53:36.123456789Z", NS, "ISO 8601"),
        ("2011-09-13 13:53:36.123456789", NS, "ISO 8601"),
        ("2011-09-13D13:53:36.123456789", NS, "ISO 8601"),
        ("2011-09-13T22:53:36.123456789+09:00", NS, "ISO 8601"),
        ("2011-09-13T08:23:36.1234567891-0530", NS, "ISO 8601"),
        ("2011-09-13T13:53:36Z", NS - 123_456_789, "ISO 8601"),
    ],
)
def test_times_in_every_unit(text, ns, unit):
    for neighbour in ("1315922016", "x", "2020-01-01T00:00:00+09:00"):
        values, units = times(neighbour, text)
        assert values[1] == ns
        assert UNITS[units[1]] == unit


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "0", "-1315922016", "13159220160", "99999999999999999999", "9300000000"),
        *("1e12", "NaN", "inf", "1315922016,5", "2011-09-13", "2011", "2011-02-30T00:00:00Z"),
        *("2011-09-13T24:61:00", "9999-01-01T00:00:00", "1960-01-01T00:00:00Z"),
        "2011-09-13T13:53:36+25:00",
        "1315922016123456789.5",
        *("7258118400", "2200-01-01T00:00:00Z", "2199-12-31T23:59:59-00:01"),
    ],
)
def test_what_is_no_time(text):
    for neighbour in ("1315922016", "2020-01-01T00:00:00"):
        assert times(neighbour, text)[1][1] == 0
    assert times(text)[0][0] == 0


def test_iso_without_offset_is_utc_whatever_stands_before_it():
    values, _ = times("2018-01-30T00:00:04+09:00", "2018-01-30T00:00:04")
    assert values[1] - values[0] == 9 * 3600 * 10**9


@given(
    st.datetimes(datetime(1975, 1, 1), datetime(2199, 12, 30)),
    st.integers(-23 * 60, 23 * 60),
)
@settings(deadline=None)
def test_iso_equals_the_standard_library(moment, minutes):
    sign, absolute = "-" if minutes < 0 else "+", abs(minutes)
    zone = f"{sign}{absolute // 60:02d}:{absolute % 60:02d}"
    text = moment.isoformat() + zone
    exact = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    expected = ((exact.days * 86400 + exact.seconds) * 10**6 + exact.microseconds) * 1000
    assert times(text)[0][0] == expected


@given(st.lists(st.integers(10**8, 7_258_118_399), min_size=1), st.sampled_from([0, 3, 6, 9]))
@settings(deadline=None)
def test_units_are_told_apart_by_magnitude_over_the_whole_range(seconds, digits):
    values, units = times(*(str(s * 10**digits) for s in seconds))
    assert values.tolist() == [s * 10**9 for s in seconds]
    assert {UNITS[u] for u in units} == {{0: "s", 3: "ms", 6: "us", 9: "ns"}[digits]}


def test_typed_times():
    stamps = pa.array([NS // 1000, None], pa.timestamp("us", "Asia/Tokyo"))
    for column in (stamps, stamps.cast(pa.timestamp("ns", "UTC"))):
        values, units = parse_times(column)
        assert values.tolist() == [NS // 1000 * 1000, 0]
        assert [UNITS[u] for u in units] == ["ISO 8601", "no time"]
    values, units = parse_times(pa.array([1_315_922_016_123, None, 5], pa.int64()))
    assert values.tolist() == [1_315_922_016_123 * 10**6, 0, 0]
    values, _ = parse_times(pa.array([1_315_922_016.123456, float("nan"), None, float("inf")]))
    assert values.tolist() == [1_315_922_016_123_456_000, 0, 0, 0]


def test_typed_times_outside_of_two_centuries_are_no_times():
    """One such stamp would make a month that no partition can have."""
    first, last = 10**8, 7_258_118_400
    seconds = pa.array([0, first - 1, first, last - 1, last, 9_223_372_036], pa.timestamp("s"))
    for kind in ("s", "ns"):
        values, units = parse_times(seconds.cast(pa.timestamp(kind)))
        assert [UNITS[u] for u in units] == [*["no time"] * 2, *["ISO 8601"] * 2, *["no time"] * 2]
        assert values.tolist() == [0, 0, first * 10**9, (last - 1) * 10**9, 0, 0]


FIELD = st.one_of(
    st.floats().map(repr),
    st.integers().map(str),
    st.text("0123456789.eE+-xnaif _", max_size=12),
)


@given(FIELD)
@example("0x10")
@example("+1")
@example("1e400")
@example("nan")
@example(".5")
@example("1.")
@settings(deadline=None)
def test_a_value_is_read_alike_alone_and_beside_a_bad_one(field):
    """The whole column is cast at once when it can be: that must not change any value."""
    columns = pa.array([field]), pa.array(["bad", field])
    alone, beside = (parse_numbers(c)[-1] for c in columns)
    np.testing.assert_array_equal(alone, beside)
    for parse in (parse_integers, parse_times):
        alone, beside = ([part[-1] for part in parse(c)] for c in columns)
        assert alone == beside


@given(st.decimals(Decimal("1e-12"), Decimal("1e12"), places=12))
@settings(deadline=None)
def test_numbers_are_correctly_rounded(value):
    assert parse_numbers(pa.array([f"{value:f}"]))[0] == float(f"{value:f}")


def columns(n=1, **changed):
    base = {"time": "1315922016", "price": "5.0", "qty": "1.0"} | changed
    return {name: pa.array([value] * n) for name, value in base.items()}


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({}, ""),
        ({"time": ""}, "time is not a time"),
        ({"price": "five"}, "price is not a finite number"),
        ({"price": "NaN"}, "price is not a finite number"),
        ({"price": ""}, "price is not a finite number"),
        ({"price": "inf"}, "price is not a finite number"),
        ({"price": "0"}, "price is not above zero"),
        ({"price": "-5"}, "price is not above zero"),
        ({"qty": "null"}, "qty is not a finite number"),
        ({"qty": "-inf"}, "qty is not a finite number"),
        ({"qty": "0.000"}, "qty is not above zero"),
        ({"price": "1e150", "qty": "1e150"}, "price is not from 1e-18 to 1e15"),
        ({"price": "1e-19"}, "price is not from 1e-18 to 1e15"),
        ({"qty": "1e150"}, "qty is not from 1e-18 to 1e18"),
        ({"price": "1e15", "qty": "1e18"}, ""),
        ({"price": "1e-18", "qty": "1e-18"}, ""),
        ({"trade_id": "7"}, ""),
        ({"trade_id": ""}, ""),
        ({"trade_id": "NULL"}, ""),
        ({"trade_id": "2e089acc-51a7"}, "trade_id is not an integer"),
        ({"trade_id": "7.5"}, "trade_id is not an integer"),
        ({"time": "x", "price": "x"}, "time is not a time"),
    ],
)
def test_faults(changed, fault):
    parsed = parse_columns(columns(n=2, **changed))
    assert [Reason(code).words for code in parsed.reason] == [fault] * 2


@pytest.mark.parametrize("maker", ["true", "True", "TRUE", "t", "1", " true "])
def test_a_buyer_who_made_the_market_was_hit_by_a_seller(maker):
    assert parse_columns(columns(is_buyer_maker=maker)).sign[0] == -1


@pytest.mark.parametrize("maker", ["false", "False", "f", "0"])
def test_a_seller_who_made_the_market_was_hit_by_a_buyer(maker):
    assert parse_columns(columns(is_buyer_maker=maker)).sign[0] == 1


@pytest.mark.parametrize("sides", [["buy", "BUY", "Buy", "b", "B"], ["sell", "SELL", "Sell", "s"]])
def test_sides(sides):
    expected = 1 if sides[0] == "buy" else -1
    assert [parse_columns(columns(side=side)).sign[0] for side in sides] == [expected] * len(sides)


def test_a_blank_side_is_unknown_not_faulty():
    parsed = parse_columns(columns(side=""))
    assert (parsed.sign[0], parsed.reason[0]) == (0, 0)


def test_typed_columns_of_a_parquet():
    parsed = parse_columns(
        {
            "time": pa.array([1_315_922_016] * 3),
            "price": pa.array([Decimal("0.1"), None, Decimal("5.0")]),
            "qty": pa.array([1, 2, 3], pa.int32()),
            "trade_id": pa.array([1.0, 2.0, float("nan")]),
            "is_buyer_maker": pa.array([True, False, None]),
        }
    )
    assert parsed.price[0] == 0.1
    assert parsed.trade_id.tolist() == [1, 2, 0]
    assert parsed.sign.tolist() == [-1, 1, 0]
    assert [Reason(code).words for code in parsed.reason] == [
        "",
        "price is not a finite number",
        "",  # pandas writes an id that is missing as a NaN
    ]
    assert parsed.has_id.tolist() == [True, True, False]


def test_a_text_id_is_any_text_and_a_blank_is_none():
    ids = ["2e089acc", " 2e089acc ", "", "7", None]
    parsed = parse_columns(columns(n=5) | {"trade_id": pa.array(ids)}, text_id=True)
    assert parsed.has_id.tolist() == [True, True, False, True, False]
    assert not parsed.reason.any()
    first, same, blank, other, _ = parsed.trade_id.tolist()
    assert first == same
    assert len({first, blank, other}) == 3
    assert (parsed.trade_id >= 0).all()
    sliced = parse_columns(columns(n=2) | {"trade_id": pa.array(ids)[2:4]}, text_id=True)
    assert sliced.trade_id.tolist() == [blank, other]
    nothing = parse_columns(columns(n=0) | {"trade_id": pa.array([], pa.string())}, text_id=True)
    assert nothing.trade_id.size == 0


def test_dictionaries_and_large_text_are_text():
    text = pa.array(["buy", "sell", None])
    for column in (text.dictionary_encode(), text.cast(pa.large_string())):
        assert parse_columns(columns(n=3) | {"side": column}).sign.tolist() == [1, -1, 0]
    for column in (
        pa.array(["5.5"]).cast(pa.large_string()),
        pa.array(["5.5"]).dictionary_encode(),
    ):
        assert parse_columns(columns() | {"price": column}).price[0] == 5.5
