"""Tables of the assets `excursions`, `barrier_policy` and `labels`."""

from price_physics.schemas.table import EVENT, KNOWN_AT, ODDS, table

EXCURSIONS = table(
    "excursions",
    "excursions",
    "known_at",
    event_time_ns=EVENT,
    atr=("f64", "Wilder's ATR at the event, price units"),
    favourable_atr=("f64", "largest rise over the whole horizon, in ATR, at least 0"),
    adverse_atr=("f64", "largest fall over the whole horizon, in ATR, at least 0"),
    known_at=("i64", "end of the horizon, UTC ns"),
)

BARRIER_POLICY = table(
    "barrier_policy",
    "barrier_policy",
    "known_at",
    regime=("i8", "regime served; -1 serves every regime"),
    take_profit_multiple=("f64", "take-profit, in ATR from the event's price, with the side"),
    stop_loss_multiple=("f64", "stop-loss, in ATR from the event's price, against the side"),
    n_events=("i64", "excursions behind the quantiles"),
    source=(
        "text",
        "quantile; under the floor carried, from the last month that was not, or fallback; fixed; "
        "percent of the price, not ATR",
    ),
    known_at=KNOWN_AT,
)

LABELS = table(
    "labels",
    "labels",
    "known_at",
    event_time_ns=EVENT,
    side=("i8", "+1 long, -1 short: the primary model's; +1 where the study has none"),
    label=("i8", "+1 take-profit first, -1 stop-loss first, 0 time-out, for a trade on that side"),
    label_end_ns=("i64", "when the touching tick or bar is known, or the vertical barrier, UTC ns"),
    horizon_end_ns=("i64", "vertical barrier, UTC ns"),
    price=("f64", "close of the event's bar"),
    atr=("f64", "Wilder's ATR at the event, price units"),
    take_profit_multiple=("f64", "barrier policy in force, in ATR"),
    stop_loss_multiple=("f64", "barrier policy in force, in ATR"),
    upper=("f64", "upper barrier, price: the take-profit of a long, the stop-loss of a short"),
    lower=("f64", "lower barrier, price: the stop-loss of a long, the take-profit of a short"),
    **ODDS,
    exit_price=(
        "f64",
        "the take-profit's level, or else the price of the touching or the last tick; for a stop "
        "in a bar its level less the expected overstep, or the bar's open where that is beyond",
    ),
    outcome_atr=("f64", "gross outcome on the side, in ATR: for a long (exit_price - price) / atr"),
    outcome_short_atr=(
        "f64",
        "the same for the opposite side, with the barriers swapped; a bar that does not tell "
        "which barrier was touched first is a loss to both",
    ),
    favourable_atr=("f64", "largest move with the side up to label_end, in ATR, at least 0"),
    adverse_atr=("f64", "largest move against the side up to label_end, in ATR, at least 0"),
    crosses_outage=("bool", "whether the label spans a known outage, and so does not train"),
    at_fallback=("bool", "whether its barriers are the study's fallback, and so does not train"),
    known_at=("i64", "label_end_ns; where the horizon counts bars, horizon_end_ns"),
)
