"""Formats whose rows are candles: one module a vendor, found by lying here.

A module defines ``FORMAT``, as one of trades does.
"""
