"""Ticks of an exchange that does not exist: lifelike, but with no direction to predict.

Hourly volatility switches between calm, usual and wild and stays there for a day or so; activity
follows it, the hour of the day and a slow random tide. Orders come in bursts; one order fills in
several trades at one time, walking up or down the book. Sizes are log-normal with a Pareto tail.
Prices lie on a tick grid around a mid price that is a **martingale**: no drift, and order flow
moves it only as far as the side was a surprise. Only two things can be predicted: how much prices
move, and the bounce between bid and ask, which lies inside the spread. For markets with a planted
answer see ``markets``; for files see ``dumps``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray

from price_physics.errors import ConfigError
from price_physics.months import Month

PRICE_DECIMALS, QTY_DECIMALS = 1, 3
"""The grid: prices are multiples of 0.1, quantities of 0.001."""
FIRST_MONTH = Month(2010, 1)
"""The earliest month: before it, the magnitude of a time would not tell its unit."""

_FIRST_PRICE = 420_000.0  # ticks: 42,000.0
_HOUR_US, _MINUTES = 3_600_000_000, 60
_REGIMES = np.array([0.5, 1.0, 2.2])  # volatility; activity follows in proportion
_STAY = 0.97  # probability that the next hour has the same regime
_HOURLY_VOLATILITY = 0.0043  # 3 % a day over all regimes
_TIDE_MEMORY, _TIDE_SIGMA = 0.98, 0.6  # of log activity, minute by minute
_WEEKEND = 0.7
_NEW_ORDER = 0.6  # a trade starts an order: 1.7 trades an order
_NEXT_LEVEL = 0.15  # the next trade of an order is one level deeper
_NEW_BURST, _BURST_TAIL = 0.25, 1.2  # an order starts a burst; tail of the gaps inside one
_FLIP = 0.25  # the aggressor's side changes from one order to the next
_PERSISTENCE = 1 - 2 * _FLIP
_IMPACT = sqrt(0.5 / (1 - _PERSISTENCE**2))  # half of the variance of the mid is order flow
_NOISE = sqrt(0.5)
_HALF_SPREAD = 0.7  # in standard deviations of the mid from one order to the next
_MEDIAN_LOTS, _SIZE_SIGMA = 20.0, 1.1
_TAIL_SHARE, _TAIL_INDEX = 0.03, 1.5


@dataclass(frozen=True)
class Ticks:
    """The trades of one hour; arrays of shape (n_ticks,), in order of time and id.

    Attributes
    ----------
    hour_start_us : int
        Start of the hour, microseconds UTC.
    time_us : int64 array
        Trade times, microseconds UTC; trades of one order share theirs.
    trade_id : int64 array
        1, 2, 3, ... over the whole market.
    price_ticks, qty_lots : int64 array
        In units of the last decimal: ``PRICE_DECIMALS``, ``QTY_DECIMALS``.
    is_buyer_maker : bool array
        True where the seller was the aggressor.
    move : int8 array
        Sign of the last change of price, up to and including this tick; 0 before the first.
    price_before : int
        Price of the tick before, in ticks; the first tick's own where there is none.
    """

    hour_start_us: int
    time_us: NDArray[np.int64]
    trade_id: NDArray[np.int64]
    price_ticks: NDArray[np.int64]
    qty_lots: NDArray[np.int64]
    is_buyer_maker: NDArray[np.bool_]
    move: NDArray[np.int8]
    price_before: int


@dataclass
class _State:
    """What one hour passes to the next."""

    mid: float
    side: int
    regime: int
    tide: float
    n_ticks: int = 0
    price: int = 0
    move: int = 0


def exchange_ticks(
    first_month: Month, n_months: int, ticks_a_day: int, seed: int
) -> Iterator[Ticks]:
    """Generate a market hour by hour; hours without a trade are left out.

    Parameters
    ----------
    first_month : Month
    n_months : int
        A longer market begins with the shorter one.
    ticks_a_day : int
        Average: a month holds exactly this many times its days.
    seed : int

    Yields
    ------
    Ticks
        Memory is that of one hour.

    Raises
    ------
    ConfigError
        For a month before 2010, or a number that is not positive.

    References
    ----------
    Madhavan, Richardson and Roomans (1997): surprise in order flow moves the mid.
    Wyart, Bouchaud et al. (2008): the spread is proportional to the volatility per trade.
    """
    for name, number, least in (
        ("months", n_months, 1),
        ("ticks_a_day", ticks_a_day, 1),
        ("seed", seed, 0),
    ):
        if number < least:
            raise ConfigError(f"{name} = {number}: give {least} or more")
    if first_month < FIRST_MONTH:
        raise ConfigError(f"first month {first_month}: give {FIRST_MONTH} or a later one")
    return _hours(first_month, n_months, ticks_a_day, seed)


def _hours(first_month: Month, n_months: int, ticks_a_day: int, seed: int) -> Iterator[Ticks]:
    rng = _rng(seed)
    state = _State(
        mid=_FIRST_PRICE,
        side=2 * int(rng.integers(2)) - 1,
        regime=int(rng.integers(len(_REGIMES))),
        tide=_TIDE_SIGMA * rng.standard_normal(),
    )
    for i in range(n_months):
        month = first_month + i
        n_hours = (month.stop_ns - month.start_ns) // (_HOUR_US * 1_000)
        rng = _rng(seed, i)
        activity, volatility = _activity_and_volatility(n_hours, month, state, rng)
        share = activity.sum(axis=1) / activity.sum()
        n_ticks = rng.multinomial(ticks_a_day * (n_hours // 24), share)
        for hour in np.flatnonzero(n_ticks):
            start_us = month.start_ns // 1_000 + int(hour) * _HOUR_US
            rng = _rng(seed, i, int(hour))
            yield _one_hour(
                start_us, int(n_ticks[hour]), volatility[hour], activity[hour], state, rng
            )


def _rng(seed: int, *key: int) -> np.random.Generator:
    """Give every key its own stream; a plain list of seeds would take [1] for [1, 0]."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _activity_and_volatility(
    n_hours: int, month: Month, state: _State, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Activity by minute, of shape (n_hours, 60), and volatility of the mid by hour."""
    leaves = rng.random(n_hours) >= _STAY
    steps = np.where(leaves, rng.integers(1, len(_REGIMES), n_hours), 0)
    regime = (state.regime + np.cumsum(steps)) % len(_REGIMES)
    shocks = rng.standard_normal(n_hours * _MINUTES) * _TIDE_SIGMA * sqrt(1 - _TIDE_MEMORY**2)
    tide = list(accumulate(shocks.tolist(), lambda x, e: _TIDE_MEMORY * x + e, initial=state.tide))
    state.regime, state.tide = int(regime[-1]), tide[-1]

    minute = np.arange(n_hours * _MINUTES)
    daily = 1 + 0.5 * np.cos(2 * np.pi * (minute % 1440 - 15 * 60) / 1440)  # busiest at 15:00
    weekday = (month.start_ns // 86_400_000_000_000 + 3 + minute // 1440) % 7
    season = daily * np.where(weekday >= 5, _WEEKEND, 1.0)
    flow = (season * np.exp(tide[1:]) / exp(_TIDE_SIGMA**2 / 2)).reshape(n_hours, _MINUTES)
    volatility = _HOURLY_VOLATILITY * _REGIMES[regime] * np.sqrt(flow.mean(axis=1))
    return flow * _REGIMES[regime][:, None], volatility


def _one_hour(
    start_us: int,
    n_ticks: int,
    volatility: float,
    activity: NDArray[np.float64],
    state: _State,
    rng: np.random.Generator,
) -> Ticks:
    """Generate `n_ticks` trades of an hour and move the state on."""
    draw = rng.random(n_ticks, dtype=np.float32)
    starts = draw < _NEW_ORDER
    starts[0] = True
    first = np.flatnonzero(starts)  # of every order's trades
    order = np.cumsum(starts) - 1
    deeper = np.cumsum(draw >= 1 - _NEXT_LEVEL)  # never where an order starts
    depth = deeper - deeper[first][order]

    time_us = start_us + _order_times(len(first), activity, rng)
    side = state.side * (1 - 2 * (np.cumsum(rng.random(len(first)) < _FLIP) & 1))
    sigma = volatility / sqrt(len(first))
    mid = state.mid * np.cumprod(1 + sigma * _mid_shocks(side, state.side, rng))
    half = _HALF_SPREAD * sigma * mid
    quote = np.where(side > 0, np.ceil(mid + half), np.floor(mid - half)).astype(np.int64)
    level = np.ceil(half / 4).astype(np.int64)  # ticks between levels of the book
    price = np.maximum(quote[order] + (side * level)[order] * depth, 1)
    before = state.price or int(price[0])
    move = _moves(price, before, state.move)

    ids = np.arange(state.n_ticks + 1, state.n_ticks + n_ticks + 1)
    state.n_ticks += n_ticks
    state.mid, state.side = float(mid[-1]), int(side[-1])
    state.price, state.move = int(price[-1]), int(move[-1])
    lots = _sizes(n_ticks, rng)
    return Ticks(start_us, time_us[order], ids, price, lots, (side < 0)[order], move, before)


def _order_times(
    n_orders: int, activity: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Sorted microseconds since the hour began.

    A burst starts at any time, more often in busy minutes; the gaps inside are short with a heavy
    tail. Times past the end of the hour wrap to its beginning, so that no tick is lost.
    """
    opens = rng.random(n_orders) < _NEW_BURST
    opens[0] = True
    first = np.flatnonzero(opens)
    upto = np.concatenate([[0.0], np.cumsum(activity)])
    start = np.interp(rng.random(len(first)) * upto[-1], upto, np.arange(_MINUTES + 1.0))
    gap = 0.02 * _HOUR_US / n_orders * (rng.pareto(_BURST_TAIL, n_orders))
    since = np.cumsum(gap)
    burst = np.cumsum(opens) - 1
    time = (start * (_HOUR_US / _MINUTES) - since[first])[burst] + since
    return np.sort(time.astype(np.int64) % _HOUR_US)


