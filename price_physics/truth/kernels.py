"""Rows of text from arrays of integers: exact decimals, many million rows a second."""

import numpy as np
from numba import njit

TEXT, BYTES = -1, -2
"""Kinds of columns without numbers: words of a list, or bytes."""


@njit(cache=True, nogil=True)
def format_rows(values, kinds, words, word_stop, raw, out):
    """Write comma-separated lines into a buffer.

    Parameters
    ----------
    values : int64 array of shape (n_columns, n_rows)
        Non-negative integers, or positions in `words`; ignored for ``BYTES``.
    kinds : int64 array of shape (n_columns,)
        Number of decimals of a number, ``TEXT`` or ``BYTES``.
    words : uint8 array of shape (n,)
        All words, one after the other.
    word_stop : int64 array of shape (n_words + 1,)
        Word w is ``words[word_stop[w]:word_stop[w + 1]]``.
    raw : uint8 array of shape (n_rows, width)
        The bytes of the ``BYTES`` column.
    out : uint8 array
        Must be long enough: the caller knows the longest line.

    Returns
    -------
    int
        Bytes written.

    Examples
    --------
    >>> out = np.empty(30, np.uint8)
    >>> words = np.frombuffer(b"buysell", np.uint8)
    >>> values, kinds = np.array([[420001, 7], [0, 1]]), np.array([1, TEXT])
    >>> n = format_rows(values, kinds, words, np.array([0, 3, 7]), np.empty((2, 0), np.uint8), out)
    >>> out[:n].tobytes()
    b'42000.1,buy\\n0.7,sell\\n'
    """
    at = 0
    for row in range(values.shape[1]):
        for column in range(len(kinds)):
            kind = kinds[column]
            if kind == TEXT:
                word = values[column, row]
                for i in range(word_stop[word], word_stop[word + 1]):
                    out[at] = words[i]
                    at += 1
            elif kind == BYTES:
                for i in range(raw.shape[1]):
                    out[at] = raw[row, i]
                    at += 1
            else:
                at = _write_decimal(out, at, values[column, row], kind)
            out[at] = 44  # a comma
            at += 1
        out[at - 1] = 10  # the last one is a newline
    return at


@njit(cache=True, nogil=True)
def _write_decimal(out, at, value, n_decimals):
    """Write ``value / 10**n_decimals`` with all its decimals; return where it ends."""
    ten = np.uint64(10)  # unsigned division is several times faster
    rest, bound, n_digits = np.uint64(value), ten, 1
    while n_digits < 19 and rest >= bound:
        n_digits += 1
        bound *= ten
    n_digits = max(n_digits, n_decimals + 1)
    stop = at + n_digits + (1 if n_decimals > 0 else 0)
    place = stop
    for i in range(n_digits):
        if i == n_decimals and i > 0:
            place -= 1
            out[place] = 46  # the point
        place -= 1
        tens = rest // ten
        out[place] = 48 + (rest - tens * ten)
        rest = tens
    return stop
