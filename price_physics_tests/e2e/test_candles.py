"""Candles in the place of ticks, through the whole pipeline: what stands, and what looks ahead.

The audit runs once with nothing planted. Leaks that only candles can have are planted then, each
in the stage that could have it.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from price_physics.audit.findings import Audit
from price_physics.bars import build as bars_build
from price_physics.errors import PricePhysicsError
from price_physics.labels import build as labels
from price_physics.months import Month
from price_physics.orchestration import audit
from price_physics.orchestration.backfill import run_backfill
from price_physics.pipeline.dag import STAGES, tables_of
from price_physics.project import Project
from price_physics.schemas.ticks import CANDLES
from price_physics.store.artefact import Artefact, column_types
from price_physics.store.partitions import Partition
from price_physics.study.bars import BarsConfig
from price_physics.study.reading import load_configs
from price_physics.ticks import build as stage
from price_physics_tests.e2e.projects import (
    SMALL,
    make_candle_project,
    partitions_of,
)

FIRST, LAST = Month(2012, 1), Month(2012, 3)
HOUR_NS = 3600 * 10**9

Run = Mapping[tuple[str, str], Partition]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three months: the first has fallback barriers, the second trains, the third is traded."""
    # a network that knows no barriers says something else than the odds: trades are wanted
    edits = {**SMALL, "model.max_epochs": 1, "images.size_pixels": 8, "model.offset": "none"}
    return make_candle_project(tmp_path_factory.mktemp("candles"), str(FIRST), str(LAST), edits)


@pytest.fixture(scope="module")
def clean(project: Project) -> Audit:
    """Nothing planted; the store of the base stays, as the project's own."""
    materialise = audit.materialise

    def keep(scratch: Project, *arguments: Any) -> None:
        materialise(scratch, *arguments)
        if scratch.root.name == "base":
            shutil.copytree(scratch.store, project.store)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "materialise", keep)
        return audit_of(project)


@pytest.fixture(scope="module")
def run(project: Project, clean: Audit) -> Run:
    return partitions_of(project)


def audit_of(project: Project, *assets: str, at: int | None = None) -> Audit:
    """By default at the first moment that an audit chooses."""
    moments = [] if at is None else [at]
    return audit.run_audit(project, "demo", moments_ns=moments, n_moments=1, assets=assets)


def whole(run: Run, asset: str, table: str) -> pd.DataFrame:
    months = [str(m) for m in Month.span(FIRST, LAST)]
    return pd.concat([run[asset, m].table(table) for m in months], ignore_index=True)


# ---------------------------------------------------------------------------- what stands
def test_every_partition_holds_the_tables_of_a_market_of_candles(run, project) -> None:
    market = load_configs(project.configs)[0]["bitstamp_usd"]
    assert set(run) == {(a, str(m)) for a in STAGES for m in Month.span(FIRST, LAST)}
    for (asset, month), partition in run.items():
        tables = tables_of(asset, market)
        declared = {f"{schema.name}.parquet": column_types(schema) for schema in tables}
        assert partition.schemas == declared, (asset, month)


