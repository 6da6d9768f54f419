"""Read, write and tamper with a market's dumps, whether they hold trades or candles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from price_physics.audit import candles, tampering

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from price_physics.months import Month
    from price_physics.study.market import Market


def read_dumps(market: Market, root: Path, first: Month, last: Month) -> list[pd.DataFrame]:
    """Read every row of a market's months, file by file; see `tampering` and `candles`."""
    read = candles.read_candle_dumps if market.candle_ns else tampering.read_dumps
    return read(market, root, first, last)


def write_dumps(market: Market, dumps: Sequence[pd.DataFrame], folder: Path) -> list[str]:
    """Write dumps into a project; return what its market must have under `files`."""
    if market.candle_ns:
        return candles.write_candle_dumps(dumps, folder, market.candle_ns)
    return tampering.write_dumps(dumps, folder)


def tampered_dumps(
    market: Market, dumps: Sequence[pd.DataFrame], t_ns: int, seed: int
) -> list[pd.DataFrame]:
    """Return the same dumps up to a moment, with other rows after it."""
    if market.candle_ns:
        return candles.tamper_candles(dumps, t_ns, seed, market.candle_ns)
    return tampering.tamper(dumps, t_ns, seed)
