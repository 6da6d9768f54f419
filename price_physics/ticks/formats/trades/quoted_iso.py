"""Quoted text with ISO 8601 times, as recorded from Coinbase: no id."""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    versions=(
        (
            ("symbol", "symbol"),
            ("side", "side"),
            ("price", "price"),
            ("amount", "qty"),
            ("timestamp", "time"),
        ),
    ),
)
