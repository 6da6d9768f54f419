"""Turn columns of text, or of typed parquet, into times, numbers, ids and sides.

How a value is read depends on that value alone, never on its neighbours: a column is cast whole,
and only if that fails are its odd values looked at one by one. No row is dropped: one that has to
be set aside comes back with the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from price_physics.ticks.kernels import LEAST, MOST_PRICE, MOST_QTY, hash_texts
from price_physics.ticks.reading.reasons import Reason

UNITS = ("no time", "s", "ms", "us", "ns", "ISO 8601")
_ISO = len(UNITS) - 1
PER_SECOND = np.array([0, 1, 10**3, 10**6, 10**9])
_PLAUSIBLE = 10**8, 7_258_118_400
"""Seconds since 1970 that are a time: from 1973 up to the year 2200. Less than three powers of
ten apart, the four units cannot be mistaken for one another."""

_NUMBER = r"^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INTEGER = r"^-?\d{1,18}$"
_DECIMAL_TIME = r"^(?P<whole>\d{1,18})\.(?P<fraction>\d*)$"
_ISO_TIME = (
    r"^(?P<date>\d{4}-\d{2}-\d{2})[T D](?P<clock>\d{2}:\d{2}:\d{2})"
    r"(?:\.(?P<fraction>\d+))?(?P<zone>Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$"
)
_CLOCK = (
    r"(\d{2}):?(\d{2}):?(\d{2})[.,]?(\d{0,12})"
    r" ?(?:UTC|GMT)?(Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)?$"
)
_OTHER_TIMES = (
    # 20240102 000000, 20240102000000123, 2024.01.02 00:00:00, 2024-01-02 00:00:00 UTC
    (r"^(\d{4})[-./]?(\d{2})[-./]?(\d{2})[ T_]?" + _CLOCK, r"\1-\2-\3T\4:\5:\6.\70\8"),
    # 02.01.2024 00:00:00.000 GMT+0100; with slashes nobody could tell the day from the month
    (r"^(\d{2})\.(\d{2})\.(\d{4})[ T_]" + _CLOCK, r"\3-\2-\1T\4:\5:\6.\70\8"),
)
"""Other ways to write a date and a clock, and ISO 8601 made of each."""

MISSING = ("", "null", "none", "nan", "na", "n/a", "-")
"""Words for no value, in small letters."""

_NO_SIDE = dict.fromkeys((*MISSING, "unknown"), 0)
SIGNS = {
    "is_buyer_maker": _NO_SIDE
    | dict.fromkeys(("true", "t", "1", "1.0", "yes", "y"), -1)
    | dict.fromkeys(("false", "f", "0", "0.0", "no", "n"), 1),
    "side": _NO_SIDE
    | dict.fromkeys(("n",), 0)
    | dict.fromkeys(("buy", "b", "bid", "buyer", "1", "+1", "1.0"), 1)
    | dict.fromkeys(("sell", "s", "ask", "a", "offer", "seller", "-1", "-1.0"), -1),
}
"""Signs of the aggressor that words in a column say, 0 where they say that it is not known.