def _mid_shocks(
    side: NDArray[np.int64], side_before: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Returns of the mid, in units of their standard deviation; each has mean zero given the past.

    The part that follows the aggressor is the side less its expectation.
    """
    before = np.concatenate([[side_before], side[:-1]])
    return _IMPACT * (side - _PERSISTENCE * before) + _NOISE * rng.standard_normal(len(side))


def _sizes(n_ticks: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw lots: log-normal, three in a hundred times a Pareto variable; at least one lot."""
    lots = _MEDIAN_LOTS * np.exp(_SIZE_SIGMA * rng.standard_normal(n_ticks, dtype=np.float32))
    large = rng.integers(0, n_ticks, rng.binomial(n_ticks, _TAIL_SHARE))
    lots[large] *= 1 + rng.pareto(_TAIL_INDEX, len(large))
    return np.maximum(np.rint(lots), 1).astype(np.int64)


def _moves(price: NDArray[np.int64], before: int, move_before: int) -> NDArray[np.int8]:
    """Sign of the last change of price at every tick, the hours before included."""
    change = np.sign(np.diff(price, prepend=before)).astype(np.int8)
    last = np.maximum.accumulate(np.where(change != 0, np.arange(len(price)), -1))
    return np.where(last >= 0, change[last], np.int8(move_before))
