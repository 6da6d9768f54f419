"""Put the verdict into words: what was earned against whom, and what the signals are worth.

The numbers come from a ``Decision``; nothing is decided here.
"""

from price_physics.walk_forward.decision import (
    DAYS_FOR_EDGE,
    EDGE,
    NO_EDGE,
    NOT_YET,
    SIGNALS_FOR_BREAK_EVEN,
    TOO_DEAR,
    WORTH_HAVING,
    Decision,
)
from price_physics.walk_forward.passive import AVERAGE, CASH

_NEVER_TRADED = "the model never found a trade worth its cost"


def sentence(decision: Decision) -> str:
    """Say the verdict and why, with the break-even cost, its interval and the actual cost."""
    say = {EDGE: _edge, NO_EDGE: _no_edge, NOT_YET: _not_yet}.get(decision.outcome, _underpowered)
    return f"{decision.outcome.capitalize()}: {say(decision)} {_worth(decision)}"


def _edge(d: Decision) -> str:
    name = d.hardest
    investor = "cash would have earned nothing" if name == CASH else _investor(d, name)
    return f"it earned {_percent(d.earned)}, where {investor}. {_p(d, 'at most')}."


def _no_edge(d: Decision) -> str:
    if not d.n_trades:
        return f"{_NEVER_TRADED}, and its signals are surely not worth it."
    told = [_reason(d, name) for name in d.reasons]
    return f"it earned {_percent(d.earned)}, and {'; '.join(told)}."


def _reason(d: Decision, name: str) -> str:
    if name == TOO_DEAR:
        return "its signals are surely not worth their cost"
    bound = d.contests[name].upper_sharpe or 0.0
    if name == CASH:
        return f"its net annual Sharpe ratio is at most {_decimal(bound)}, below {WORTH_HAVING:g}"
    whom = f"against {_holding(d, name)}"
    if bound == 0:
        return f"{whom} nothing was timed"
    return f"{whom} its annual Sharpe ratio is at most {_decimal(bound)}, below {WORTH_HAVING:g}"


def _not_yet(d: Decision) -> str:
    return (
        "the study declared the one month in which it will be judged, and this is another. Over "
        f"{d.n_days} days and {d.n_trades} trades it earned {_percent(d.earned)}."
    )


def _underpowered(d: Decision) -> str:
    if not d.n_trades:
        if d.n_signals < SIGNALS_FOR_BREAK_EVEN:
            return f"{_NEVER_TRADED}."
        upper = f"{_decimal(1e4 * d.break_even.upper, 1)} bps"
        return f"{_NEVER_TRADED}, though its signals may be worth up to {upper}."
    earned, name = f"it earned {_percent(d.earned)}", d.hardest
    if d.level is not None and d.p <= d.level and d.n_days < DAYS_FOR_EDGE:
        days = f"{d.n_days} days are too few: an edge is called from {DAYS_FOR_EDGE} on"
        return f"{earned}, but {days}. {_p(d, 'at most')}."
    if name == CASH:
        return f"{earned} over {d.n_days} days and {d.n_trades} trades. {_p(d, 'not at most')}."
    if d.earned <= 0:
        seen = f"{earned} over {d.n_days} days and {d.n_trades} trades, no more than cash"
        return f"{seen}. The largest of the three p is {_small(d.p)}{_luckiest(d)}."
    contest = d.contests[name]
    link = "but" if contest.earned >= d.earned else "where"
    drift = f"Being {'long' if contest.held > 0 else 'short'} is no timing; "
    begin = f"{drift}against" if contest.earned >= d.earned / 2 else "Against"
    p = f"{begin} that investor p is {_small(contest.p)}{_luckiest(d)}"
    return f"{earned}, {link} {_investor(d, name)}. {p}."


def _p(d: Decision, relation: str) -> str:
    """Give the largest p beside its limit."""
    whom = "cash" if d.hardest == CASH else "that investor"
    p = f"p is {_small(d.p)}, {relation} {d.level:g}{_luckiest(d)}"
    return f"Against {whom}, of three the hardest to beat, {p}"


def _luckiest(d: Decision) -> str:
    return f", with the luckiest of {d.n_trials} trials to be reached" if d.n_trials > 1 else ""


def _investor(d: Decision, name: str) -> str:
    return f"{_holding(d, name)} would have earned {_percent(d.contests[name].earned)}"


def _holding(d: Decision, name: str) -> str:
    if name == AVERAGE:
        return f"always holding {_decimal(d.contests[name].held)} of the market, its average,"
    return "always holding its average position so far"


def _worth(d: Decision) -> str:
    cost = _decimal(1e4 * d.cost, 1)
    if d.n_signals < SIGNALS_FOR_BREAK_EVEN:
        n = f"{d.n_signals or 'no'} signal{'' if d.n_signals == 1 else 's'}"
        return (
            f"With {n} that promised anything before costs their break-even cost is unknown; a "
            f"round trip costs {cost} bps."
        )
    value, lower, upper = (_decimal(1e4 * x, 1) for x in d.break_even)
    return (
        f"All signals, traded or not, break even at {value} bps a round trip ({lower} to {upper}); "
        f"it costs {cost} bps."
    )


def _percent(value: float) -> str:
    digits = 0 if abs(value) >= 0.095 else 1
    return f"{_decimal(100 * value, digits)} %"


def _small(p: float) -> str:
    return f"{p:.2f}" if p >= 0.1 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"


def _decimal(value: float, digits: int = 2) -> str:
    """Write a number with a true minus sign, as everywhere in the report, and no negative zero."""
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if not float(text) else text.replace("-", "\u2212")
