"""Every check passes on a sound month, and fails where one thing of it is wrong."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from price_physics.months import Month
from price_physics.orchestration.backfill import run_backfill
from price_physics.orchestration.checks import checks_of, evaluate
from price_physics.orchestration.checks.finding import Case, Finding
from price_physics.orchestration.partitions import monthly_partitions
from price_physics.orchestration.step import Scope
from price_physics.pipeline.dag import STAGES, months_read, owner_of, reads_of
from price_physics.project import Project
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Partition, Store
from price_physics.study.reading import load_configs
from price_physics_tests.e2e.projects import make_project

pytestmark = pytest.mark.e2e

FIRST, LAST = Month(2012, 1), Month(2012, 3)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Three months of the sample, the last with a model and one to predict it."""
    found = make_project(tmp_path_factory.mktemp("checked"), str(FIRST), str(LAST))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(found.data / "dagster"))
        run_backfill(found, "demo")
        yield found


def case_of(project: Project, asset: str, month: Month = LAST) -> Case:
    """A month as it is about to be written: everything in memory, its inputs in the store."""
    markets, studies = load_configs(project.configs)
    study, market, store = studies["demo"], markets["bitstamp_usd"], Store(project.store)

    def read(name: str, m: Month) -> Partition:
        return store.read((owner_of(name, study.name, market.name), name), m)

    inputs = {
        upstream: {m: read(upstream, m) for m in months_read(window, month, FIRST)}
        for upstream, window in reads_of(asset, study).items()
    }
    before = read(asset, month - 1) if month > FIRST else None
    own = None if asset == "ticks" else study
    return Case(in_memory(read(asset, month), asset), inputs, month, market, own, before)


def in_memory(found: Partition, asset: str) -> Artefact:
    """The artefact that a partition was."""
    tables = tuple((schema, found.table(schema.name)) for schema in STAGES[asset].tables)
    names = [n for n in found.file_names if not n.endswith(".parquet")]
    documents = {n[:-5]: found.document(n[:-5]) for n in names if n.endswith(".json")}
    files = {n: found.file(n) for n in names}
    return Artefact(tables, documents, files=files, warm_up=found.warm_up)


