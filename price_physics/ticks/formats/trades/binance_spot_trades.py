"""Binance spot ``trades``: a zip a month or a day, without header; ms, µs from 2025 on."""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    versions=(
        (
            ("id", "trade_id"),
            ("price", "price"),
            ("qty", "qty"),
            ("quote_qty", "number"),
            ("time", "time"),
            ("is_buyer_maker", "is_buyer_maker"),
            ("is_best_match", "flag"),
        ),
    ),
)
