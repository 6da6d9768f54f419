"""The whole pipeline on four real months: every partition, what people open, what is tracked."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import filelock
import pandas as pd
import pytest
from mlflow.entities import Run

from price_physics.cli import main
from price_physics.errors import ConfigError, PartitionLocked, PricePhysicsError, StoreError
from price_physics.months import Month
from price_physics.orchestration.backfill import months_of_run, run_backfill, run_month
from price_physics.orchestration.build import build_definitions
from price_physics.orchestration.durations import measured_seconds
from price_physics.orchestration.instance import open_instance
from price_physics.orchestration.tracking import tracking_of
from price_physics.pipeline.dag import STAGES, owner_of
from price_physics.pipeline.freshness import stale_assets
from price_physics.project import Project
from price_physics.report.content import compose
from price_physics.store.artefact import Artefact, column_types
from price_physics.store.partitions import Store
from price_physics.study.reading import load_configs
from price_physics_tests.e2e.conftest import run
from price_physics_tests.e2e.projects import contents, make_project, partitions_of
from price_physics_tests.folds.rows import role_rows

MONTHS = [str(m) for m in Month.span(Month(2012, 1), Month(2012, 4))]


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Four months of the sample, a small network, every asset."""
    return run(make_project(tmp_path_factory.mktemp("small")))


def test_every_asset_of_every_month_stands(small_run: Project) -> None:
    assert set(partitions_of(small_run)) == {(a, m) for a in STAGES for m in MONTHS}


def test_every_partition_holds_the_tables_that_are_declared(small_run: Project) -> None:
    for (asset, month), partition in partitions_of(small_run).items():
        tables = STAGES[asset].tables
        declared = {f"{schema.name}.parquet": column_types(schema) for schema in tables}
        assert partition.schemas == declared, (asset, month)


def test_every_label_has_a_role_or_a_reason(small_run: Project) -> None:
    partitions = partitions_of(small_run)
    for month in MONTHS:
        known = [m for m in MONTHS if m <= month]
        events = pd.concat([partitions["labels", m].table("labels") for m in known])
        if partitions["folds", month].warm_up is None:
            tables = (partitions["folds", month].table(name) for name in ("roles", "members"))
            roles = role_rows(*tables, events["event_time_ns"])
            assert set(roles["event_time_ns"]) == set(events["event_time_ns"])
            outside = roles.loc[roles["fold"] < 0, "role"]
            assert set(outside) <= {"no_window", "crosses_outage", "at_fallback"}
            assert "no_window" in set(outside)


def test_models_train_and_serve_the_next_month(small_run: Project) -> None:
    partitions = partitions_of(small_run)
    trained = [m for m in MONTHS if partitions["model", m].warm_up is None]
    assert len(trained) == 3, "the first month's labels stand at fallback barriers"
    predicted = {m: partitions["predictions", m].table("predictions") for m in MONTHS}
    assert all(len(frame) > 100 for frame in predicted.values())
    served = [m for m in MONTHS if predicted[m]["by_network"].all()]
    assert all(not predicted[m]["by_network"].any() for m in MONTHS if m not in served)
    assert served == [m for m in MONTHS if str(Month.parse(m) - 1) in trained]
    assert sum(len(partitions["walk_forward", m].table("trades")) for m in served) > 0


def test_no_event_is_lost_or_labelled_twice(small_run: Project) -> None:
    """Every event with an ATR and a horizon that ends inside the data has exactly one label."""
    partitions = partitions_of(small_run)
    labels = pd.concat([partitions["labels", m].table("labels") for m in MONTHS])
    events = pd.concat([partitions["regime_features", m].table("regime_features") for m in MONTHS])
    assert labels["event_time_ns"].is_unique
    _, studies = load_configs(small_run.configs)
    horizon = studies["demo"].labels.longest_horizon_ns
    ends = events["event_time_ns"] + horizon <= Month.parse(MONTHS[-1]).end_ns
    expected = set(events.loc[ends, "event_time_ns"])
    missing = sorted(expected - set(labels["event_time_ns"]))
    warming_up = events["event_time_ns"].iloc[: studies["demo"].labels.atr_period_bars]
    assert set(labels["event_time_ns"]) <= expected
    assert set(missing) <= set(warming_up)


