"""Fill or cancel each signal, and find its exit.

Each signal is treated as if it were alone; ``book`` adds the positions up. Exits are those of the
labels (first touch of a barrier after the event), moved by fill and latency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from price_physics.labels.kernels import first_touch_bars
from price_physics.stops import expected_after_latency, expected_overstep, stop_price
from price_physics.walk_forward.exit_reasons import (
    CANCELLED,
    STALE,
    STOP_LOSS,
    TAKE_PROFIT,
    TIME_OUT,
)
from price_physics.walk_forward.tape import look_up

if TYPE_CHECKING:
    import pandas as pd

    from price_physics.prices import Prices
    from price_physics.walk_forward.tape import Tape

LIVE, PENDING = "live", "pending"


@dataclass(frozen=True)
class Fills:
    """The fate of each signal, in the order of the signals; `entry` and `exit` are rows of prices.

    ``state`` is the reason of the exit, ``live`` (filled, not yet out) or ``pending`` (not yet
    filled). An entry, exit or time that does not exist is -1, a price NaN.
    """

    state: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    exit_price: np.ndarray
    exit_time_ns: np.ndarray


def fill_signals(
    signals: pd.DataFrame,
    prices: Prices,
    latency_ns: int,
    known_until_ns: int,
    by_clock: bool = False,
    ends_with_bar: bool = False,
) -> Fills:
    """Run every signal over the prices.

    A signal is filled at the first tick with ``time >= event + latency`` and ``> event``, unless a
    barrier was touched before or the horizon has ended. From the filling tick on, inclusive, the
    barriers are watched. A take-profit leaves at its level on the touching tick. A stop leaves at
    the first tick at least `latency_ns` after the touch (without latency, at the touching tick
    itself). A time-out leaves at the first tick at least `latency_ns` after the horizon's end, and
    strictly after it where that end is the close of a bar. A touch at exactly the horizon's end
    counts as a touch.

    Prices of candles replace ticks, but they are not all the prices there were. Both barriers
    reached at once are a stop. A signal is cancelled if a barrier was reached on the way to the
    price that would fill it. A stop leaves when it would by ticks, but not at the price known at
    that time, which may be far from the stop's: it leaves at the open of its candle if that is
    beyond its level, else at its level less the expected overstep of the touching trade
    (``stops``). With a latency it is less or nothing: by ticks, the price has by then bounced back.

    Parameters
    ----------
    signals : DataFrame
        Rows of PREDICTIONS whose side is not 0. For a short the upper barrier is the stop.
    prices : Prices
        In turn. They contain every price after the first event.
    latency_ns : int
        From decision to market, the same for entries and exits.
    known_until_ns : int
        The time up to which `prices` are complete.
    by_clock : bool
        Whether bars, and so events, close by the clock instead of on a tick.
    ends_with_bar : bool
        Whether horizons count bars. Nobody knows beforehand which trade of an instant closes the
        last bar. So no trade of that instant is the exit of a time-out, as no trade of an event's
        instant is its entry.

    Returns
    -------
    Fills

    Raises
    ------
    StoreError
        When no tick has the time of an event; by the clock, when none comes before it.
    """
    if not len(signals):
        none = np.empty(0, dtype=np.int64)
        return Fills(np.empty(0, dtype=object), none, none, np.empty(0), none)
    event, horizon_end, upper, lower, is_long = _columns(signals)
    time_ns, price = prices.time_ns, prices.close

    touched, profit, touch = _first_touch(signals, prices, by_clock)
    on_the_way = prices.high[touch] > prices.low[touch]  # touched before the row's own price
    touch_time = np.where(touched, time_ns[touch], -1)

    entry = np.searchsorted(time_ns, np.maximum(event + latency_ns, event + 1), side="left")
    entry_time = look_up(time_ns, entry, np.iinfo(np.int64).max)
    touched_before = touched & (touch < entry + on_the_way)
    never = ~touched_before & (entry_time > horizon_end)
    cancelled = touched_before | (never & (horizon_end <= known_until_ns))
    pending = never & ~cancelled
    filled = ~cancelled & ~pending

    time_out = horizon_end + (max(latency_ns, 1) if ends_with_bar else latency_ns)
    after = np.where(touched, touch_time + latency_ns, time_out)
    leave = np.searchsorted(time_ns, after, side="left")
    leave = np.where(touched & (profit | (latency_ns == 0)), touch, leave)
    out = filled & (leave < len(time_ns))
    level = np.where(is_long, upper, lower)
    at_market = look_up(price, leave, np.nan)
    if not prices.are_ticks:
        stopped_at = _stops_of_candles(signals, prices, touch, latency_ns)
        at_market = np.where(touched & ~profit, stopped_at, at_market)
    reason = np.where(touched, np.where(profit, TAKE_PROFIT, STOP_LOSS), TIME_OUT)
    cancel_time = np.where(touched_before, touch_time, horizon_end)
    leave_time = look_up(time_ns, leave, -1)
    state = np.select([cancelled, pending, ~out], [CANCELLED, PENDING, LIVE], reason)
    return Fills(
        state=state.astype(object),
        entry=np.where(filled, entry, -1),
        exit=np.where(out, leave, -1),
        exit_price=np.where(out, np.where(profit, level, at_market), np.nan),
        exit_time_ns=np.where(cancelled, cancel_time, np.where(out, leave_time, -1)),
    )


def _columns(signals: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Return event, end of horizon, upper and lower barrier, and whether the side is long."""
    names = ("event_time_ns", "horizon_end_ns", "upper", "lower")
    kinds = (np.int64, np.int64, np.float64, np.float64)
    values = (signals[name].to_numpy(dtype=k) for name, k in zip(names, kinds, strict=True))
    return *values, signals["side"].to_numpy() > 0


