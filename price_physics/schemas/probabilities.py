"""The table of the asset `probabilities`, whose columns `predictions` has too."""

from price_physics.schemas.table import EVENT, ODDS, table

OFFERED = {
    "event_time_ns": EVENT,
    "horizon_end_ns": ("i64", "vertical barrier, or its latest moment for one of bars, UTC ns"),
    "price": ("f64", "close of the event's bar"),
    "atr": ("f64", "Wilder's ATR at the event, price units"),
    "take_profit_multiple": ("f64", "barrier policy in force, in ATR"),
    "stop_loss_multiple": ("f64", "barrier policy in force, in ATR"),
    "upper": ("f64", "upper barrier, price"),
    "lower": ("f64", "lower barrier, price"),
    **ODDS,
}
"""What is known of an event without a model."""

ANSWERED = {
    "by_network": (
        "bool",
        "whether a network gave the probabilities; in warm-up they are the driftless odds",
    ),
    "p_up": ("f64", "calibrated probability of +1"),
    "p_flat": ("f64?", "calibrated probability of 0; null with the binary head"),
    "p_down": ("f64?", "calibrated probability of -1; null with the binary head"),
}
"""What the network says of it."""

PROBABILITIES = table(
    "probabilities",
    "probabilities",
    "event_time_ns",
    **OFFERED,
    side=("i8", "+1 long, -1 short: the primary model's; +1 where the study has none"),
    **ANSWERED,
)
