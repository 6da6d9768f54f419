"""How far price went after each event, both ways, over the whole horizon.

Barriers and sides play no part: excursions are what barriers are chosen from.
"""

from collections.abc import Mapping

import pandas as pd

from price_physics.labels.events import events_ending_in
from price_physics.labels.paths import price_path
from price_physics.months import Month
from price_physics.schemas.labels import EXCURSIONS
from price_physics.study.study import Study


def build_excursions(
    study: Study,
    month: Month,
    bars: Mapping[Month, pd.DataFrame],
    ticks: Mapping[Month, pd.DataFrame],
    *,
    candles: bool = False,
) -> pd.DataFrame:
    """Favourable and adverse excursion of every event whose horizon ends in the month.

    Parameters
    ----------
    bars : mapping of Month to DataFrame
        BARS of m-2 to m.
    ticks : mapping of Month to DataFrame
        TICKS of m-1 and m; not read where bars touch the barriers.
    candles : bool
        Whether `ticks` are CANDLES.

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
    path = price_path(study, month, bars, ticks, event_time_ns, candles)
    rise, fall = path.excursions_in_atr(path.last_by(ends_ns), price, atr)
    return pd.DataFrame(
        {
            "event_time_ns": event_time_ns,
            "atr": atr,
            "favourable_atr": rise,
            "adverse_atr": fall,
            "known_at": ends_ns,
        },
        columns=EXCURSIONS.columns,
    )
