"""Bytes to rows: one vendor file in; its rows, and the faults among them, out in file order.

``read`` is what others call. ``files`` finds the dumps, ``blocks`` and ``parquet`` open them,
``parts`` recognises and scans them with ``trades`` or ``candles``, ``lines`` and ``parse`` turn
odd lines and columns into numbers, ``reasons`` lists why a row is set aside, and ``rows`` holds the
shapes that are handed on.
"""
