"""Where the columns of one file are: what recognising it gives.

A row is a trade or a candle. The price of a candle is its close; it has an open, high and low too.
"""

import csv
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """What one file's columns are: positions from 0, None where the dump has no such column.

    Attributes
    ----------
    vendor : str
        The format that recognised the file; its own modules leave it empty.
    n_columns : int
        Fields of every whole row.
    time, price, qty : int
        Required columns; of candles start, close and volume.
    trade_id, is_buyer_maker, side, symbol : int or None
        Optional columns; at most one of `is_buyer_maker` and `side`.
    open, high, low : int or None
        Required columns of candles.
    close_time, other_qty, buy_qty : int or None
        Optional columns of candles: the end, the volume in the other currency than `qty`'s, and the
        part of `qty` that the aggressor bought.
    mixes_symbols : bool
        The vendor puts all instruments into one file: rows of others are passed over. Elsewhere
        such a row stops the month.
    trade_id_is_text : bool
        The id is a uuid or the like: it tells trades apart, but does not order them.
    has_header : bool
        Whether the first line names the columns.
    delimiter : str
        One character.
    qty_scale : float
        Base quantity of one unit of the column `qty`: the size of a contract.
    qty_is_quote : bool
        `qty` (after scaling) is in quote currency: divided by the price it is a base quantity.
    """

    vendor: str
    n_columns: int
    time: int
    price: int
    qty: int
    trade_id: int | None = None
    is_buyer_maker: int | None = None
    side: int | None = None
    symbol: int | None = None
    open: int | None = None
    high: int | None = None
    low: int | None = None
    close_time: int | None = None
    other_qty: int | None = None
    buy_qty: int | None = None
    mixes_symbols: bool = False
    trade_id_is_text: bool = False
    has_header: bool = False
    delimiter: str = ","
    qty_scale: float = 1.0
    qty_is_quote: bool = False

    @property
    def used(self) -> dict[str, int]:
        """Map the meaning of each column to read to its position."""
        places = {
            "time": self.time,
            "price": self.price,
            "qty": self.qty,
            "trade_id": self.trade_id,
            "is_buyer_maker": self.is_buyer_maker,
            "side": self.side,
            "symbol": self.symbol,
            "open": self.open,
            "high": self.high,
            "low": self.low,
            "close_time": self.close_time,
            "other_qty": self.other_qty,
            "buy_qty": self.buy_qty,
        }
        return {name: place for name, place in places.items() if place is not None}


def split_line(line: str, delimiter: str = ",") -> list[str]:
    """Split one line of a CSV into stripped fields; none if it is no CSV.

    Examples
    --------
    >>> split_line('1,"BTC,USD", 5.0')
    ['1', 'BTC,USD', '5.0']
    """
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error:
        return []
