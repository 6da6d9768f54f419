"""The table of the asset `bars`."""

from price_physics.schemas.table import table

BARS = table(
    "bars",
    "bars",
    "known_at",
    open_time_ns=("i64", "time of the first tick, UTC ns; start of the first candle"),
    close_time_ns=("i64", "time of the last tick; for a time bar the interval's last instant"),
    open=("f64", "first price"),
    high=("f64", "highest price"),
    low=("f64", "lowest price"),
    close=("f64", "last price"),
    volume=("f64", "base quantity"),
    notional=("f64", "quote quantity"),
    buy_volume=("f64", "base quantity bought by the aggressor"),
    vwap=("f64", "volume-weighted average price"),
    n_ticks=("i64", "ticks in the bar, or candles where the market has those"),
    partial=("bool", "closed by the end of the month, not by the rule; never an event"),
    known_at=("i64", "the close; for a partial bar the end of the month, UTC ns"),
)
