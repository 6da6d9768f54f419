"""Calendar months in UTC: the partition of every asset.

Month m is ``[start_ns, stop_ns)`` by trade time; ``end_ns`` is its last nanosecond, inclusive.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_KEY = re.compile(r"(\d{4})-(\d{2})(?:-01)?")
_NS = 1_000_000_000


@dataclass(frozen=True, order=True)
class Month:
    """One calendar month, UTC.

    Examples
    --------
    >>> m = Month.parse("2012-01")
    >>> m - 1, m + 1, m.key
    (Month('2011-12'), Month('2012-02'), '2012-01-01')
    >>> (m + 1) - m
    1
    """

    year: int
    month: int

    @classmethod
    def parse(cls, text: "str | Month") -> "Month":
        """Read ``YYYY-MM`` or the Dagster partition key ``YYYY-MM-01``.

        Raises
        ------
        ValueError
            For anything else.
        """
        if isinstance(text, Month):
            return text
        match = _KEY.fullmatch(text) if isinstance(text, str) else None
        if match is None or not 1 <= int(match[2]) <= 12:
            raise ValueError(f"{text!r} is not a month; write it as YYYY-MM, for example 2012-03")
        if not 1700 <= int(match[1]) <= 2200:
            raise ValueError(f"{text!r} is out of range: int64 nanoseconds hold 1700 to 2200")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, time_ns: int) -> "Month":
        """Return the month that holds a UTC time in nanoseconds."""
        moment = datetime.fromtimestamp(time_ns // _NS, tz=UTC)
        return cls(moment.year, moment.month)

    @classmethod
    def span(cls, first: "Month", last: "Month") -> "list[Month]":
        """List the months from `first` to `last`, both inclusive."""
        return [first + i for i in range(last - first + 1)]

    @property
    def start_ns(self) -> int:
        return int(datetime(self.year, self.month, 1, tzinfo=UTC).timestamp()) * _NS

    @property
    def stop_ns(self) -> int:
        return (self + 1).start_ns

    @property
    def end_ns(self) -> int:
        return self.stop_ns - 1

    @property
    def key(self) -> str:
        """The Dagster partition key."""
        return f"{self}-01"

    def __add__(self, months: int) -> "Month":
        year, month = divmod(self.year * 12 + self.month - 1 + months, 12)
        return Month(year, month + 1)

    def __sub__(self, other):
        """Month minus months is a month; month minus month is a number of months."""
        if isinstance(other, Month):
            return (self.year - other.year) * 12 + self.month - other.month
        return self + (-other)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def __repr__(self) -> str:
        return f"Month('{self}')"
