"""Bytes to rows: one vendor file in, its rows and what is wrong with others out, in file order.

``files`` finds the dumps, ``blocks`` and ``parquet`` open them, ``parts`` has them recognised and
scanned, by ``trades`` or ``candles``; ``lines`` and ``parse`` turn odd lines and columns into
numbers, ``reasons`` says why a row is set aside, ``rows`` what is handed on, and ``read`` is what
others call.
"""
