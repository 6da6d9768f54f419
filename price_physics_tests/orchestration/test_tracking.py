"""What MLflow shows of a month is of its last fit, and of nothing before."""

import math
from itertools import count

import numpy as np
import pandas as pd
import pytest

from price_physics.months import Month
from price_physics.orchestration import mlflow_runs
from price_physics.orchestration.made import Made
from price_physics.orchestration.registry import ModelFiles
from price_physics.orchestration.tracked import Logged, fit_metrics
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.store.artefact import Artefact
from price_physics.store.partitions import Store
from price_physics.study.market import TradeMarket
from price_physics_tests.motifs.cases import study

pytestmark = pytest.mark.slow  # MLflow makes its database

FIRST = Month(2012, 4)
MONTHS = map(FIRST.__add__, count())
MARKET = TradeMarket(name="toy", symbol="TOY", files=["*"], first_month=FIRST)
REPORT = {"out_of_sample/sharpe_annual": 1.5, "month/net_return": 0.03}
OUTCOMES = frozenset({"out_of_sample/sharpe_annual", "verdict"})
HOUR_MS = 3_600_000
FILES = ModelFiles(b"network", b'{"month": "2012-04"}', {"windows_bars": [16, 32]})
MADE = Made(1_700_000_000_000, 1_700_000_000_000 + HOUR_MS)


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One for all: its tables take seconds to make."""
    return MlflowTracking(folder=str(tmp_path_factory.mktemp("mlflow")))


@pytest.fixture(scope="module")
def partition(tmp_path_factory):
    """Any stored month."""
    artefact = Artefact(documents={"x": {"y": 1}})
    store = Store(tmp_path_factory.mktemp("store"))
    return store.write(("toy", "ticks"), FIRST, artefact, code_version="1")


@pytest.fixture
def tracking(database):
    """The tracking, and a month of its own for every test."""
    return database, next(MONTHS)


def curve(n_epochs):
    return pd.DataFrame(
        {
            "fold": -1,
            "epoch": np.arange(1, n_epochs + 1),
            "train_loss": [10.0 * n_epochs] * n_epochs,
            "early_stop_loss": np.nan,
            "learning_rate": 0.1,
        }
    )


def log_fit(tracking, n_epochs, auc=0.6, dagster="a", **more):
    database, month = tracking
    logged = Logged(
        asset="model",
        digest=f"{n_epochs}",
        made=MADE,
        tags={"dagster.run_id": dagster},
        metrics={"out_of_fold/direction_auc_mean_of_folds": auc, "training/epochs": n_epochs},
        curves=curve(n_epochs),
        files={"model/architecture.json": b"{}"},
        note="Trained.",
        **more,
    )
    return database.log_month(study(), MARKET, month, logged)


def log_report(tracking, metrics=REPORT, of=None, verdict="no edge", **more):
    database, month = tracking
    logged = Logged(
        asset="report",
        digest=f"{metrics}",
        made=Made(MADE.start_ms + 2 * HOUR_MS, MADE.start_ms + 3 * HOUR_MS),
        tags={"verdict": verdict},
        metrics=metrics,
        files={"report/report.md": f"{metrics}".encode()},
        note=f"**{verdict}**",
        of_study=OUTCOMES,
        **more,
    )
    return database.log_month(of or study(), MARKET, month, logged)


def months(tracking):
    """Runs of the month by name, without the month."""
    database, month = tracking
    client = database.client()
    runs = client.search_runs(
        [client.get_experiment_by_name(study().name).experiment_id],
        filter_string=f"tags.`price_physics.month` = '{month}'",
    )
    return client, {run.info.run_name.replace(str(month), "the month"): run for run in runs}


def test_a_shorter_refit_shows_no_step_and_no_number_of_the_longer(tracking):
    older = log_fit(tracking, 5)
    newer = log_fit(tracking, 2, auc=None)
    client, runs = months(tracking)
    assert {name: run.info.run_id for name, run in runs.items()} == {
        "the month": newer,
        "the month superseded": older,
    }
    assert runs["the month superseded"].data.tags["price_physics.superseded_by"] == newer
    assert "price_physics.superseded_by" not in runs["the month"].data.tags
    points = client.get_metric_history(newer, "final/train_loss")
    assert [(point.step, point.value) for point in points] == [(1, 20.0), (2, 20.0)]
    assert "out_of_fold/direction_auc_mean_of_folds" not in runs["the month"].data.metrics
    assert len(client.get_metric_history(older, "final/train_loss")) == 5


def test_the_same_fit_goes_to_the_run_that_it_has(tracking):
    run = log_fit(tracking, 3)
    assert log_fit(tracking, 3, dagster="b") == run
    client, runs = months(tracking)
    assert list(runs) == ["the month"]
    assert runs["the month"].data.tags["dagster.run_id"] == "b"
    steps = {point.step for point in client.get_metric_history(run, "final/train_loss")}
    assert steps == {1, 2, 3}


def test_a_fit_that_comes_back_is_the_months_again(tracking):
    first, second = log_fit(tracking, 3), log_fit(tracking, 2)
    assert log_fit(tracking, 3) == first
    _, runs = months(tracking)
    assert {name: run.info.run_id for name, run in runs.items()} == {
        "the month": first,
        "the month superseded": second,
    }
    assert "price_physics.superseded_by" not in runs["the month"].data.tags


def test_the_report_stays_with_the_month_whichever_comes_first(tracking, partition):
    first = log_report(tracking, datasets={"evaluation": partition})
    run = log_fit(tracking, 3)
    client, runs = months(tracking)
    assert list(runs) == ["the month"], "what only a report had written to makes way for the fit"
    assert client.get_run(first).info.lifecycle_stage == "deleted"
    newer = log_fit(tracking, 2)
    client, runs = months(tracking)
    assert runs["the month"].info.run_id == newer != run
    assert runs["the month"].data.metrics.items() >= REPORT.items()
    assert runs["the month"].data.tags["verdict"] == "no edge"
    assert runs["the month"].data.tags["mlflow.note.content"] == "**no edge**"
    assert runs["the month"].data.tags["price_physics.logged.report"] == f"{REPORT}"
    assert [entry.path for entry in client.list_artifacts(newer, "report")] == ["report/report.md"]
    (used,) = runs["the month"].inputs.dataset_inputs
    assert used.dataset.digest == partition.data_version
    assert log_report(tracking) == newer


def test_a_number_that_the_report_no_longer_has_does_not_stay(tracking):
    run = log_report(tracking)
    assert log_report(tracking, {**REPORT, "month/net_return": None}) == run
    _, runs = months(tracking)
    assert runs["the month"].data.metrics["out_of_sample/sharpe_annual"] == 1.5
    assert math.isnan(runs["the month"].data.metrics["month/net_return"])


def test_a_kill_before_the_older_run_is_marked_is_mended(tracking, monkeypatch):
    log_report(tracking)
    log_fit(tracking, 3)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mlflow_runs, "take_over", killed)
        with pytest.raises(KeyboardInterrupt):
            log_fit(tracking, 2)
    newer = log_fit(tracking, 2)
    _, runs = months(tracking)
    assert set(runs) == {"the month", "the month superseded"}
    assert runs["the month"].info.run_id == newer
    assert runs["the month"].data.metrics.items() >= REPORT.items()


def test_what_makes_no_other_trial_may_change_under_a_run(tracking):
    database, month = tracking
    one, market = study(), MARKET
    changed = one.model_copy(
        update={
            "description": "another word",
            "motifs": one.motifs.model_copy(update={"max_events": 9}),
            "model": one.model.model_copy(update={"device": "cpu", "deterministic": True}),
        }
    )
    longer = market.model_copy(
        update={
            "files": ["*", "more/*"],
            "first_month": FIRST - 3,
            "last_month": FIRST + 30,
            "vendor": "tardis",
            "strict_gaps": True,
        }
    )
    nothing = Logged(asset="report", digest="", made=MADE)
    both = ((one, market), (changed, longer))
    runs = [database.log_month(s, m, month, nothing) for s, m in both]
    client = database.client()
    parents = {client.get_run(run).data.tags["mlflow.parentRunId"] for run in runs}
    assert len(parents) == 1
    found = client.get_run(parents.pop()).data
    assert found.params["market.symbol"] == "TOY"
    assert found.tags["price_physics.market.files"] == "['*', 'more/*']"
    assert found.tags["price_physics.market.last_month"] == str(FIRST + 30)
    assert found.tags["price_physics.description"] == "another word"
    assert not {"market.last_month", "description", "model.device"} & set(found.params)


def test_studies_are_compared_by_their_parents_and_months_by_their_runs(database, tracking):
    """One search gives settings beside outcomes, as MLflow's own comparison does."""
    _, month = tracking
    dear = study().model_copy(update={"name": "dear", "seed": study().seed + 1})
    log_report(tracking)
    log_report(tracking, {**REPORT, "out_of_sample/sharpe_annual": -2.0}, of=dear, verdict="edge")
    client = database.client()
    experiments = [client.get_experiment_by_name(n).experiment_id for n in (study().name, "dear")]
    found = client.search_runs(experiments, order_by=["metrics.`out_of_sample/sharpe_annual` ASC"])
    parents = [run for run in found if "mlflow.parentRunId" not in run.data.tags]
    shown = [
        (run.data.params["seed"], run.data.metrics["out_of_sample/sharpe_annual"])
        for run in (parents[0], parents[-1])
    ]
    assert shown == [(str(dear.seed), -2.0), (str(study().seed), 1.5)]
    assert parents[0].data.tags["verdict"] == "edge"
    assert "month/net_return" not in parents[0].data.metrics, "a month's own number is no outcome"
    (run,) = [r for r in found if r.data.tags.get("price_physics.month") == str(month)][:1]
    assert run.data.params == parents[0].data.params
    assert run.data.metrics["month/net_return"] == 0.03


