"""Bybit perpetuals and futures: BitMEX's columns with the time in seconds.

Linear contracts count base currency. Inverse ones, such as ``BTCUSD`` and the dated
``BTCUSDH24``, count dollars, and their ``homeNotional`` holds dollars too.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Format, Sample

if TYPE_CHECKING:
    from price_physics.study.market import Market

_INVERSE = re.compile(r".+USD([FGHJKMNQUVXZ][0-9]{2})?")


def _inverse(layout: Layout, sample: Sample, market: Market) -> Layout:
    is_inverse = _INVERSE.fullmatch(market.symbol.upper()) is not None
    return replace(layout, qty_is_quote=is_inverse)


FORMAT = Format(
    versions=(
        (
            ("timestamp", "unix_time"),
            ("symbol", "symbol"),
            ("side", "side"),
            ("size", "qty"),
            ("price", "price"),
            ("tickDirection", "any"),
            ("trdMatchID", "text_id"),
            ("grossValue", "number"),
            ("homeNotional", "number"),
            ("foreignNotional", "number"),
            ("RPI", "flag?"),
        ),
    ),
    complete=_inverse,
)
