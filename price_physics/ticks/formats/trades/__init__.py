"""Formats whose rows are trades: one module a vendor, found by lying here.

A module defines ``FORMAT``: a `match.Format` of the vendor's columns, or another
`registry.VendorFormat`. Its name is what a market calls ``vendor:``.
"""
