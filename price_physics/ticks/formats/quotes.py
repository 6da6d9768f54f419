"""Files that hold no trades and look as if they did: quotes, and candles of quotes.

Nobody need have traded at a bid or an ask, so neither is a price of a trade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from price_physics.errors import TickDataError
from price_physics.ticks.formats.match import is_number, plain_name
from price_physics.ticks.reading.rows import kind_of_rows

if TYPE_CHECKING:
    from price_physics.study.market import Market
    from price_physics.ticks.formats.match import Sample

_BIDS = {"bid", "bidprice", "bestbid", "bestbidprice", "bidpx", "bidpx00"}
_ASKS = {"ask", "askprice", "bestask", "bestaskprice", "askpx", "askpx00", "offer"}
_CLOSE, _NEARLY_ALL = 0.01, 0.9
"""How near bid and ask are, and in how many of the first rows."""
_PRICES = ("price", "last", "trade", "rate", "px")
_VOLUMES = ("vol", "qty", "quantity", "amount", "size", "turnover")


def refuse_quotes(sample: Sample, market: Market) -> None:
    """Stop at a file whose columns are a bid and an ask, or candles without any volume.

    Without names a file is of quotes where all it holds beside the time are two numbers, and at
    most one more, and the first two hardly differ: no quantity follows the price so closely.

    Raises
    ------
    TickDataError
        Naming the columns.
    """
    names = sample.names
    if names is None and market.header and len(market.header) == len(sample.first):
        names = market.header
    if names is None:
        if kind_of_rows(market) == "trades" and _look_like_quotes(sample):
            raise TickDataError(
                f"{sample.place}: {sample.shown!r} looks like quotes, a time, a bid and an ask, "
                "and no trades; take the vendor's file of trades, or if it is one, name its "
                f"columns under `header:` in configs/markets/{market.name}.yaml"
            )
        return
    plain = {plain_name(name) for name in names}
    if kind_of_rows(market) == "candles":
        lacks_volume = not any(word in name for name in plain for word in _VOLUMES)
        if lacks_volume and {"open", "high", "low", "close"} <= plain:
            raise TickDataError(
                f"{sample.place}: the columns {list(names)} are candles without a volume: these "
                "are quotes, marks or an index, not trades; take the venue's candles of trades"
            )
        return
    mapped = plain_name(market.columns.price)  # type: ignore[union-attr]
    quoted = _BIDS | _ASKS
    has_price = any(name.startswith(_PRICES) for name in plain) or mapped in plain - quoted
    if plain & _BIDS and plain & _ASKS and (mapped in quoted or not has_price):
        raise TickDataError(
            f"{sample.place}: the columns {list(names)} are quotes, a bid and an ask, and no "
            "trades: nobody need have traded at either; take the vendor's file of trades"
        )


def _look_like_quotes(sample: Sample) -> bool:
    pairs = [
        (float(row[1]), float(row[2]))
        for row in sample.rows
        if len(row) in (3, 4) and is_number(row[1]) and is_number(row[2])
    ]
    near = [bid > 0 and abs(ask / bid - 1) < _CLOSE for bid, ask in pairs]
    return len(set(pairs)) > 2 and sum(near) >= _NEARLY_ALL * len(sample.rows)
