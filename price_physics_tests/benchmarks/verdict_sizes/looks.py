"""How often records are called an edge: nulls looked at once, monthly, in numbers; and truths.

Every book knows the past only, and trades without costs.
"""

from collections.abc import Callable, Iterator

import numpy as np

from price_physics.walk_forward.decision import DAYS_FOR_EDGE, DECLARED_LEVEL, MONTHLY_LEVEL
from price_physics.walk_forward.tosses import N_TOSSES, ROUNDING
from price_physics_tests.benchmarks.verdict_sizes import kernels
from price_physics_tests.benchmarks.verdict_sizes.books import Book, null_books, random_sign
from price_physics_tests.benchmarks.verdict_sizes.markets import (
    STEP_SD,
    STEPS_A_DAY,
    STEPS_A_YEAR,
    WARM_UP,
    Market,
    simulate,
)
from price_physics_tests.benchmarks.verdict_sizes.records import (
    NOT_WORTH_TOSSING,
    Records,
    largest_p,
    statistic,
    tossed,
)
from price_physics_tests.benchmarks.verdict_sizes.rows import Row, at_least, at_most, share_of

PERIODS = (92, 180, 365, 730)
DAYS_A_MONTH, N_MONTHS = 30, 24
POWER = {"random ±1, 4 h": 0.70, "momentum 7 d": 0.55, "fade the last move, 7 d": 0.68}
PLANTED_SHARPE, POWER_DAYS = 4.0, 180
MONTHLY = [
    ("random ±1, 4 h", False),
    ("long half the time", True),
    ("long in calm hours only", True),
    ("momentum 7 d", False),
    ("momentum 28 d", True),
    ("fade the last move, 7 d", False),
    ("fade the level, 28 d", False),
    ("fade the level since the start", False),
    ("doubling down", False),
    ("25 trades, small profit far stop", False),
    ("long from a third on", True),
]
"""The nulls that are looked at every month, and whether their market rises."""
N_TRIALS = 20
ALIKE = 0.9
"""Correlation of books that each follow a common coin with a chance of its root."""
CHUNK = 100


def _chunks(seed: int, n_runs: int) -> Iterator[tuple[np.random.Generator, int]]:
    """A generator of its own for every few runs: memory stays small, results stay the same."""
    for first in range(0, n_runs, CHUNK):
        yield np.random.default_rng([seed, first]), min(CHUNK, n_runs - first)


# ---------------------------------------------------------------------------- one look
def one_look(seed: int, n_runs: int, say: Callable[[str], None]) -> list[Row]:
    """Every null book at 0.025 after 92, 180, 365 and 730 days, in both markets."""
    hits: dict[tuple[str, str, int], list[np.ndarray]] = {}
    for rng, n in _chunks(seed, n_runs):
        usual, heavy = simulate(rng, n, PERIODS[-1]), simulate(rng, n, PERIODS[-1], 2.5)
        for book in null_books():
            market = book.market(usual, heavy)
            for kind, paths in (("walk", market), ("drift", market.rising())):
                for n_days, p in _by_period(book, paths, rng):
                    hits.setdefault((book.name, kind, n_days), []).append(p <= DECLARED_LEVEL)
        say(f"one look: {n} more runs")
    return [
        at_most(f"{name}, {kind}, {n_days} days", np.concatenate(found))
        for (name, kind, n_days), found in hits.items()
    ]


def _by_period(
    book: Book, market: Market, rng: np.random.Generator
) -> Iterator[tuple[int, np.ndarray]]:
    """The largest p after each period; the same record goes on, unless the book knows its end."""
    whole = None if book.by_period else Records.of(book.hold(market, rng), market.judged)
    for n_days in PERIODS:
        records = whole
        if records is None:
            part = market.first_days(n_days)
            records = Records.of(book.hold(part, rng), part.judged)
        yield n_days, largest_p(records, n_days)


