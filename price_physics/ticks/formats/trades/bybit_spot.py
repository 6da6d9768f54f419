"""Bybit spot: ``id`` counts the trades of the file, from 1.

It tells no trade of another file apart, so it is not read as an id.
"""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    versions=(
        (
            ("id", "integer"),
            ("timestamp", "time"),
            ("price", "price"),
            ("volume", "qty"),
            ("side", "side"),
            ("rpi", "flag?"),
        ),
    ),
)
