"""bitcoincharts (Bitstamp, Intersango, ...): no header, no side, no id; whole seconds."""

from price_physics.ticks.formats.match import Format

FORMAT = Format(
    versions=((("unixtime", "time"), ("price", "price"), ("amount", "qty")),),
)
