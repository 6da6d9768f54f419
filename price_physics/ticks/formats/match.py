"""How a format is declared, and how the first rows of a file are tested against it.

A format is a list of columns. Each has its name in the header and a kind: what its fields look
like and, for some kinds, what they mean. A file with a header is known by its names, one without
by its fields. No vendor is named here, and no value is kept.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from price_physics.ticks.formats.layout import Layout, split_line
from price_physics.ticks.reading.parse import SIGNS, is_time

if TYPE_CHECKING:
    from price_physics.study.market import Market

TextRows = Sequence[Sequence[str]]
"""The fields of rows, as texts."""

ColumnKinds = tuple[tuple[str, str], ...]
"""Of each column (names in the header, kind). Other names of one column follow a ``|``; a kind
ending in ``?`` is a column that may be missing at the end."""

_DELIMITERS = ",;\t"
_COMMENT = "#"
_BETWEEN = re.compile("[/()\uff08\uff09]")
"""What stands between a name and its translation, brackets of full width too."""
_LONGEST_SHOWN = 300
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_BOOLEANS = {"true", "false", "t", "f", "1", "0", ""}


# ---------------------------------------------------------------------------- kinds
def is_number(field: str) -> bool:
    """Say whether a field is a number; NaN and infinity are, for a row that must be set aside.

    Examples
    --------
    >>> is_number("3.844E-5"), is_number("nan"), is_number("1_000"), is_number("")
    (True, True, False, False)
    """
    try:
        float(field)
    except ValueError:
        return False
    return "_" not in field


_SIDES = {word for word in SIGNS["side"] if not is_number(word)}


def is_integer(field: str) -> bool:
    """Say whether a field is an integer that int64 holds."""
    return _INTEGER.fullmatch(field) is not None


def _is_boolean(field: str) -> bool:
    return field.lower() in _BOOLEANS


def _is_kdb_time(field: str) -> bool:
    return field[10:11] == "D" and _is_time(field)


def _is_name(field: str) -> bool:
    return bool(field) and not is_number(field)


_is_time = lru_cache(maxsize=512)(is_time)
"""Several formats ask about the same fields, and reading one time alone is slow."""

_KINDS: dict[str, Callable[[str], bool]] = {
    "time": _is_time,
    "unix_time": lambda field: is_number(field) and _is_time(field),
    "kdb_time": _is_kdb_time,
    "price": is_number,
    "qty": is_number,
    "open": is_number,
    "high": is_number,
    "low": is_number,
    "other_qty": is_number,
    "buy_qty": is_number,
    "close_time": _is_time,
    "number": is_number,
    "trade_id": is_integer,
    "text_id": lambda field: True,
    "integer": is_integer,
    "is_buyer_maker": _is_boolean,
    "flag": _is_boolean,
    "side": lambda field: field.lower() in _SIDES,
    "symbol": _is_name,
    "name": _is_name,
    "any": lambda field: True,
}
_MEANINGS = {"unix_time": "time", "kdb_time": "time", "text_id": "trade_id"} | {
    kind: kind
    for kind in (
        *("time", "price", "qty", "trade_id", "is_buyer_maker", "side", "symbol"),
        *("open", "high", "low", "other_qty", "buy_qty", "close_time"),
    )
}


# ---------------------------------------------------------------------------- samples
@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes
    ----------
    file : str
        Its name in messages.
    shown : str
        The first line, or the column names of a table.
    first : sequence of str
        The fields of the first line, or the column names.
    names : sequence of str or None
        The header; None where the first line is a row.
    rows : sequence of sequences of str
        The first rows, split.
    delimiter : str
    is_table : bool
        Parquet, which names its columns.
    """

    file: str
    shown: str
    first: Sequence[str]
    names: Sequence[str] | None
    rows: TextRows
    delimiter: str = ","
    is_table: bool = False
    row: int = 1

    @property
    def place(self) -> str:
        """The file, and where it has lines the row of the first, for messages."""
        return self.file if self.is_table else f"{self.file}, row {self.row}"

    @property
    def hint(self) -> str:
        """What else to do where the first line is not UTF-8, for messages."""
        if "\ufffd" not in self.shown:
            return ""
        named = "`encoding: gb18030` or `encoding: cp1252`"
        return f"; it is not UTF-8: name its encoding there, such as {named}"

    @classmethod
    def of_lines(cls, lines: Sequence[str], file: str, row: int = 1) -> Sample:
        """Split lines of text, the first of them row `row` of the file.

        It is a header when no field of it is a number.
        """
        delimiter = _delimiter(lines)
        first, *rest = (split_line(line, delimiter) for line in lines)
        has_header = _is_header(first)
        return cls(
            row=row,
            file=file,
            shown=lines[0][:_LONGEST_SHOWN],
            first=first,
            names=first if has_header else None,
            rows=rest if has_header else [first, *rest],
            delimiter=delimiter,
        )

    @classmethod
    def of_table(cls, names: Sequence[str], rows: TextRows, file: str) -> Sample:
        """Take the column names of a table, and some of its rows as text."""
        return cls(file, ",".join(names)[:_LONGEST_SHOWN], names, names, rows, is_table=True)


