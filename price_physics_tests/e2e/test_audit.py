"""Promise one: change every tick after a moment, and nothing that was known by then changes.

The audit runs once with nothing planted. What it ran is kept: each leak is planted in one stage,
and the audit that must find it builds that stage alone anew.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from price_physics.audit.findings import Audit
from price_physics.audit.moments import parse_moment
from price_physics.audit.tampering import DUMPS
from price_physics.images import build as images
from price_physics.labels import driftless, policy
from price_physics.model import fit, probabilities
from price_physics.months import Month
from price_physics.motifs import build as motifs
from price_physics.orchestration import audit
from price_physics.past import Past
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.project import Project
from price_physics.report import build as report
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.motifs import MOTIF_MEMBERS
from price_physics.schemas.regimes import FEATURE_COLUMNS
from price_physics.schemas.table import TableSchema
from price_physics.schemas.walk_forward import EQUITY
from price_physics.store.artefact import Artefact
from price_physics.study.market import Market
from price_physics.study.study import Study
from price_physics.walk_forward import build as walk_forward
from price_physics.walk_forward import predictions
from price_physics_tests.e2e.projects import SMALL, make_project

EARLIEST, FIRST, LAST = Month(2012, 1), Month(2012, 2), Month(2012, 4)
MARCH = FIRST + 1
AMID_MARCH = parse_moment("2012-03-15T03:25:24")
ROOTS: list[Path] = []
"""The scratch project that is being built, last."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four months: the first has fallback barriers, the second trains, the third is traded."""
    edits = {**SMALL, "model.max_epochs": 1, "images.size_pixels": 8}
    return make_project(tmp_path_factory.mktemp("audited"), str(EARLIEST), str(LAST), edits)


@pytest.fixture(scope="module")
def clean(project: Project) -> Audit:
    """Nothing planted; the stores of the base and of both futures are kept."""
    materialise = audit.materialise

    def keep(scratch: Project, *arguments: Any) -> None:
        materialise(scratch, *arguments)
        _copy(scratch.store, _kept(project, scratch))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "materialise", keep)
        moments = [AMID_MARCH, LAST.start_ns - 1]
        return audit.run_audit(project, "demo", moments_ns=moments, caps=audit.CAPS)


def _kept(project: Project, scratch: Project) -> Path:
    return project.root / "kept" / scratch.root.name


def _copy(store: Path, to: Path) -> None:
    """Link the files of a store: a partition that is built anew replaces its own."""
    shutil.copytree(store, to, copy_function=os.link)


def audit_of_one(
    project: Project, asset: str, month: Month, monkeypatch: pytest.MonkeyPatch
) -> Audit:
    """Audit an asset and what it reads; only a month of the asset itself is built again."""
    materialise = audit.materialise

    def rebuild(
        scratch: Project, name: str, months: Sequence[Month], assets: Sequence[str], on_written: Any
    ) -> None:
        assert month in months
        assert asset in assets
        ROOTS.append(scratch.root)
        _copy(_kept(project, scratch), scratch.store)
        manifest = scratch.store.joinpath(
            owner_of(asset, name, ""), asset, str(month), "manifest.json"
        )
        manifest.unlink()
        materialise(scratch, name, [month], [asset], on_written)

    monkeypatch.setattr(audit, "materialise", rebuild)
    return audit.run_audit(
        project, "demo", moments_ns=[AMID_MARCH], assets=[asset], caps=audit.CAPS
    )


# ---------------------------------------------------------------------------- nothing planted
def test_nothing_depends_on_later_ticks(clean: Audit) -> None:
    """Ticks to motifs, trained networks, calibrations, thresholds and predictions included."""
    assert clean.passed, clean.text()
    assert list(clean.coverage) == list(STAGES)
    for asset, coverage in clean.coverage.items():
        assert coverage.months == 5, asset
        assert coverage.felt == 2, f"{asset} did not notice the tampering"
    compared = {table: n for c in clean.coverage.values() for table, n in c.rows.items()}
    assert [table for table, n in compared.items() if n == 0] == []
    assert clean.coverage["model"].warm_up == 2
    assert clean.coverage["predictions"].months - clean.coverage["predictions"].warm_up == 1


# ---------------------------------------------------------------------------- planted
def changed(artefact: Artefact, schema: TableSchema, frame: pd.DataFrame) -> Artefact:
    """The artefact, one of its tables replaced."""
    tables = tuple((s, frame if s is schema else rows) for s, rows in artefact.tables)
    return replace(artefact, tables=tables)


def early_policy(
    build: Callable, study: Study, market: Market, month: Month, past: Past
) -> Artefact:
    """A policy of the month's own excursions, in force when the month starts."""
    result = build(study, market, month, past)
    frame = result.table("barrier_policy").assign(known_at=np.int64(month.start_ns))
    return changed(result, BARRIER_POLICY, frame)


def rate_of_the_month(build: Callable, config: Any, opened_ns: Any, closed_ns: Any) -> Any:
    """Bars in a horizon as many as the month, to its end, says: driftless odds of the future."""
    n_bars = build(config, opened_ns, closed_ns)
    return np.full(len(n_bars), np.nanmean(n_bars))


