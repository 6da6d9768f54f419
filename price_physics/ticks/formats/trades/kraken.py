"""Kraken's archive: no side, no id; without a header it looks like bitcoincharts, and reads so."""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    versions=((("time|timestamp", "time"), ("price", "price"), ("volume", "qty")),),
)