The side that a trade lifts or hits goes by the aggressor's: ``ask`` and ``A`` are sold, ``bid`` and
``B`` bought, as Databento writes them.
"""

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Parsed:
    """Rows as numbers, all of shape (n_rows,).

    Attributes
    ----------
    time_ns, trade_id : int64; UTC ns; 0 where unreadable or absent; a text id is a hash.
    has_id : bool.
    unit : int8; position in ``UNITS``; 0 where the time is unreadable.
    price, qty : float64; NaN where unreadable.
    sign : int8; +1 or -1; 0 where the row has no side.
    odd_side : bool; the word for the side of a row, otherwise good, is not understood.
    reason : int8; the first `Reason` to set the row aside; 0 for a good row.
    """

    time_ns: Int64
    unit: NDArray[np.int8]
    trade_id: Int64
    has_id: NDArray[np.bool_]
    price: NDArray[np.float64]
    qty: NDArray[np.float64]
    sign: NDArray[np.int8]
    odd_side: NDArray[np.bool_]
    reason: NDArray[np.int8]

    def at(self, rows: NDArray) -> "Parsed":
        """Some of the rows."""
        return Parsed(*(getattr(self, f.name)[rows] for f in fields(self)))


def parse_columns(
    columns: dict[str, pa.Array], text_id: bool = False, words: Mapping[str, int] | None = None
) -> Parsed:
    """Read columns named time, price, qty and, where there are any, trade_id and a side.

    With `text_id` any text identifies a trade; a blank is no id and no fault. `words` for sides,
    and their signs, are known beside `SIGNS`.

    Raises
    ------
    pyarrow.ArrowInvalid
        When a typed column cannot hold what it is mapped to.
    """
    columns = {name: plain(column) for name, column in columns.items()}
    n_rows = len(columns["time"])
    time_ns, unit = parse_times(columns["time"])
    price, qty = parse_numbers(columns["price"]), parse_numbers(columns["qty"])
    trade_id, has_id = np.zeros(n_rows, np.int64), np.zeros(n_rows, bool)
    bad_id = np.zeros(n_rows, bool)
    if "trade_id" in columns and text_id:
        trade_id, has_id = hash_ids(columns["trade_id"])
    elif "trade_id" in columns:
        trade_id, has_id = parse_integers(columns["trade_id"])
        if not has_id.all():
            bad_id = ~has_id & ~_is_missing(columns["trade_id"])
    sign, has_side = np.zeros(n_rows, np.int8), np.ones(n_rows, bool)
    for name in SIGNS.keys() & columns.keys():
        sign, has_side = _parse_signs(columns[name], SIGNS[name] | dict(words or {}))

    checks = {
        Reason.TIME: unit == 0,
        Reason.PRICE: ~np.isfinite(price),
        Reason.PRICE_SIGN: price <= 0,
        Reason.PRICE_RANGE: (price < LEAST) | (price > MOST_PRICE),
        Reason.QTY: ~np.isfinite(qty),
        Reason.QTY_SIGN: qty <= 0,
        Reason.QTY_RANGE: (qty < LEAST) | (qty > MOST_QTY),
        Reason.TRADE_ID: bad_id,
    }
    reason = first_reason(checks)
    odd_side = ~has_side & (reason == Reason.NONE)
    return Parsed(time_ns, unit, trade_id, has_id, price, qty, sign, odd_side, reason)


def first_reason(checks: Mapping[Reason, NDArray[np.bool_]]) -> NDArray[np.int8]:
    """Return the first of the reasons that hold for each row; `Reason.NONE` where none does."""
    return np.select(list(checks.values()), [int(reason) for reason in checks]).astype(np.int8)


def hash_ids(column: pa.Array) -> tuple[Int64, NDArray[np.bool_]]:
    """Hash ids that are texts; 0 and False where there is none."""
    text = pc.utf8_trim_whitespace(pc.cast(column, pa.string()).fill_null(""))
    raw = pc.cast(text, pa.large_binary())
    _, offsets, data = raw.buffers()
    place = np.frombuffer(offsets, np.int64)[raw.offset : raw.offset + len(raw) + 1]
    letters = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
    has_id = place[1:] > place[:-1]
    return np.where(has_id, hash_texts(letters, place), 0), has_id


def plain(column: pa.Array) -> pa.Array:
    """Turn text of any encoding into pa.string(), and decimals too: they are rounded once."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_decimal(kind):
        return pc.cast(column, pa.string())
    return column


def is_time(text: str) -> bool:
    """Say whether a field is a time in one of ``UNITS``.

    Examples
    --------
    >>> is_time("1315922016"), is_time("2023-09-05T16:00:01.281719Z"), is_time("time")
    (True, True, False)
    """
    return bool(parse_times(pa.array([text]))[1][0])


# ---------------------------------------------------------------------------- numbers
def parse_numbers(column: pa.Array) -> NDArray[np.float64]:
    """Read floats, correctly rounded; NaN where there is none."""
    if pa.types.is_boolean(column.type):
        raise pa.ArrowInvalid("a column of booleans holds no numbers")
    if pa.types.is_string(column.type):
        values, _ = _cast_text(column, pa.float64(), _NUMBER)
    else:
        values = pc.cast(column, pa.float64())
    return np.array(values.fill_null(np.nan), np.float64)


