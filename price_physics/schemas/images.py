"""Tables of the asset `images`."""

from price_physics.schemas.table import EVENT, table

IMAGE_WINDOWS = table(
    "images",
    "windows",
    "event_time_ns",
    event_time_ns=EVENT,
    window_start_ns=("i64", "open of the first bar of the longest window, UTC ns"),
)

DROPPED_WINDOWS = table(
    "images",
    "dropped",
    "event_time_ns",
    event_time_ns=EVENT,
    n_bars=("i64", "bars up to the event, its own included"),
    reason=("text", "why the event has no image"),
)
