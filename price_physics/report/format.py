"""Write numbers as text, the same way in every format; None is written as a dash."""

import math
from typing import Any

import pandas as pd

NOTHING = "–"  # noqa: RUF001 - a dash is meant


def percent(value: float | None, digits: int = 1, *, sign: bool = False) -> str:
    """Write a fraction as a percentage; no line breaks between the number and its sign.

    Examples
    --------
    >>> print(percent(0.1234), percent(0.02, 2, sign=True), percent(-0.5), percent(None))
    12.3\N{NO-BREAK SPACE}% +2.00\N{NO-BREAK SPACE}% −50.0\N{NO-BREAK SPACE}% –
    """
    return _number(None if value is None else 100 * value, digits, sign, "\N{NO-BREAK SPACE}%")


def decimal(value: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """Write a number with a fixed number of digits.

    Examples
    --------
    >>> decimal(1234.5), decimal(-0.001), decimal(3.14159, 4)
    ('1,234.50', '0.00', '3.1416')
    """
    return _number(value, digits, sign, "")


def bps(value: float | None, *, sign: bool = True) -> str:
    """Write basis points; the unit is in the column head."""
    return _number(value, 1, sign, "")


def count(value: int | None) -> str:
    """Write a whole number.

    Examples
    --------
    >>> count(12345), count(None)
    ('12,345', '–')
    """
    return NOTHING if value is None else f"{int(value):,}"


def months(n: int) -> str:
    """Write a number of months.

    Examples
    --------
    >>> months(1), months(0)
    ('1 month', '0 months')
    """
    return f"{count(n)} month{'' if n == 1 else 's'}"


def minute(time_ns: int | None) -> str:
    """Write the UTC minute of a time in nanoseconds."""
    return NOTHING if time_ns is None else f"{pd.Timestamp(time_ns):%Y-%m-%d %H:%M}"


def plain(value: Any, digits: int = 6) -> str:
    """Write a setting or a JSON value for people, to a number of significant digits.

    Examples
    --------
    >>> plain([32, 64]), plain(True), plain(None), plain(1e-3), plain(0.5)
    ('32, 64', 'yes', '–', '0.001', '0.5')
    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(plain(v, digits) for v in value) or NOTHING
    if isinstance(value, dict):
        return ", ".join(f"{k} {plain(v, digits)}" for k, v in value.items()) or NOTHING
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def _number(value: float | None, digits: int, sign: bool, unit: str) -> str:
    if value is None or not math.isfinite(value):
        return NOTHING
    value = round(value, digits) + 0.0  # no negative zero
    text = f"{abs(value):,.{digits}f}{unit}"
    return ("−" if value < 0 else "+" if sign and value > 0 else "") + text  # noqa: RUF001
