"""Tardis: one schema for many venues; ``timestamp`` is the venue's, the other the recorder's.

Ids are the venue's: integers, text or nothing. ``amount`` is in the venue's unit: where that is
a contract worth base currency, the market's ``contract_size`` says how much.
"""

from dataclasses import replace

from price_physics.study import Market
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Sample, is_integer


def _ids_and_amounts(layout: Layout, sample: Sample, market: Market) -> Layout:
    place = layout.trade_id
    fields = [row[place] for row in sample.rows if place is not None and place < len(row)]
    ids = [field for field in fields if field]
    return replace(
        layout,
        trade_id=place if ids else None,
        trade_id_is_text=not all(is_integer(field) for field in ids),
        qty_scale=market.contract_size or 1.0,
    )


FORMAT = Format(
    name="tardis",
    versions=(
        (
            ("exchange", "name"),
            ("symbol", "symbol"),
            ("timestamp", "time"),
            ("local_timestamp", "number"),
            ("id", "text_id"),
            ("side", "side"),
            ("price", "price"),
            ("amount", "qty"),
        ),
    ),
    complete=_ids_and_amounts,
)
