"""The 38 books without an edge. Each knows the past only, and none of them knows anything.

Where the market of a book is its own, it is made here as well; steps are four hours.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from price_physics_tests.benchmarks.verdict_sizes import kernels
from price_physics_tests.benchmarks.verdict_sizes.markets import (
    STEP_SD,
    STEPS_A_DAY,
    WARM_UP,
    Market,
    autocorrelated,
    autoregression,
)

LOOK_BACKS = (1, 2, 4, 7, 14, 28)
SLOW_HALF_LIFE_DAYS = 11
CLOSE_BARRIER, FAR_BARRIER = STEP_SD, 8 * STEP_SD
FIRST_STAKE = 1 / 8

Hold = Callable[[Market, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Book:
    """A way to hold positions.

    Attributes
    ----------
    name : str
    hold : callable
        The market's paths and a generator to the positions of the steps that are judged.
    by_period : bool
        Whether it depends on how long it will be judged: then it is made for every length anew.
    heavy_tails, trending : bool
        Whether its market has tails of t2.5, or autocorrelated returns.
    """

    name: str
    hold: Hold
    by_period: bool = False
    heavy_tails: bool = False
    trending: bool = False

    def market(self, usual: Market, heavy: Market) -> Market:
        """The market that it is held in."""
        if self.heavy_tails:
            return heavy
        return autocorrelated(usual) if self.trending else usual


def random_sign(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Long or short by a coin, a step at a time."""
    return _coin(rng, market.judged.shape)


def overlapping(market: Market, rng: np.random.Generator) -> np.ndarray:
    """A coin's trade every step, each held for a day; their mean."""
    n_runs, n_steps = market.judged.shape
    total = np.cumsum(_coin(rng, (n_runs, n_steps + STEPS_A_DAY)), axis=1)
    return (total[:, STEPS_A_DAY:] - total[:, :-STEPS_A_DAY]) / STEPS_A_DAY


