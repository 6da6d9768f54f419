"""Ticks of a month -> its bars; the end of the month closes the last one and flags it partial."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from price_physics.bars import kernels
from price_physics.schemas.bars import BARS
from price_physics.study.bars import FlowBars, TimeBars

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.study.bars import BarsConfig, CountedBars

_Ticks = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
_Bars = tuple[np.ndarray, np.ndarray]

_DAY_NS = 86_400 * 10**9
_UNITS = {"tick": kernels.TICKS, "volume": kernels.BASE, "dollar": kernels.QUOTE}


def bars_of_ticks(
    config: BarsConfig, month: Month, ticks: Mapping[Month, Iterable[pd.DataFrame]]
) -> pd.DataFrame:
    """Build the bars of one month.

    Every tick of the month is in exactly one bar, and no bar crosses a month's end.

    Parameters
    ----------
    config : BarsConfig
        Kind and parameters of the bars.
    month : Month
        Its ticks must be in `ticks`.
    ticks : mapping of Month to iterable of DataFrame
        TICKS in chunks, sorted by time within and between them; one is held at a time, and any
        division gives the same bars. The month before is read for an adaptive threshold only.

    Returns
    -------
    DataFrame
        BARS; empty for a month without ticks.

    Notes
    -----
    Most kinds close on a tick, and ``close_time_ns`` is that tick's time. Time bars close by the
    clock: only the end of the interval tells that no tick follows. Their ``close_time_ns``, which
    is the time of events, is therefore the interval's last nanosecond; stamped with the last
    tick, an event would know of the silence after it. A time bar is partial only where the
    month's end cuts its interval.
    """
    times, values, is_partial = close_bars(config, month, ticks)
    return bars_frame(month, times, values, is_partial)


def close_bars(
    config: BarsConfig, month: Month, ticks: Mapping[Month, Iterable[pd.DataFrame]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find where the bars of a month close and what they add up to, by the rule of their kind.

    Parameters
    ----------
    config, month, ticks
        As in `bars_of_ticks`.

    Returns
    -------
    times : int64 array of shape (n_bars, 3)
        First time, closing time and number of ticks.
    values : float64 array of shape (n_bars, 7)
        Open, high, low, close, volume, notional, volume bought.
    is_partial : bool array of shape (n_bars,)
    """
    sampling = _sampling(config, month, ticks)
    open_bar, closed = kernels.NO_BAR, []
    for columns in _tick_arrays(ticks[month]):
        times, values = sampling(open_bar, columns)
        open_bar = times[-1], values[-1]
        closed.append((times[:-1], values[:-1]))
    n_open = int(open_bar[0][2] > 0)
    closed.append((open_bar[0][None][:n_open], open_bar[1][None][:n_open]))
    times, values = (np.concatenate(parts) for parts in zip(*closed, strict=True))
    is_partial = np.arange(len(times)) >= len(times) - n_open
    if config.kind == "time":
        is_partial = times[:, 1] > month.end_ns
    return times, values, is_partial


def bar_scale(
    config: CountedBars, month: Month, ticks: Mapping[Month, Iterable[pd.DataFrame]]
) -> float:
    """Return the threshold of a month's bars, or their initial expected ticks.

    With `target_bars_a_day` it is the value that would have given so many bars a calendar day in
    the month before, at most a factor of `clip_factor` away from the study's own; expected ticks
    also stay within `min_ticks` and `max_ticks`. Without a target, or where the month before is
    absent or has no ticks, it is the study's own.
    """
    if config.target_bars_a_day is None or month - 1 not in ticks:
        return config.scale
    unit = kernels.TICKS if config.expects_flow else _UNITS[config.unit]
    amount = 0.0
    for _, price, qty, _ in _tick_arrays(ticks[month - 1]):
        amount = kernels.add_amounts(unit, price, qty, amount)
    if not amount:
        return config.scale
    n_days = (month.start_ns - (month - 1).start_ns) / _DAY_NS
    raw = amount / n_days / config.target_bars_a_day
    scale = min(max(raw, config.scale / config.clip_factor), config.scale * config.clip_factor)
    if isinstance(config, FlowBars):
        return float(np.clip(scale, config.min_ticks, config.max_ticks))
    return scale


def _sampling(
    config: BarsConfig, month: Month, ticks: Mapping[Month, Iterable[pd.DataFrame]]
) -> Callable[[_Bars, _Ticks], _Bars]:
    """Bind the kernel of the kind to everything but the open bar and the ticks."""
    if isinstance(config, TimeBars):
        interval_ns = round(config.interval_minutes * 60e9)
        return partial(kernels.time_bars, month.start_ns, interval_ns)
    scale = bar_scale(config, month, ticks)
    unit = _UNITS[config.unit]
    if not isinstance(config, FlowBars):
        return partial(kernels.threshold_bars, unit, scale)
    rule = kernels.FlowRule(
        unit,
        kernels.RUN if config.is_run else kernels.IMBALANCE,
        scale,
        config.min_ticks,
        config.max_ticks,
        2.0 / (config.span_bars + 1.0),
    )
    expected = kernels.first_expectations(rule, config.expected_size, config.expected_buy_fraction)
    return partial(kernels.flow_bars, rule, expected, np.zeros(3))


def _tick_arrays(chunks: Iterable[pd.DataFrame]) -> Iterator[_Ticks]:
    for frame in chunks:
        names = {"time_ns": np.int64, "price": np.float64, "qty": np.float64, "tick_sign": np.int8}
        columns = [
            np.ascontiguousarray(frame[name].to_numpy(d)).view() for name, d in names.items()
        ]
        for column in columns:  # one array type for numba, wherever the frame came from
            column.flags.writeable = False
        if len(frame):
            time_ns, price, qty, sign = columns
            yield time_ns, price, qty, sign


def bars_frame(
    month: Month, times: np.ndarray, values: np.ndarray, is_partial: np.ndarray
) -> pd.DataFrame:
    """Build BARS from what `close_bars` returned."""
    close_time_ns = np.minimum(times[:, 1], month.end_ns)
    opens, highs, lows, closes, volume, notional, bought = values.T
    bars = {
        "open_time_ns": times[:, 0],
        "close_time_ns": close_time_ns,
        "open": opens,
        "high": highs,
        "low": lows,
        "close": closes,
        "volume": volume,
        "notional": notional,
        "buy_volume": bought,
        # rounding may push the quotient of two sums past the prices it averages
        "vwap": np.clip(notional / volume, lows, highs),
        "n_ticks": times[:, 2],
        "partial": is_partial,
        "known_at": np.where(is_partial, month.end_ns, close_time_ns),
    }
    return pd.DataFrame(bars)[BARS.columns]
