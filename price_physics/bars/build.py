"""The stage `bars`: a month of ticks or candles -> its bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from price_physics.bars.candles import bars_of_candles
from price_physics.bars.ticks import bars_of_ticks
from price_physics.schemas.bars import BARS
from price_physics.schemas.ticks import CANDLES
from price_physics.store.artefact import Artefact

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study


def build_bars(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Build the bars of one month from the market's rows, ticks or candles.

    Parameters
    ----------
    past : Past
        TICKS or CANDLES of m and, for an adaptive threshold, of m-1, read in chunks.

    Returns
    -------
    Artefact
        BARS; empty for a month without a tick.
    """
    bars_of = bars_of_candles if past.rows is CANDLES else bars_of_ticks
    return Artefact(tables=((BARS, bars_of(study.bars, month, past.chunks(past.rows))),))
