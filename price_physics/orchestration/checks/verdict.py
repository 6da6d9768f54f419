"""Checks of trades, the report and motifs."""

import json

import numpy as np

from price_physics.orchestration.checks.finding import BUG, Case, Check, Finding, none_of
from price_physics.past import Known
from price_physics.schemas.motifs import MOTIF_MEMBERS, MOTIFS
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, TRADES
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition

_SLACK = 1e-9
_OWN_HINT = "rebuild the months from walk_forward on; " + BUG


def _reconcile(case: Case) -> Finding:
    """Chain the days and compare with the path; add up a trade; compare paid costs with both."""
    daily, equity = case.found.table(DAILY.name), case.found.table(EQUITY.name)
    trades = case.found.table(TRADES.name)
    wrong = {
        "a trade whose net is not gross less cost": (
            np.abs(trades["gross_bps"] - trades["cost_bps"] - trades["net_bps"]) > 1e-6
        ).sum(),
        "a trade that ends before it begins": (
            trades["exit_time_ns"] < trades["entry_time_ns"].fillna(trades["event_time_ns"])
        ).sum(),
    }
    net = float((1 + daily["net_return"]).prod())
    gross = float((1 + daily["gross_return"]).prod())
    if len(equity):
        ends = {
            "net": (net, equity["equity"].iloc[-1]),
            "gross": (gross, equity["gross_equity"].iloc[-1]),
        }
        for name, (chained, path) in ends.items():
            wrong[f"{name}: the days give {chained:.9f}, the path {path:.9f}"] = int(
                abs(chained - path) > _SLACK * max(abs(path), 1)
            )
    numbers = {"trades": len(trades), "net_return": net - 1, "gross_return": gross - 1}
    found = none_of(wrong, f"{len(trades)} trades, net return {net - 1:+.2%}")
    return Finding(found.passed, found.text, {**numbers, **found.numbers})


def _book_in_limits(case: Case) -> Finding:
    book = case.found.table(BOOK.name, ["book"])["book"].to_numpy(np.float64)
    equity = case.found.table(EQUITY.name, ["equity"])["equity"].to_numpy(np.float64)
    return none_of(
        {
            "an exposure beyond the capital": (~(np.abs(book) <= 1 + _SLACK)).sum(),
            "an equity that is not finite, or below zero": (~(equity >= 0)).sum(),
        },
        f"{len(book)} changes of the book",
    )


def _covered(case: Case) -> Finding:
    numbers = json.loads(_file(case.found, "report.json"))
    walks = case.inputs["walk_forward"]
    first = min((month for month, walk in walks.items() if walk.warm_up is None), default=None)
    served = [walk for month, walk in walks.items() if first is not None and month >= first]
    days = sum(int(w.table(DAILY.name, ["covered"])["covered"].sum()) for w in served)
    judged, told = numbers["verdict"]["n_days"], numbers["headline"]["n_days"]
    text = f"the verdict judges {judged} days, the report tells of {told}; {days} have data"
    return Finding(judged <= days and told == days, text, {"days": days, "judged": judged})


def _file(found: Known, name: str) -> bytes:
    if isinstance(found, Artefact):
        return found.files[name]
    assert isinstance(found, Partition)  # noqa: S101
    return found.file(name)


def _motifs_fit(case: Case) -> Finding:
    motifs, members = case.found.table(MOTIFS.name), case.found.table(MOTIF_MEMBERS.name)
    counted = members["motif"].value_counts()
    shares = motifs[["mean_probability", "hit_rate", "base_rate"]].to_numpy(np.float64)
    return none_of(
        {
            "a share outside 0 to 1": ((shares < -_SLACK) | (shares > 1 + _SLACK)).sum(),
            "a motif that counts other members than it has": (
                motifs["motif"].map(counted).fillna(0) != motifs["n_events"]
            ).sum(),
        },
        f"{len(motifs)} motifs of {len(members)} events",
    )


WALK_CHECKS = (
    Check(
        "trades_reconcile_with_equity",
        _reconcile,
        "A trade's net is its gross less its cost, and the days chain up to the equity at the end "
        "of the month, before and after costs.",
        BUG,
        blocking=True,
    ),
    Check(
        "book_within_capital",
        _book_in_limits,
        "The book never exceeds the capital, and equity never falls below zero.",
        BUG,
        blocking=True,
    ),
)
REPORT_CHECKS = (
    Check(
        "verdict_from_covered_days",
        _covered,
        "The verdict and the headline count only days out of sample that have data.",
        _OWN_HINT,
        blocking=True,
    ),
)
MOTIF_CHECKS = (
    Check(
        "motifs_fit",
        _motifs_fit,
        "Shares lie within 0 and 1, and every motif counts the events that it has.",
        BUG,
        blocking=True,
    ),
)
