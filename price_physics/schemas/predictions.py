"""The table of the asset `predictions`."""

from price_physics.schemas.probabilities import ANSWERED, OFFERED
from price_physics.schemas.table import table

PREDICTIONS = table(
    "predictions",
    "predictions",
    "event_time_ns",
    **OFFERED,
    **ANSWERED,
    gross_value_long_bps=(
        "f64?",
        "expected gross return of a long, basis points; null where a primary model says short",
    ),
    gross_value_short_bps=(
        "f64?",
        "the same of a short; null with the binary head, unless a primary model says short",
    ),
    expected_value_long_bps=(
        "f64?",
        "the gross value less a round trip, which decides; null where a primary model says short",
    ),
    expected_value_short_bps=(
        "f64?",
        "the same for a short; null with the binary head, unless a primary model says short",
    ),
    margin=(
        "f64",
        "share of the more valuable side's probability that lies above break-even after costs",
    ),
    side=("i8", "+1 long, -1 short, 0 no trade"),
    size=("f64", "size of the bet in [0, 1]; 0 where side is 0"),
    book_scale=("f64", "C: out-of-fold 95th percentile of the summed live sizes"),
)
