"""Which events a motif can hold, and what the explained model says of them.

The walk-forward is not read: another fee or size changes no motif.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.model.predict import TrainedModel, probability_columns
from price_physics.months import Month
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.probabilities import PROBABILITIES
from price_physics.schemas.regimes import FEATURE_COLUMNS, REGIME_FEATURES
from price_physics.schemas.table import ODDS

if TYPE_CHECKING:
    from price_physics.past import Past

_PREDICTED = ("p_up", "p_flat", "p_down", "side", *ODDS)


def scored_events(past: Past, month: Month) -> pd.DataFrame:
    """Labels of the month whose events a network had predicted, and what it said."""
    tables = past.table(PROBABILITIES, "event_time_ns", "by_network", *_PREDICTED)
    predicted = pd.concat([tables[m] for m in sorted(tables)], ignore_index=True)
    columns = ("event_time_ns", "label", "outcome_atr", "atr", "price")
    both = predicted[predicted["by_network"].to_numpy(dtype=bool)].merge(
        past.table(LABELS, *columns)[month], on="event_time_ns", validate="one_to_one"
    )
    return both.assign(outcome_bps=both["outcome_atr"] * both["atr"] / both["price"] * 1e4)


def candidates(past: Past, scored: pd.DataFrame) -> pd.DataFrame:
    """Labelled events of the month that were predicted and have a window, by time."""
    time = "event_time_ns"
    events = scored
    for tables in (
        past.table(IMAGE_WINDOWS, time),
        past.table(REGIME_FEATURES, time, *FEATURE_COLUMNS),
    ):
        frames = list(tables.values())
        if not frames:
            return events.iloc[:0]
        events = events.merge(pd.concat(frames, ignore_index=True), on=time)
    return events.sort_values(time, ignore_index=True)


def by_one_model(
    model: TrainedModel, month: Month, known: pd.DataFrame, series: np.ndarray, ends: np.ndarray
) -> pd.DataFrame:
    """Ask the explained model about events of the month before, which an older one had predicted.

    Those of the month it has predicted already.
    """
    carried = known["event_time_ns"].to_numpy() < month.start_ns
    events = known[carried]
    features = events[FEATURE_COLUMNS].to_numpy(dtype=np.float64)
    own = model.probabilities(model.logits(series, ends[carried], features), events).numpy()
    known = known.copy()
    for name, p in probability_columns(own).items():
        known.loc[carried, name] = p
    return known
