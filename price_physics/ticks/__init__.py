"""Ticks: vendor dumps in, one clean, sorted table of trades or candles a month out.

``formats/`` knows the columns of every vendor, ``reading/`` turns the bytes of one file into rows,
``look`` reads new files and ``index`` remembers what each holds, ``month/`` turns rows into a
month: sorted, cleaned, with a report. ``build`` is the stage. Nothing here knows bars or studies.
"""
