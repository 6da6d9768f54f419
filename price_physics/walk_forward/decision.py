"""Decide: edge, no edge, underpowered, or not judged yet, with every number behind it.

The rule is fixed before anybody looks at results. Other modules make the sums that it takes;
``sentences`` puts the decision into words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from price_physics.walk_forward.break_even import BreakEven, Signals, break_even
from price_physics.walk_forward.passive import AVERAGE, CASH, INVESTORS, SO_FAR, Against
from price_physics.walk_forward.sharpe_bound import upper_annual_sharpe
from price_physics.walk_forward.tosses import BlockSums, luckiest, p_under

if TYPE_CHECKING:
    from price_physics.months import Month

EDGE, NO_EDGE, UNDERPOWERED, NOT_YET = "edge", "no edge", "underpowered", "not judged yet"
MONTHLY_LEVEL = 0.005
"""For a verdict that is read every month: over two years a 3 % chance of a false edge."""
DECLARED_LEVEL = 0.025
"""For the one month that a study declared before its first month out of sample."""
DAYS_FOR_EDGE = 90
DAYS_FOR_TIMING = 365
"""With fewer days slow trend followers look passive: they hardly change their position."""
TRADES_FOR_BOUND = 20
SIGNALS_FOR_BREAK_EVEN = 20
WORTH_HAVING = 1.0
"""Annual Sharpe ratio below which a strategy is not worth having."""
TOO_DEAR = "break-even"


@dataclass(frozen=True)
class Contest:
    """A strategy against one passive investor.

    Attributes
    ----------
    p, t : float
    won : float
        Sum of what the strategy won against the investor, day by day.
    held, earned : float
        The investor's position at the end, and what it earned, compounded.
    upper_sharpe : float or None
        Upper bound of the annual Sharpe ratio of what was won; 0 where the strategy never held
        anything else than the investor, None where it is undefined.
    """

    p: float
    t: float
    won: float
    held: float
    earned: float
    upper_sharpe: float | None


@dataclass(frozen=True)
class Decision:
    """The outcome, and every number that its sentence uses.

    Attributes
    ----------
    outcome : str
        `EDGE`, `NO_EDGE`, `UNDERPOWERED` or `NOT_YET`.
    reasons : tuple of str
        Why there is no edge: the investors whose bound says so, and `TOO_DEAR`; else empty.
    level : float or None
        Upper limit for the largest p; None in a month that is not the declared one.
    n_days, n_trades, n_trials : int
        Out of sample; the trials include the strategy itself.
    earned : float
        Net return of the strategy, compounded.
    contests : dict of str to Contest
        By investor.
    break_even : BreakEven
        Of all signals, traded or not, as fractions of the notional.
    n_signals : int
        Signals with a positive stated value before costs.
    cost : float
        Of a round trip, a fraction of the notional.
    """

    outcome: str
    reasons: tuple[str, ...]
    level: float | None
    n_days: int
    n_trades: int
    n_trials: int
    earned: float
    contests: Mapping[str, Contest]
    break_even: BreakEven
    n_signals: int
    cost: float

    @property
    def hardest(self) -> str:
        """The investor with the largest p; of equal ones the first."""
        return max(INVESTORS, key=lambda name: self.contests[name].p)

    @property
    def p(self) -> float:
        """The largest of the three p; it decides."""
        return self.contests[self.hardest].p


def level_of(month: Month, declared: Month | None) -> float | None:
    """Return the upper limit for the largest p in a month; None: the month is not judged.

    Parameters
    ----------
    month, declared : Month
        The month in question, and the one month that the study declared, if it did.

    Examples
    --------
    >>> from price_physics.months import Month
    >>> march, april = Month(2012, 3), Month(2012, 4)
    >>> level_of(march, None), level_of(march, march), level_of(april, march)
    (0.005, 0.025, None)
    """
    if declared is None:
        return MONTHLY_LEVEL
    return DECLARED_LEVEL if month == declared else None


def decide(
    against: Mapping[str, Against],
    n_trades: int,
    signals: Signals,
    cost: float,
    level: float | None = MONTHLY_LEVEL,
    others: Iterable[BlockSums | int] = (),
) -> Decision:
    """Judge a strategy by its days out of sample.

    **Edge**: the largest of the three p is at most `level`, with at least 90 days. Otherwise **no
    edge** if one of these holds: (1) with at least 20 trades, the upper bound of the net annual
    Sharpe ratio is below 1; (2) with at least 365 days, the same bound against the average
    position, or against the average so far, is below 1; (3) with at least 20 signals that promised
    anything, the upper bound of their break-even cost is below the actual cost. Otherwise
    **underpowered**. In a month that is not the declared one: **not judged yet**.

    Parameters
    ----------
    against : mapping of str to Against
        From ``passive.against_passive``.
    n_trades : int
        Filled trades.
    signals : Signals
        Every event out of sample, traded or not.
    cost : float
        Of a round trip, a fraction of the notional.
    level : float or None
        From `level_of`.
    others : iterable of (mapping of int to float) or int
        Every other trial of the market's ledger up to this month, as in ``tosses.luckiest``.

    Returns
    -------
    Decision

    Notes
    -----
    Without a trade nothing was timed either, but that alone never means no edge.
    """
    others = list(others)
    bar = luckiest(others)
    contests = {name: _contest(against[name], bar) for name in INVESTORS}
    worth = break_even(signals.stated_gross, signals.gross, signals.day)
    n_days, n_signals = len(against[CASH].won), signals.n_promising
    reasons = _no_edge(contests, n_days, n_trades)
    if n_signals >= SIGNALS_FOR_BREAK_EVEN and worth.upper < cost:
        reasons += (TOO_DEAR,)
    outcome = UNDERPOWERED
    if level is None:
        outcome = NOT_YET
    elif n_days >= DAYS_FOR_EDGE and max(c.p for c in contests.values()) <= level:
        outcome = EDGE
    elif reasons:
        outcome = NO_EDGE
    return Decision(
        outcome=outcome,
        reasons=reasons if outcome == NO_EDGE else (),
        level=level,
        n_days=n_days,
        n_trades=n_trades,
        n_trials=1 + len(others),
        earned=float(np.prod(1 + against[CASH].won) - 1),
        contests=contests,
        break_even=worth,
        n_signals=n_signals,
        cost=cost,
    )


def _contest(against: Against, bar: np.ndarray) -> Contest:
    p, t = p_under(bar, against.block_sums, against.squares)
    upper = upper_annual_sharpe(against.won, against.squares) if against.timed else 0.0
    return Contest(p, t, float(against.won.sum()), against.held, against.earned, upper)


def _no_edge(contests: Mapping[str, Contest], n_days: int, n_trades: int) -> tuple[str, ...]:
    """Name the investors against whom the strategy is surely not worth having."""
    asked = [CASH] if n_trades >= TRADES_FOR_BOUND else []
    if n_days >= DAYS_FOR_TIMING and n_trades:
        asked += [AVERAGE, SO_FAR]
    bounds = {name: contests[name].upper_sharpe for name in asked}
    return tuple(
        name for name, upper in bounds.items() if upper is not None and upper < WORTH_HAVING
    )
