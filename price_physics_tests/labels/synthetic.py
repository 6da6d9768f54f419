"""Small markets for the tests of labels, regimes, weights and folds.

Ticks fall on whole hours and prices on a grid of half a unit: equal times, horizons that end on a
tick and barriers touched to the digit are common here, as they are on a real venue.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.ticks import TICKS
from price_physics.study.study import Study
from price_physics_tests.study.make import market_of

FIRST = Month(2020, 1)
HOUR_NS = 3_600_000_000_000
TICKS_A_BAR = 4


@dataclass
class World:
    """Ticks and bars of consecutive months."""

    ticks: dict[Month, pd.DataFrame]
    bars: dict[Month, pd.DataFrame] = field(init=False)

    def __post_init__(self):
        self.bars = {m: make_bars(m, frame) for m, frame in self.ticks.items()}

    @property
    def tables(self):
        """Months by schema, for `past_of`."""
        return {TICKS: self.ticks, BARS: self.bars}

    @property
    def months(self):
        return sorted(self.ticks)


def make_world(seed, n_months=4, n_ticks=240, empty=()):
    """A random walk over `n_months` from January 2020; months in `empty` have no tick."""
    rng = np.random.default_rng(seed)
    ticks, price = {}, 100.0
    for month in Month.span(FIRST, FIRST + (n_months - 1)):
        n = 0 if month in empty else n_ticks
        ticks[month] = random_ticks(rng, n, month.start_ns, month.stop_ns, price)
        price = ticks[month]["price"].iloc[-1] if n else price
    return World(ticks)


def random_ticks(rng, n, start_ns, stop_ns, price):
    """`n` ticks on whole hours of [start, stop), walking on from `price`."""
    hours = np.sort(rng.integers(0, (stop_ns - start_ns) // HOUR_NS, n))
    walk = price + 0.5 * np.cumsum(rng.integers(-1, 2, n))
    return make_ticks(start_ns + hours * HOUR_NS, np.maximum(walk, 1.0))


def make_ticks(time_ns, price):
    n = len(time_ns)
    columns = {
        "time_ns": np.asarray(time_ns, dtype=np.int64),
        "trade_id": np.arange(n, dtype=np.int64),
        "price": np.asarray(price, dtype=np.float64),
        "qty": np.ones(n),
        "tick_sign": np.ones(n, dtype=np.int8),
    }
    return pd.DataFrame(columns, columns=TICKS.columns)


def make_bars(month, ticks, ticks_a_bar=TICKS_A_BAR):
    """A bar every few ticks; what is left at the end of the month is partial."""
    rows = []
    for first in range(0, len(ticks), ticks_a_bar):
        part = ticks.iloc[first : first + ticks_a_bar]
        partial = len(part) < ticks_a_bar
        price, close_ns = part["price"], int(part["time_ns"].iloc[-1])
        rows.append(
            {
                "open_time_ns": int(part["time_ns"].iloc[0]),
                "close_time_ns": close_ns,
                "open": price.iloc[0],
                "high": price.max(),
                "low": price.min(),
                "close": price.iloc[-1],
                "volume": float(len(part)),
                "notional": price.sum(),
                "buy_volume": float(len(part)),
                "vwap": price.mean(),
                "n_ticks": len(part),
                "partial": partial,
                "known_at": month.end_ns if partial else close_ns,
            }
        )
    return pd.DataFrame(rows, columns=BARS.columns) if rows else BARS.empty()


def make_labels(event_time_ns, label_end_ns, label=0):
    """LABELS that only say when and what; every other column is zero."""
    empty = LABELS.empty()
    zeros = {column: np.zeros(len(event_time_ns), empty[column].dtype) for column in empty}
    frame = pd.DataFrame(zeros).assign(event_time_ns=event_time_ns, label_end_ns=label_end_ns)
    return frame.assign(label=np.broadcast_to(label, len(frame)).astype(np.int8))


def make_market(**changes):
    settings = {
        "name": "toy",
        "symbol": "TOY",
        "vendor": "generic",
        "files": ["toy.csv"],
        "first_month": FIRST,
    }
    return market_of(**settings | changes)


def make_study(**changes):
    """A study whose horizon is a day and a half; pass sections as dictionaries of changes."""
    settings = {
        "name": "toy",
        "market": "toy",
        "bars": {"threshold_quote": 1.0},
        "labels": {"horizon_minutes": 36 * 60, "atr_period_bars": 3},
        "barrier_policy": {
            "take_profit_bounds": [0.5, 4],
            "stop_loss_bounds": [0.5, 4],
            "min_events": 10,
            "fallback_take_profit": 1.0,
            "fallback_stop_loss": 1.0,
        },
        "regime_features": {"return_minutes": 2880, "volatility_minutes": 4320},
        "folds": {"n_splits": 3, "embargo_minutes": 36 * 60, "min_training_samples": 20},
        "walk_forward": {"fee_bps": 1, "slippage_bps": 1},
    }
    for section, values in changes.items():
        settings[section] = settings.get(section, {}) | values
    return Study(**settings)
