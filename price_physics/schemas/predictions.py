"""The table of the asset `predictions`."""

from price_physics.schemas.table import EVENT, ODDS, table

PREDICTIONS = table(
    "predictions",
    "predictions",
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
    by_network=(
        "bool",
        "whether a network gave the probabilities; in warm-up they are the driftless odds",
    ),
    p_up=("f64", "calibrated probability of +1"),
    p_flat=("f64?", "calibrated probability of 0; null with the binary head"),
    p_down=("f64?", "calibrated probability of -1; null with the binary head"),
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
