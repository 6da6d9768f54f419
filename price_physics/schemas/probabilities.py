"""The table of the asset `probabilities`."""

from price_physics.schemas.table import EVENT, ODDS, table

PROBABILITIES = table(
    "probabilities",
    "probabilities",
    "event_time_ns",
    event_time_ns=EVENT,
    horizon_end_ns=("i64", "vertical barrier, or its latest moment for one of bars, UTC ns"),
    price=("f64", "close of the event's bar"),
    atr=("f64", "Wilder's ATR at the event, price units"),
    take_profit_multiple=("f64", "barrier policy in force, in ATR"),
    stop_loss_multiple=("f64", "barrier policy in force, in ATR"),
    upper=("f64", "upper barrier, price"),
    lower=("f64", "lower barrier, price"),
    **ODDS,
    side=("i8", "+1 long, -1 short: the primary model's; +1 where the study has none"),
    by_network=(
        "bool",
        "whether a network gave the probabilities; in warm-up they are the driftless odds",
    ),
    p_up=("f64", "calibrated probability of +1"),
    p_flat=("f64?", "calibrated probability of 0; null with the binary head"),
    p_down=("f64?", "calibrated probability of -1; null with the binary head"),
)