def test_a_parent_shows_the_latest_month_whatever_is_logged_last(database):
    early, late = next(MONTHS), next(MONTHS)
    other = study().model_copy(update={"name": "in_time"})
    for month, sharpe, verdict in ((late, 2.0, "edge"), (early, 1.0, "no edge")):
        metrics = {"out_of_sample/sharpe_annual": sharpe}
        log_report((database, month), metrics, of=other, verdict=verdict)
    client = database.client()
    experiment = client.get_experiment_by_name("in_time").experiment_id
    (parent,) = client.search_runs([experiment], "tags.`price_physics.study` = 'in_time'")
    assert parent.data.metrics["out_of_sample/sharpe_annual"] == 2.0
    assert (parent.data.tags["verdict"], parent.data.tags["mlflow.note.content"]) == (
        "edge",
        "**edge**",
    )
    history = client.get_metric_history(parent.info.run_id, "out_of_sample/sharpe_annual")
    steps = {100 * m.year + m.month: v for m, v in ((early, 1.0), (late, 2.0))}
    assert {point.step: point.value for point in history} == steps


def test_a_run_lasts_as_long_as_its_fit_and_a_parent_as_all_of_them(tracking):
    log_fit(tracking, 3)
    log_report(tracking)
    client, runs = months(tracking)
    info = runs["the month"].info
    assert (info.start_time, info.end_time, info.status) == (
        MADE.start_ms,
        MADE.end_ms,
        "FINISHED",
    )
    parent = client.get_run(runs["the month"].data.tags["mlflow.parentRunId"]).info
    assert parent.start_time == MADE.start_ms
    assert parent.end_time == MADE.start_ms + 3 * HOUR_MS


