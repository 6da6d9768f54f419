"""Small projects on disk for the end-to-end tests: real configs, fewer months, a small network."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from price_physics.months import Month
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.project import Project
from price_physics.store.partitions import Partition, Store

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "sample" / "bitstamp_usd" / "bitstampUSD.csv"

SMALL: Mapping[str, Any] = {
    "folds.n_splits": 2,
    "folds.min_training_samples": 150,
    "images.windows_bars": [16, 32],
    "images.size_pixels": 16,
    "model.width": 4,
    "model.max_epochs": 2,
    "motifs.max_events": 32,
    "motifs.max_motifs_a_side": 2,
    # so small a network finds nothing that is worth the demo's costs, and trades are wanted
    "walk_forward.fee_bps": 0.1,
    "walk_forward.slippage_bps": 0.1,
    "walk_forward.min_confidence": 0.0,
}


def make_project(
    folder: Path,
    first_month: str = "2012-01",
    last_month: str | None = "2012-04",
    edits: Mapping[str, Any] = SMALL,
    ticks: bytes | None = None,
) -> Project:
    """Copy the demo to `folder`, with settings edited and the ticks replaced if given."""
    market = yaml.safe_load((ROOT / "configs" / "markets" / "bitstamp_usd.yaml").read_text())
    market |= {"first_month": first_month, "last_month": last_month}
    study = yaml.safe_load((ROOT / "configs" / "studies" / "demo.yaml").read_text())
    for key, value in edits.items():
        section, name = key.split(".")
        study.setdefault(section, {})[name] = value
    _write_yaml(folder / "configs" / "markets" / "bitstamp_usd.yaml", market)
    _write_yaml(folder / "configs" / "studies" / "demo.yaml", study)
    sample = folder / "data" / "sample" / "bitstamp_usd" / "bitstampUSD.csv"
    sample.parent.mkdir(parents=True)
    sample.write_bytes(SAMPLE.read_bytes() if ticks is None else ticks)
    shutil.copy(ROOT / "dagster.yaml", folder / "dagster.yaml")
    return Project(folder)


def make_candle_project(
    folder: Path, first_month: str, last_month: str, edits: Mapping[str, Any]
) -> Project:
    """The same on candles: the sample's trades of each hour as one row, which is one bar."""
    whole = {
        **edits,
        "labels.both_touched": "drop",
        "bars.kind": "tick",
        "bars.threshold_ticks": 1,
    }
    project = make_project(folder, first_month, last_month, whole, ticks=hourly_candles())
    path = project.configs / "markets" / "bitstamp_usd.yaml"
    _write_yaml(path, yaml.safe_load(path.read_text()) | {"candle_minutes": 60})
    path = project.configs / "studies" / "demo.yaml"
    study = yaml.safe_load(path.read_text())
    del study["bars"]["threshold_quote"]
    _write_yaml(path, study)
    return project


def hourly_candles() -> bytes:
    """The sample as a dump of candles."""
    trades = pd.read_csv(SAMPLE, header=None, names=["second", "price", "qty"])
    trades = trades[trades["qty"] > 0].sort_values("second", kind="stable")
    hour = trades.groupby(trades["second"] // 3600 * 3600)
    candles = hour["price"].agg(open="first", high="max", low="min", close="last")
    candles["volume"] = hour["qty"].sum()
    return candles.rename_axis("timestamp").to_csv().encode()


def partitions_of(project: Project, study: str = "demo", market: str = "bitstamp_usd") -> dict:
    """Open every partition that stands, as {(asset, month): partition}."""
    store = Store(project.store)
    found: dict[tuple[str, str], Partition] = {}
    for asset in STAGES:
        key = (owner_of(asset, study, market), asset)
        for folder in sorted((project.store / key[0] / key[1]).glob("????-??")):
            month = Month.parse(folder.name)
            if store.exists(key, month):
                found[asset, folder.name] = store.read(key, month)
    return found


def contents(partition: Partition) -> dict[str, str]:
    """Return the sha256 of every file of a partition, checked against its bytes."""
    for name in partition.file_names:
        partition.file(name)
    return {name: entry["sha256"] for name, entry in partition.manifest["files"].items()}


def _write_yaml(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data))
