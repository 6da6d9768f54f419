"""Write the parts on the verdict: its conditions, what it means, the numbers behind it."""

from typing import Any

from price_physics.report.document import Section, Table
from price_physics.report.format import bps, count, decimal, percent
from price_physics.walk_forward.decision import (
    EDGE,
    MONTHLY_LEVEL,
    NO_EDGE,
    NOT_YET,
    SIGNALS_FOR_BREAK_EVEN,
    TRADES_FOR_BOUND,
)
from price_physics.walk_forward.passive import AVERAGE, CASH, SO_FAR
from price_physics.walk_forward.verdict import NO_VERDICT

Numbers = dict[str, Any]

NOTHING_YET = "Nothing out of sample yet: every month so far is warm-up."
_RULE = (
    "The largest of the three p decides. No edge needs the upper bound of the annual Sharpe below "
    f"1, of the net returns from {TRADES_FOR_BOUND} trades on or against the average positions "
    "from 365 days on, or the break-even cost of all signals surely below what a round trip "
    f"costs, from {SIGNALS_FOR_BREAK_EVEN} signals on; else the days are too few to say."
)
_INVESTORS = {
    CASH: "Cash",
    AVERAGE: "Always its average position",
    SO_FAR: "Always its average position so far",
}


def conditions_table(verdict: Numbers) -> Table:
    """List the conditions for an edge, and whether each is met."""
    rows = [
        [
            c["name"],
            _value(c["value"]),
            _value(c["threshold"]),
            "yes" if c["met"] else "no",
            c["explanation"],
        ]
        for c in verdict["conditions"]
    ]
    return Table(
        columns=["Condition", "Value", "Threshold", "Met", "What it asks"],
        rows=rows,
        words=frozenset({"Condition", "Met"}),
        prose=frozenset({"What it asks"}),
        note=f"Trials in the ledger: {count(verdict['n_trials'])}. {_RULE}",
    )


def _value(value: float) -> str:
    """Write a probability, or a number of days."""
    return count(int(value)) if isinstance(value, int) else decimal(value, 4)


def meaning(numbers: Numbers) -> list[str]:
    """Say in two plain sentences what the verdict means, or that nothing is out of sample yet."""
    head, verdict = numbers["headline"], numbers["verdict"]
    if not head["n_months"]:
        return [NOTHING_YET, "A verdict needs months that a model trained before them predicted."]
    days, net = count(head["n_days"]), percent(head["net_return"], sign=True)
    first = f"Over {days} days that no model had seen, the signals returned {net} after costs"
    if verdict["verdict"] == EDGE:
        return [
            f"{first}, more than luck, a passive position or the number of trials explains.",
            "That is evidence about these months at these costs, and no promise about the next.",
        ]
    if verdict["verdict"] == NO_EDGE:
        return [
            f"{first}, and even the optimistic end of what that allows is not worth having.",
            "This holds for the days so far, and every further variant is one more trial.",
        ]
    if verdict["verdict"] == NO_VERDICT:
        return [
            f"Over {days} days the signals returned {net} after costs, between barriers that were "
            "chosen with those days in view.",
            "It says what such a choice makes of a result, and nothing about these months.",
        ]
    if verdict["verdict"] == NOT_YET:
        return [
            f"{first}, which says nothing yet: one month was declared, and this is another.",
            f"Waiting for it buys the milder level, {MONTHLY_LEVEL:g} being that of every month.",
        ]
    if not numbers["costs"]["turnover"]:
        return [
            f"Over {days} days that no model had seen, nothing was traded, for the reason above: "
            "that proves no edge and rules none out.",
            "More such days settle nothing; cheaper trading would, or a model that knows more.",
        ]
    needed = verdict["description"]["minimum_track_record_days"]
    longer = needed is not None and needed > verdict["n_days"]
    many = f", about {decimal(needed, 0)} at this Sharpe," if longer else ""
    return [
        f"{first}, which proves no edge and rules none out: the days are too few for either.",
        f"Only more out-of-sample days{many} settle it, not more variants.",
    ]


def behind_the_verdict(numbers: Numbers) -> Section:
    """Show what was won against whom, what the signals are worth, and the descriptions."""
    return Section(
        "Numbers behind the verdict",
        tables=[
            *_contests(numbers["verdict"]),
            *_worth(numbers["verdict"]["worth"]),
            _description(numbers["verdict"]),
        ],
    )


def _contests(verdict: Numbers) -> list[Table]:
    if not verdict["contests"]:
        return []
    columns = ["Passive investor", "p", "t", "Won against it", "It held", "It earned"]
    rows = [
        [
            _INVESTORS[name],
            decimal(c["p"], 4),
            decimal(c["t"], 3),
            percent(c["won"], 2, sign=True),
            decimal(c["held"], 3),
            percent(c["earned"], 2, sign=True),
            decimal(c["upper_sharpe"]),
        ]
        for name, c in verdict["contests"].items()
    ]
    note = "Won: the sum of days, of capital. Held: at the end. The bound is of the annual Sharpe "
    note += "ratio of what was won, at 97.5 %; it is 0 where nothing was timed."
    return [
        Table(
            [*columns, "Upper Sharpe"],
            rows,
            title="Against three passive investors",
            words=frozenset({"Passive investor"}),
            note=note,
        )
    ]


def _worth(worth: Numbers | None) -> list[Table]:
    if worth is None:
        return []
    rows = [
        ["Signals that promised anything before costs", count(worth["n_signals"])],
        ["Break-even cost of a round trip, bps", bps(worth["break_even_bps"])],
        ["Its lower 97.5 % bound, bps", bps(worth["lower_bps"])],
        ["Its upper 97.5 % bound, bps", bps(worth["upper_bps"])],
        ["What a round trip costs, bps", bps(worth["cost_bps"], sign=False)],
    ]
    title = "What all signals are worth, traded or not"
    return [Table(["What", "Value"], rows, title=title, words=frozenset({"What"}))]


def _description(verdict: Numbers) -> Table:
    d = verdict["description"]
    rows = [
        ["Days, trades", f"{count(verdict['n_days'])}, {count(verdict['n_trades'])}"],
        ["Net Sharpe a day", decimal(d["sharpe_daily"], 4)],
        ["Net Sharpe a year of 365 days", decimal(d["sharpe_annual"], 2)],
        ["Bootstrap of the mean net day, p", decimal(d["bootstrap_p"], 4)],
        ["Probabilistic Sharpe", decimal(d["probabilistic_sharpe"], 4)],
        ["Deflated Sharpe", decimal(d["deflated_sharpe"], 4)],
        ["Trials looked at", count(verdict["n_trials"])],
        ["Track record needed at this Sharpe, days", decimal(d["minimum_track_record_days"], 0)],
    ]
    return Table(
        ["What", "Value"],
        rows,
        title="Descriptions, none of which decides",
        words=frozenset({"What"}),
    )
