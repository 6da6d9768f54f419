"""Tables of the asset `ticks`: clean trades or candles, and the rows set aside."""

from price_physics.schemas.table import KNOWN_AT, table

TICKS = table(
    "ticks",
    "ticks",
    "time_ns",
    time_ns=("i64", "trade time, UTC ns"),
    trade_id=("i64?", "the venue's trade id; null where the dump has none"),
    price=("f64", "price in quote currency"),
    qty=("f64", "quantity in base currency"),
    tick_sign=("i8", "+1 the buyer is the aggressor, -1 the seller"),
)

CANDLES = table(
    "ticks",
    "candles",
    "close_time_ns",
    open_time_ns=("i64", "start of the candle, UTC ns; of its prices only the open is known then"),
    close_time_ns=("i64", "last instant of the candle, UTC ns"),
    open=("f64", "first price"),
    high=("f64", "highest price"),
    low=("f64", "lowest price"),
    close=("f64", "last price"),
    volume=("f64", "base quantity"),
    notional=("f64", "quote quantity; volume * (high + low + close) / 3 where the dump has none"),
    buy_volume=(
        "f64",
        "base quantity bought by the aggressor; where the dump has none, all or nothing by the "
        "sign of the last change of the close",
    ),
)

QUARANTINE = table(
    "ticks",
    "quarantine",
    "known_at",
    file=("text", "vendor file, relative to the project"),
    row=("i64", "1-based line in that file"),
    reason=("text", "why the row was set aside"),
    raw=("text", "the row as it was read"),
    known_at=KNOWN_AT,
)
