"""Tables of the asset `model`."""

from price_physics.schemas.table import EVENT, KNOWN_AT, ODDS, table

OUT_OF_FOLD = table(
    "model",
    "out_of_fold",
    "known_at",
    event_time_ns=EVENT,
    fold=("i32", "fold in which the event was tested"),
    p_up=("f64", "probability of +1, calibrated on the other folds"),
    p_flat=("f64?", "the same for 0; null with the binary head"),
    p_down=("f64?", "the same for -1; null with the binary head"),
    side=("i8", "+1 long, -1 short: the primary model's; +1 where the study has none"),
    label=("i8", "+1, 0 or -1, as labelled"),
    label_end_ns=("i64", "end of the label, UTC ns"),
    price=("f64", "close of the event's bar"),
    atr=("f64", "Wilder's ATR at the event, price units"),
    take_profit_multiple=("f64", "take-profit of the side, in ATR"),
    stop_loss_multiple=("f64", "stop-loss of the side, in ATR"),
    **ODDS,
    outcome_atr=("f64", "gross outcome on the side, in ATR"),
    outcome_short_atr=("f64", "gross outcome on the opposite side, in ATR"),
    stands_for=("f64", "events of the fold's test block for each that was tested; 1 if all were"),
    known_at=KNOWN_AT,
)

LEARNING_CURVES = table(
    "model",
    "learning_curves",
    "known_at",
    fold=("i32", "number of the fold; -1 is the final fit"),
    epoch=("i32", "from 1"),
    train_loss=("f64", "weighted loss, mean over the epoch"),
    early_stop_loss=("f64?", "unweighted log loss on the early-stopping slice; null in final fit"),
    learning_rate=("f64", "at the end of the epoch"),
    known_at=KNOWN_AT,
)
