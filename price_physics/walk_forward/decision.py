"""Edge, no edge, underpowered, or not judged yet: the rule, and every number behind it.

The rule is fixed before anything is looked at. It takes sums that others made; how it is put into
words is in ``sentences``.
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
"""Of a verdict that is read every month: over two years a chance of 3 % to be wrong once."""
DECLARED_LEVEL = 0.025
"""Of the one month that a study declared before its first month out of sample."""
DAYS_FOR_EDGE = 90
DAYS_FOR_TIMING = 365
"""Before that, slow trend followers hardly changed their position, and look like none."""
TRADES_FOR_BOUND = 20
SIGNALS_FOR_BREAK_EVEN = 20
WORTH_HAVING = 1.0
"""Annual Sharpe ratio below which there is nothing worth having."""
TOO_DEAR = "break-even"


@dataclass(frozen=True)
class Contest:
    """A strategy against one passive investor.

    Attributes
    ----------
    p, t : float
    won : float
        Sum of what the strategy won against the investor.
    held, earned : float
        The investor's position at the end, and what it earned, compounded.
    upper_sharpe : float or None
        Upper bound of the annual Sharpe ratio of what was won; 0 where nothing was timed. None
        where it has none.
    """

    p: float
    t: float
    won: float
    held: float
    earned: float
    upper_sharpe: float | None


@dataclass(frozen=True)
class Decision:
    """The outcome, and every number that its sentence needs.

    Attributes
    ----------
    outcome : str
        `EDGE`, `NO_EDGE`, `UNDERPOWERED` or `NOT_YET`.
    reasons : tuple of str
        Why there is no edge: the investors whose bound says so, and `TOO_DEAR`; empty otherwise.
    level : float or None
        What the largest p must not exceed; None in a month that is not the declared one.
    n_days, n_trades, n_trials : int
        Out of sample; the strategy itself is a trial.
    earned : float
        By the strategy, net, compounded.
    contests : dict of str to Contest
        By investor.
    break_even : BreakEven
        Of all signals, traded or not, as fractions of the notional.
    n_signals : int
        Signals that promised anything before costs.
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
        """The investor that was hardest to beat; of equals the first."""
        return max(INVESTORS, key=lambda name: self.contests[name].p)

    @property
    def p(self) -> float:
        """The largest of the three p, which decides."""
        return self.contests[self.hardest].p


def level_of(month: Month, declared: Month | None) -> float | None:
    """Return what the largest p must not exceed in a month; None: not judged in this one.

    Parameters
    ----------
    month, declared : Month
        The month that is judged, and the single one that the study declared, if it did.

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

    **Edge** when the largest of the three p is at most `level` with at least 90 days. Otherwise
    **no edge** when one of these holds: with at least 20 trades, the upper bound of the net annual
    Sharpe ratio is below 1; from 365 days on, the same bound against the average position or the
    average so far is; with at least 20 signals that promised anything, the upper bound of their
    break-even cost is below the actual cost. **Underpowered** in all other cases, and
    **not judged yet** in a month that is not the declared one.

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
    Without a trade nothing was timed either; that alone is no verdict.
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
    """Name the investors against whom there is surely nothing worth having."""
    asked = [CASH] if n_trades >= TRADES_FOR_BOUND else []
    if n_days >= DAYS_FOR_TIMING and n_trades:
        asked += [AVERAGE, SO_FAR]
    bounds = {name: contests[name].upper_sharpe for name in asked}
    return tuple(
        name for name, upper in bounds.items() if upper is not None and upper < WORTH_HAVING
    )
