"""`price-physics status`: which months are current, stale or missing, and how long the rest takes.

Nothing is read but manifests, the index of files and Dagster's records: neither torch nor Dagster
is imported.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from price_physics.months import Month
from price_physics.orchestration.durations import Seconds, measured_seconds
from price_physics.pipeline.dag import STAGES, months_read, owner_of, reads_of
from price_physics.pipeline.freshness import why_stale
from price_physics.project import Project
from price_physics.store.glance import Glance
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.ticks.index import inputs_of, months_of
from price_physics.verbs.known_files import KnownFiles
from price_physics.verbs.studies import chosen_studies

CURRENT, MISSING = "current", "missing"

States = dict[str, dict[Month, str]]
"""``current``, ``missing``, or why it is stale, by asset and month."""


def study_status(project: Project, study: Study, market: Market, seconds: Seconds) -> str:
    """Say of every asset which months are current, stale or missing, and what the rest takes."""
    files, glance = KnownFiles.of(project, market), Glance(project.store)
    months = _months(glance.root, study, market, files)
    notes = []
    if files.fault:
        notes.append(f"files: {files.fault}")
    if files.unknown:
        notes.append(
            f"files: {len(files.unknown)} new or changed (such as {files.unknown[0]}): a backfill "
            "reads them, and then knows which months they touch"
        )
    title = f"{study.name} on {market.name}"
    if not months:
        return "\n".join([f"{title}: nothing is known of its months yet", *_indented(notes)])
    states = states_of(project, glance, study, market, months, files)
    counts = Counter(_kind(why) for of in states.values() for why in of.values())
    total = ", ".join(f"{counts[kind]} {kind}" for kind in (CURRENT, "stale", MISSING))
    width = max(map(len, STAGES))
    lines = [f"{asset:<{width}}  {_spans(of)}" for asset, of in states.items()]
    if counts[CURRENT] < sum(counts.values()):
        notes.append(time_needed(states, study, market, seconds))
        notes.append(f"next: price-physics backfill --study {study.name}")
    return "\n".join([f"{title}, {months[0]} to {months[-1]}: {total}", *_indented(lines + notes)])


def states_of(
    project: Project,
    glance: Glance,
    study: Study,
    market: Market,
    months: Sequence[Month],
    files: KnownFiles,
) -> States:
    """Judge every partition; one that reads a partition which is not current is stale by it."""
    states: States = {asset: {} for asset in STAGES}

    def known(project: Project, market: Market, month: Month) -> dict[str, str]:
        return inputs_of(files.entries, month)

    for month in months:
        for asset in STAGES:
            why = why_stale(project, glance, market, study, asset, month, known)
            read = (
                states[name].get(m, MISSING)
                for name, window in reads_of(asset, study).items()
                for m in months_read(window, month, market.first_month)
            )
            if not why and any(state != CURRENT for state in read):
                why = "inputs"
            states[asset][month] = why or CURRENT
    return states


def time_needed(states: States, study: Study, market: Market, seconds: Seconds) -> str:
    """Say how long what is not current takes, by what the same asset took before.

    A month that was never measured is taken for the nearest one that was: months grow slowly.
    """
    total, silent = 0.0, []
    for asset, of in states.items():
        measured = seconds.get((owner_of(asset, study.name, market.name), asset), {})
        wanted = [month for month, why in of.items() if why != CURRENT]
        if wanted and not measured:
            silent.append(asset)
            continue
        for month in wanted:
            total += measured[min(measured, key=lambda m: (abs(m - month), m))]
    if not total:
        return "time: cannot tell: Dagster has no record of an earlier run"
    least = f"; of {', '.join(silent)} nothing was measured" if silent else ""
    return f"time: about {_duration(total)}, by what the same assets took before{least}"


def _months(store: Path, study: Study, market: Market, files: KnownFiles) -> list[Month]:
    """Months of a market that are over, up to its last, or the last of which anything is known."""
    now = datetime.now(UTC)
    stored = [
        Month.parse(path.parent.name)
        for owner in (study.name, market.name)
        for path in (store / owner).glob("*/????-??/manifest.json")
    ]
    traded = [m for m, extent in months_of(files.entries.values()).items() if extent.last_ns]
    last = market.last_month or max(stored + traded, default=None)
    if last is None:
        return []
    return Month.span(market.first_month, min(last, Month(now.year, now.month) - 1))


def _kind(why: str) -> str:
    return why if why in (CURRENT, MISSING) else "stale"


def _spans(of: dict[Month, str]) -> str:
    """Join neighbouring months of one state."""
    return ", ".join(
        f"{why if _kind(why) == why else f'stale ({why})'} {_span(list(group))}"
        for why, group in groupby(of, key=lambda month: of[month])
    )


def _span(months: list[Month]) -> str:
    return str(months[0]) if len(months) == 1 else f"{months[0]} to {months[-1]}"


def _duration(seconds: float) -> str:
    """Say seconds as people do.

    Examples
    --------
    >>> _duration(42), _duration(600), _duration(9000)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _indented(lines: Sequence[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def run(project: Project, options: argparse.Namespace) -> int:
    """Print the state of the studies that are asked for."""
    seconds = measured_seconds(project)
    for study, market in chosen_studies(project, options.study):
        print(study_status(project, study, market, seconds))
    return 0
