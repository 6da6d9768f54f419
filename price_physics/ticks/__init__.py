"""Ticks: vendor dumps in, one clean, sorted table of trades a month out.

``files`` finds and opens the dumps, ``formats/`` says which column of a vendor's file is what,
``parse`` turns text into numbers, ``read`` makes one file into one frame, ``clean`` sorts,
drops duplicates and infers sides, ``quality`` reports, ``build`` is the stage.
Nothing here knows about bars, studies or the store.
"""
