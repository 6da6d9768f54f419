"""The table of the asset `weights`."""

from price_physics.schemas.table import EVENT, KNOWN_AT, table

WEIGHTS = table(
    "weights",
    "weights",
    "known_at",
    event_time_ns=EVENT,
    average_uniqueness=("f64", "mean of 1 / concurrency over the label's bars, in (0, 1]"),
    known_at=KNOWN_AT,
)
