"""The stage `regime_features`: trailing features and volatility regime of a month's events.

Everything looks back from the event's bar; nothing here reads a tick or a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.errors import ConfigError
from price_physics.events.times import event_bars, event_times
from price_physics.frames import FloatArray, IntArray, stack
from price_physics.schemas.bars import BARS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.store.artefact import Artefact

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study

MIN_EARLIER_EVENTS = 30
"""With fewer earlier volatilities there are no terciles: every event is in the middle regime."""

MIDDLE = 1
_DAY_NS = 86_400 * 1_000_000_000
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday, and Monday is 0


@dataclass(frozen=True)
class _History:
    """All bars up to a month, in order."""

    close_time_ns: IntArray
    close: FloatArray
    partial: npt.NDArray[np.bool_]


def build_regime_features(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Describe every event of the month by what was known at its close.

    Parameters
    ----------
    past : Past
        BARS up to the month.

    Returns
    -------
    Artefact
        REGIME_FEATURES, one row an event of the month, by time. The regime is the one that the
        study maps the month to, or the tercile of the event's trailing volatility among events
        of earlier months.

    Raises
    ------
    ConfigError
        When the study maps months to regimes, but not this one.
    """
    bars = past.table(BARS, "close_time_ns", "close", "partial")
    months = [m for m in bars if m <= month]
    frames = {m: bars[m] for m in months}
    history = _History(*stack(BARS, frames, months, "close_time_ns", "close", "partial"))
    config = study.regime_features
    volatility = {
        m: _trailing_volatility(
            history,
            event_times(frames[m], study.events),
            m,
            round(config.volatility_minutes * 60e9),
        )
        for m in months
    }
    event_time_ns = event_times(frames[month], study.events)
    earlier = np.concatenate([np.empty(0), *(volatility[m] for m in months if m < month)])
    columns = {
        "event_time_ns": event_time_ns,
        "trailing_return": _trailing_return(
            history, event_time_ns, round(config.return_minutes * 60e9)
        ),
        "trailing_volatility": volatility[month],
        **_calendar(event_time_ns),
        "regime": _regime_of_month(study, month, len(event_time_ns))
        if config.regime_by_month is not None
        else _terciles(volatility[month], earlier),
    }
    frame = pd.DataFrame(columns, columns=REGIME_FEATURES.columns)
    return Artefact(tables=((REGIME_FEATURES, frame),))


def _regime_of_month(study: Study, month: Month, n_events: int) -> npt.NDArray[np.int8]:
    regimes = study.regime_features.regime_by_month or {}
    if month not in regimes:
        raise ConfigError(
            f"configs/studies/{study.name}.yaml: regime_features.regime_by_month has no {month}; "
            "add it, or remove the map"
        )
    return np.full(n_events, regimes[month], dtype=np.int8)


def _trailing_return(history: _History, event_time_ns: IntArray, span_ns: int) -> FloatArray:
    """Log of the event's price over the last close at or before the span's start.

    Where history does not reach that far, the oldest close is taken.
    """
    bar = event_bars(history.close_time_ns, history.partial, event_time_ns)
    since = np.searchsorted(history.close_time_ns, event_time_ns - span_ns, side="right") - 1
    return np.log(history.close[bar] / history.close[np.maximum(since, 0)])


def _trailing_volatility(
    history: _History, event_time_ns: IntArray, month: Month, span_ns: int
) -> FloatArray:
    """Root of the summed squared log returns of bars that close in (event - span, event]."""
    if not len(event_time_ns):
        return np.empty(0)
    bar = event_bars(history.close_time_ns, history.partial, event_time_ns)
    since = np.searchsorted(history.close_time_ns, event_time_ns - span_ns, side="right")
    # The sum starts with the first bar that any event of the month can need: its rounding then
    # depends neither on how much history there is, nor on anything after the event.
    first = int(np.searchsorted(history.close_time_ns, month.start_ns - span_ns, side="right"))
    window = np.arange(first, int(bar[-1]) + 1)
    returns = np.log(history.close[window] / history.close[np.maximum(window - 1, 0)])
    total = np.concatenate([[0.0], np.cumsum(returns**2)])
    return np.sqrt(total[bar + 1 - first] - total[since - first])


def _calendar(time_ns: IntArray) -> dict[str, FloatArray]:
    """Time of day and day of week on the unit circle, so that midnight has no edge."""
    of_day = 2 * np.pi * (time_ns % _DAY_NS) / _DAY_NS
    of_week = 2 * np.pi * ((time_ns // _DAY_NS + _EPOCH_WEEKDAY) % 7) / 7
    return {
        "time_of_day_sin": np.sin(of_day),
        "time_of_day_cos": np.cos(of_day),
        "day_of_week_sin": np.sin(of_week),
        "day_of_week_cos": np.cos(of_week),
    }


def _terciles(volatility: FloatArray, earlier: FloatArray) -> npt.NDArray[np.int8]:
    """Tercile of each volatility among earlier ones: 0 calm, 1 middle, 2 wild."""
    if len(earlier) < MIN_EARLIER_EVENTS:
        return np.full(len(volatility), MIDDLE, dtype=np.int8)
    calm, wild = np.quantile(earlier, [1 / 3, 2 / 3])
    return ((volatility > calm).astype(np.int8) + (volatility > wild)).astype(np.int8)
