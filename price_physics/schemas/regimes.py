"""The table of the asset `regime_features`."""

from price_physics.schemas.table import EVENT, table

REGIME_FEATURES = table(
    "regime_features",
    "regime_features",
    "event_time_ns",
    event_time_ns=EVENT,
    trailing_return=("f64", "log return over the study's return span"),
    trailing_volatility=("f64", "root of summed squared log bar returns over the span"),
    time_of_day_sin=("f64", "sine of the UTC time of day"),
    time_of_day_cos=("f64", "cosine of the UTC time of day"),
    day_of_week_sin=("f64", "sine of the UTC day of week"),
    day_of_week_cos=("f64", "cosine of the UTC day of week"),
    regime=("i8", "0 calm, 1 middle, 2 wild: terciles of earlier months' volatility"),
)

FEATURE_COLUMNS = REGIME_FEATURES.columns[1:7]
"""What the network's head may see besides the image, in this order."""
