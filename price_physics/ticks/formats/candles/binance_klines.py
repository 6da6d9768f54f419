"""Binance ``klines``: spot files carry no header, those of futures have one since about 2022-06.

Those of COIN-M futures have the same names, and count contracts: ``volume`` is of contracts, and
``quote_volume`` is in base currency. Volume over volume tells: it is a price of the candle, or not;
so does ``contract_is_inverse`` of the market.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from price_physics.ticks.formats.contracts import count_contracts
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Sample, is_number, most

if TYPE_CHECKING:
    from price_physics.study.market import Market


def _count_contracts_of_coin_margined(layout: Layout, sample: Sample, market: Market) -> Layout:
    places = [layout.used[name] for name in ("high", "low", "qty", "other_qty")]
    votes = []
    for row in sample.rows:
        fields = [row[place] for place in places if place < len(row)]
        if len(fields) == len(places) and all(is_number(field) for field in fields):
            high, low, volume, other = map(float, fields)
            if volume > 0:
                votes.append(0.999 * low <= other / volume <= 1.001 * high)
    # while nobody trades the market's YAML tells: spot and USD-M files count no contracts
    counts = not most(votes) if votes else market.contract_size is not None
    if not counts and not market.contract_is_inverse:
        return layout
    return count_contracts(layout, market, sample.file, inverse=True)


FORMAT = Format(
    versions=(
        (
            ("open_time", "time"),
            ("open", "open"),
            ("high", "high"),
            ("low", "low"),
            ("close", "price"),
            ("volume", "qty"),
            ("close_time", "close_time"),
            ("quote_volume|quote_asset_volume|base_asset_volume", "other_qty"),
            ("count|number_of_trades|trades", "number"),
            ("taker_buy_volume|taker_buy_base_asset_volume", "buy_qty"),
            ("taker_buy_quote_volume|taker_buy_quote_asset_volume", "number"),
            ("ignore", "any?"),
        ),
    ),
    complete=_count_contracts_of_coin_margined,
)
