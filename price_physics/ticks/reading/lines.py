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
    line = line.replace("\r", " ")  # the csv module would end the row there
    if not closes_quotes(line, layout.delimiter):
        return Reason.OPEN_QUOTE.words
    n_fields = len(split_line(line, layout.delimiter))
    if n_fields == layout.n_columns:
        return Reason.NONE.words
    return Reason.N_FIELDS.words.format(n_fields, layout.n_columns)


def read_lines(
    lines: Sequence[str], layout: Layout, words: Mapping[str, int] | None = None
) -> tuple[Parsed, list[str]]:
    """Read whole rows, and their symbols: empty texts where the dump has none.

    `words` are as those of `parse_columns`.
    """
    fields = [split_line(line.replace("\r", " "), layout.delimiter) for line in lines]
    columns = {
        name: pa.array([row[place] for row in fields], pa.string())
        for name, place in layout.used.items()
    }
    symbols = columns.pop("symbol", pa.array([""] * len(lines))).to_pylist()
    return parse_columns(columns, layout.trade_id_is_text, words), symbols


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
