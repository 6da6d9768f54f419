"""Bybit spot: ``id`` counts the trades of the file, from 1."""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    name="bybit_spot",
    versions=(
        (
            ("id", "trade_id"),
            ("timestamp", "time"),
            ("price", "price"),
            ("volume", "qty"),
            ("side", "side"),
            ("rpi", "flag?"),
        ),
    ),
)
