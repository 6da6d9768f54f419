"""Ticks or candles -> time, tick, volume, dollar, imbalance and run bars.

``kernels`` decides which tick closes a bar and sums the ticks of a bar, in one pass. ``ticks`` and
``candles`` build a month's bars from either kind of rows. ``build`` is the stage. Nothing here
reads vendor files, and nothing looks past the last tick of a bar.
"""
