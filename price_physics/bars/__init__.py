"""Bars: clean ticks in, bars out: by the clock, by amounts, by what flows to one side.

``kernels`` decides which tick closes a bar and sums a bar's ticks, in one pass; ``ticks`` and
``candles`` make a month's bars of either; ``build`` is the stage. Nothing here reads vendor files,
and nothing here looks past the last tick of a bar.
"""
