"""Promise two: a planted signal comes out as an edge, a random walk does not.

The markets are written as tick dumps and go through the real DAG: a month to train on, one or
three that nobody has seen. Barriers are symmetric, so that direction is all there is to know.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from price_physics.months import Month
from price_physics.project import Project
from price_physics.truth.markets import (
    ceiling_auc,
    horizon_minutes,
    lattice_market,
    write_generic_csv,
)
from price_physics.walk_forward.ledger import read_entries
from price_physics_tests.e2e.conftest import run

FIRST = Month(2020, 1)
EPISODES_A_DAY = 20
THETA = 0.1
"""Drift of the outcome: four times the hard market's, so that a month to train on suffices."""


def planted_project(folder: Path, kind: Any, last: Month, seed: int = 3) -> Project:
    """Write a lattice market, and a study whose windows hold the pattern and nothing else."""
    ticks = lattice_market(kind, FIRST, last - FIRST + 1, EPISODES_A_DAY, seed, THETA)
    (folder / "data" / "raw").mkdir(parents=True)
    write_generic_csv(ticks, folder / "data" / "raw" / "toy.csv")
    horizon = horizon_minutes(EPISODES_A_DAY)
    market = {
        "symbol": "TOY",
        "vendor": "generic",
        "files": ["data/raw/*.csv"],
        "first_month": str(FIRST),
        "last_month": str(last),
        "synthetic": True,
    }
    study = {
        "market": "toy",
        "bars": {"threshold_quote": 3500},
        "events": {"every_n_bars": 64, "offset_bars": 31},
        "labels": {"horizon_minutes": horizon},
        "barrier_policy": {
            "take_profit_bounds": [5, 5],
            "stop_loss_bounds": [5, 5],
            "fallback_take_profit": 5,
            "fallback_stop_loss": 5,
        },
        "folds": {"n_splits": 2, "embargo_minutes": horizon},
        "images": {"windows_bars": [32], "size_pixels": 32, "channels": ["gasf", "gadf"]},
        "model": {"width": 8, "batch_size": 64, "max_epochs": 8},
        "motifs": {"max_motifs_a_side": 1},
        "walk_forward": {"fee_bps": 0.5, "slippage_bps": 0.5, "min_confidence": 0.05},
    }
    for kind_of, name, data in (("markets", "toy", market), ("studies", "planted", study)):
        path = folder / "configs" / kind_of / f"{name}.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(yaml.safe_dump(data))
    return Project(folder)


def report_of(project: Project, month: Month, suffix: str = "json") -> str:
    return (project.outputs / "planted" / "reports" / f"{month}.{suffix}").read_text()


def test_a_planted_trend_is_an_edge(tmp_path: Path) -> None:
    last = FIRST + 3
    project = run(planted_project(tmp_path, "trend", last), "planted")
    report = json.loads(report_of(project, last))
    assert report["verdict"]["verdict"] == "edge", report["verdict"]["sentence"]
    assert report["verdict"]["n_days"] == 90
    assert ceiling_auc("trend", THETA) > 0.9
    assert "Synthetic data" in report_of(project, last, "html")
    assert not read_entries(project.ledger), "a synthetic market is no trial"


def test_a_random_walk_is_not(tmp_path: Path) -> None:
    last = FIRST + 1
    project = run(planted_project(tmp_path, "walk", last), "planted")
    report = json.loads(report_of(project, last))
    assert report["verdict"]["verdict"] in {"no edge", "underpowered"}
    assert report["verdict"]["n_days"] == 29
