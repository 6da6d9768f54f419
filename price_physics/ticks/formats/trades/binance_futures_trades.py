"""Binance USD-M futures ``trades``: a header since about 2022-08.

Without one, COIN-M files look the same; the fourth column, price times quantity here, tells
them apart.
"""

from price_physics.ticks.formats.match import Format, TextRows, is_number, most


def traded(rows: TextRows) -> list[tuple[float, float, float, float]]:
    """Price, quantity, fourth column and the unit of its last digit, of the rows that traded."""
    found = []
    for row in rows:
        if len(row) == 6 and all(is_number(field) for field in row[1:4]):
            price, qty, fourth = (float(field) for field in row[1:4])
            if price > 0 and qty > 0:
                decimals = len(row[3].partition(".")[2])
                found.append((price, qty, fourth, 10.0**-decimals))
    return found


def is_quote_quantity(rows: TextRows) -> bool:
    """Say whether the fourth column is price times quantity, to its last digit."""
    return most(
        [
            abs(price * qty - fourth) <= unit + 1e-6 * price * qty
            for price, qty, fourth, unit in traded(rows)
        ]
    )


FORMAT = Format(
    versions=(
        (
            ("id", "trade_id"),
            ("price", "price"),
            ("qty", "qty"),
            ("quote_qty", "number"),
            ("time", "time"),
            ("is_buyer_maker", "is_buyer_maker"),
        ),
    ),
    relation=is_quote_quantity,
)
