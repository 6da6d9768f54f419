"""The DAG as one table: for each asset its function, the months it reads, the settings it obeys.

Dagster's edges, the inputs recorded in a manifest and the test whether a partition is current
all come from here. **Partition m reads only months up to m**: no offset is ever positive.

A stage is a plain function ``(study, market, month, past) -> Artefact``; `past` holds what its row
says and no more. A new stage is one function and one row. Ticks belong to no study and read files:
``build_ticks(market, month, root)``. `orchestration.assets` hands some stages more, by keyword:
checkpoints and a progress bar to `model`, who looks to `walk_forward`, the ledger and the
environment to `report`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.schemas.bars import BARS
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.images import DROPPED_WINDOWS, IMAGE_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.schemas.motifs import MOTIF_MEMBERS, MOTIFS
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.probabilities import PROBABILITIES
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.table import TableSchema
from price_physics.schemas.ticks import CANDLES, QUARANTINE, TICKS
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, POSITIONS, SCORED, TRADES
from price_physics.schemas.weights import WEIGHTS
from price_physics.store.artefact import Artefact
from price_physics.study.market import Market
from price_physics.study.study import Study

EVERY = -360
"""Offset that reaches back beyond the first month of any market: thirty years. Dagster steps
through every month of it for every input, so more would cost seconds a run."""

MonthWindow = tuple[int, int]
"""First and last month that is read, as offsets from m; both inclusive."""


def _nothing(study: Study) -> tuple[str, ...]:
    return ()


def _network(study: Study) -> tuple[str, ...]:
    return (f"price_physics.model.networks.{study.model.architecture}",)


@dataclass(frozen=True)
class Stage:
    """One asset.

    Attributes
    ----------
    make : str
        ``module:function``, imported when a month is made: Dagster loads the DAG without torch.
    reads : mapping of asset to MonthWindow
    obeys : tuple of str
        Sections of the study that it reads. What others change reaches it through its inputs.
        ``*`` is all of them, ``market`` the market's settings, ``outages`` those alone.
    tables : tuple of TableSchema
        A month that holds others, or other columns, is not read.
    group, kinds, gives
        Its group, kinds and description in the Dagster UI.
    named_by : callable (study) -> tuple of str
        Modules that it imports because the study names them.
    """

    make: str
    reads: dict[str, MonthWindow]
    obeys: tuple[str, ...]
    tables: tuple[TableSchema, ...]
    group: str
    kinds: frozenset[str]
    gives: str
    named_by: Callable[[Study], tuple[str, ...]] = _nothing

    def function(self) -> Callable[..., Artefact]:
        """Import the stage's function."""
        module, name = self.make.split(":")
        return getattr(import_module(module), name)


def _stage(
    make: str,
    obeys: str,
    reads: dict[str, MonthWindow],
    tables: tuple[TableSchema, ...],
    shown: str,
    gives: str,
    named_by: Callable[[Study], tuple[str, ...]] = _nothing,
) -> Stage:
    group, *kinds = shown.split()
    return Stage(
        f"price_physics.{make}",
        reads,
        tuple(obeys.split()),
        tables,
        group,
        frozenset(kinds),
        gives,
        named_by,
    )


M, M1, M2, ALL = (0, 0), (-1, 0), (-2, 0), (EVERY, 0)  # m; m-1 and m; m-2 to m; all up to m
BEFORE = (-1, -1)  # m-1 alone