def count_preamble(lines: Sequence[str]) -> int:
    """Count the lines above a header: a title, a link, comments.

    They have another number of fields than most lines, or begin as comments do; and what follows
    them names columns. So a damaged first row is none of them.

    Examples
    --------
    >>> count_preamble(["https://vendor", "unix,price", "1315922016,5.8", "1315922017,5.9"])
    1
    >>> count_preamble(["1315922", "1315922016,5.8", "1315922017,5.9"])
    0
    """
    fields = [split_line(line, _delimiter(lines)) for line in lines]
    [(width, _)] = Counter(map(len, fields)).most_common(1)
    for place, row in enumerate(fields[:-1]):
        comment = lines[place].startswith(_COMMENT) and _is_header(fields[place + 1])
        if len(row) == width > 1 and not comment:
            return place if _is_header(row) else 0
    return 0


def _delimiter(lines: Sequence[str]) -> str:
    return max(_DELIMITERS, key="".join(lines).count)


def _is_header(fields: Sequence[str]) -> bool:
    return not any(is_number(field) for field in fields)


# ---------------------------------------------------------------------------- formats
def _any_rows(rows: TextRows) -> bool:
    return True


def _as_found(layout: Layout, sample: Sample, market: Market) -> Layout:
    return layout


@dataclass(frozen=True)
class Format:
    """A vendor's format, declared by its columns.

    Attributes
    ----------
    versions : tuple of ColumnKinds
        The columns in order, for each version of the format.
    relation : callable
        What else holds between the fields of rows that have no header.
    complete : callable
        Adds to the layout what depends on the instrument or on the first rows.

    Raises
    ------
    TypeError
        When a column is of no known kind.
    """

    versions: tuple[ColumnKinds, ...]
    relation: Callable[[TextRows], bool] = _any_rows
    complete: Callable[[Layout, Sample, Market], Layout] = _as_found

    def __post_init__(self) -> None:
        for name, kind in (column for columns in self.versions for column in columns):
            if kind.removesuffix("?") not in _KINDS:
                raise TypeError(f"column {name!r}: no kind {kind!r}; choose one of {list(_KINDS)}")

    @property
    def meanings(self) -> frozenset[str]:
        """Meanings that the columns of every version have."""
        versions = [{_MEANINGS.get(kind) for _, kind in columns} for columns in self.versions]
        return frozenset(meaning for meaning in set.intersection(*versions) if meaning)

    @property
    def expects(self) -> str:
        """Columns of all versions, for messages."""
        return " or ".join(_show(columns) for columns in self.versions)

    def match(self, sample: Sample, market: Market) -> Layout | None:
        """Return the layout of a file of this format, None for any other file.

        Raises
        ------
        ConfigError
            When the file is of this format and the market lacks what it needs.
        """
        kinds = self._kinds(sample)
        if kinds is None:
            return None
        return self.complete(_layout(kinds, sample), sample, market)

    def fits(self, sample: Sample) -> bool:
        """Say whether a file is of this format."""
        return self._kinds(sample) is not None

    def has_names(self, sample: Sample) -> bool:
        """Say whether a file has this format's names, whatever its fields look like."""
        names = sample.names or ()
        return any(_kinds_by_name(columns, names) is not None for columns in self.versions)

    def _kinds(self, sample: Sample) -> list[str] | None:
        for columns in self.versions:
            if sample.names is not None:
                kinds = _kinds_by_name(columns, sample.names)
                if kinds is not None and _times_fit(kinds, sample.rows):
                    return kinds
            else:
                kinds = _kinds_by_look(columns, sample.rows)
                if kinds is not None and self.relation(sample.rows):
                    return kinds
        return None


