"""A config of every kind, and ticks from rows."""

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.schemas.ticks import TICKS
from price_physics.study.bars import (
    DollarBars,
    DollarFlowBars,
    TickBars,
    TickFlowBars,
    TimeBars,
    VolumeBars,
    VolumeFlowBars,
)

MAY = Month(2012, 5)

FLOW = {"expected_ticks": 4, "span_bars": 3, "min_ticks": 1, "max_ticks": 10}
CONFIGS = {
    config.kind: config
    for config in (
        TimeBars(kind="time", interval_minutes=1),
        TickBars(kind="tick", threshold_ticks=2),
        VolumeBars(kind="volume", threshold_base=3),
        DollarBars(kind="dollar", threshold_quote=30),
        TickFlowBars(kind="tick_imbalance", **FLOW),
        VolumeFlowBars(kind="volume_imbalance", expected_base=1, **FLOW),
        DollarFlowBars(kind="dollar_imbalance", expected_quote=10, **FLOW),
        TickFlowBars(kind="tick_run", **FLOW),
        VolumeFlowBars(kind="volume_run", expected_base=1, **FLOW),
        DollarFlowBars(kind="dollar_run", expected_quote=10, **FLOW),
    )
}


def ticks_of(rows, month=MAY):
    """Rows are (seconds into the month, price, qty, sign)."""
    frame = pd.DataFrame(rows, columns=["time_ns", "price", "qty", "tick_sign"])
    frame["time_ns"] = frame["time_ns"].astype(np.int64) * 10**9 + month.start_ns
    frame = frame.astype({"price": float, "qty": float, "tick_sign": np.int8})
    frame["trade_id"] = pd.array([None] * len(frame), "Int64")
    return frame[TICKS.columns]


def plain(frame):
    """Rows of (time_ns, price, qty, sign), Python numbers."""
    columns = ["time_ns", "price", "qty", "tick_sign"]
    return list(frame[columns].itertuples(index=False, name=None))
