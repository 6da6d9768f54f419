"""Find the days and ids that a month lacks, and stop a month that lacks too many, or all.

Half of all real dumps lack some days: they are reported, and stop a month only where the market
says ``strict_gaps: true``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd

from price_physics.errors import TickDataError
from price_physics.ticks.index import months_of
from price_physics.ticks.month.quality import DAY_NS
from price_physics.ticks.reading.rows import kind_of_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from price_physics.months import Month
    from price_physics.study.market import Market
    from price_physics.study.outages import Outage
    from price_physics.ticks.index import FileEntry

MOST_MISSING_IDS = 0.001


def missing_days(
    market: Market, month: Month, ticks_by_day: NDArray, first_ns: int | None
) -> tuple[list[str], list[str]]:
    """List the UTC days of a month without any tick: unexplained ones, then known outages.

    In the market's first month, days before its first tick are not missing: it may have begun
    then.

    Parameters
    ----------
    ticks_by_day : int64 array of shape (n_days,)
    first_ns : int or None
        The month's first tick.
    """
    unexplained: list[str] = []
    explained: list[str] = []
    for day, count in enumerate(ticks_by_day):
        start_ns = month.start_ns + day * DAY_NS
        begun = month != market.first_month or (first_ns is not None and first_ns < start_ns)
        if count == 0 and begun:
            known = _is_known(market.outages, start_ns, start_ns + DAY_NS - 1)
            name = datetime.fromtimestamp(start_ns // 10**9, UTC).strftime("%Y-%m-%d")
            (explained if known else unexplained).append(name)
    return unexplained, explained


def _is_known(outages: Sequence[Outage], start_ns: int, end_ns: int) -> bool:
    return any(outage.start_ns <= start_ns and end_ns <= outage.end_ns for outage in outages)


def refuse_gaps(
    market: Market, month: Month, days: list[str], missing_ids: int | None, share: float | None
) -> None:
    """Stop a month of a strict market that misses whole days or many ids.

    Raises
    ------
    TickDataError
        Naming the days, or the number of ids.
    """
    if not market.strict_gaps:
        return
    config = f"configs/markets/{market.name}.yaml"
    if days:
        raise TickDataError(
            f"market {market.name!r}, {month}: no trade on {', '.join(days)}; download the missing "
            f"files, list a known silence of the venue under `outages:` in {config}, or set "
            "`strict_gaps: false` there"
        )
    if share is not None and share > MOST_MISSING_IDS:
        what = {"candles": "candles", "trades": "trade ids"}[kind_of_rows(market)]
        raise TickDataError(
            f"market {market.name!r}, {month}: {missing_ids} {what} are missing, {share:.2%} of "
            f"them, over {MOST_MISSING_IDS:.1%}; download the files again, or set `strict_gaps: "
            f"false` in {config}"
        )


def refuse_missing_month(market: Market, month: Month, entries: dict[str, FileEntry]) -> None:
    """Stop a month whose file has not arrived: no file holds a row of it or of a later one.

    Raises
    ------
    TickDataError
        Naming the last row there is, or why no row is one.
    """
    config = f"configs/markets/{market.name}.yaml"
    last_ns = [e.last_ns for e in months_of(entries.values()).values() if e.last_ns is not None]
    if not last_ns:
        raise TickDataError(
            f"market {market.name!r}: {len(entries)} files hold no {_row(market)} at all; "
            f"{_why_nothing(entries)}; correct `files:` or `columns:` in {config}"
        )
    if max(last_ns) < month.start_ns:
        latest = pd.Timestamp(max(last_ns), tz="UTC")
        raise TickDataError(
            f"market {market.name!r}: no file holds a {_row(market)} of {month} or later, the last "
            f"is of {latest:%Y-%m-%d %H:%M:%S} UTC; put the file of {month} there, or set "
            f"last_month in {config}"
        )


def _row(market: Market) -> str:
    return kind_of_rows(market).removesuffix("s")


def _why_nothing(entries: dict[str, FileEntry]) -> str:
    for file, entry in entries.items():
        if entry.first_fault:
            return f"{file}, {entry.first_fault}"
    return f"{next(iter(entries))}, the first, has no row"
