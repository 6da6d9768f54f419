"""Rows to a month: what is gathered from the files, sorted, cleaned and reported.

``intake`` gathers, ``sort`` and ``clean`` order trades and drop repeats, ``trades`` and ``candles``
make the table, ``gaps`` says what is missing, ``quality`` counts, ``report`` puts it together.
"""