def long_half_the_time(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Long or flat by a coin, a step at a time."""
    return (_coin(rng, market.judged.shape) + 1) / 2


def few_trades(n_trades: int, market: Market, rng: np.random.Generator) -> np.ndarray:
    """Some trades of one day each, at random times, by a coin."""
    n_runs, n_steps = market.judged.shape
    entry = _entries(rng, n_runs, n_steps - STEPS_A_DAY + 1, n_trades)
    side = _coin(rng, entry.shape)
    change = np.zeros((n_runs, n_steps + 1))
    rows = np.arange(n_runs)[:, None]
    np.add.at(change, (rows, entry), side)
    np.add.at(change, (rows, entry + STEPS_A_DAY), -side)
    return np.clip(np.cumsum(change, axis=1)[:, :-1], -1, 1)


def slow(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Half an autoregression with a half-life of eleven days, within -1 and 1."""
    return np.clip(autoregression(rng, market.judged.shape, SLOW_HALF_LIFE_DAYS) / 2, -1, 1)


def doubling_down(market: Market, rng: np.random.Generator) -> np.ndarray:
    """An eighth by a coin, doubled after every losing step up to 1, anew after a gain."""
    return kernels.doubling_down(_coin(rng, market.judged.shape), market.judged, FIRST_STAKE)


def wild_hours_only(market: Market, rng: np.random.Generator) -> np.ndarray:
    """By a coin in the wildest fifth of all hours, else flat."""
    wild = market.log_volatility[:, WARM_UP:] > 0.8416
    return np.where(wild, _coin(rng, market.judged.shape), 0.0)


def long_in_calm_hours(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Long in the calmer half of all hours, else flat."""
    return (market.log_volatility[:, WARM_UP:] < 0).astype(np.float64)


def constant_long(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Always long."""
    return np.ones(market.judged.shape)


def long_slowly_varying(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Half long, more or less so with a half-life of eleven days, never short."""
    path = autoregression(rng, market.judged.shape, SLOW_HALF_LIFE_DAYS)
    return np.clip(0.5 + path / 4, 0, 1)


def long_from_a_third_on(market: Market, rng: np.random.Generator) -> np.ndarray:
    """Flat for the first third of the period, then long."""
    n_runs, n_steps = market.judged.shape
    return np.broadcast_to(np.arange(n_steps) >= n_steps // 3, (n_runs, n_steps)) * 1.0


def barrier_trades(
    n_trades: int, take_profit: float, stop_loss: float, market: Market, rng: np.random.Generator
) -> np.ndarray:
    """Trades by a coin, from random times until one of two barriers is reached at a step's end."""
    n_runs, n_steps = market.judged.shape
    entry = _entries(rng, n_runs, n_steps, n_trades)
    return kernels.barrier_trades(
        entry, _coin(rng, entry.shape), market.judged, take_profit, stop_loss
    )


def last_move(days: int, sign: int, market: Market, rng: np.random.Generator) -> np.ndarray:
    """Follow (+1) or fade (-1) the sign of the move of the last days."""
    price, look_back = _price(market), days * STEPS_A_DAY
    n_steps = market.judged.shape[1]
    now, then = price[:, -n_steps - 1 : -1], price[:, -n_steps - 1 - look_back : -1 - look_back]
    return np.where(now > then, sign, -sign).astype(np.float64)


def level(days: int, sign: int, market: Market, rng: np.random.Generator) -> np.ndarray:
    """Follow or fade the price's distance from its mean of the last days, full at two of its sd."""
    price, look_back = _price(market), days * STEPS_A_DAY
    n_steps = market.judged.shape[1]
    total = np.cumsum(price, axis=1)
    total = np.concatenate([np.zeros((len(price), 1)), total], axis=1)
    stop = price.shape[1] - 1 - n_steps + np.arange(n_steps) + 1  # one past the last known price
    mean = (total[:, stop] - total[:, stop - look_back]) / look_back
    width = 2 * STEP_SD * np.sqrt(look_back / 3)
    return sign * np.clip((price[:, stop - 1] - mean) / width, -1, 1)


def level_since_the_start(sign: int, market: Market, rng: np.random.Generator) -> np.ndarray:
    """Follow or fade the price's distance from where it began, full at the sd of 60 days."""
    n_steps = market.judged.shape[1]
    price = _price(market)[:, -n_steps - 1 : -1]
    width = STEP_SD * np.sqrt(60 * STEPS_A_DAY)
    return sign * np.clip((price - price[:, :1]) / width, -1, 1)


def null_books() -> list[Book]:
    """All 38 of them."""
    far, close = FAR_BARRIER, CLOSE_BARRIER
    books = [
        Book("random ±1, 4 h", random_sign),
        Book("overlapping", overlapping),
        Book("heavy tails (t 2.5)", random_sign, heavy_tails=True),
        Book("long half the time", long_half_the_time),
        Book("8 trades", partial(few_trades, 8), by_period=True),
        Book("25 trades", partial(few_trades, 25), by_period=True),
        Book("slow (half-life 11 days)", slow),
        Book("slow, market with autocorrelation", slow, trending=True),
        Book("doubling down", doubling_down),
        Book("wild hours only", wild_hours_only),
        Book("long in calm hours only", long_in_calm_hours),
        Book("constant long", constant_long),
        Book("long, slowly varying", long_slowly_varying),
        Book("long from a third on", long_from_a_third_on, by_period=True),
    ]
    for n in (8, 25, 60):
        name = f"{n} trades, small profit far stop"
        books.append(Book(name, partial(barrier_trades, n, close, far), by_period=True))
    name = "25 trades, far profit near stop"
    books.append(Book(name, partial(barrier_trades, 25, far, close), by_period=True))
    books += [Book(f"momentum {d} d", partial(last_move, d, 1)) for d in LOOK_BACKS]
    books += [Book(f"fade the last move, {d} d", partial(last_move, d, -1)) for d in LOOK_BACKS]
    books += [Book(f"fade the level, {d} d", partial(level, d, -1)) for d in LOOK_BACKS]
    for verb, sign in (("fade", -1), ("follow", 1)):
        books.append(
            Book(f"{verb} the level since the start", partial(level_since_the_start, sign))
        )
    return books


def _price(market: Market) -> np.ndarray:
    """Price before the first step and after each."""
    zero = np.zeros((len(market.returns), 1))
    return np.concatenate([zero, np.cumsum(market.returns, axis=1)], axis=1)


def _coin(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return 2.0 * rng.integers(0, 2, shape, dtype=np.int8) - 1.0


def _entries(rng: np.random.Generator, n_runs: int, n_steps: int, n_trades: int) -> np.ndarray:
    """Random steps, ascending."""
    return np.sort(rng.integers(0, n_steps, (n_runs, n_trades)), axis=1)
