"""Binance ``aggTrades``: fills of one order at one price in one row.

Spot files have eight columns and no header, futures files seven and, since about 2022-08, a
header. In COIN-M futures the quantity counts contracts worth quote currency; only the symbol
says so, such as ``BTCUSD_PERP`` or ``BTCUSD_240329``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from price_physics.ticks.formats.contracts import count_contracts
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Sample

if TYPE_CHECKING:
    from price_physics.study.market import Market

_COIN_FUTURE = re.compile(r".+USD_(PERP|[0-9]{6})")


def _coin_futures(layout: Layout, sample: Sample, market: Market) -> Layout:
    if _COIN_FUTURE.fullmatch(market.symbol.upper()):
        return count_contracts(layout, market, sample.file, inverse=True)
    return layout


FORMAT = Format(
    versions=(
        (
            ("agg_trade_id|agg_id", "trade_id"),
            ("price", "price"),
            ("quantity|qty", "qty"),
            ("first_trade_id|first_id", "integer"),
            ("last_trade_id|last_id", "integer"),
            ("transact_time|time", "time"),
            ("is_buyer_maker", "is_buyer_maker"),
            ("is_best_match", "flag?"),
        ),
    ),
    complete=_coin_futures,
)
