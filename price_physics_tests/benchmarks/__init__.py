"""Timings beside the packages people would use instead: ``make bench``.

``harness`` runs contenders in turn, each in a process and an environment of its own; ``data``
makes the ticks; ``ours`` and ``peers/*`` are the contenders; ``ticks_bars`` is the first section.
Nothing here is timed by the ordinary tests.
"""
