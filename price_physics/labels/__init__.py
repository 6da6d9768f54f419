"""Bars and ticks -> events, excursions, barrier policy and triple-barrier labels.

What a label is worth as a sample (`weights`) and where it may be used (`folds`) is not here.
"""
