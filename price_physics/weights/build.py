"""The stage `weights`: average uniqueness of every label known by the end of a month.

Weights depend on outcomes (short lives weigh more): they train the network and nothing else.
Class weights are the model's affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.errors import StaleInputs
from price_physics.events.times import event_bars
from price_physics.frames import IntArray, stack
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.weights import WEIGHTS
from price_physics.store.artefact import Artefact
from price_physics.weights.kernels import average_uniqueness

if TYPE_CHECKING:
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study


def build_weights(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Measure the uniqueness of every label known by the end of the month, of all months.

    Parameters
    ----------
    past : Past
        LABELS and BARS up to the month.

    Returns
    -------
    Artefact
        WEIGHTS, by event time. A label lives from its event's bar to the first bar that closes at
        or after its end, at most the last bar of the month it is stored in.

    Raises
    ------
    StaleInputs
        When a label's event is the close of no bar.
    """
    labels = past.table(LABELS, "event_time_ns", "label_end_ns")
    bars = past.table(BARS, "close_time_ns", "partial")
    label_months = [m for m in labels if m <= month]
    event_time_ns, label_end_ns = stack(
        LABELS, labels, label_months, "event_time_ns", "label_end_ns"
    )
    stop_ns = np.repeat(
        np.array([m.stop_ns for m in label_months], dtype=np.int64),
        np.array([len(labels[m]) for m in label_months], dtype=np.int64),
    )
    order = np.argsort(event_time_ns, kind="stable")
    event_time_ns, label_end_ns, stop_ns = (
        column[order] for column in (event_time_ns, label_end_ns, stop_ns)
    )
    bar_months = [m for m in bars if m <= month]
    close_time_ns, partial = stack(BARS, bars, bar_months, "close_time_ns", "partial")
    start, end = _positions(close_time_ns, partial, event_time_ns, label_end_ns, stop_ns)
    columns = {
        "event_time_ns": event_time_ns,
        "average_uniqueness": average_uniqueness(start, end, len(close_time_ns)),
        "known_at": np.full(len(event_time_ns), month.end_ns, dtype=np.int64),
    }
    frame = pd.DataFrame(columns, columns=WEIGHTS.columns)
    return Artefact(tables=((WEIGHTS, frame),))


def _positions(
    close_time_ns: IntArray,
    partial: np.ndarray,
    event_time_ns: IntArray,
    label_end_ns: IntArray,
    stop_ns: IntArray,
) -> tuple[IntArray, IntArray]:
    """First and last bar of each label; `stop_ns` is the end of the month that stores it."""
    stop = np.searchsorted(close_time_ns, event_time_ns, side="right")
    stray = event_time_ns[stop == np.searchsorted(close_time_ns, event_time_ns, side="left")]
    if len(stray):
        raise StaleInputs(
            f"a label's event_time_ns {stray[0]} is the close of no bar of "
            f"{Month.of(int(stray[0]))}: bars were built again and labels were not"
        )
    if not len(event_time_ns):
        return event_time_ns, event_time_ns
    start = event_bars(close_time_ns, partial, event_time_ns)
    last = np.searchsorted(close_time_ns, stop_ns, side="left") - 1
    end = np.minimum(np.searchsorted(close_time_ns, label_end_ns, side="left"), last)
    return start, end
