"""OKX: older files name no instrument, and write each name in Chinese too, in GBK.

Spot sizes are base currency; those of swaps and dated futures count contracts.

``BTC-USDT-SWAP`` is linear, a contract is worth base currency; ``BTC-USD-SWAP`` and
``BTC-USD-240329`` are inverse, a contract is worth dollars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from price_physics.ticks.formats.contracts import count_contracts
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Sample

if TYPE_CHECKING:
    from price_physics.study.market import Market


def _contracts(layout: Layout, sample: Sample, market: Market) -> Layout:
    base_quote_kind = market.symbol.upper().split("-")
    if len(base_quote_kind) < 3:
        return layout
    return count_contracts(layout, market, sample.file, inverse=base_quote_kind[1] == "USD")


FORMAT = Format(
    versions=(
        (
            ("instrument_name", "symbol"),
            ("trade_id", "trade_id"),
            ("side", "side"),
            ("price", "price"),
            ("size", "qty"),
            ("created_time", "time"),
            ("source", "integer?"),
        ),
        (
            ("trade_id", "trade_id"),
            ("side", "side"),
            ("size", "qty"),
            ("price", "price"),
            ("created_time", "time"),
        ),
    ),
    complete=_contracts,
)
