"""Tables of the asset `walk_forward`."""

from price_physics.schemas.table import EVENT, KNOWN_AT, ODDS, table

TRADES = table(
    "walk_forward",
    "trades",
    "known_at",
    event_time_ns=EVENT,
    side=("i8", "+1 long, -1 short"),
    weight=("f64", "side * size / C: what the trade adds to the book before clipping"),
    entry_time_ns=("i64?", "fill, UTC ns; null when cancelled"),
    entry_price=("f64?", "price of the filling tick; null when cancelled"),
    exit_time_ns=("i64", "fill of the exit, or the cancellation, UTC ns"),
    exit_price=("f64?", "price of the exit, for a take-profit its level; null when cancelled"),
    exit_reason=("text", "take_profit, stop_loss, time_out, stale or cancelled"),
    gross_bps=("f64", "gross return of the trade, basis points of its notional"),
    cost_bps=("f64", "round-trip cost, basis points"),
    net_bps=("f64", "gross less cost, basis points"),
    known_at=("i64", "exit_time_ns"),
)

POSITIONS = table(
    "walk_forward",
    "positions",
    "known_at",
    event_time_ns=EVENT,
    carried=("text", "in: live when the month starts, known then; out: live when it ends"),
    side=("i8", "+1 long, -1 short"),
    weight=("f64", "side * size / C"),
    entry_time_ns=("i64", "fill, UTC ns"),
    entry_price=("f64", "price of the filling tick"),
    known_at=KNOWN_AT,
)

EQUITY = table(
    "walk_forward",
    "equity",
    "time_ns",
    time_ns=("i64", "bar close, or the end of the month, UTC ns"),
    price=("f64", "close of the bar"),
    book=("f64", "exposure after this moment, in [-1, 1] of capital"),
    equity=("f64", "net of costs; 1 at the start of the month"),
    gross_equity=("f64", "before costs; 1 at the start of the month"),
)

BOOK = table(
    "walk_forward",
    "book",
    "time_ns",
    time_ns=("i64", "moment from which the book holds, UTC ns"),
    price=("f64", "market price at that moment"),
    book=("f64", "exposure in [-1, 1] of capital"),
)

DAILY = table(
    "walk_forward",
    "daily",
    "known_at",
    day_ns=("i64", "start of the UTC day, ns"),
    net_return=("f64", "return of the day after costs"),
    gross_return=("f64", "return of the day before costs"),
    cost=("f64", "costs of the day, as a fraction of capital"),
    turnover=("f64", "sum of the absolute changes of the book"),
    market_return=("f64", "buy and hold, last trade to last trade"),
    covered=("bool", "whether the day has data; one without is none, and no statistic counts it"),
    known_at=("i64", "last nanosecond of the day"),
)

SCORED = table(
    "walk_forward",
    "scored",
    "known_at",
    event_time_ns=EVENT,
    p_up=("f64", "probability predicted out of sample"),
    p_flat=("f64?", "null with the binary head"),
    p_down=("f64?", "null with the binary head"),
    **ODDS,
    side=("i8", "side the signal took"),
    label=("i8", "+1, 0 or -1, as labelled"),
    label_side=("i8", "side that the label is of: the primary model's; +1 where there is none"),
    outcome_atr=("f64", "gross outcome on the label's side (long unless meta-labelled), in ATR"),
    outcome_bps=("f64", "the same in basis points"),
    stated_bps=(
        "f64",
        "expected value before costs of the side that the model preferred, traded or not",
    ),
    returned_bps=("f64", "gross outcome of that side, basis points"),
    known_at=("i64", "end of the label, UTC ns"),
)
