"""What MLflow shows of a month is of its last fit, and of nothing before."""

import math
from itertools import count

import numpy as np
import pandas as pd
import pytest

from price_physics.months import Month
from price_physics.orchestration import tracking as tracking_module
from price_physics.orchestration.tracking import MlflowTracking
from price_physics.study.market import TradeMarket
from price_physics_tests.motifs.cases import study

pytestmark = pytest.mark.slow  # MLflow makes its database

FIRST = Month(2012, 4)
MONTHS = map(FIRST.__add__, count())
MARKET = TradeMarket(name="toy", symbol="TOY", files=["*"], first_month=FIRST)
REPORT = {"sharpe_annual": 1.5, "bootstrap_p": 0.03}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One for all: its tables take seconds to make."""
    return MlflowTracking(folder=str(tmp_path_factory.mktemp("mlflow")))


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


def log_fit(tracking, n_epochs, auc=0.6, dagster="a"):
    database, month = tracking
    return database.log_month(
        study(),
        MARKET,
        month,
        tags={"dagster.run_id": dagster},
        metrics={"direction_auc_mean_of_folds": auc, "epochs": n_epochs},
        curves=curve(n_epochs),
        files={"model/architecture.json": b"{}"},
    )


def log_report(tracking, metrics=REPORT):
    files = {"report/report.md": f"{metrics}".encode()}
    tags = {"verdict": "no edge"}
    database, month = tracking
    return database.log_month(study(), MARKET, month, tags=tags, metrics=metrics, files=files)


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
    assert "direction_auc_mean_of_folds" not in runs["the month"].data.metrics
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


def test_the_report_stays_with_the_month_whichever_comes_first(tracking):
    run = log_report(tracking)
    assert log_fit(tracking, 3) == run  # its first fit
    newer = log_fit(tracking, 2)
    client, runs = months(tracking)
    assert runs["the month"].info.run_id == newer != run
    assert runs["the month"].data.metrics.items() >= REPORT.items()
    assert runs["the month"].data.tags["verdict"] == "no edge"
    assert [entry.path for entry in client.list_artifacts(newer, "report")] == ["report/report.md"]
    assert log_report(tracking) == newer


def test_a_number_that_the_report_no_longer_has_does_not_stay(tracking):
    run = log_report(tracking)
    assert log_report(tracking, {**REPORT, "bootstrap_p": None}) == run
    _, runs = months(tracking)
    assert runs["the month"].data.metrics["sharpe_annual"] == 1.5
    assert math.isnan(runs["the month"].data.metrics["bootstrap_p"])


def test_a_kill_before_the_older_run_is_marked_is_mended(tracking, monkeypatch):
    log_report(tracking)
    log_fit(tracking, 3)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tracking_module, "_take_over", killed)
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
    runs = [database.log_month(s, m, month, tags={}) for s, m in ((one, market), (changed, longer))]
    client = database.client()
    parents = {client.get_run(run).data.tags["mlflow.parentRunId"] for run in runs}
    assert len(parents) == 1
    found = client.get_run(parents.pop()).data
    assert found.params["market.symbol"] == "TOY"
    assert found.tags["price_physics.market.files"] == "['*', 'more/*']"
    assert found.tags["price_physics.market.last_month"] == str(FIRST + 30)
    assert found.tags["price_physics.description"] == "another word"
    assert not {"market.last_month", "description", "model.device"} & set(found.params)
