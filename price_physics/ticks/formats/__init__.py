"""Vendor formats: which column of a dump holds what, one module a vendor.

A file is of the format that its first rows fit, whatever its name. To add a vendor, put a module
with its columns into ``trades/`` or, if its rows are candles, into ``candles/``: see ``registry``.
``match`` says how columns are declared and tested, ``layout`` what comes of it, ``contracts`` how
quantities of contracts are scaled, ``generic`` how a market names its columns itself, and
``recognise`` whose file it is. Values are read elsewhere.
"""
