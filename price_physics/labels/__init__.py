"""Bars and ticks -> events, excursions, barrier policy and triple-barrier labels.

`weights` says what a label is worth as a sample, `folds` where it may be used.
"""
