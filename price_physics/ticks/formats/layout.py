"""The shape that every vendor module fills in: where the columns of one file are."""

import csv
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """Positions of a file's columns, from 0; None where the dump has no such column.

    Attributes
    ----------
    n_columns : int
        Fields of every whole row.
    time, price, qty : int
        Required columns.
    trade_id, is_buyer_maker, side : int or None
        Optional columns; at most one of the last two.
    has_header : bool
        Whether the first line names the columns.
    delimiter : str
        One character.
    """

    n_columns: int
    time: int
    price: int
    qty: int
    trade_id: int | None = None
    is_buyer_maker: int | None = None
    side: int | None = None
    has_header: bool = False
    delimiter: str = ","

    @property
    def used(self) -> dict[str, int]:
        """The columns to read, by the name of their meaning."""
        places = {
            "time": self.time,
            "price": self.price,
            "qty": self.qty,
            "trade_id": self.trade_id,
            "is_buyer_maker": self.is_buyer_maker,
            "side": self.side,
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
