"""What the report says of the ticks it stands on: their quality, month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from price_physics.report.document import Section, Table
from price_physics.report.format import count, decimal, percent

if TYPE_CHECKING:
    from price_physics.months import Month

WHOLE = 0.9
"""Completeness of a month below which the report names it above its verdict."""

_HOUR_S = 3_600


def quality_numbers(quality: Mapping[Month, dict[str, Any]]) -> list[dict[str, Any]]:
    """Take from the quality documents of ticks what the report shows, by month."""
    return [
        {
            "month": str(month),
            "kept": q["ticks"],
            "set_aside": q["quarantined"],
            "doubled": q["duplicates_dropped"],
            "days": q["days"],
            "missing_days": q["missing_days"],
            "missing_days_in_outages": q["missing_days_in_outages"],
            "missing_ids": q["missing_ids"] if q["missing_ids_share"] is not None else None,
            "candles_absent": q.get("candles_absent"),
            "sides_inferred_share": q["sides_inferred_share"],
            "silences": q["silences_over_ten_typical_gaps"],
            "longest_silence_seconds": q["longest_silence_seconds"],
            "score": q["score"],
            "completeness": q["completeness"],
        }
        for month, q in sorted(quality.items())
    ]


def holes_sentence(months: Sequence[dict[str, Any]]) -> str:
    """Name the months with known holes; empty where there is none.

    Examples
    --------
    >>> holes_sentence([{"month": "2011-10", "completeness": 0.7, "missing_days": ["2011-10-01"]}])
    'Known holes in the ticks of 2011-10 (completeness 0.70, 1 day missing).'
    """
    holes = [m for m in months if m["completeness"] is None or m["completeness"] < WHOLE]
    return f"Known holes in the ticks of {', '.join(map(_hole, holes))}." if holes else ""


def _hole(month: dict[str, Any]) -> str:
    if month["completeness"] is None:
        return f"{month['month']} (no tick at all)"
    n_days = len(month["missing_days"])
    missing = f", {n_days} {'day' if n_days == 1 else 'days'} missing" if n_days else ""
    return f"{month['month']} (completeness {month['completeness']:.2f}{missing})"


def quality_section(months: Sequence[dict[str, Any]]) -> Section:
    """Show what was kept of the ticks, what was not, and what is missing."""
    of_candles = any(m["candles_absent"] is not None for m in months)
    absent = "Candles absent" if of_candles else "Ids missing"
    rows = [
        [
            m["month"],
            count(m["kept"]),
            count(m["set_aside"]),
            count(m["doubled"]),
            count(len(m["missing_days"])),
            count(len(m["missing_days_in_outages"])),
            count(m["candles_absent"] if of_candles else m["missing_ids"]),
            percent(m["sides_inferred_share"]),
            count(m["silences"]),
            _hours(m["longest_silence_seconds"]),
            decimal(m["completeness"], 3),
            decimal(m["score"], 3),
        ]
        for m in months
    ]
    columns = ["Month", "Candles" if of_candles else "Ticks", "Set aside", "Doubled"]
    columns += ["Days missing", "In known outages", absent, "Sides inferred", "Silences"]
    columns += ["Longest, h", "Complete", "Score"]
    note = (
        "Doubled: dropped as duplicates. Silences: gaps of over ten typical ones. Complete: what "
        "is left after rows set aside and days and ids missing, as shares; months below "
        f"{WHOLE:g} are named above the verdict. Score: that, less the shares of rows doubled, out "
        "of order and in spikes, and half that of sides inferred."
    )
    return Section(
        "Quality of the ticks",
        tables=[Table(columns, rows, words=frozenset({"Month"}), note=note)],
    )


def _hours(seconds: float | None) -> str:
    return decimal(None if seconds is None else seconds / _HOUR_S, 1)
