"""bitcoincharts dumps: ``unixtime,price,amount``; no header, no side, no trade id."""

from price_physics.errors import TickDataError
from price_physics.study import Market
from price_physics.ticks.formats.layout import Layout, split_line
from price_physics.ticks.parse import is_time


def layout(first_line: str, market: Market, file: str) -> Layout:
    """Check that the first row is a trade of three fields.

    Raises
    ------
    TickDataError
        When it is anything else.
    """
    fields = split_line(first_line)
    if len(fields) != 3 or not is_time(fields[0]):
        raise TickDataError(
            f"{file}, row 1: {first_line!r} is not a bitcoincharts trade 'unixtime,price,amount'; "
            f"remove the file from `files:` of configs/markets/{market.name}.yaml, or set "
            "`vendor: generic` there and map its columns"
        )
    return Layout(n_columns=3, time=0, price=1, qty=2)
