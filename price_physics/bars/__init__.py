"""Bars: clean ticks in, information-time bars out.

``kernels`` decides which tick closes a bar and sums a bar's ticks; ``build`` is the stage.
Nothing here reads vendor files, and nothing here looks past the last tick of a bar.
"""
