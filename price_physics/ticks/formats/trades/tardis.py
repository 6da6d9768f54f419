"""Tardis: one schema for many venues; ``timestamp`` is the venue's, the other the recorder's.

Ids are the venue's: integers, text or nothing. ``amount`` is in the venue's unit: where that is
a contract, the market's ``contract_size`` says what one is worth.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from price_physics.ticks.formats.contracts import count_contracts
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Sample, is_integer, most

if TYPE_CHECKING:
    from price_physics.study.market import Market

_COUNT_CONTRACTS = {
    "binance-delivery",
    "bitmex",
    "cryptofacilities",
    "deribit",
    "huobi-dm",
    "huobi-dm-linear-swap",
    "huobi-dm-swap",
    "okex-futures",
    "okex-swap",
}
"""Venues whose amounts are contracts, by their name in the column ``exchange``."""


def _ids_and_amounts(layout: Layout, sample: Sample, market: Market) -> Layout:
    place = layout.trade_id
    fields = [row[place] for row in sample.rows if place is not None and place < len(row)]
    ids = [field for field in fields if field]
    layout = replace(
        layout,
        trade_id=place if ids else None,
        trade_id_is_text=not most([is_integer(field) for field in ids]),
    )
    if market.contract_size or any(_COUNT_CONTRACTS.intersection(row) for row in sample.rows):
        inverse = market.contract_is_inverse
        return count_contracts(layout, market, sample.file, inverse=inverse)
    return layout


FORMAT = Format(
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
