"""Vendor formats: which column of a dump holds what, one module a vendor.

A file is of the format that its first rows fit, whatever its name. To add a vendor, put a module
with its columns into ``trades/`` or, if its rows are candles, into ``candles/``. ``registry`` finds
these modules and says what one must have, ``match`` declares columns and tests rows against them,
``contracts`` scales quantities of contracts, ``generic`` lets a market name its columns itself,
``recognise`` picks the format of a file, and ``layout`` is the result. ``reading/`` reads values.
"""
