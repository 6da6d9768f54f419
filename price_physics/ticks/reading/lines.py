"""Read the odd lines of a CSV: those that ``kernels`` hands back.

Each is split by the csv module and read by ``parse``, and turns out to be a row, a row with a
fault, or no row at all. Nothing here is fast: odd lines are few.
"""

import csv
from collections.abc import Mapping, Sequence

import pyarrow as pa

from price_physics.ticks.formats.layout import Layout, split_line
from price_physics.ticks.reading.parse import Parsed, parse_columns
from price_physics.ticks.reading.reasons import Reason


def torn_reason(line: str, layout: Layout) -> str:
    """Say why a line is no row of the layout's width; empty when it is one."""
    if not closes_quotes(_in_one(line), layout.delimiter):
        return Reason.OPEN_QUOTE.words
    n_fields = len(fields_of(line, layout))
    if n_fields == layout.n_columns:
        return Reason.NONE.words
    return Reason.N_FIELDS.words.format(n_fields, layout.n_columns)


def read_lines(
    lines: Sequence[str], layout: Layout, words: Mapping[str, int] | None = None
) -> tuple[Parsed, list[str]]:
    """Read whole rows, and their symbols: empty texts where the dump has none.

    `words` are as those of `parse_columns`.
    """
    fields = [fields_of(line, layout) for line in lines]
    columns = {
        name: pa.array([row[place] for row in fields], pa.string())
        for name, place in layout.used.items()
    }
    symbols = columns.pop("symbol", pa.array([""] * len(lines))).to_pylist()
    return parse_columns(columns, layout.trade_id_is_text, words), symbols


def fields_of(line: str, layout: Layout) -> list[str]:
    """Split one line of a file into its fields, a carriage return within it being a space."""
    return split_line(_in_one(line), layout.delimiter)


def _in_one(line: str) -> str:
    return line.replace("\r", " ")  # the csv module would end the row there


def closes_quotes(line: str, delimiter: str) -> bool:
    """Say whether every quote of a line is closed on it.

    Examples
    --------
    >>> closes_quotes('"a","b,c"', ","), closes_quotes('"a","b', ",")
    (True, False)
    """
    try:
        return len(list(csv.reader([line + "\n", "next"], delimiter=delimiter))) == 2
    except csv.Error:
        return False
