"""Vendor formats: which column of a dump holds what, one small module a vendor.

A format is a function from the first line of a file to its :class:`Layout`, plus, where the
vendor ships parquet, one from the column names. To add a vendor, write such a module, list it
in ``FORMATS`` and add its name to ``Market.vendor``. Values are read in ``parse``, not here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from price_physics.study import Market
from price_physics.ticks.formats import bitcoincharts, generic
from price_physics.ticks.formats.layout import Layout

__all__ = ["FORMATS", "Format", "Layout"]


@dataclass(frozen=True)
class Format:
    """How to recognise the columns of one vendor's files."""

    of_text: Callable[[str, Market, str], Layout]
    of_names: Callable[[Sequence[str], Market, str], Layout] | None = None


FORMATS: dict[str, Format] = {
    "bitcoincharts": Format(of_text=bitcoincharts.layout),
    "generic": Format(of_text=generic.layout, of_names=generic.layout_of_names),
}