def test_data_are_named_by_the_digest_of_their_bytes_and_not_copied(tracking, partition):
    run = log_fit(tracking, 3, datasets={"training": partition})
    log_fit(tracking, 3, datasets={"training": partition})
    client, runs = months(tracking)
    (used,) = runs["the month"].inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == (partition.name, partition.data_version)
    assert {tag.key: tag.value for tag in used.tags} == {"mlflow.data.context": "training"}
    assert [entry.path for entry in client.list_artifacts(run)] == ["model"]


def test_scores_of_training_and_of_other_months_have_different_names():
    summary = {"n_training": 9, "log_loss": 0.6, "direction_auc_mean_of_folds": 0.5, "epochs": 2}
    assert set(fit_metrics(summary)) == {
        "training/n_training",
        "training/epochs",
        "out_of_fold/log_loss",
        "out_of_fold/direction_auc_mean_of_folds",
    }


def test_a_model_has_its_scores_out_of_fold_and_those_of_the_month_it_served(tracking, partition):
    """The second come with the report of a later month, and name what they were measured on."""
    database, month = tracking
    log_fit(tracking, 3, model=FILES, datasets={"training": partition})
    served = database, next(MONTHS)
    scored = {"scored": (month, frozenset({"month/net_return"}))}
    log_report(served, datasets={"evaluation": partition}, **scored)
    client = database.client()
    version = client.get_model_version_by_alias(study().name, f"through-{month}")
    model = client.get_logged_model(version.tags["price_physics.logged_model"])
    assert model.status == "READY"
    shown = {m.key: (m.value, m.dataset_name, m.dataset_digest) for m in model.metrics}
    data = (partition.name, partition.data_version)
    assert shown == {
        "out_of_fold/direction_auc_mean_of_folds": (0.6, *data),
        "training/epochs": (3.0, *data),
        "month/net_return": (0.03, *data),
    }


def test_many_points_are_logged_in_several_calls_and_the_mark_comes_last(tracking, monkeypatch):
    """Killed before the last call, the run does not say that it is logged whole."""
    monkeypatch.setattr(mlflow_runs, "_LIMITS", (4, 30, 100))
    client = type(tracking[0].client())
    log_batch, calls = client.log_batch, []

    def killed(self, run, metrics, params, tags):
        if any(tag.key == "price_physics.logged.model" for tag in tags):
            raise KeyboardInterrupt
        calls.append(len(metrics))
        log_batch(self, run, metrics, params, tags)

    with monkeypatch.context() as patch:
        patch.setattr(client, "log_batch", killed)
        with pytest.raises(KeyboardInterrupt):
            log_fit(tracking, 5)
    assert calls[-2:] == [4, 4]
    _, runs = months(tracking)
    assert "price_physics.logged.model" not in runs["the month"].data.tags
    log_fit(tracking, 5)
    _, runs = months(tracking)
    assert runs["the month"].data.tags["price_physics.logged.model"] == "5"
    assert len(runs["the month"].data.params) > 60
    assert runs["the month"].data.metrics["final/train_loss"] == 50.0
