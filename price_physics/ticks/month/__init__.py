"""Rows to a month: gathered from the files, sorted, cleaned and reported.

``intake`` gathers rows, ``sort`` and ``clean`` order trades and find repeats, ``trades`` and
``candles`` make the table, ``gaps`` finds what is missing, ``quality`` counts, and ``report`` says
what became of the rows.
"""
