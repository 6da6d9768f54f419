"""Daily, book and equity tables of random markets with a given Sharpe ratio, without trading."""

import numpy as np
import pandas as pd

from price_physics.frames import conform
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY

DAY = 86_400_000_000_000


def tables(
    price: np.ndarray, book: np.ndarray, changes_a_day: int, first_day: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A book that is rebalanced every few hours: `book[i]` from `price[i]` to `price[i + 1]`."""
    n, n_days = len(book), len(book) // changes_a_day
    start = first_day * DAY
    time = start + np.arange(n + 1) * (DAY // changes_a_day)
    step = 1 + book * (price[1:] / price[:-1] - 1)
    returns = step.reshape(n_days, changes_a_day).prod(axis=1) - 1
    zero = np.zeros(n_days)
    daily = conform(
        DAILY,
        day_ns=start + np.arange(n_days) * DAY,
        net_return=returns,
        gross_return=returns,
        cost=zero,
        turnover=zero,
        market_return=zero,
        covered=zero == 0,
        known_at=start + np.arange(1, n_days + 1) * DAY - 1,
    )
    book_table = conform(BOOK, time_ns=time[:-1], price=price[:-1], book=book)
    equity = conform(
        EQUITY,
        time_ns=time[1:] - 1,  # bars close before the book changes, and within their day
        price=price[1:],
        book=book,
        equity=np.cumprod(step),
        gross_equity=np.cumprod(step),
    )
    return daily, book_table, equity


def random_market(
    rng: np.random.Generator, n_days: int, annual_sharpe: float, changes_a_day: int = 6
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Fat tails, clustered volatility, and a book of -1, 0, 1 with that Sharpe ratio."""
    n = n_days * changes_a_day
    book = rng.choice([-1.0, 0.0, 1.0], n)
    calm = np.repeat(np.cumsum(rng.normal(0, 0.075, n_days)), changes_a_day)
    volatility = 0.01 * np.exp(calm)
    noise = rng.standard_t(5, n) / np.sqrt(5 / 3)
    skill = annual_sharpe / np.sqrt(365 * changes_a_day) * book / np.sqrt(2 / 3)
    price = 100 * np.exp(np.append(0.0, np.cumsum((noise + skill) * volatility)))
    return tables(price, book, changes_a_day)
