"""Kraken's OHLCVT archive: no header; a candle in which nothing traded is not there."""

from price_physics.ticks.formats.match import Format, TextRows, is_number, most


def _are_candles(rows: TextRows) -> bool:
    prices = [
        [float(field) for field in row[1:5]]
        for row in rows
        if len(row) == 7 and all(is_number(field) for field in row[1:5])
    ]
    return most([max(price) == price[1] and min(price) == price[2] for price in prices])


FORMAT = Format(
    versions=(
        (
            ("time|timestamp", "time"),
            ("open", "open"),
            ("high", "high"),
            ("low", "low"),
            ("close", "price"),
            ("volume", "qty"),
            ("trades|count", "integer"),
        ),
    ),
    relation=_are_candles,
)
