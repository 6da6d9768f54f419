"""The DAG as one table: which months of what each asset reads, and which settings it obeys.

Dagster's edges, the inputs recorded in a manifest and the test whether a partition is current
all come from here. **Partition m reads only months up to m**: no offset is ever positive.
"""

from dataclasses import dataclass

from price_physics.months import Month
from price_physics.schemas import (
    BARRIER_POLICY,
    BARS,
    BOOK,
    CANDLES,
    DAILY,
    DROPPED_WINDOWS,
    EQUITY,
    EXCURSIONS,
    FOLD_MEMBERS,
    FOLD_ROLES,
    IMAGE_WINDOWS,
    LABELS,
    LEARNING_CURVES,
    MOTIF_MEMBERS,
    MOTIFS,
    OUT_OF_FOLD,
    POSITIONS,
    PREDICTIONS,
    QUARANTINE,
    REGIME_FEATURES,
    SCORED,
    TICKS,
    TRADES,
    WEIGHTS,
    TableSchema,
)
from price_physics.study import Market, Study

EVERY = -360
"""Offset that reaches back beyond the first month of any market: thirty years. Dagster steps
through every month of it for every input, so more would cost seconds a run."""

Window = tuple[int, int]
"""Offsets in months from m, both inclusive."""


@dataclass(frozen=True)
class Stage:
    """One asset: its package, what it reads, which sections of the study it obeys."""

    package: str
    reads: dict[str, Window]
    sections: tuple[str, ...]


def _stage(package: str, sections: str, **reads: Window) -> Stage:
    return Stage(package, reads, tuple(sections.split()))


M, M1, ALL = (0, 0), (-1, 0), (EVERY, 0)  # m; m-1 and m; every month up to m
M2, BEFORE = (-2, 0), (-1, -1)  # m-2 to m; m-1 alone
BAR_EVENTS = "events labels"

STAGES: dict[str, Stage] = {
    "ticks": _stage("ticks", ""),
    "bars": _stage("bars", "bars", ticks=M1),
    "regime_features": _stage("regimes", "events regime_features", bars=ALL),
    "excursions": _stage("labels", BAR_EVENTS, bars=M2, ticks=M1),
    "barrier_policy": _stage(
        "labels", "seed barrier_policy labels", excursions=ALL, regime_features=ALL
    ),
    "labels": _stage(
        "labels",
        f"{BAR_EVENTS} barrier_policy",
        bars=M2,
        ticks=M1,
        regime_features=M1,
        barrier_policy=(-2, -1),
    ),
    "weights": _stage("weights", "", labels=ALL, bars=ALL),
    "images": _stage("images", "events images", bars=M1),
    "folds": _stage("folds", "folds model", labels=ALL, images=ALL),
    "model": _stage(
        "model",
        "seed images model folds",
        images=ALL,
        bars=ALL,
        regime_features=ALL,
        labels=ALL,
        weights=M,
        folds=M,
    ),
    "predictions": _stage(
        "walk_forward",
        "images labels barrier_policy model walk_forward",
        model=BEFORE,
        barrier_policy=BEFORE,
        bars=M1,
        images=M,
        regime_features=M,
    ),
    "walk_forward": _stage(
        "walk_forward", "walk_forward labels model", predictions=M1, ticks=M1, bars=M2, labels=M
    ),
    # The report prints every setting, so it obeys them all.
    "report": _stage("report", "*", walk_forward=ALL, predictions=ALL, labels=ALL),
    # The network's head reads the regime features, so attributing an event does too.
    "motifs": _stage(
        "motifs",
        "seed images labels model motifs",
        model=BEFORE,
        bars=M2,
        images=M1,
        regime_features=M1,
        predictions=M1,
        labels=M,
        walk_forward=M,
    ),
}


TABLES: dict[str, tuple[TableSchema, ...]] = {
    "ticks": (TICKS, QUARANTINE),
    "bars": (BARS,),
    "regime_features": (REGIME_FEATURES,),
    "excursions": (EXCURSIONS,),
    "barrier_policy": (BARRIER_POLICY,),
    "labels": (LABELS,),
    "weights": (WEIGHTS,),
    "images": (IMAGE_WINDOWS, DROPPED_WINDOWS),
    "folds": (FOLD_ROLES, FOLD_MEMBERS),
    "model": (OUT_OF_FOLD, LEARNING_CURVES),
    "predictions": (PREDICTIONS,),
    "walk_forward": (TRADES, POSITIONS, BOOK, EQUITY, DAILY, SCORED),
    "report": (),
    "motifs": (MOTIFS, MOTIF_MEMBERS),
}
"""The tables of each asset: a month that holds others, or other columns, is not read."""


def tables_of(asset: str, market: Market) -> tuple[TableSchema, ...]:
    """The tables of an asset on a market: `TABLES`, but that candles may stand in for ticks."""
    if asset == "ticks" and market.candle_ns:
        return CANDLES, QUARANTINE
    return TABLES[asset]


def reads_of(asset: str, study: Study | None) -> dict[str, Window]:
    """Which months of what an asset of a study reads.

    An in-sample barrier policy serves the events of its own month instead of the next: the one
    arrow that a study can bend, into the past of its events' outcomes but not beyond m.
    """
    reads = STAGES[asset].reads
    if study is None or "barrier_policy" not in reads:
        return reads
    first, last = reads["barrier_policy"]
    shift = 1 - study.barrier_policy.lag_months
    return {**reads, "barrier_policy": (first + shift, last + shift)}


def owner_of(asset: str, study: str, market: str) -> str:
    """Ticks belong to the market, so that studies share them; the rest to the study."""
    return market if asset == "ticks" else study


def months_read(window: Window, month: Month, first_month: Month) -> list[Month]:
    """List the months of a window that the market has."""
    first = max(first_month, month + window[0])
    return Month.span(first, month + window[1])