STAGES: dict[str, Stage] = {
    "ticks": _stage(
        "ticks.build:build_ticks",
        "market",
        {},
        (TICKS, QUARANTINE),
        "market csv parquet",
        "Clean ticks or candles of the month; rows set aside, with reasons; a quality report.",
    ),
    "bars": _stage(
        "bars.build:build_bars",
        "bars",
        {"ticks": M1},
        (BARS,),
        "market numba parquet",
        "Information-time bars; the month's last is closed by its end and flagged partial.",
    ),
    "regime_features": _stage(
        "regimes.build:build_regime_features",
        "events regime_features",
        {"bars": ALL},
        (REGIME_FEATURES,),
        "labels numpy parquet",
        "Trailing return and volatility, calendar and regime of every event of the month.",
    ),
    "excursions": _stage(
        "labels.excursions:build_excursions",
        "bars events labels",
        {"bars": M2, "ticks": M1},
        (EXCURSIONS,),
        "labels numba parquet",
        "How far price ran either way over each horizon that ends in the month, in ATR.",
    ),
    "barrier_policy": _stage(
        "labels.policy:build_policy",
        "seed barrier_policy labels",
        {"excursions": ALL, "regime_features": ALL},
        (BARRIER_POLICY,),
        "labels numpy parquet",
        "Take-profit and stop-loss multiples for the events of the next month. An in-sample policy "
        "serves the month itself, and is marked, as is everything downstream.",
    ),
    "labels": _stage(
        "labels.build:build_labels",
        "bars events labels barrier_policy outages",
        {"bars": M2, "ticks": M1, "regime_features": M1, "barrier_policy": (-2, -1)},
        (LABELS,),
        "labels numba parquet",
        "Triple-barrier labels whose horizon ends in the month, touched by ticks or bars.",
    ),
    "weights": _stage(
        "weights.build:build_weights",
        "",
        {"labels": ALL, "bars": ALL},
        (WEIGHTS,),
        "labels numba parquet",
        "Average uniqueness of every label known by the end of the month.",
    ),
    "images": _stage(
        "images.build:build_images",
        "events images",
        {"bars": M1},
        (IMAGE_WINDOWS, DROPPED_WINDOWS),
        "learning torch parquet",
        "Windows, render specification, channel statistics, golden renders, contact sheet.",
    ),
    "folds": _stage(
        "folds.build:build_folds",
        "labels folds model",
        {"labels": ALL, "images": ALL},
        (FOLD_ROLES, FOLD_MEMBERS),
        "labels numpy parquet",
        "The training set of the month, and the purged k-fold inside it.",
    ),
    "model": _stage(
        "model.fit:fit_model",
        "seed images model folds",
        {
            "images": ALL,
            "bars": ALL,
            "regime_features": ALL,
            "labels": ALL,
            "weights": M,
            "folds": M,
            "model": BEFORE,
        },
        (OUT_OF_FOLD, LEARNING_CURVES),
        "learning torch mlflow",
        "The network trained through the month, calibrated; out-of-fold predictions; curves.",
        _network,
    ),
    "probabilities": _stage(
        "model.probabilities:build_probabilities",
        "images labels barrier_policy model",
        {
            "model": BEFORE,
            "barrier_policy": BEFORE,
            "bars": M1,
            "images": M,
            "regime_features": M,
        },
        (PROBABILITIES,),
        "learning torch parquet",
        "Out of sample, for the events of the month: barriers, driftless odds, probabilities.",
        _network,
    ),
    "predictions": _stage(
        "walk_forward.predictions:build_predictions",
        "model walk_forward",
        {"model": BEFORE, "probabilities": M},
        (PREDICTIONS,),
        "verdict numpy parquet",
        "What the probabilities are worth after costs: expected values, side and size.",
    ),
    "walk_forward": _stage(
        "walk_forward.build:build_walk_forward",
        "bars labels walk_forward",
        {"predictions": M1, "ticks": M1, "bars": M2, "labels": M},
        (TRADES, POSITIONS, BOOK, EQUITY, DAILY, SCORED),
        "verdict numba parquet",
        "Trades and equity of the month after costs; positions carried in and out.",
    ),
    # The report prints every setting, so it obeys them all.
    "report": _stage(
        "report.build:build_report",
        "* market",
        {"walk_forward": ALL, "predictions": ALL, "labels": ALL, "ticks": ALL},
        (),
        "verdict html mlflow",
        "The out-of-sample report up to the month, and its verdict.",
    ),
    # The network's head reads the regime features, so attributing an event does too.
    "motifs": _stage(
        "motifs.build:build_motifs",
        "seed images model motifs",
        {
            "model": BEFORE,
            "bars": M2,
            "images": M1,
            "regime_features": M1,
            "labels": M,
            "probabilities": M1,
        },
        (MOTIFS, MOTIF_MEMBERS),
        "verdict torch parquet",
        "What the network looks for, in words: Grad-CAM clusters of the month's events.",
        _network,
    ),
}


def tables_of(asset: str, market: Market) -> tuple[TableSchema, ...]:
    """The tables of an asset on a market; candles may stand in for ticks."""
    if asset == "ticks" and market.candle_ns:
        return CANDLES, QUARANTINE
    return STAGES[asset].tables


def reads_of(asset: str, study: Study | None) -> dict[str, MonthWindow]:
    """Find the months that an asset of a study reads, by input asset.

    Two settings move an arrow of the DAG, and even then none points beyond m: an in-sample barrier
    policy serves the events of its own month instead of the next, and a model reads the one before
    only where that may serve on.
    """
    reads = dict(STAGES[asset].reads)
    if study is None:
        return reads
    if "barrier_policy" in reads:
        first, last = reads["barrier_policy"]
        shift = 1 - study.barrier_policy.lag_months
        reads["barrier_policy"] = (first + shift, last + shift)
    if asset == "model" and study.model.refit_every_months == 1:
        del reads["model"]
    return reads


def owner_of(asset: str, study: str, market: str) -> str:
    """Ticks belong to the market, so that studies share them; the rest to the study."""
    return market if asset == "ticks" else study


def months_read(window: MonthWindow, month: Month, first_month: Month) -> list[Month]:
    """List the months of a window that the market has."""
    first = max(first_month, month + window[0])
    return Month.span(first, month + window[1])


def with_upstream(assets: Sequence[str]) -> list[str]:
    """List assets and all they read, in the order of the pipeline; all assets if none is named."""
    unknown = [asset for asset in assets if asset not in STAGES]
    if unknown:
        raise ConfigError(f"no asset {unknown}; choose among {list(STAGES)}")
    wanted = set(assets or STAGES)
    while more := {name for asset in wanted for name in STAGES[asset].reads} - wanted:
        wanted |= more
    return [asset for asset in STAGES if asset in wanted]