# ---------------------------------------------------------------------------- monthly looks
def monthly_looks(seed: int, n_runs: int, say: Callable[[str], None]) -> list[Row]:
    """Whether any of 24 months of thirty days calls a null an edge, at 0.005 from the third on."""
    books = {book.name: book for book in null_books()}
    called: dict[str, list[np.ndarray]] = {}
    for rng, n in _chunks(seed, n_runs):
        usual = simulate(rng, n, N_MONTHS * DAYS_A_MONTH)
        for name, rises in MONTHLY:
            market = usual.rising() if rises else usual
            records = Records.of(books[name].hold(market, rng), market.judged)
            edge = np.zeros(n, dtype=bool)
            for n_days in range(DAYS_A_MONTH, N_MONTHS * DAYS_A_MONTH + 1, DAYS_A_MONTH):
                if n_days >= DAYS_FOR_EDGE:
                    edge |= largest_p(records, n_days) <= MONTHLY_LEVEL
            called.setdefault(name + (", drift" if rises else ""), []).append(edge)
        say(f"monthly looks: {n} more runs")
    return [at_most(name, np.concatenate(edges)) for name, edges in called.items()]


# ---------------------------------------------------------------------------- power
def power(seed: int, n_runs: int) -> list[Row]:
    """Books that are worth an annual Sharpe ratio of 4, called an edge at 0.025 after 180 days.

    Every step moves by a constant the way of the book that is held over it.
    """
    gain = PLANTED_SHARPE * STEP_SD / np.sqrt(STEPS_A_YEAR)
    found: dict[str, list[np.ndarray]] = {name: [] for name in POWER}
    for rng, n in _chunks(seed, n_runs):
        noise = simulate(rng, n, POWER_DAYS)
        coin = random_sign(noise, rng)
        records = [Records.of(coin, noise.judged + gain * coin)]
        for sign in (1.0, -1.0):
            records.append(
                Records.of(
                    *kernels.planted_trend(noise.returns, 7 * STEPS_A_DAY, sign, gain, WARM_UP)
                )
            )
        for name, record in zip(POWER, records, strict=True):
            found[name].append(largest_p(record, POWER_DAYS) <= DECLARED_LEVEL)
    rows = []
    for name, target in POWER.items():
        share, error = share_of(np.concatenate(found[name]))
        rows.append(at_least(f"{name}, Sharpe 4, 180 days", share, error, target))
    return rows


# ---------------------------------------------------------------------------- trials
def best_of_many(seed: int, n_runs: int) -> list[Row]:
    """Any of 20 worthless trials on one market called an edge at 0.025 after 180 days.

    By the whole rule, and against cash alone: there nothing but the largest under the same tosses
    stands between the luckiest trial and an edge.
    """
    called: dict[str, list[bool]] = {}
    for rng, n in _chunks(seed, n_runs):
        market = simulate(rng, n, POWER_DAYS)
        for name, alike in (("independent", 0.0), (f"{ALIKE:g} correlated", ALIKE)):
            for run in range(n):
                book = _similar_coins(rng, alike, market.judged.shape[1])
                paths = np.broadcast_to(market.judged[run], book.shape)
                whole, cash = _any_edge(Records.of(book, paths))
                called.setdefault(f"{name}, the whole rule", []).append(whole)
                called.setdefault(f"{name}, cash alone", []).append(cash)
    return [at_most(f"best of 20, {name}", np.array(hits)) for name, hits in called.items()]


def _similar_coins(rng: np.random.Generator, alike: float, n_steps: int) -> np.ndarray:
    shape = (N_TRIALS, n_steps)
    own, common = (2.0 * rng.integers(0, 2, size) - 1 for size in (shape, (1, n_steps)))
    return np.where(rng.random(shape) < np.sqrt(alike), common, own)


def _any_edge(trials: Records) -> tuple[bool, bool]:
    """Whether the whole rule calls any trial an edge, and whether cash alone would."""
    blocks, squares = trials.against(POWER_DAYS)
    t = statistic(blocks, squares)
    net = tossed(blocks[0])
    largest = int(DECLARED_LEVEL * (N_TOSSES + 1)) - 1  # tosses that may do as well
    best = np.sort(net.max(axis=0))
    cash = (best >= t[0].max() - ROUNDING).sum() <= largest
    for trial in np.flatnonzero((t > NOT_WORTH_TOSSING).all(axis=0)):
        others = np.delete(net, trial, axis=0).max(axis=0)
        luck = np.maximum(tossed(blocks[:, trial]), others)
        if ((luck >= t[:, trial, None] - ROUNDING).sum(axis=1) <= largest).all():
            return True, bool(cash)
    return False, bool(cash)