def most(votes: Sequence[bool]) -> bool:
    """Say whether at least half of the rows agree: some first rows of real dumps are damaged."""
    return 2 * sum(votes) >= len(votes)


def _kinds_by_name(columns: ColumnKinds, names: Sequence[str]) -> list[str] | None:
    """Return the kind at each place when the names are the columns', each of them once."""
    columns_of = {plain_name(n): column for column in columns for n in column[0].split("|")}
    found = [columns_of.get(plain_name(name)) for name in names]
    required = {column for column in columns if not column[1].endswith("?")}
    if None in found or len(set(found)) < len(found) or not required <= set(found):
        return None
    return [column[1].removesuffix("?") for column in found if column is not None]


def _kinds_by_look(columns: ColumnKinds, rows: TextRows) -> list[str] | None:
    """Return the kind at each place when most rows have as many fields, all of their kinds."""
    kinds = [kind.removesuffix("?") for _, kind in columns]
    n_required = sum(not kind.endswith("?") for _, kind in columns)
    for n_columns in range(n_required, len(columns) + 1):
        if most([_fits(kinds[:n_columns], row) for row in rows]):
            return kinds[:n_columns]
    return None


def _fits(kinds: Sequence[str], row: Sequence[str]) -> bool:
    if len(row) != len(kinds):
        return False
    return all(_KINDS[kind](field) for kind, field in zip(kinds, row, strict=True))


def _times_fit(kinds: Sequence[str], rows: TextRows) -> bool:
    """Tell apart two vendors that share their names and write times differently."""
    place, kind = next((p, k) for p, k in enumerate(kinds) if _MEANINGS.get(k) == "time")
    if kind == "time":
        return True
    times = [row[place] for row in rows if len(row) > place and _is_time(row[place])]
    return most([_KINDS[kind](time) for time in times])


def _layout(kinds: Sequence[str], sample: Sample) -> Layout:
    places = {_MEANINGS[kind]: place for place, kind in enumerate(kinds) if kind in _MEANINGS}
    layout = Layout(
        vendor="",
        n_columns=len(kinds),
        time=places.pop("time"),
        price=places.pop("price"),
        qty=places.pop("qty"),
        trade_id_is_text="text_id" in kinds,
        has_header=sample.names is not None,
        delimiter=sample.delimiter,
    )
    return replace(layout, **places)  # type: ignore[arg-type]


def plain_name(name: str) -> str:
    """Return a column's name in small letters, without blanks, a mark or its translation.

    Examples
    --------
    >>> plain_name("Trade_ID"), plain_name("price/\u4ef7\u683c"), plain_name("# Gmt time")
    ('tradeid', 'price', 'gmttime')
    """
    parts = [part for part in _BETWEEN.split(name) if part.strip() and part.isascii()]
    if not name.isascii() and parts:
        name = parts[0]
    return name.lower().lstrip(_COMMENT).replace("_", "").replace(" ", "")


def _show(columns: ColumnKinds) -> str:
    names = [name.split("|")[0] for name, _ in columns]
    optional = [kind.endswith("?") for _, kind in columns]
    return "".join(
        f"[,{name}]" if may_miss else f"{',' if place else ''}{name}"
        for place, (name, may_miss) in enumerate(zip(names, optional, strict=True))
    )