def test_manifests_lead_back_to_the_vendor_file(small_run: Project) -> None:
    partitions = partitions_of(small_run)
    ticks = partitions["ticks", "2012-03"]
    file = "data/sample/bitstamp_usd/bitstampUSD.csv"
    assert ticks.manifest["inputs"].keys() == {file, "format bitcoincharts", "last trade before"}
    assert partitions["bars", "2012-03"].manifest["inputs"] == {
        f"bitstamp_usd/ticks/{m}": partitions["ticks", m].data_version
        for m in ("2012-02", "2012-03")
    }


def test_known_at_lies_in_or_before_the_month(small_run: Project) -> None:
    for (asset, month), partition in partitions_of(small_run).items():
        for name, entry in partition.manifest["files"].items():
            if "known_at" in entry:
                known = partition.table(name.removesuffix(".parquet"))[entry["known_at"]]
                assert (known <= Month.parse(month).end_ns).all(), (asset, month, name)


def test_outputs_keep_the_names_people_know(small_run: Project) -> None:
    outputs = small_run.outputs / "demo"
    for name in (
        "reports/2012-04.html",
        "reports/2012-04.md",
        "reports/2012-04.json",
        "plots/2012-04/equity.png",
        "plots/2012-04/contact_sheet.png",
        "motifs/2012-04/motifs.md",
        "artifacts/2012-04/out_of_fold.parquet",
        "artifacts/2012-04/network.safetensors",
    ):
        assert (outputs / name).stat().st_size > 0, name


def test_report_numbers_agree_and_nothing_is_fetched(small_run: Project) -> None:
    reports = small_run.outputs / "demo" / "reports"
    numbers = json.loads((reports / "2012-04.json").read_text())
    html, markdown = ((reports / f"2012-04.{s}").read_text() for s in ("html", "md"))
    assert numbers["verdict"]["verdict"] in {"edge", "no edge", "underpowered"}
    for tile in compose(numbers).tiles:
        assert tile.value in markdown
        assert tile.value in html
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", html)
    assert numbers["verdict"]["sentence"] in markdown


def test_dagster_tells_how_long_every_partition_took(small_run: Project) -> None:
    seconds = measured_seconds(small_run)
    for asset, month in partitions_of(small_run):
        key = (owner_of(asset, "demo", "bitstamp_usd"), asset)
        assert 0 < seconds[key][Month.parse(month)] < 3600, key


def test_second_backfill_finds_everything_current(small_run: Project) -> None:
    done = run_backfill(small_run, "demo")
    assert done.n_materialised == 0
    assert done.n_current == len(STAGES) * len(MONTHS)


def test_deleted_outputs_come_back(small_run: Project) -> None:
    report = small_run.outputs / "demo" / "reports" / "2012-04.html"
    content = report.read_bytes()
    shutil.rmtree(small_run.outputs)
    assert run_backfill(small_run, "demo").n_materialised == 0
    assert report.read_bytes() == content


def test_a_damaged_file_is_rebuilt(small_run: Project) -> None:
    before = partitions_of(small_run)["excursions", "2012-02"]
    path = before.folder / before.manifest["files"]["excursions.parquet"]["path"]
    whole = path.read_bytes()
    path.write_bytes(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:])
    assert run_backfill(small_run, "demo").n_materialised >= 1
    assert path.read_bytes() == whole


@pytest.mark.parametrize("key", [("bitstamp_usd", "ticks"), ("demo", "weights")])
@pytest.mark.parametrize("damage", ["manifest", "content", "gone"])
def test_the_remedy_of_a_damaged_partition_can_be_pasted(
    small_run: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key: tuple[str, str],
    damage: str,
) -> None:
    store, month = Store(small_run.store), Month(2012, 2)
    whole = contents(store.read(key, month))
    folder = store.folder(key, month)
    table = max(folder.glob("*.parquet"))
    path = table if damage == "content" else folder / "manifest.json"
    path.write_bytes(path.read_bytes()[:-9])
    if damage == "gone":
        path.unlink()
    with pytest.raises(StoreError) as raised:
        store.read(key, month).verify()
    pasted = re.search(r"make backfill STUDY=(\S+) FROM=(\S+) TO=(\S+)", str(raised.value))
    assert pasted, raised.value
    study, first, last = pasted.groups()
    monkeypatch.chdir(small_run.root)
    assert main(["backfill", "--study", study, "--from", first, "--to", last]) == 0
    assert contents(store.read(key, month)) == whole
    assert "Left out: 2012-03 to 2012-04 (TO=2012-02)\n" in capsys.readouterr().out


