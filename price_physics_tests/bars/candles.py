"""Tables of candles: from rows by hand, and from ticks as a venue would publish them."""

import numpy as np
import pandas as pd

from price_physics.schemas.ticks import CANDLES

from .helpers import MAY

MINUTE_NS = 60 * 10**9
CANDLE_MINUTES = 15


def candles_of(rows, month=MAY, minutes=CANDLE_MINUTES):
    """Rows are (number in the month, open, high, low, close, volume, notional, bought)."""
    values = ["open", "high", "low", "close", "volume", "notional", "buy_volume"]
    frame = pd.DataFrame(rows, columns=["open_time_ns", *values])
    frame["open_time_ns"] = month.start_ns + frame["open_time_ns"].astype(np.int64) * (
        minutes * MINUTE_NS
    )
    frame["close_time_ns"] = frame["open_time_ns"] + minutes * MINUTE_NS - 1
    frame = frame.astype(dict.fromkeys(values, np.float64))[CANDLES.columns]
    CANDLES.to_arrow(frame)
    return frame


def candles_of_ticks(ticks, minutes=CANDLE_MINUTES):
    """What a venue would publish of these ticks: a candle for every interval that has any."""
    start_ns = ticks["time_ns"] - ticks["time_ns"] % (minutes * MINUTE_NS)
    rows = pd.DataFrame(
        {
            "price": ticks["price"],
            "volume": ticks["qty"],
            "notional": ticks["price"] * ticks["qty"],
            "buy_volume": ticks["qty"].where(ticks["tick_sign"] > 0, 0.0),
        }
    ).groupby(start_ns)
    frame = rows["price"].agg(["first", "max", "min", "last"])
    frame.columns = ["open", "high", "low", "close"]
    frame = frame.join(rows[["volume", "notional", "buy_volume"]].sum())
    frame = frame.rename_axis("open_time_ns").reset_index()
    frame["close_time_ns"] = frame["open_time_ns"] + minutes * MINUTE_NS - 1
    frame = frame[CANDLES.columns]
    CANDLES.to_arrow(frame)
    return frame
