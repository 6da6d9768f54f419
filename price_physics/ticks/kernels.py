"""The loop over the bytes of a CSV: lines to times, numbers, ids and sides in one pass.

Only rows that are plain in every used field are read here, exactly as ``reading.parse`` reads
them. Any other line (an exponent, an escaped quote, a value that cannot be) is handed back as odd:
``reading.lines`` and ``reading.parse`` look at it, and say what is wrong with it.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

TIME, PRICE, QTY, TRADE_ID, SIDE, SYMBOL, UNUSED = 0, 1, 2, 3, 4, 5, 6
"""What a column is used for; `SIDE` stands for is_buyer_maker, too."""

LEAST, MOST_PRICE, MOST_QTY = 1e-18, 1e15, 1e18
"""Bounds of a price and a quantity. No venue has others; powers of those that are none overflow."""

_MILLI, _MICRO, _SECOND = 1_000, 1_000_000, 1_000_000_000
_FIRST_SECOND, _LAST_SECOND = 100_000_000, 7_258_118_400
_ISO = 5
_TEN = np.array([10**e for e in range(19)], np.uint64)
_TEN_FLOAT = np.array([10.0**e for e in range(23)])
_DAYS_BEFORE = np.array([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_DAYS_IN = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_TWO_53 = np.uint64(1 << 53)
_TWO_54, _TWO_55 = np.uint64(1 << 54), np.uint64(1 << 55)
_ONE, _ZERO = np.uint64(1), np.uint64(0)
_NOUGHT, _NINE = np.uint64(48), np.uint64(9)
_MOST_DIGITS = 18
_NO_SIDE = 127


class RowShape(NamedTuple):
    """What the rows of a file look like.

    Attributes
    ----------
    delimiter : int
        Byte between fields.
    role_of : int64 array of shape (n_columns,)
        `TIME` to `UNUSED`, for every column of a whole row.
    text_id : bool
        The id is any text and is hashed; otherwise it must be an integer. A blank is no id.
    symbol : uint8 array
        Lower-case name of the instrument.
    mixed : bool
        The file holds several instruments: rows of others are passed over. Otherwise such a row is
        odd.
    sides : int64 array of shape (n_words, 2)
        Packed lower-case words of the side column (see `pack`) and their signs.
    """

    delimiter: int
    role_of: NDArray[np.int64]
    text_id: bool
    symbol: NDArray[np.uint8]
    mixed: bool
    sides: NDArray[np.int64]


@njit(cache=True, nogil=True)
def read_rows(data, at, shape, first_line, rows, odd):
    """Read the plain rows of a block of whole lines, and list the lines that are not.

    Stops at the end of the block, or when `rows` or `odd` are full.

    Parameters
    ----------
    data : uint8 array of shape (n_bytes,)
        Lines, each with its newline: the scan relies on the last one.
    at : int
        Byte to start at, the first of a line.
    shape : RowShape
    first_line : int
        Number of the line at `at`, from 1.
    rows : tuple of arrays of shape (n_most,)
        Filled with time_ns (int64), unit (int8, position in ``reading.parse.UNITS``), price, qty
        (float64), trade_id (int64), id_kind (int8: 0 none, 1 integer, 2 text), sign (int8) and
        line (int64).
    odd : int64 array of shape (n_most_odd, 3)
        Filled with line number, first byte and stop byte of every odd line.

    Returns
    -------
    n_rows, n_odd, n_lines, at : int
        Blank lines are counted as lines only; `at` is the byte to go on at.
    """
    time_ns, unit, price, qty, trade_id, id_kind, sign, line = rows
    delimiter, role_of, text_id, symbol, mixed, sides = shape
    n_columns = role_of.size
    n_rows = n_odd = n_lines = 0
    while at < data.size and n_rows < time_ns.size and n_odd < odd.shape[0]:
        start = at
        good, other = True, False
        i, with_id, has_side = 0, False, 0
        for column in range(n_columns):
            quoted, end = False, delimiter if column < n_columns - 1 else 10
            if data[np.uint64(at)] <= 34:
                quoted, at = _opened(data, at)
            role = role_of[column]
            if role == TIME:
                first = at
                time_ns[n_rows], unit[n_rows], at = _time(data, first)
                if at == first + 4 and data[np.uint64(at)] == 45:
                    time_ns[n_rows], unit[n_rows], at = _iso_time(data, first)
                elif unit[n_rows] == 0:
                    time_ns[n_rows], unit[n_rows], at = _other_time(data, first)
                good = unit[n_rows] > 0
            elif role == PRICE:
                price[n_rows], at = _number(data, at)
                good = LEAST <= price[n_rows] <= MOST_PRICE
            elif role == QTY:
                qty[n_rows], at = _number(data, at)
                good = LEAST <= qty[n_rows] <= MOST_QTY
            elif role == TRADE_ID and not text_id:
                first = at
                i, at, with_id = _integer(data, at)
                good = with_id or at == first  # blank, or no integer: the field does not end here
            else:
                first = at
                at = _field_end(data, at, quoted, delimiter)
                if role == SIDE:
                    has_side = _sign_of(pack(data, first, at), sides)
                    good = has_side != _NO_SIDE
                elif role == TRADE_ID:
                    i, with_id, good = _hash(data, first, at), at > first, _plain(data, first, at)
                elif role == SYMBOL:
                    good = _same(data, first, at, symbol)
                    other = mixed and not good
            if good and (quoted or data[np.uint64(at)] != end):
                good, at = _closed(data, at, quoted, end)
            if not good:
                break
            at += 1
        n_lines += 1
        if good:
            trade_id[n_rows], sign[n_rows] = i * with_id, has_side
            id_kind[n_rows] = with_id + (with_id and text_id)
            line[n_rows] = first_line + n_lines - 1
            n_rows += 1
            continue
        while data[np.uint64(at)] != 10:
            at += 1
        at += 1
        if not other and not _blank(data, start, at):
            odd[n_odd, 0], odd[n_odd, 1], odd[n_odd, 2] = first_line + n_lines - 1, start, at
            n_odd += 1
    return n_rows, n_odd, n_lines, at


@njit(cache=True, nogil=True)
def count_lines(data):
    """Count the newlines."""
    n_lines = 0
    for byte in data:
        n_lines += byte == 10
    return n_lines


@njit(cache=True, nogil=True)
def pack(data, begin, stop):
    """Pack up to seven bytes into an integer, capital letters as small ones; -1 if longer."""
    if stop - begin > 7:
        return -1
    packed = 0
    for at in range(begin, stop):
        byte = int(data[np.uint64(at)])
        packed = packed * 256 + (byte + 32 if 65 <= byte <= 90 else byte)
    return packed


# ---------------------------------------------------------------------------- lines
# Indices are cast to unsigned: one that may be negative is tested at every byte. And plain rows
# are read by functions whose branches do not hand `data` on for the last time: the compiler would
# count its users there, atomically, which costs as much as reading a field.
@njit(cache=True, nogil=True)
def _opened(data, at):
    """Pass over a quote, or else over blanks: whether it was a quote, and where the field is."""
    if data[np.uint64(at)] == 34:
        return True, at + 1
    while data[np.uint64(at)] == 32:
        at += 1
    return False, at


@njit(cache=True, nogil=True)
def _closed(data, at, quoted, end):
    """Pass over a closing quote and blanks: whether the field ends there, and where."""
    if quoted:
        if data[np.uint64(at)] != 34:
            return False, at
        at += 1
    while data[np.uint64(at)] == 32:
        at += 1
    at += end == 10 and data[np.uint64(at)] == 13
    return data[np.uint64(at)] == end, at


@njit(cache=True, nogil=True)
def _field_end(data, at, quoted, delimiter):
    """Find where a field of any text ends, without its trailing blanks."""
    first, end = at, 34 if quoted else delimiter
    while data[np.uint64(at)] != end and data[np.uint64(at)] != 10:
        at += 1
    while not quoted and at > first and data[np.uint64(at - 1)] in (32, 13):
        at -= 1
    return at


@njit(cache=True, nogil=True)
def _blank(data, start, stop):
    for at in range(start, stop):
        byte = data[np.uint64(at)]
        if byte != 32 and byte != 10 and byte != 13 and byte != 9:
            return False
    return True


@njit(cache=True, nogil=True)
def _plain(data, begin, stop):
    """Say whether a text is ASCII without blanks: nothing is trimmed from it or decoded."""
    for at in range(begin, stop):
        byte = data[np.uint64(at)]
        if byte <= 32 or byte >= 127:
            return False
    return True


@njit(cache=True, nogil=True)
def _same(data, begin, stop, text):
    """Compare a field with a lower-case text."""
    if stop - begin != text.size:
        return False
    for place in range(text.size):
        byte = data[begin + place]
        if (byte + 32 if 65 <= byte <= 90 else byte) != text[place]:
            return False
    return True


# ---------------------------------------------------------------------------- numbers
@njit(cache=True, nogil=True)
def _digits(data, at, value):
    """Append digits to a value; returns it and where they end. Over 19 of them it is wrapped."""
    digit = np.uint64(data[np.uint64(at)]) - _NOUGHT  # wraps: what is below a digit is above nine
    while digit <= _NINE:
        value = value * _TEN[1] + digit
        at += 1
        digit = np.uint64(data[np.uint64(at)]) - _NOUGHT
    return value, at


@njit(cache=True, nogil=True)
def _number(data, at):
    """Read digits with at most one point, correctly rounded; 0 if there are too many or none.

    References
    ----------
    Clinger (1990), How to read floating point numbers accurately: both numbers exact, the
    quotient is rounded once.
    """
    first = at
    mantissa, at = _digits(data, at, _ZERO)
    n_digits, decimals = at - first, 0
    if data[np.uint64(at)] == 46:
        mantissa, at = _digits(data, at + 1, mantissa)
        decimals = at - first - n_digits - 1
    if n_digits + decimals > _MOST_DIGITS:
        return _long_number(data, first, at, decimals), at
    if data[np.uint64(at)] == 101 or data[np.uint64(at)] == 69:  # 9.46e-06
        exponent, at = _exponent(data, at + 1)
        decimals -= exponent
        if n_digits + decimals + exponent == 0 or abs(decimals) > _MOST_DIGITS:
            return 0.0, at
        if decimals < 0:
            exact = mantissa <= _TWO_53
            return (np.float64(mantissa) * _TEN_FLOAT[-decimals] if exact else 0.0), at
    return _scaled(mantissa, decimals), at


@njit(cache=True, nogil=True)
def _exponent(data, at):
    """Read the sign and the digits of an exponent; far too large a one if there are none."""
    negative = data[np.uint64(at)] == 45
    at += data[np.uint64(at)] == 45 or data[np.uint64(at)] == 43
    first = at
    value, at = _digits(data, at, _ZERO)
    if at == first or at - first > 4:
        return -9_999, at
    return (-np.int64(value) if negative else np.int64(value)), at


@njit(cache=True, nogil=True)
def _long_number(data, begin, stop, decimals):
    """Read a number that has too many digits only for the zeros at its ends; 0 for any other."""
    while decimals > 0 and data[stop - 1] == 48:
        stop -= 1
        decimals -= 1
    while begin < stop and data[begin] == 48:
        begin += 1
    if stop - begin - (decimals > 0) > _MOST_DIGITS or decimals > _MOST_DIGITS:
        return 0.0
    mantissa = _ZERO
    for at in range(begin, stop):
        if data[np.uint64(at)] != 46:
            mantissa = mantissa * _TEN[1] + np.uint64(data[np.uint64(at)] - 48)
    return _scaled(mantissa, decimals)


@njit(cache=True, nogil=True)
def _scaled(mantissa, decimals):
    """Divide by a power of ten, rounding once."""
    if mantissa <= _TWO_53:
        return np.float64(mantissa) / _TEN_FLOAT[decimals]
    return _divide(mantissa, _TEN[decimals])


@njit(cache=True, nogil=True)
def _divide(numerator, denominator):
    """Divide integers below 10**18, rounding once, half to even: long division in binary."""
    quotient, rest = numerator // denominator, numerator % denominator
    scale = 0
    while quotient < _TWO_54:  # 55 bits: 53 to keep, one to round by, one more than needed
        rest <<= _ONE
        quotient <<= _ONE
        if rest >= denominator:
            rest -= denominator
            quotient |= _ONE
        scale += 1
    sticky = rest > _ZERO
    while quotient >= _TWO_55:
        sticky = sticky or (quotient & _ONE) > _ZERO
        quotient >>= _ONE
        scale -= 1
    kept, dropped = quotient >> np.uint64(2), quotient & np.uint64(3)
    if dropped == 3 or (dropped == 2 and (sticky or kept & _ONE)):
        kept += _ONE
    return math.ldexp(np.float64(kept), 2 - scale)


@njit(cache=True, nogil=True)
def _integer(data, at):
    value, stop = _digits(data, at, _ZERO)
    return np.int64(value), stop, at < stop <= at + _MOST_DIGITS


@njit(cache=True, nogil=True)
def hash_texts(data, offsets):
    """Hash texts that lie one after the other: int64 array of shape (offsets.size - 1,)."""
    hashes = np.empty(offsets.size - 1, np.int64)
    for place in range(hashes.size):
        hashes[place] = _hash(data, offsets[place], offsets[place + 1])
    return hashes


@njit(cache=True, nogil=True)
def _hash(data, begin, stop):
    """Hash a text to 63 bits (FNV-1a)."""
    digest = np.uint64(14695981039346656037)
    for at in range(begin, stop):
        digest = (digest ^ np.uint64(data[np.uint64(at)])) * np.uint64(1099511628211)
    return np.int64(digest >> _ONE)


@njit(cache=True, nogil=True)
def _sign_of(word, sides):
    for place in range(sides.shape[0]):
        if sides[place, 0] == word:
            return sides[place, 1]
    return _NO_SIDE


# ---------------------------------------------------------------------------- times
@njit(cache=True, nogil=True)
def _time(data, at):
    """Read a number as UTC nanoseconds, the unit, and where it ends; unit 0 if it is no time."""
    first = at
    whole, point = _digits(data, at, _ZERO)
    n_digits = point - first
    billionths, at = _fraction(data, point)
    most_digits = _MOST_DIGITS + (at == point)
    value = np.int64(whole)
    if value < _MILLI * _FIRST_SECOND:
        unit, ns, last = 1, _SECOND, _LAST_SECOND
    elif value < _MICRO * _FIRST_SECOND:
        unit, ns, last = 2, 1_000_000, _LAST_SECOND * _MILLI
    elif value < _SECOND * _FIRST_SECOND:
        unit, ns, last = 3, 1_000, _LAST_SECOND * _MICRO
    else:
        unit, ns, last = 4, 1, _LAST_SECOND * _SECOND
    if value < _FIRST_SECOND or value >= last or n_digits > most_digits:
        return 0, 0, at
    if billionths > 0:
        return value * ns + billionths * ns // _SECOND, unit, at
    return value * ns, unit, at


@njit(cache=True, nogil=True)
def _fraction(data, at):
    """Read a point and what follows as billionths, if there is one."""
    return _billionths(data, at + 1) if data[np.uint64(at)] == 46 else (0, at)


@njit(cache=True, nogil=True)
def _billionths(data, at):
    """Read the first nine digits of a fraction as billionths, and pass over the others."""
    value, n_digits = 0, 0
    while 48 <= data[np.uint64(at)] <= 57:
        if n_digits < 9:
            value = value * 10 + (data[np.uint64(at)] - 48)
            n_digits += 1
        at += 1
    for _ in range(n_digits, 9):
        value *= 10
    return value, at


@njit(cache=True, nogil=True)
def _two(data, at):
    """Two digits as a number, or -1."""
    if 48 <= data[np.uint64(at)] <= 57 and 48 <= data[np.uint64(at + 1)] <= 57:
        return np.int64(data[np.uint64(at)] - 48) * 10 + np.int64(data[np.uint64(at + 1)] - 48)
    return -1


@njit(cache=True, nogil=True)
def _iso_time(data, begin):
    """Read ``2018-01-30T00:00:02.085+09:00``; T, D or a space, fraction and zone optional."""
    if begin + 19 >= data.size:
        return 0, 0, begin
    century, rest = _two(data, begin), _two(data, begin + 2)
    month, day = _two(data, begin + 5), _two(data, begin + 8)
    hour, minute, second = _two(data, begin + 11), _two(data, begin + 14), _two(data, begin + 17)
    apart = data[begin + 10]
    if (
        data[begin + 7] != 45
        or data[begin + 13] != 58
        or data[begin + 16] != 58
        or (apart != 84 and apart != 68 and apart != 32)
    ):
        return 0, 0, begin
    seconds = _seconds(century, rest, month, day, hour, minute, second)
    ns, at = 0, begin + 19
    if data[np.uint64(at)] == 46:
        ns, stop = _billionths(data, at + 1)
        if stop == at + 1:
            return 0, 0, begin
        at = stop
    offset, at = _zone(data, at)
    seconds -= offset
    if seconds < _FIRST_SECOND or seconds >= _LAST_SECOND:
        return 0, 0, begin
    return seconds * _SECOND + ns, _ISO, at


@njit(cache=True, nogil=True)
def _other_time(data, begin):
    """Read ``20180130 000002085`` or ``30.01.2018 00:00:02.085``, colons and fraction optional."""
    if begin + 48 >= data.size:
        return 0, 0, begin  # the last rows are read with care
    if data[begin + 2] == 46 and data[begin + 5] == 46:
        day, month, at = _two(data, begin), _two(data, begin + 3), begin + 10
        century, rest = _two(data, begin + 6), _two(data, begin + 8)
        apart = True
    else:
        century, rest = _two(data, begin), _two(data, begin + 2)
        month, day, at = _two(data, begin + 4), _two(data, begin + 6), begin + 8
        apart = False
    if data[at] == 32 or data[at] == 84 or data[at] == 95:
        at += 1
    elif apart:
        return 0, 0, begin
    hour, at = _two(data, at), at + 2
    at += data[at] == 58
    minute, at = _two(data, at), at + 2
    at += data[at] == 58
    second, at = _two(data, at), at + 2
    at += data[at] == 46
    ns, stop = _billionths(data, at)
    seconds = _seconds(century, rest, month, day, hour, minute, second)
    if seconds < _FIRST_SECOND or seconds >= _LAST_SECOND or stop > at + 12:
        return 0, 0, begin
    return seconds * _SECOND + ns, _ISO, stop


@njit(cache=True, nogil=True)
def _seconds(century, rest, month, day, hour, minute, second):
    """Seconds from 1970 to a moment, before it where there is no such moment."""
    if (
        min(century, rest, hour, minute, second) < 0
        or month < 1
        or month > 12
        or hour > 23
        or max(minute, second) > 59
    ):
        return -_LAST_SECOND
    year = century * 100 + rest
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if year < 1973 or year > 2199 or day < 1 or day > _DAYS_IN[month - 1] + (month == 2 and leap):
        return -_LAST_SECOND
    days = (year - 1970) * 365 + (year - 1969) // 4 - (year - 1901) // 100 + (year - 1601) // 400
    days += _DAYS_BEFORE[month - 1] + (month > 2 and leap) + day - 1
    return days * 86_400 + hour * 3_600 + minute * 60 + second


@njit(cache=True, nogil=True)
def _zone(data, at):
    """Read nothing, Z, +09:00 or +0900: seconds, and where it ends."""
    if data[np.uint64(at)] == 90:
        return 0, at + 1
    if data[np.uint64(at)] != 43 and data[np.uint64(at)] != 45:
        return 0, at
    colon = at + 3 < data.size and data[at + 3] == 58
    stop = at + 6 if colon else at + 5
    if stop >= data.size:
        return 0, at
    hours, minutes = _two(data, at + 1), _two(data, stop - 2)
    if hours < 0 or hours > 23 or minutes < 0 or minutes > 59:
        return 0, at  # what is left is no delimiter: the row is odd
    seconds = hours * 3_600 + minutes * 60
    return (-seconds if data[np.uint64(at)] == 45 else seconds), stop
