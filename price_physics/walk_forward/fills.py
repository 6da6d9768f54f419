"""What becomes of each signal on the market: filled, cancelled, and how it leaves.

One signal at a time, each as if it were alone; ``book`` adds them up. Exits are those of the
labels (first touch of a barrier after the event), moved by fill and latency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from price_physics.labels.kernels import first_touch_bars
from price_physics.stops import expected_overstep, stop_price
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
    """One entry a signal, in the order of the signals; positions are of prices.

    ``state`` is the reason of the exit, or ``live`` (filled, not yet out) or ``pending`` (not
    even filled). A position that does not exist is -1, a price NaN, a time -1.
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
    """Run every signal over the prices there are.

    A signal is filled at the first tick with ``time >= event + latency`` and ``> event``, unless
    a barrier was touched before or the horizon ended. From the filling tick on, that one
    included, the barriers are watched. A take-profit leaves at its level on the touching
    tick; a stop at the first tick at least `latency_ns` after the touch (the touching tick
    itself without latency); a time-out at the first tick at least `latency_ns` after the
    horizon's end, and where that is the close of a bar, after that instant. A touch at exactly
    the horizon's end counts as a touch.

    Prices of candles stand for ticks, but are not all that there were. Both barriers reached at
    once are a stop; a signal that would be filled where a barrier was reached on the way is
    cancelled. A stop leaves when a tick's would, by the prices that are known, but not at the price
    there, which may be far from where it was: it leaves at the open of its candle where that is
    beyond its level, and else at its level less the expected overstep of the touching trade
    (``stops``). With a latency there is no overstep: by ticks the price has then bounced back from
    that trade to about the level.

    Parameters
    ----------
    signals : DataFrame
        Rows of PREDICTIONS whose side is not 0. For a short the upper barrier is the stop.
    prices : Prices
        In turn. They hold every price after the first event.
    latency_ns : int
        From decision to market, the same for entries and exits.
    known_until_ns : int
        The moment through which `prices` are complete.
    by_clock : bool
        Whether bars, and so events, close by the clock and not on a tick.
    ends_with_bar : bool
        Whether horizons count bars. Which trade of an instant closes the last bar is not known
        before it: no trade of that instant is a time-out's, as none of an event's is its entry.

    Returns
    -------
    Fills

    Raises
    ------
    StoreError
        When no tick stands at the time of an event; by the clock, none before it.
    """
    if not len(signals):
        none = np.empty(0, dtype=np.int64)
        return Fills(np.empty(0, dtype=object), none, none, np.empty(0), none)
    event, horizon_end, upper, lower, is_long = _columns(signals)
    time_ns, price = prices.time_ns, prices.close

    touched, profit, touch = _first_touch(signals, prices, by_clock)
    on_the_way = prices.high[touch] > prices.low[touch]  # and so before the price at its end
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
    """Event, end of the horizon, upper and lower barrier, and whether it is a long."""
    names = ("event_time_ns", "horizon_end_ns", "upper", "lower")
    kinds = (np.int64, np.int64, np.float64, np.float64)
    values = (signals[name].to_numpy(dtype=k) for name, k in zip(names, kinds, strict=True))
    return *values, signals["side"].to_numpy() > 0


def _first_touch(
    signals: pd.DataFrame, prices: Prices, by_clock: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each signal meets a barrier, whether to its profit, and where.

    Both met at once are a stop: +1 of a short, -1 of a long.
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
    """What each signal's stop leaves at, were it touched at `touch`; prices are candles in turn."""
    _, _, upper, lower, is_long = _columns(signals)
    side, level = np.where(is_long, 1, -1), np.where(is_long, lower, upper)
    opened, candle = prices.close[::2], touch // 2
    overstep = 0.0 if latency_ns else expected_overstep(opened, prices.close[1::2])[candle]
    return stop_price(side, level, opened[candle], overstep)


def close_stale(fills: Fills, event_time_ns: np.ndarray, before_ns: int, tape: Tape) -> Fills:
    """Close what is still live of events before `before_ns`, for want of any later tick.

    Their horizons have ended by the end of the tape and no month further on looks at them. That no
    tick came is known there only, so that is when they leave, at the last trade's price.
    """
    stale = (fills.state == LIVE) & (event_time_ns < before_ns)
    return Fills(
        state=np.where(stale, STALE, fills.state),
        entry=fills.entry,
        exit=np.where(stale, tape.last, fills.exit),
        exit_price=np.where(stale, tape.price_at(tape.last), fills.exit_price),
        exit_time_ns=np.where(stale, tape.end_ns, fills.exit_time_ns),
    )