def test_every_candle_is_one_bar_and_every_label_ends_with_one(run) -> None:
    candles, bars = whole(run, "ticks", "candles"), whole(run, "bars", "bars")
    assert len(bars) == len(candles) > 400
    for name in ("open_time_ns", "close_time_ns", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(bars[name], candles[name])
    labelled = whole(run, "labels", "labels")
    touched = labelled[labelled["label"] != 0]
    assert len(touched) > 100
    assert touched["label_end_ns"].isin(candles["close_time_ns"]).all()


def test_trades_are_filled_at_opens_and_closes_that_were_known(run) -> None:
    candles, trades = whole(run, "ticks", "candles"), whole(run, "walk_forward", "trades")
    filled = trades.dropna(subset="entry_price")
    assert len(filled) > 10
    opens = candles.set_index("open_time_ns")["open"]
    entry_ns = filled["entry_time_ns"].astype("int64")
    np.testing.assert_array_equal(opens.loc[entry_ns], filled["entry_price"])
    assert (entry_ns > filled["event_time_ns"]).all()
    prices = pd.concat([opens, candles.set_index("close_time_ns")["close"]])
    timed_out = filled[filled["exit_reason"] == "time_out"]
    np.testing.assert_array_equal(prices.loc[timed_out["exit_time_ns"]], timed_out["exit_price"])
    signals = whole(run, "predictions", "predictions")[["event_time_ns", "upper", "lower"]]
    stops = filled[filled["exit_reason"] == "stop_loss"].merge(signals, on="event_time_ns")
    level = np.where(stops["side"] > 0, stops["lower"], stops["upper"])
    beyond = stops["side"] * (level - stops["exit_price"])
    assert (beyond >= 0).all(), "a stop left better than at its level"
    at_open = stops["exit_time_ns"].isin(opens.index)
    np.testing.assert_array_equal(
        opens.loc[stops["exit_time_ns"][at_open]], stops["exit_price"][at_open]
    )
    assert (beyond[~at_open] > 0).any()


def test_the_report_says_that_candles_touched_and_how_many_could_not_tell(run) -> None:
    markdown = run["report", str(LAST)].file("report.md").decode()
    numbers = json.loads(run["report", str(LAST)].file("report.json"))["labels"]
    assert "highs and lows of candles" in markdown
    assert "A candle touched both sides and cannot decide: dropped" in markdown
    counted = sum(
        run["labels", str(m)].document("counts")["undecidable"] for m in Month.span(FIRST, LAST)
    )
    assert numbers["n_undecidable"] == counted


# ---------------------------------------------------------------------------- no look-ahead
def test_nothing_depends_on_later_candles(clean: Audit) -> None:
    """Amid a candle: its open stays, all the rest of it and all that follows changes."""
    assert not clean.leaks, clean.text()
    compared = {table: n for c in clean.coverage.values() for table, n in c.rows.items()}
    for table in ("candles", "quarantine", "labels", "out_of_fold", "predictions", "trades"):
        assert compared[table] > 0, table


def test_candles_that_are_known_at_their_start_are_caught(project, monkeypatch) -> None:
    """The stamp that vendors write, taken for the moment at which a candle is known."""
    build = stage.build_ticks

    def early(*arguments: Any, **options: Any) -> Artefact:
        artefact = build(*arguments, **options)
        (schema, candles), quarantine = artefact.tables
        dated_back = candles.assign(close_time_ns=candles["open_time_ns"])
        return replace(artefact, tables=((schema, dated_back), quarantine))

    monkeypatch.setattr(stage, "build_ticks", early)
    leaks = audit_of(project, "bars").leaks
    assert {"ticks", "bars"} == {leak.asset for leak in leaks}
    assert {"high", "close"} <= {leak.column for leak in leaks if leak.asset == "ticks"}


def test_a_label_that_ends_where_its_candle_starts_is_caught(project, monkeypatch) -> None:
    """A touch inside a candle, dated back to the candle's start."""
    labelled = labels._labelled

    def early(*arguments: Any) -> pd.DataFrame:
        frame = labelled(*arguments)
        touched = frame["label"] != 0
        known = frame["known_at"] - (HOUR_NS - 1) * touched
        return frame.assign(known_at=np.maximum(known, frame["event_time_ns"]))

    monkeypatch.setattr(labels, "_labelled", early)
    at = first_touch_inside(project)
    leaks = audit_of(project, "labels", at=at).leaks
    assert {leak.asset for leak in leaks} == {"labels"}


def first_touch_inside(project: Project) -> int:
    """A moment inside a candle that some label ends with."""
    rows = partitions_of(project)["labels", "2012-03"].table("labels")
    ends = rows.loc[rows["label"] != 0, "label_end_ns"]
    return int(ends.iloc[len(ends) // 2]) - HOUR_NS // 2


def test_bars_that_reach_into_the_next_candle_are_caught(project, monkeypatch) -> None:
    build = bars_build.bars_of_candles

    def peeking(config: BarsConfig, month: Month, candles: Mapping) -> pd.DataFrame:
        """Every candle is given the high of the one after it."""
        peeked = {}
        for m, chunks in candles.items():
            rows = pd.concat(list(chunks))
            high = rows["high"].shift(-1).fillna(rows["high"])
            peeked[m] = [rows.assign(high=np.maximum(rows["high"], high))[CANDLES.columns]]
        return build(config, month, peeked)

    monkeypatch.setattr(bars_build, "bars_of_candles", peeking)
    leaks = audit_of(project, "bars").leaks
    assert [(leak.asset, leak.column) for leak in leaks] == [("bars", "high")]


# ---------------------------------------------------------------------------- another length
def test_candles_of_another_length_stop_the_month(project: Project) -> None:
    path = project.configs / "markets" / "bitstamp_usd.yaml"
    text = path.read_text()
    path.write_text(text.replace("candle_minutes: 60", "candle_minutes: 30"))
    try:
        with pytest.raises(PricePhysicsError, match="60 minutes, 0 by 30; correct candle_min"):
            run_backfill(project, "demo", last=FIRST)
    finally:
        path.write_text(text)
