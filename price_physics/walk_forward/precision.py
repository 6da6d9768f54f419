"""Compute how often trades take their profit, and how often they must to earn their costs.

A description, not evidence of an edge: that is decided in ``decision``.
"""

import pandas as pd

from price_physics.walk_forward.exit_reasons import TAKE_PROFIT, filled


def break_even_precision(win: float, loss: float, cost: float) -> float | None:
    """Return the share of take-profits at which trades earn nothing: ``(L + c) / (W + L)``.

    Parameters
    ----------
    win : float
        W, mean gross return of take-profits.
    loss : float
        L, minus the mean gross return of **all other** exits, time-outs included.
    cost : float
        c of a round trip, in the same unit.

    Returns
    -------
    float or None
        May be outside [0, 1]: such a strategy always or never earns. None where ``W + L`` is not
        positive.

    Examples
    --------
    >>> break_even_precision(30.0, 10.0, 2.0)
    0.3
    """
    return (loss + cost) / (win + loss) if win + loss > 0 else None


def trade_precision(trades: pd.DataFrame) -> tuple[float | None, float | None]:
    """Return the share of filled trades that took profit, and the share needed to break even.

    Parameters
    ----------
    trades : DataFrame
        TRADES.

    Returns
    -------
    precision, break_even : float or None
        Both None without a filled trade; `break_even` also None unless some trades took profit and
        others did not.
    """
    held = filled(trades)
    if held.empty:
        return None, None
    gross, won = held["gross_bps"].to_numpy(), (held["exit_reason"] == TAKE_PROFIT).to_numpy()
    if won.all() or not won.any():
        return float(won.mean()), None
    cost = float(held["cost_bps"].mean())
    return float(won.mean()), break_even_precision(
        float(gross[won].mean()), -float(gross[~won].mean()), cost
    )