def parse_integers(column: pa.Array) -> tuple[Int64, NDArray[np.bool_]]:
    """Read int64; 0 and False where there is none."""
    if pa.types.is_floating(column.type):  # pandas writes ids with holes as floats
        numbers = np.array(pc.cast(column, pa.float64()).fill_null(np.nan))
        good = (np.abs(numbers) < 2.0**53) & (numbers == np.rint(numbers))
        return np.where(good, numbers, 0.0).astype(np.int64), good
    if pa.types.is_integer(column.type):
        values, good = pc.cast(column, pa.int64()), np.array(column.is_valid())
    else:
        values, good = _cast_text(pc.cast(column, pa.string()), pa.int64(), _INTEGER)
    return np.array(values.fill_null(0), np.int64), good


def _is_missing(column: pa.Array) -> NDArray[np.bool_]:
    """Say where there is no value: a null, or a word for none."""
    if pa.types.is_floating(column.type):
        return np.isnan(np.array(pc.cast(column, pa.float64()).fill_null(np.nan)))
    return np.array(pc.is_in(_words(column), value_set=pa.array(MISSING)))


def _words(column: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.utf8_trim_whitespace(pc.cast(column, pa.string()).fill_null("")))


def _cast_text(
    column: pa.Array, to: pa.DataType, pattern: str
) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Cast text; null and False where it fails. What matches `pattern` must be castable."""
    text = pc.utf8_trim_whitespace(column)
    try:
        values = pc.cast(text, to)
    except pa.ArrowInvalid:
        good = np.array(pc.match_substring_regex(text, pattern).fill_null(False))
        for row in np.flatnonzero(~good):
            good[row] = _is_castable(text[row], to)
        values = pc.cast(pc.if_else(pa.array(good), text, pa.scalar(None, pa.string())), to)
    return values, np.array(values.is_valid())


def _is_castable(text: pa.Scalar, to: pa.DataType) -> bool:
    try:
        return bool(pc.cast(text, to).is_valid)
    except pa.ArrowInvalid:
        return False


def _parse_signs(
    column: pa.Array, signs: dict[str, int]
) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    place = np.array(pc.index_in(_words(column), value_set=pa.array(list(signs))).fill_null(-1))
    good = place >= 0
    values = np.array(list(signs.values()), np.int8)
    return np.where(good, values[place], 0).astype(np.int8), good


# ---------------------------------------------------------------------------- times
def parse_times(column: pa.Array) -> tuple[Int64, NDArray[np.int8]]:
    """Read UTC nanoseconds, and the unit of every row as a position in ``UNITS``.

    Numbers are seconds, milli-, micro- or nanoseconds by their magnitude; a date and a clock, in
    ISO 8601 or as in `_OTHER_TIMES`, are UTC where they have no offset. Fractions of a number are
    read exactly, digit by digit.

    Raises
    ------
    pyarrow.ArrowInvalid
        When a typed column holds no times.
    """
    if pa.types.is_timestamp(column.type):
        values = pc.cast(pc.cast(column, pa.timestamp("ns", column.type.tz)), pa.int64())
        return _plausible(np.array(values.fill_null(0), np.int64))
    if pa.types.is_floating(column.type):
        return _float_times(np.array(pc.cast(column, pa.float64()).fill_null(np.nan)))
    if not pa.types.is_string(column.type):
        column = pc.cast(column, pa.int64())
        return _scaled(np.array(column.fill_null(0), np.int64), np.zeros(len(column), np.int64))
    return _text_times(column)


def _text_times(column: pa.Array) -> tuple[Int64, NDArray[np.int8]]:
    text = pc.utf8_trim_whitespace(column)
    time_ns, unit = _plain_times(text)
    for pattern, iso in _OTHER_TIMES if (unit == 0).any() else ():
        match = (unit == 0) & np.array(pc.match_substring_regex(text, pattern).fill_null(False))
        if match.any():
            moments = pc.replace_substring_regex(text.filter(pa.array(match)), pattern, iso)
            time_ns[match], unit[match] = _iso_times(pc.extract_regex(moments, _ISO_TIME))
    return time_ns, unit


def _plain_times(text: pa.Array) -> tuple[Int64, NDArray[np.int8]]:
    """Read numbers and ISO 8601."""
    no_fraction = np.zeros(len(text), np.int64)
    try:
        return _scaled(np.array(pc.cast(text, pa.int64()).fill_null(0), np.int64), no_fraction)
    except pa.ArrowInvalid:
        time_ns, unit, left = no_fraction, np.zeros(len(text), np.int8), np.ones(len(text), bool)
    for pattern, read in ((_DECIMAL_TIME, _decimal_times), (_ISO_TIME, _iso_times)):
        match = np.array(pc.match_substring_regex(text, pattern).fill_null(False))
        if match.any():
            parts = pc.extract_regex(text.filter(pa.array(match)), pattern)
            time_ns[match], unit[match] = read(parts)
            left &= ~match
    values, _ = _cast_text(text.filter(pa.array(left)), pa.int64(), _INTEGER)
    whole = np.array(values.fill_null(0), np.int64)
    time_ns[left], unit[left] = _scaled(whole, np.zeros_like(whole))
    return time_ns, unit


def _scaled(whole: Int64, billionths: Int64) -> tuple[Int64, NDArray[np.int8]]:
    """Scale times by their magnitude; `billionths` are those of the unit, whichever it is."""
    first, last = _PLAUSIBLE
    unit = np.zeros(whole.shape, np.int8)
    for code in range(1, _ISO):
        unit[(whole >= first * PER_SECOND[code]) & (whole // PER_SECOND[code] < last)] = code
    ns = np.where(unit > 0, 10**9 // np.maximum(PER_SECOND[unit], 1), 0)
    return whole * ns + billionths * ns // 10**9, unit


def _decimal_times(part: pa.StructArray) -> tuple[Int64, NDArray[np.int8]]:
    whole = np.array(pc.cast(part.field("whole"), pa.int64()))
    return _scaled(whole, _billionths(part.field("fraction")))


def _float_times(values: NDArray[np.float64]) -> tuple[Int64, NDArray[np.int8]]:
    """Read floats; a float64 of seconds holds a microsecond, so fractions are rounded to it."""
    good = np.isfinite(values) & (np.abs(values) < 2.0**62)
    values = np.where(good, values, 0.0)
    whole = np.floor(values)
    billionths = np.rint((values - whole) * 1e6).astype(np.int64) * 1000
    return _scaled(whole.astype(np.int64), billionths)


def _iso_times(part: pa.StructArray) -> tuple[Int64, NDArray[np.int8]]:
    # pd.to_datetime(format="ISO8601") gives a time without an offset that of the row before it.
    clock = pc.binary_join_element_wise(part.field("date"), part.field("clock"), "T")
    moment = pd.to_datetime(
        clock.to_pandas(), format="%Y-%m-%dT%H:%M:%S", errors="coerce"
    ).to_numpy("datetime64[ns]")
    zone = pc.replace_substring(part.field("zone"), ":", "").to_numpy(zero_copy_only=False)
    zones, place = np.unique(zone.astype(str), return_inverse=True)
    offset = np.array([_offset_ns(z) for z in zones], np.int64)[place]
    whole = np.where(np.isnat(moment), 0, moment.view(np.int64))
    return _plausible(whole + _billionths(part.field("fraction")) - offset)


def _plausible(ns: Int64) -> tuple[Int64, NDArray[np.int8]]:
    good = (ns // 10**9 >= _PLAUSIBLE[0]) & (ns // 10**9 < _PLAUSIBLE[1])
    return np.where(good, ns, 0), np.where(good, _ISO, 0).astype(np.int8)


def _offset_ns(zone: str) -> int:
    if zone in ("", "Z"):
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[3:5])
    return (-minutes if zone[0] == "-" else minutes) * 60 * 10**9


def _billionths(fraction: pa.Array) -> Int64:
    """Return the first nine digits of a fraction as an integer; the rest is below a nanosecond."""
    digits = pc.utf8_rpad(pc.utf8_slice_codeunits(fraction, 0, 9), 9, "0")
    return np.array(pc.cast(digits, pa.int64()), np.int64)
