"""Ticks: vendor dumps in, one clean, sorted table of trades, or candles, a month out.

``formats/`` says which column of a vendor's file is what, ``reading/`` turns the bytes of one file
into rows, ``look`` reads the files that nobody has looked at and ``index`` remembers what they
hold, ``month/`` turns rows into a month: sorted, cleaned, with a report. ``build`` is the stage.
Nothing here knows about bars or studies.
"""