def without_last_bar(bars: pd.DataFrame) -> pd.DataFrame:
    return bars.iloc[:-1]


def without_half(table: pd.DataFrame) -> pd.DataFrame:
    return table.iloc[: len(table) // 2]


@pytest.mark.parametrize(
    ("other", "change", "asset"),
    [
        ("bars", without_half, "weights"),
        ("bars", without_half, "probabilities"),
        ("bars", without_last_bar, "walk_forward"),
        ("regime_features", without_half, "labels"),
        ("weights", without_half, "model"),
        ("images", without_half, "model"),
    ],
)
def test_the_remedy_of_months_that_do_not_fit_can_be_pasted(
    small_run: Project,
    monkeypatch: pytest.MonkeyPatch,
    other: str,
    change: Callable[[pd.DataFrame], pd.DataFrame],
    asset: str,
) -> None:
    """Other code made a month of one asset, and then another one alone is materialised."""
    store, month = Store(small_run.store), Month(2012, 3)
    whole = {key: contents(partition) for key, partition in partitions_of(small_run).items()}
    before = store.read(("demo", other), month)
    first, *more = ((schema, before.table(schema.name)) for schema in STAGES[other].tables)
    documents = {n[:-5]: before.document(n[:-5]) for n in before.file_names if n.endswith(".json")}
    artefact = Artefact(((first[0], change(first[1])), *more), documents)
    facts = {name: before.manifest[name] for name in ("config_hash", "inputs")}
    store.write(before.key, month, artefact, code_version="other", **facts)
    markets, studies = load_configs(small_run.configs)
    market, study = markets["bitstamp_usd"], studies["demo"]
    with (
        open_instance(small_run) as instance,
        pytest.raises(PricePhysicsError, match="to rebuild what is stale") as raised,
    ):
        run_month(build_definitions(small_run), instance, market, study, month, [asset])
    pasted = re.search(r"run  make backfill STUDY=(\S+) TO=(\S+)  to", str(raised.value))
    assert pasted, raised.value
    monkeypatch.chdir(small_run.root)
    assert main(["backfill", "--study", pasted[1], "--to", pasted[2]]) == 0
    run_backfill(small_run, "demo")
    assert {k: contents(p) for k, p in partitions_of(small_run).items()} == whole


def test_months_of_other_settings_are_not_mixed_in(small_run: Project, tmp_path: Path) -> None:
    """A new threshold for May alone would train on bars of two kinds."""
    shutil.copytree(small_run.root, tmp_path, dirs_exist_ok=True)
    study = tmp_path / "configs" / "studies" / "demo.yaml"
    study.write_text(study.read_text().replace("threshold_quote: 50", "threshold_quote: 60"))
    with pytest.raises(PricePhysicsError, match=r"with other settings.* FROM=2012-01 TO=2012-04"):
        run_backfill(Project(tmp_path), "demo", Month(2012, 4), Month(2012, 4))


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_killed_backfill_goes_on_and_ends_where_it_would_have(
    small_run: Project, tmp_path: Path
) -> None:
    """Promise three: kill a backfill anywhere, run it again, get the same bytes."""
    project = make_project(tmp_path)
    command = [sys.executable, "-m", "price_physics.cli", "backfill", "--study", "demo"]
    for wanted in (9, 30):  # in the first month; in the third, where networks train
        with subprocess.Popen(command, cwd=project.root, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and len(partitions_of(project)) < wanted:
                time.sleep(0.05)
            still_running = process.poll() is None
            process.send_signal(signal.SIGKILL)
        assert still_running, "the backfill ended before it could be killed"
    assert 30 <= len(partitions_of(project)) < len(partitions_of(small_run))
    finished = partitions_of(run(project))
    for key, partition in partitions_of(small_run).items():
        assert contents(partition) == contents(finished[key]), key


def test_two_backfills_at_once_are_refused(small_run: Project) -> None:
    lock = small_run.data / "locks" / "backfill-demo.lock"
    with filelock.FileLock(lock), pytest.raises(PartitionLocked, match="another backfill of demo"):
        run_backfill(small_run, "demo")


def test_what_is_stale_after_a_change(small_run: Project) -> None:
    markets, studies = load_configs(small_run.configs)
    study, market, month = studies["demo"], markets["bitstamp_usd"], Month(2012, 3)
    assert stale_assets(small_run, market, study, month) == []
    dearer = study.model_copy(
        update={"walk_forward": study.walk_forward.model_copy(update={"fee_bps": 99.0})}
    )
    stale = stale_assets(small_run, market, dearer, month)
    assert stale == ["predictions", "walk_forward", "report"]


def test_mlflow_holds_a_parent_and_a_run_a_month(small_run: Project) -> None:
    _check_mlflow(small_run)


def test_without_mlflow_a_backfill_goes_on_and_a_later_one_logs_from_the_store(
    small_run: Project, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No folder can be made where a file lies: that stands for full disks and read-only places."""
    place, april = small_run.data / "mlflow", partitions_of(small_run)["report", "2012-04"]
    before = april.data_version
    shutil.rmtree(place)
    place.write_text("")
    (april.folder / "manifest.json").unlink()
    assert run_backfill(small_run, "demo").n_materialised == 1
    assert partitions_of(small_run)["report", "2012-04"].data_version == before
    assert "demo 2012-04 is not in MLflow: " in caplog.text
    assert "MLflow lacks runs of demo: " in caplog.text
    assert "price-physics track --study demo" in caplog.text
    place.unlink()
    monkeypatch.chdir(small_run.root)
    assert main(["track", "--study", "demo"]) == 0
    _check_mlflow(small_run)
    shutil.rmtree(place)
    assert run_backfill(small_run, "demo").n_materialised == 0
    _check_mlflow(small_run)


@pytest.mark.parametrize(
    ("state", "warning"),
    [
        ("corrupt", r"is damaged \(.*MLflow lacked 11 models and reports of demo"),
        ("locked", r"demo 2012-04 is not in MLflow: .*database is locked"),
        ("missing", "MLflow lacked 11 models and reports of demo"),
    ],
)
def test_the_demo_ends_with_its_report_and_a_warning_whatever_mlflow_is(
    small_run: Project,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    warning: str,
) -> None:
    database = small_run.data / "mlflow" / "mlflow.db"
    before = {key: contents(partition) for key, partition in partitions_of(small_run).items()}
    for asset in ("model", "report"):
        (partitions_of(small_run)[asset, "2012-04"].folder / "manifest.json").unlink()
    monkeypatch.chdir(small_run.root)
    with ExitStack() as held:
        if state == "corrupt":
            content = bytearray(database.read_bytes())
            content[: len(content) // 2] = bytes(len(content) // 2)
            database.write_bytes(content)
        elif state == "missing":
            shutil.rmtree(database.parent)
        else:
            other = held.enter_context(closing(sqlite3.connect(database)))
            other.execute("BEGIN EXCLUSIVE")
        assert main(["demo"]) == 0
    told = capsys.readouterr().out
    assert "Verdict: " in told
    assert f"Report: {small_run.outputs / 'demo' / 'reports' / '2012-04.html'}" in told
    assert re.search(warning, caplog.text, re.DOTALL), caplog.text
    assert {k: contents(p) for k, p in partitions_of(small_run).items()} == before
    assert main(["track", "--study", "demo"]) == 0
    _check_mlflow(small_run)


def _check_mlflow(small_run: Project) -> None:
    client = tracking_of(small_run).client()
    experiment = client.get_experiment_by_name("demo")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    assert len(parents) == 1
    assert parents[0].data.params["bars.threshold_quote"] == "50.0"
    assert parents[0].data.params["market.symbol"] == "BTCUSD"
    by_month = {
        r.data.tags["price_physics.month"]: r for r in runs if "mlflow.parentRunId" in r.data.tags
    }
    assert sorted(by_month) == MONTHS
    april = by_month["2012-04"]
    assert april.data.tags["mlflow.parentRunId"] == parents[0].info.run_id
    assert april.data.tags["dagster.partition"] == "2012-04-01"
    marks = {"price_physics.synthetic": "false", "price_physics.in_sample": "false"}
    assert marks.items() <= april.data.tags.items()
    version = client.get_model_version_by_alias("demo", "through-2012-04")
    assert marks.items() <= version.tags.items()
    history = client.get_metric_history(april.info.run_id, "fold_0/train_loss")
    assert [m.step for m in history] == list(range(1, len(history) + 1))
    logged = {
        a.path
        for top in ("model", "folds", "report", "motifs")
        for a in client.list_artifacts(april.info.run_id, top)
    }
    assert {"model/network.safetensors", "folds/manifest.json", "report/report.html"} <= logged
    assert {"motifs/motifs.md", "motifs/overview.png"} <= logged
    _check_outcomes(small_run, parents[0], by_month)


def _check_outcomes(small_run: Project, parent: Run, by_month: dict[str, Run]) -> None:
    """What MLflow shows of a study and its months is what report and manifests say."""
    stored, april = partitions_of(small_run), by_month["2012-04"]
    report = json.loads(stored["report", "2012-04"].file("report.json"))
    of_all = {
        "out_of_sample/net_return": report["headline"]["net_return"],
        "out_of_sample/max_drawdown": report["headline"]["max_drawdown"],
        "out_of_sample/cost": report["headline"]["costs_paid"],
        "out_of_sample/sharpe_annual": report["verdict"]["description"]["sharpe_annual"],
        "out_of_sample/direction_auc_pairs_within_months": report["headline"][
            "direction_auc_pairs_within_months"
        ],
    }
    for each in (parent, april):
        assert of_all.items() <= each.data.metrics.items()
        assert each.data.tags["verdict"] == report["verdict"]["verdict"]
        assert report["verdict"]["sentence"] in each.data.tags["mlflow.note.content"]
        assert each.data.params == parent.data.params
    month = report["months"][-1]
    assert april.data.metrics["month/net_return"] == month["net_return"]
    assert april.data.metrics["month/direction_auc"] == month["direction_auc_within_month"]
    used = {use.dataset.name: use.dataset.digest for use in april.inputs.dataset_inputs}
    read = [stored[asset, "2012-04"] for asset in ("ticks", "folds", "predictions")]
    assert used == {partition.name: partition.data_version for partition in read}
    starts = [by_month[name].info.start_time for name in MONTHS]
    ends = [by_month[name].info.end_time for name in MONTHS]
    assert all(start < end for start, end in zip(starts, ends, strict=True))
    assert starts == sorted(starts), "months were fitted in turn, whenever MLflow heard of it"
    assert parent.info.start_time in starts, "of what was logged first: no run can begin earlier"
    assert parent.info.end_time >= ends[-1]
    assert april.data.tags["dagster.run_id"]
    client = tracking_of(small_run).client()
    march = client.get_model_version_by_alias("demo", "through-2012-03")
    scores = client.get_logged_model(march.tags["price_physics.logged_model"]).metrics
    datasets = {score.key.split("/")[0]: score.dataset_name for score in scores or []}
    assert datasets["out_of_fold"] == "demo/folds/2012-03"
    assert datasets["month"] == "demo/predictions/2012-04"
    latest = client.get_model_version_by_alias("demo", "latest")
    assert latest.tags["price_physics.month"] == "2012-04"


def test_missing_earlier_month_names_the_command(tmp_path: Path) -> None:
    project = make_project(tmp_path, first_month="2011-09")
    with pytest.raises(
        PricePhysicsError, match=r"make backfill STUDY=demo FROM=2011-09 TO=2011-10"
    ):
        run_backfill(project, "demo", Month(2011, 10), Month(2011, 10))


def test_empty_tick_folder_names_the_remedy(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    next(project.root.glob("data/sample/*/*.csv")).unlink()
    with pytest.raises(PricePhysicsError, match=r"no file matches .*put the vendor's files there"):
        run_backfill(project, "demo")


def test_unknown_study_and_month_are_named(small_run: Project) -> None:
    with pytest.raises(ConfigError, match="no study 'dmeo'"):
        run_backfill(small_run, "dmeo")
    with pytest.raises(ConfigError, match=r"--to 2013-01: .* has months 2012-01 to 2012-04"):
        run_backfill(small_run, "demo", Month(2012, 1), Month(2013, 1))


def test_without_a_last_month_the_plan_ends_with_the_files(tmp_path: Path) -> None:
    project = make_project(tmp_path, last_month=None)
    market = load_configs(project.configs)[0]["bitstamp_usd"]
    assert market.last_month is None
    months = months_of_run(project, market, None, None)
    assert (months[0], months[-1]) == (Month(2012, 1), Month(2012, 5))
    later = months_of_run(project, market, None, Month(2012, 7))
    assert later[-1] == Month(2012, 7)
    with pytest.raises(ConfigError, match="no file holds a trade from 2013-01 to 20"):
        months_of_run(project, market, Month(2013, 1), None)
    closed = market.model_copy(update={"last_month": Month(2012, 4)})
    assert months_of_run(project, closed, None, None)[-1] == Month(2012, 4)