def _first_touch(
    signals: pd.DataFrame, prices: Prices, by_clock: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return whether each signal meets a barrier, whether that is its take-profit, and where.

    Both barriers met at once are a stop: +1 for a short, -1 for a long.
    """
    event, horizon_end, upper, lower, is_long = _columns(signals)
    start = prices.last_at(event, by_clock)
    horizon_ns, stop_first = horizon_end - prices.time_ns[start], np.where(is_long, -1, 1)
    label, touch, _ = first_touch_bars(
        prices.time_ns, prices.high, prices.low, start, upper, lower, horizon_ns, stop_first
    )
    return label != 0, np.where(is_long, label == 1, label == -1), touch


def _stops_of_candles(
    signals: pd.DataFrame, prices: Prices, touch: np.ndarray, latency_ns: int
) -> np.ndarray:
    """Return the price at which each signal's stop would leave if it were touched at `touch`.

    `prices` are candles in turn.
    """
    _, _, upper, lower, is_long = _columns(signals)
    side, level = np.where(is_long, 1, -1), np.where(is_long, lower, upper)
    opened, close, candle = prices.close[::2], prices.close[1::2], touch // 2
    if latency_ns:
        beyond = expected_after_latency(opened, prices.high[1::2], prices.low[1::2], close)
    else:
        beyond = expected_overstep(opened, close)
    return stop_price(side, level, opened[candle], beyond[candle])


def close_stale(fills: Fills, event_time_ns: np.ndarray, before_ns: int, tape: Tape) -> Fills:
    """Close live positions of events before `before_ns` at the end of the month.

    Their horizons have ended, no tick has let them out, and no later month looks at them. That no
    tick came is known only at the end, so they leave then, at the last trade's price.
    """
    stale = (fills.state == LIVE) & (event_time_ns < before_ns)
    return Fills(
        state=np.where(stale, STALE, fills.state),
        entry=fills.entry,
        exit=np.where(stale, tape.last, fills.exit),
        exit_price=np.where(stale, tape.price_at(tape.last), fills.exit_price),
        exit_time_ns=np.where(stale, tape.end_ns, fills.exit_time_ns),
    )