def thinned_windows(build: Callable, *arguments: Any) -> Artefact:
    """Images of the quicker half of the month's windows."""
    result = build(*arguments)
    windows = result.table("windows")
    lasts = windows["event_time_ns"] - windows["window_start_ns"]
    kept = windows[lasts <= lasts.median()].reset_index(drop=True)
    return changed(result, IMAGE_WINDOWS, kept)


def early_out_of_fold(build: Callable, *arguments: Any, **settings: Any) -> Artefact:
    """Out-of-fold predictions used from the end of their labels on: later ones trained them."""
    result = build(*arguments, **settings)
    frame = result.table("out_of_fold")
    return changed(result, OUT_OF_FOLD, frame.assign(known_at=frame["label_end_ns"]))


def scaled_features(
    build: Callable, study: Any, month: Month, model: Any, bars: Any, windows: Any, features: Any
) -> Any:
    """The network is given features in units of the month it predicts."""
    columns = features[FEATURE_COLUMNS]
    of_month = (columns - columns.mean()) / columns.std()
    whole = pd.concat([features[["event_time_ns"]], of_month, features[["regime"]]], axis=1)
    return build(study, month, model, bars, windows, whole.replace(np.nan, 0.0))


def scaled_sizes(build: Callable, *arguments: Any) -> pd.DataFrame:
    """Sizes in units of the month's mean."""
    frame = build(*arguments)
    return frame.assign(size=frame["size"] / frame["size"].mean())


def scaled_equity(build: Callable, *arguments: Any, **own: Any) -> Artefact:
    """Equity in units of what it was when the month ended."""
    result = build(*arguments, **own)
    frame = result.table("equity")
    return changed(result, EQUITY, frame.assign(equity=frame["equity"] / frame["equity"].iloc[-1]))


def early_motifs(build: Callable, *arguments: Any) -> Artefact:
    """Each event's motif known with the event, though those that came later shaped it."""
    result = build(*arguments)
    frame = result.table("members")
    return changed(result, MOTIF_MEMBERS, frame.assign(known_at=frame["event_time_ns"]))


def report_to_the_end(build: Callable, *arguments: Any, **settings: Any) -> Artefact:
    """The price today, read past the store from the market's own files."""
    result = build(*arguments, **settings)
    (dump,) = (ROOTS[-1] / DUMPS).glob("*.csv")
    last = dump.read_text().splitlines()[-1]
    text = f"{result.files['report.md'].decode()}\nLast trade: {last}\n"
    return replace(result, files=result.files | {"report.md": text.encode()})


PLANTS: Mapping[str, tuple[Any, str, Callable, Month, str, set[str]]] = {
    "barrier_policy": (
        policy,
        "build_policy",
        early_policy,
        MARCH,
        "barrier_policy.parquet",
        {"take_profit_multiple", "stop_loss_multiple", "n_events"},
    ),
    "labels": (
        driftless,
        "bars_in_horizon",
        rate_of_the_month,
        MARCH,
        "labels.parquet",
        {"p0_up", "p0_none", "p0_down"},
    ),
    "images": (images, "build_images", thinned_windows, MARCH, "windows.parquet", {"(row)"}),
    "model": (fit, "fit_model", early_out_of_fold, MARCH, "out_of_fold.parquet", {"p_up"}),
    "probabilities": (
        probabilities,
        "predict",
        scaled_features,
        MARCH,
        "probabilities.parquet",
        {"p_up"},
    ),
    "predictions": (
        predictions,
        "prediction_table",
        scaled_sizes,
        MARCH,
        "predictions.parquet",
        {"size"},
    ),
    "walk_forward": (
        walk_forward,
        "build_walk_forward",
        scaled_equity,
        MARCH,
        "equity.parquet",
        {"equity"},
    ),
    "motifs": (
        motifs,
        "build_motifs",
        early_motifs,
        MARCH,
        "members.parquet",
        {"(row)", "distance"},
    ),
    "report": (report, "build_report", report_to_the_end, FIRST, "report.md", {""}),
}
"""What is planted in which asset, in which month, and where the audit must see it."""


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("asset", PLANTS)
def test_a_planted_leak_is_caught_and_its_stage_named(
    project: Project, monkeypatch: pytest.MonkeyPatch, asset: str
) -> None:
    module, name, plant, month, member, columns = PLANTS[asset]
    honest = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *args, **kwargs: plant(honest, *args, **kwargs))
    found = audit_of_one(project, asset, month, monkeypatch)
    assert not found.passed
    assert {(leak.asset, leak.month) for leak in found.leaks} == {(asset, str(month))}
    assert columns & {leak.column for leak in found.leaks if leak.member == member}, found.text()
    assert f"FAILED: {asset} knows the future ({member}" in found.text()


@pytest.mark.usefixtures("clean")
def test_building_one_stage_again_plants_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = audit_of_one(project, "walk_forward", MARCH, monkeypatch)
    assert found.leaks == [], found.text()
