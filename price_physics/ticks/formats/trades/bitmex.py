"""BitMEX: all instruments of a day in one file; times like ``2024-01-01D00:00:00.000000000``.

``size`` counts contracts of many kinds; ``homeNotional`` is the base quantity of all of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Sample

if TYPE_CHECKING:
    from price_physics.study.market import Market


def _of_all_instruments(layout: Layout, sample: Sample, market: Market) -> Layout:
    return replace(layout, mixes_symbols=True)


FORMAT = Format(
    versions=(
        (
            ("timestamp", "kdb_time"),
            ("symbol", "symbol"),
            ("side", "side"),
            ("size", "number"),
            ("price", "price"),
            ("tickDirection", "any"),
            ("trdMatchID", "text_id"),
            ("grossValue", "number"),
            ("homeNotional", "qty"),
            ("foreignNotional", "number"),
            ("trdType", "any?"),
        ),
    ),
    complete=_of_all_instruments,
)
