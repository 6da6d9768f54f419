"""The stage `excursions`: how far price went either way over the horizon of each event.

Barriers and sides play no part: excursions are what barriers are chosen from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from price_physics.labels.events import events_ending_in
from price_physics.labels.paths import paths_of
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import EXCURSIONS
from price_physics.store.artefact import Artefact

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study


def build_excursions(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Measure both excursions of every event whose horizon ends in the month.

    Parameters
    ----------
    past : Past
        BARS of m-2 to m; TICKS or CANDLES of m-1 and m, not read where bars touch the barriers.

    Returns
    -------
    Artefact
        EXCURSIONS, by event time; both are 0 where nothing traded within the horizon.

    Raises
    ------
    StoreError
        When the bars were not built from these ticks.
    """
    event_time_ns, ends_ns, price, atr = events_ending_in(study, month, past.table(BARS))
    paths = paths_of(study, month, past, event_time_ns)
    rise, fall = paths.excursions_in_atr(paths.prices.last_by(ends_ns), price, atr)
    columns = {
        "event_time_ns": event_time_ns,
        "atr": atr,
        "favourable_atr": rise,
        "adverse_atr": fall,
        "known_at": ends_ns,
    }
    frame = pd.DataFrame(columns, columns=EXCURSIONS.columns)
    return Artefact(tables=((EXCURSIONS, frame),))