def edited(case: Case, table: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> Case:
    """The same month with one table changed."""
    assert isinstance(case.found, Artefact)
    tables = tuple((s, edit(f.copy()) if s.name == table else f) for s, f in case.found.tables)
    return replace(case, found=replace(case.found, tables=tables))


def redocumented(case: Case, name: str, **changes: object) -> Case:
    assert isinstance(case.found, Artefact)
    document = {**case.found.documents[name], **changes}
    documents = {**case.found.documents, name: document}
    return replace(case, found=replace(case.found, documents=documents))


def findings(asset: str, case: Case) -> list[tuple[str, Finding]]:
    return [(e.check.name, e.finding) for e in evaluate(asset, case)]


def finding(asset: str, name: str, case: Case) -> Finding:
    (found,) = (e.finding for e in evaluate(asset, case) if e.check.name == name)
    return found


@pytest.mark.parametrize("asset", STAGES)
def test_a_sound_month_passes(project: Project, asset: str) -> None:
    for month in (FIRST, LAST):
        for found in evaluate(asset, case_of(project, asset, month)):
            # so small a network takes one side alone, and says so
            one_sided = found.check.name == "both_sides_are_taken"
            assert found.finding.passed or one_sided, (month, found)
            assert found.finding.text


def test_every_asset_has_checks_and_each_says_what_to_do(project: Project) -> None:
    market = load_configs(project.configs)[0]["bitstamp_usd"]
    for asset in STAGES:
        checks = checks_of(asset, market)
        assert len({c.name for c in checks}) == len(checks) > 0
        for check in checks:
            assert check.means.endswith(".")
            assert check.remedy.endswith("."), check.name


def first(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Set a column of the first row."""

    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        frame.loc[frame.index[0], column] = value
        return frame

    return edit


def scaled(column: str, by: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: frame[column] * by})


def backwards(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[::-1].reset_index(drop=True)


def twice(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.tail(1)], ignore_index=True)


def everything_trains(roles: pd.DataFrame) -> pd.DataFrame:
    """What was purged from a fold trains it."""
    left_out = roles["role"].isin(["purged_by_test", "embargoed_by_test"])
    return roles.assign(role=roles["role"].mask(left_out, "train"))


LATE = LAST.end_ns + 1
WRONG = [
    ("bars", "prices_fit", "bars", first("low", 1e9)),
    ("bars", "prices_fit", "bars", first("vwap", 1e9)),
    ("bars", "prices_fit", "bars", first("buy_volume", 1e9)),
    ("bars", "every_tick_in_a_bar", "bars", first("n_ticks", 999)),
    ("bars", "known_in_time", "bars", first("known_at", LATE)),
    ("bars", "rows_in_order", "bars", backwards),
    ("bars", "rows_like_neighbours", "bars", lambda frame: frame.head(9)),
    ("regime_features", "features_in_range", "regime_features", first("trailing_return", np.nan)),
    ("regime_features", "features_in_range", "regime_features", first("time_of_day_sin", 2.0)),
    ("regime_features", "no_look_ahead", "regime_features", first("trailing_return", 0.5)),
    ("regime_features", "rows_in_order", "regime_features", twice),
    ("excursions", "excursions_in_range", "excursions", first("adverse_atr", -0.1)),
    ("excursions", "excursions_in_range", "excursions", first("atr", 0.0)),
    ("barrier_policy", "barriers_in_bounds", "barrier_policy", first("stop_loss_multiple", 99.0)),
    ("barrier_policy", "barriers_in_bounds", "barrier_policy", first("stop_loss_multiple", 0.0)),
    ("labels", "outcomes_fit", "labels", first("label_end_ns", LATE)),
    ("labels", "outcomes_fit", "labels", first("upper", 0.0)),
    ("labels", "outcomes_fit", "labels", scaled("outcome_atr", -1.0)),
    ("labels", "outcomes_fit", "labels", first("p0_up", 0.9)),
    ("labels", "labels_in_balance", "labels", lambda frame: frame.assign(label=np.int8(1))),
    ("weights", "weights_cover_labels", "weights", first("average_uniqueness", 1.5)),
    ("weights", "weights_cover_labels", "weights", lambda frame: frame.iloc[1:]),
    ("images", "most_events_have_images", "windows", lambda frame: frame.head(0)),
    ("folds", "no_label_crosses_its_fold", "roles", everything_trains),
    ("folds", "no_label_crosses_its_fold", "members", first("label_end_ns", LATE)),
    ("model", "probabilities_fit", "out_of_fold", first("p_up", 0.999)),
    ("model", "losses_are_finite", "learning_curves", first("train_loss", np.nan)),
    ("model", "model_is_alive", "out_of_fold", lambda frame: frame.assign(p_up=0.4)),
    ("probabilities", "probabilities_fit", "probabilities", first("p_down", 0.999)),
    ("probabilities", "probabilities_fit", "probabilities", first("event_time_ns", LATE)),
    ("predictions", "signals_fit", "predictions", first("size", 1.5)),
    ("predictions", "both_sides_are_taken", "predictions", lambda f: f.assign(side=np.int8(1))),
    ("walk_forward", "trades_reconcile_with_equity", "trades", first("net_bps", 5000.0)),
    ("walk_forward", "trades_reconcile_with_equity", "daily", first("net_return", 0.01)),
    ("walk_forward", "trades_reconcile_with_equity", "equity", scaled("gross_equity", 1.001)),
    ("walk_forward", "book_within_capital", "book", first("book", 1.5)),
    ("motifs", "motifs_fit", "motifs", first("n_events", 999)),
    ("motifs", "motifs_fit", "motifs", first("hit_rate", 1.5)),
]


@pytest.mark.parametrize(("asset", "name", "table", "edit"), WRONG)
def test_one_thing_wrong_is_found(
    project: Project,
    asset: str,
    name: str,
    table: str,
    edit: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    case = case_of(project, asset)
    if name == "most_events_have_images":  # and all were dropped instead
        windows = next(f for s, f in case.found.tables if s.name == "windows")  # type: ignore[attr-defined]
        dropped = windows.assign(n_bars=9, reason="x")[["event_time_ns", "n_bars", "reason"]]
        case = edited(case, "dropped", lambda _: dropped)
    found = finding(asset, name, edited(case, table, edit))
    assert not found.passed, found
    assert found.text


def test_a_model_of_its_own_month_is_found(project: Project) -> None:
    case = case_of(project, "predictions")
    assert finding("predictions", "model_is_older", case).passed
    of_its_own = redocumented(case, "provenance", model_month=str(LAST))
    assert not finding("predictions", "model_is_older", of_its_own).passed


def test_an_uncalibrated_model_is_found(project: Project) -> None:
    case = redocumented(case_of(project, "model"), "summary", calibration_error_equal_count=0.4)
    found = finding("model", "model_is_calibrated", case)
    assert not found.passed
    assert found.numbers["calibration_error"] == 0.4


def test_a_verdict_on_days_without_data_is_found(project: Project) -> None:
    case = case_of(project, "report")
    walk = in_memory(case.inputs["walk_forward"][LAST], "walk_forward")  # type: ignore[arg-type]
    silent = edited(
        replace(case, found=walk), "daily", lambda frame: frame.assign(covered=False)
    ).found
    walks = {**case.inputs["walk_forward"], LAST: silent}
    inputs = {**case.inputs, "walk_forward": walks}
    found = finding("report", "verdict_from_covered_days", replace(case, inputs=inputs))
    assert not found.passed


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("few_rows_set_aside", {"quarantined": 9, "quarantine_reasons": {"odd": 9}}),
        ("few_oddities", {"duplicates_dropped": 60}),
        ("no_day_is_missing", {"missing_days": ["2012-03-04"]}),
        ("no_day_is_missing", {"missing_ids_share": 0.02}),
    ],
)
def test_what_is_wrong_with_ticks_is_found(
    project: Project, name: str, changes: dict[str, object]
) -> None:
    case = case_of(project, "ticks")
    assert finding("ticks", name, case).passed
    assert not finding("ticks", name, redocumented(case, "quality", **changes)).passed


def test_a_thin_market_may_have_days_without_a_trade(project: Project) -> None:
    changes = {"missing_days": ["2012-03-04"], "ticks": 150}
    found = finding(
        "ticks", "no_day_is_missing", redocumented(case_of(project, "ticks"), "quality", **changes)
    )
    assert found.passed
    assert "2012-03-04" in found.text


def test_a_month_before_with_other_tables_is_compared_with_nothing(project: Project) -> None:
    case = case_of(project, "bars")
    other = Artefact(documents={"of_other_code": {}})
    found = finding("bars", "rows_like_neighbours", replace(case, before=other))
    assert found.passed
    assert "the month before holds no bars" in found.text


def test_a_month_before_that_is_damaged_is_none(project: Project, tmp_path: Path) -> None:
    markets, studies = load_configs(project.configs)
    copy = Project(shutil.copytree(project.root, tmp_path / "copy"))
    market, study = markets["bitstamp_usd"], studies["demo"]
    scope = Scope(copy, market, study, monthly_partitions(market))
    assert scope.before("bars", LAST) is not None
    (Store(copy.store).folder(("demo", "bars"), LAST - 1) / "manifest.json").write_text("{")
    assert scope.before("bars", LAST) is None
    assert scope.before("bars", FIRST) is None


def test_the_look_ahead_is_sought_in_the_columns_of_features_alone(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str] | None] = []
    table = Partition.table

    def noted(self: Partition, name: str, columns: list[str] | None = None) -> pd.DataFrame:
        asked.append(columns if name == "bars" else [])
        return table(self, name, columns)

    case = case_of(project, "regime_features")
    monkeypatch.setattr(Partition, "table", noted)
    assert finding("regime_features", "no_look_ahead", case).passed
    assert None not in asked
    assert asked


def test_a_partition_is_judged_as_the_artefact_was(project: Project, tmp_path: Path) -> None:
    store = Store(project.store)
    for asset in ("bars", "model", "walk_forward", "report"):
        case = case_of(project, asset)
        stored = replace(case, found=store.read(("demo", asset), LAST))
        assert findings(asset, stored) == findings(asset, case)
