"""Any dump with a start, open, high, low, close and volume, under the names the market gives them.

Columns called ``close_time``, ``quote_volume`` or ``turnover``, ``buy_volume`` and ``symbol`` are
used without being mapped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from price_physics.ticks.formats.generic import Generic, if_present

if TYPE_CHECKING:
    from price_physics.study.market import CandleColumns


def _required(columns: CandleColumns) -> list[str]:
    c = columns
    names = [c.timestamp, c.open, c.high, c.low, c.close, c.volume]
    return [*names, *(name for name in (c.quote_volume, c.buy_volume) if name)]


def _names_of(columns: CandleColumns, names: Sequence[str]) -> dict[str, str | None]:
    return {
        "time": columns.timestamp,
        "open": columns.open,
        "high": columns.high,
        "low": columns.low,
        "price": columns.close,
        "qty": columns.volume,
        "other_qty": columns.quote_volume
        or if_present("quote_volume", names)
        or if_present("turnover", names),
        "close_time": if_present("close_time", names),
        "buy_qty": columns.buy_volume or if_present("buy_volume", names),
    }


FORMAT = Generic(
    expects="timestamp,open,high,low,close,volume, or what `columns:` names",
    meanings=frozenset({"time", "open", "high", "low", "price", "qty"}),
    required=_required,
    names_of=_names_of,
    known={
        "timestamp": (
            *("timestamp", "unix", "unixtime", "opentime", "starttime", "time"),
            *("datetime", "gmttime", "date"),
        ),
        "open": ("open",),
        "high": ("high",),
        "low": ("low",),
        "close": ("close",),
        "volume": ("volume", "vol", "qty", "quantity", "amount", "size", "basevolume"),
    },
)
