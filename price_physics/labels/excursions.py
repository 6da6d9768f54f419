"""How far price went after each event, both ways, over the whole horizon.

Barriers play no part: excursions are what barriers are chosen from.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from price_physics.labels.events import events_ending_in
from price_physics.labels.frames import stack
from price_physics.labels.paths import excursions_in_atr, last_tick_at
from price_physics.months import Month
from price_physics.schemas import EXCURSIONS, TICKS
from price_physics.study import Study


def build_excursions(
    study: Study,
    month: Month,
    bars: Mapping[Month, pd.DataFrame],
    ticks: Mapping[Month, pd.DataFrame],
) -> pd.DataFrame:
    """Favourable and adverse excursion of every event whose horizon ends in the month.

    Parameters
    ----------
    bars : mapping of Month to DataFrame
        BARS of m-2 to m.
    ticks : mapping of Month to DataFrame
        TICKS of m-1 and m.

    Returns
    -------
    DataFrame
        EXCURSIONS, by event time. An event after which nothing traded has gone nowhere.

    Raises
    ------
    StoreError
        When the bars were not built from these ticks.
    """
    event_time_ns, ends_ns, price, atr = events_ending_in(study, month, bars)
    time_ns, tick_price = stack(TICKS, ticks, (month - 1, month), "time_ns", "price")
    event_tick = last_tick_at(time_ns, event_time_ns, study.bars.kind == "time")
    last_tick = np.searchsorted(time_ns, ends_ns, side="right") - 1
    favourable, adverse = excursions_in_atr(tick_price, event_tick, last_tick, price, atr)
    return pd.DataFrame(
        {
            "event_time_ns": event_time_ns,
            "atr": atr,
            "favourable_atr": favourable,
            "adverse_atr": adverse,
            "known_at": ends_ns,
        },
        columns=EXCURSIONS.columns,
    )
