"""Any dump with a time, a price and a quantity, under the names that the market gives them.

Columns called ``trade_id``, ``is_buyer_maker``, ``side`` and ``symbol`` are used without being
mapped. ``side`` is the aggressor's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from price_physics.ticks.formats.generic import Generic, if_present

if TYPE_CHECKING:
    from price_physics.study.market import TradeColumns


def _required(columns: TradeColumns) -> list[str]:
    optional = [columns.trade_id, columns.is_buyer_maker, columns.side]
    return [columns.timestamp, columns.price, columns.qty, *(name for name in optional if name)]


def _names_of(columns: TradeColumns, names: Sequence[str]) -> dict[str, str | None]:
    maker, side = columns.is_buyer_maker, columns.side
    if maker is None and side is None:
        maker = if_present("is_buyer_maker", names)
        side = None if maker else if_present("side", names)
    return {
        "time": columns.timestamp,
        "price": columns.price,
        "qty": columns.qty,
        "trade_id": columns.trade_id or if_present("trade_id", names),
        "is_buyer_maker": maker,
        "side": side,
    }


FORMAT = Generic(
    expects="timestamp,price,qty, or what `columns:` names",
    meanings=frozenset({"time", "price", "qty"}),
    required=_required,
    names_of=_names_of,
    known={
        "timestamp": (
            *("timestamp", "unix", "unixtime", "time", "tradetime", "tsevent"),
            *("datetime", "gmttime", "date"),
        ),
        "price": ("price", "tradeprice", "lastprice"),
        "qty": ("qty", "quantity", "amount", "size", "volume", "tradesize"),
    },
)
