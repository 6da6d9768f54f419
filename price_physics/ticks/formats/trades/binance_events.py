"""Binance ``trade`` events as recorded from the websocket.

Two versions: commas with a header; semicolons without one, a uuid in front and two moments of
storage behind. ``event_time`` is when the event was sent, ``trade_time`` when the trade was.
"""

from price_physics.ticks.formats.match import ColumnKinds, Format

_EVENT: ColumnKinds = (
    ("event_type", "name"),
    ("event_time", "number"),
    ("symbol", "symbol"),
    ("trade_id", "trade_id"),
    ("price", "price"),
    ("quantity", "qty"),
    ("buyer_order_id", "integer"),
    ("seller_order_id", "integer"),
    ("trade_time", "time"),
    ("buyer_market_maker", "is_buyer_maker"),
)
_STORED: ColumnKinds = (
    ("id", "name"),
    *_EVENT,
    ("inserted_at", "any"),
    ("updated_at", "any"),
)

FORMAT = Format(versions=(_EVENT, _STORED))
