"""Binance COIN-M futures ``trades``: ``qty`` counts contracts, so ``base_qty`` is the quantity.

Without a header USD-M files look the same; here the fourth column is a constant number of
dollars a contract, times contracts, over the price.
"""

from statistics import median

from price_physics.ticks.formats.match import Format, TextRows, most
from price_physics.ticks.formats.trades.binance_futures_trades import is_quote_quantity, traded


def _is_base_quantity(rows: TextRows) -> bool:
    """Say whether the fourth column is contracts over price, times one constant."""
    trades = traded(rows)
    if not trades:
        return True
    if is_quote_quantity(rows):
        return False
    dollars = median(price * base / contracts for price, contracts, base, _ in trades)
    return dollars > 0 and most(
        [
            abs(price * base / contracts - dollars) <= dollars / 100 + unit * price / contracts
            for price, contracts, base, unit in trades
        ]
    )


FORMAT = Format(
    versions=(
        (
            ("id", "trade_id"),
            ("price", "price"),
            ("qty", "number"),
            ("base_qty", "qty"),
            ("time", "time"),
            ("is_buyer_maker", "is_buyer_maker"),
        ),
    ),
    relation=_is_base_quantity,
)
