"""Refuse dates and clocks of digits alone that are numbers of some unit as well.

Most such times are no plausible number of seconds, milli-, micro- or nanoseconds, and are read.
Those of 10, 12, 15, 16, 18 and 19 digits are, of 1976 or of 2032 to 2036: numbers of other years,
read as a date, are of no year in which an exchange traded.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from price_physics.errors import TickDataError
from price_physics.ticks.reading.parse import PER_SECOND, UNITS

if TYPE_CHECKING:
    from price_physics.ticks.reading.rows import Part

_TO_A_SECOND = "%Y%m%d%H%M%S"
_FORMS = {10: "%Y%m%d%H", 12: "%Y%m%d%H%M"} | dict.fromkeys((15, 16, 18, 19), _TO_A_SECOND)
_YEARS = range(1970, 2101)
_N_LOOKED_AT = 100
"""Of true numbers, from 2032 on, not one in a hundred reads as a date: never all of so many."""


def refuse_compact_times(part: Part, file: str, candle_ns: int) -> None:
    """Stop where every number among the first times of a file reads as a date and a clock too.

    Parameters
    ----------
    part : Part
        The first rows of the file.
    file : str
        The name for messages.
    candle_ns : int
        Length of a candle, whose row has the time of its end; 0 for trades.

    Raises
    ------
    TickDataError
        Showing the first of them in both ways.
    """
    rows = zip(part.rows.line.tolist(), part.rows.time_ns.tolist(), part.unit.tolist(), strict=True)
    faults = [
        (fault.line, fault.time_ns, unit)
        for fault, unit in zip(part.faults, part.fault_units, strict=True)
        if fault.own_time
    ]
    first = sorted([*islice(rows, _N_LOOKED_AT), *faults[:_N_LOOKED_AT]])
    whole = [
        ((time_ns + bool(candle_ns) - candle_ns) * int(PER_SECOND[unit]) // 10**9, unit, line)
        for line, time_ns, unit in first
        if 0 < unit < len(PER_SECOND)
    ]
    moments = [compact_time(value) for value, _, _ in whole]
    if not whole or None in moments:
        return
    (value, unit, line), moment = whole[0], moments[0]
    number = datetime(1970, 1, 1) + timedelta(seconds=value // int(PER_SECOND[unit]))
    fraction = f".{str(value)[14:]}" if len(str(value)) > 14 else ""
    raise TickDataError(
        f"{file}, row {line}: the time {value} is {moment} if it is a date and a clock, and "
        f"{number} if it counts {UNITS[unit]} since 1970; write it as "
        f"{moment:%Y%m%d %H%M%S}{fraction} or in ISO 8601"
    )


def compact_time(value: int) -> datetime | None:
    """Read a number as year (1970 to 2100), month, day, hour, minute, second and fraction.

    Examples
    --------
    >>> compact_time(2019010203040512), compact_time(1546398245123456), compact_time(1341100800)
    (datetime.datetime(2019, 1, 2, 3, 4, 5), None, None)
    """
    text = str(value)
    if len(text) not in _FORMS or int(text[:4]) not in _YEARS:
        return None
    try:
        return datetime.strptime(text[:14], _FORMS[len(text)])
    except ValueError:
        return None
