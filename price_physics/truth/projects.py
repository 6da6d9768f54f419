"""The project of the planted markets: dumps, markets and studies.

It is a project like any other: the Dagster UI opens it, and a backfill runs in it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.project import Project
from price_physics.store.atomic import write_atomically
from price_physics.truth.markets import (
    BARRIER_PERCENT,
    OUTCOME_BARS,
    PACES,
    THRESHOLD_QUOTE,
    Kind,
    episodes_for,
    horizon_minutes,
    lattice_market,
    n_episodes,
    pace,
    write_generic_parquet,
)

TRAIN, TEST = Month(2020, 1), Month(2020, 2)
"""The last month to train on, which is the only one where barriers stay, and the one to test on."""
IMAGES = {"windows_bars": [32], "size_pixels": 32, "channels": ["gasf", "gadf"]}
MODEL = {
    "architecture": "resnet_lite",
    "width": 8,
    "batch_size": 128,
    "max_epochs": 4,
    "patience_epochs": 4,
    "learning_rate": 2e-3,
    "device": "cpu",
}
"""Chosen on markets of the seeds 101 to 103, never on one that was reported."""
ON_CARD = {k: v for k, v in MODEL.items() if k not in ("architecture", "width")} | {
    "device": "cuda"
}
"""The default network, trained alike on a CUDA card."""
_MOST_MOVING = 5_625
"""Most episodes of a market whose barriers move: 337500 over the least common multiple of paces."""


def episodes_a_day(n_events: int) -> int:
    """Episodes a day for so many events in the month to train on. Raises ConfigError."""
    try:
        return episodes_for(n_events, TRAIN)
    except ValueError as error:
        raise ConfigError(f"--events: {error}") from error


def first_month(kind: Kind) -> Month:
    """First month to train on: where barriers move, the test month's are none of those seen."""
    return TEST - (len(PACES) - 1) if kind == "moving_barriers" else TRAIN


def market_episodes(kind: Kind, n_episodes_a_day: int) -> int:
    """What `lattice_market` is to be asked for, so that a kind has as many events to train on.

    Those asked for, or where barriers move the fewest with which all months to train on hold at
    least the events that January holds elsewhere.

    Raises
    ------
    ConfigError
        When no number of episodes is enough.

    Examples
    --------
    >>> market_episodes("trend", 1350), market_episodes("moving_barriers", 1350)
    (1350, 75)
    """
    if kind != "moving_barriers":
        return n_episodes_a_day
    wanted = n_episodes(TRAIN, n_episodes_a_day)
    for unit in range(1, _MOST_MOVING + 1):
        if _MOST_MOVING % unit == 0 and sum(_training_events(kind, unit)) >= wanted:
            return unit
    raise ConfigError(
        f"--events: {wanted} events are more than the {sum(_training_events(kind, _MOST_MOVING))} "
        f"that {kind} can hold; leave it out with --kind"
    )


def studies(kind: Kind) -> list[str]:
    """Names of the studies on a market: its own, and where barriers move the blind one."""
    return [kind, blind_study(kind)] if kind == "moving_barriers" else [kind]


def blind_study(kind: Kind) -> str:
    """Name of the study whose network is not told where the barriers stand."""
    return f"{kind}_blind"


def _training_events(kind: Kind, market_episodes_a_day: int) -> list[int]:
    """Events of each month to train on."""
    first = first_month(kind)
    return [
        n_episodes(first + i, market_episodes_a_day * pace(kind, i)) for i in range(TEST - first)
    ]


def planted_project(
    root: Path,
    kinds: Sequence[Kind],
    seed: int,
    n_episodes_a_day: int,
    dagster: Path,
    model: Mapping[str, Any] = MODEL,
) -> Project:
    """Write, or complete, the project of one seed: a market of every kind, and its studies.

    A dump that is there stays: it is written whole or not at all, and `root` belongs to one seed
    and one number of episodes.

    Parameters
    ----------
    root : Path
    kinds : sequence of Kind
    seed, n_episodes_a_day : int
    dagster : Path
        Settings of the Dagster instance, copied where they exist.
    model : mapping
        Section `model` of the studies.
    """
    project = Project(root)
    if dagster.exists():
        write_atomically(root / "dagster.yaml", dagster.read_bytes())
    for kind in kinds:
        _write_dumps(project.data / "raw" / kind, kind, seed, n_episodes_a_day)
        _write_yaml(project.configs / "markets" / f"{kind}.yaml", market(kind))
        settings = study(kind, seed, n_episodes_a_day, model)
        for name in studies(kind):
            if name == blind_study(kind):
                settings |= {"model": settings["model"] | {"offset": "none"}}
            _write_yaml(project.configs / "studies" / f"{name}.yaml", settings)
    return project


def market(kind: Kind) -> dict[str, Any]:
    """The settings of a market."""
    return {
        "symbol": kind.upper(),
        "vendor": "generic",
        "files": [f"data/raw/{kind}/*.parquet"],
        "first_month": str(first_month(kind)),
        "last_month": str(TEST),
        "synthetic": True,
    }


def study(
    kind: Kind, seed: int, n_episodes_a_day: int, model: Mapping[str, Any] = MODEL
) -> dict[str, Any]:
    """The settings of a study whose windows hold the pattern and nothing else."""
    asked = market_episodes(kind, n_episodes_a_day)
    moving = kind == "moving_barriers"
    horizon = horizon_minutes(asked * (min(PACES) if moving else 1))  # in the slowest month
    folds: dict[str, Any] = {"n_splits": 2, "embargo_minutes": horizon}
    if moving:  # train once, on all months: those before are the warm-up
        folds["min_training_samples"] = sum(_training_events(kind, asked)[:-1]) + 1
    return {
        "market": kind,
        "seed": seed,
        "bars": {"kind": "dollar", "threshold_quote": THRESHOLD_QUOTE},
        "events": {"every_n_bars": 64, "offset_bars": 31},
        "labels": {"horizon_bars": OUTCOME_BARS} if moving else {"horizon_minutes": horizon},
        # both sides alike, so that direction is all there is to know
        "barrier_policy": {
            "kind": "percent",
            "take_profit_percent": BARRIER_PERCENT,
            "stop_loss_percent": BARRIER_PERCENT,
        },
        "folds": folds,
        "images": IMAGES,
        "model": dict(model),
        "walk_forward": {"fee_bps": 0.5, "slippage_bps": 0.5},
        "motifs": {"max_motifs_a_side": 2},
    }


def _write_dumps(folder: Path, kind: Kind, seed: int, n_episodes_a_day: int) -> None:
    first = first_month(kind)
    paths = {month: folder / f"{kind}-{month}.parquet" for month in Month.span(first, TEST)}
    if all(path.exists() for path in paths.values()):
        return
    asked = market_episodes(kind, n_episodes_a_day)
    ticks = lattice_market(kind, first, len(paths), asked, seed)
    for month, path in paths.items():
        within = ticks["time_ns"].between(month.start_ns, month.stop_ns, inclusive="left")
        write_generic_parquet(ticks[within], path)


def _write_yaml(path: Path, data: dict[str, Any]) -> None:
    write_atomically(path, yaml.safe_dump(data, sort_keys=False).encode())
