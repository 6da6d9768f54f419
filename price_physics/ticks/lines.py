"""Lines of CSV text to columns of text, every row keeping the place of its line.

pyarrow does the splitting. It drops rows of another width and reads on over an open quote, so
what it returns is counted against the lines there were. Values are read in ``parse``.
"""

import csv
import io

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from price_physics.ticks.formats.layout import Layout

_OPEN_QUOTE = "a quote is never closed"


def split_lines(
    data: bytes, layout: Layout
) -> tuple[dict[str, pa.Array], NDArray[np.int64], dict[int, str]]:
    """Split whole lines into the columns that the layout uses.

    Parameters
    ----------
    data : bytes
        Lines, the last one with or without its newline.
    layout : Layout
        Where the columns are.

    Returns
    -------
    columns : dict of string arrays of shape (n_rows,)
        By meaning.
    places : int64 array of shape (n_rows,)
        Line of each row, from 0. Blank lines are no rows.
    torn : dict of int to str
        Line, from 0, and reason of every line that is not a row of the layout's width.

    Raises
    ------
    ValueError
        When quotes and lines cannot be matched.
    """
    if b"\r" in data:  # pyarrow would take a stray one for the end of a row
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    if not data.isascii():
        data = data.decode("utf-8", "replace").encode()
    n_lines = data.count(b"\n") + (not data.endswith(b"\n"))
    table, misfits = _split(data, layout)
    if table.num_rows + len(misfits) != n_lines:  # an open quote swallowed the lines after it
        lines = data.removesuffix(b"\n").split(b"\n")
        open_quotes = {p for p, raw in enumerate(lines) if not closes_quotes(raw, layout.delimiter)}
        kept = [b"" if place in open_quotes else line for place, line in enumerate(lines)]
        data = b"\n".join(kept) + b"\n"
        table, misfits = _split(data, layout)
        if table.num_rows + len(misfits) != n_lines:
            raise ValueError("quotes and lines cannot be matched")
        torn = misfits | dict.fromkeys(open_quotes, _OPEN_QUOTE)
    else:
        torn = misfits
    places = np.delete(np.arange(n_lines), sorted(misfits))
    keep = _not_blank(table, places, data, layout)
    columns = {
        name: table.column(f"{place}").combine_chunks().filter(pa.array(keep))
        for name, place in layout.used.items()
    }
    return columns, places[keep], {place: torn[place] for place in sorted(torn) if torn[place]}


def closes_quotes(line: bytes, delimiter: str) -> bool:
    """Say whether every quote of a line is closed on it.

    Examples
    --------
    >>> closes_quotes(b'"a","b,c"', ","), closes_quotes(b'"a","b', ",")
    (True, False)
    """
    two_lines = [line.decode("utf-8", "replace") + "\n", "next"]
    try:
        return len(list(csv.reader(two_lines, delimiter=delimiter))) == 2
    except csv.Error:
        return False


def _split(data: bytes, layout: Layout) -> tuple[pa.Table, dict[int, str]]:
    """Return the used columns as text, and the lines of another width with the reason.

    The reason is empty for a line of white space.
    """
    names = [str(place) for place in range(layout.n_columns)]
    used = [str(place) for place in dict.fromkeys(layout.used.values())]
    misfits: dict[int, str] = {}

    def set_aside(row: pa.csv.InvalidRow) -> str:
        reason = f"row has {row.actual_columns} fields, not {layout.n_columns}"
        if not closes_quotes(row.text.encode(), layout.delimiter):
            reason = _OPEN_QUOTE
        misfits[row.number - 1] = reason if row.text.strip() else ""
        return "skip"

    table = pa.csv.read_csv(
        io.BytesIO(data),
        # one block on one thread: only then do misfits come with their line
        pa.csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
        pa.csv.ParseOptions(
            delimiter=layout.delimiter, invalid_row_handler=set_aside, ignore_empty_lines=False
        ),
        pa.csv.ConvertOptions(
            column_types=dict.fromkeys(used, pa.string()),
            include_columns=used,
            strings_can_be_null=False,
        ),
    )
    return table, misfits


def _not_blank(
    table: pa.Table, places: NDArray[np.int64], data: bytes, layout: Layout
) -> NDArray[np.bool_]:
    keep = np.ones(len(places), bool)
    without_time = pa.compute.equal(table.column(str(layout.time)), "")
    suspects = np.flatnonzero(np.array(without_time.combine_chunks(), bool))
    if suspects.size:
        lines = data.split(b"\n")
        keep[suspects] = [bool(lines[places[row]].strip()) for row in suspects]
    return keep
