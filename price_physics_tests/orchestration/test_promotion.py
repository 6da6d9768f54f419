"""Only an edge makes a champion, or somebody who puts a name to it."""

import numpy as np
import pytest

from price_physics.cli import main
from price_physics.errors import ConfigError, PartitionMissing, TrackingError
from price_physics.months import Month
from price_physics.orchestration import mlflow_ui, promotion
from price_physics.orchestration.backfill import find_study
from price_physics.orchestration.made import Made
from price_physics.orchestration.promotion import promote
from price_physics.orchestration.registry import ModelFiles
from price_physics.orchestration.tracked import Logged
from price_physics.orchestration.tracking import tracking_of
from price_physics.store.artefact import Artefact, canonical_json
from price_physics.store.partitions import Store
from price_physics.study.trial import config_hash
from price_physics_tests.e2e.projects import make_project
from price_physics_tests.orchestration.test_tracking import curve

pytestmark = pytest.mark.slow  # MLflow makes its database

MARCH, APRIL = Month(2012, 3), Month(2012, 4)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A study with models of March and April in MLflow, and no report."""
    made = make_project(tmp_path_factory.mktemp("promotion"))
    study, market = find_study(made, "demo")
    artefact = Artefact(documents={"manifest": {}})
    for month in (MARCH, APRIL):
        folds = Store(made.store).write(("demo", "folds"), month, artefact, code_version="1")
        model = write_model(made, month)
        logged = Logged(
            asset="model",
            digest=str(month),
            made=Made(0, 1),
            curves=curve(1),
            model=ModelFiles(
                model.file("network.safetensors"),
                model.file("architecture.json"),
                {"windows_bars": [16, 32]},
            ),
            datasets={"training": folds},
        )
        tracking_of(made).log_month(study, market, month, logged)
    return made


@pytest.fixture(autouse=True)
def all_current(monkeypatch):
    """Nothing of these partitions was computed, and what makes one current is tested elsewhere."""
    monkeypatch.setattr(promotion, "why_stale", lambda *_: "")


def write_model(project, month, weight=1.0):
    network = {"weight": np.array([weight, month.month], np.float32)}
    artefact = Artefact(
        tensors={"network": network}, documents={"architecture": {"month": str(month)}}
    )
    return Store(project.store).write(("demo", "model"), month, artefact, code_version="1")


def report(project, month, verdict, configuration=None):
    study, market = find_study(project, "demo")
    numbers = {
        "environment": {"config_hash": configuration or config_hash(study, market)},
        "verdict": {"verdict": verdict, "sentence": "It earned nothing."},
    }
    artefact = Artefact(files={"report.json": canonical_json(numbers)})
    Store(project.store).write(("demo", "report"), month, artefact, code_version="1")


def champion(project):
    return tracking_of(project).client().get_model_version_by_alias("demo", "champion")


def test_an_edge_makes_the_last_month_champion(project):
    report(project, MARCH, "no edge")
    report(project, APRIL, "edge")
    done = promote(project, "demo")
    assert (done.month, done.verdict, champion(project).version) == (APRIL, "edge", done.version)
    tags = champion(project).tags
    assert (tags["price_physics.verdict"], tags["price_physics.forced_by"]) == ("edge", "")


@pytest.mark.parametrize("verdict", ["no edge", "underpowered", "no verdict", "not judged yet"])
def test_every_other_verdict_is_refused_and_changes_nothing(project, verdict):
    report(project, APRIL, "edge")
    before = promote(project, "demo").version
    report(project, MARCH, verdict)
    with pytest.raises(ConfigError, match=f"demo 2012-03: the verdict is '{verdict}', and only"):
        promote(project, "demo", MARCH)
    assert champion(project).version == before


def test_who_forces_it_is_kept_with_the_version(project, monkeypatch, capsys):
    report(project, MARCH, "underpowered")
    monkeypatch.chdir(project.root)
    told = ["promote", "--study", "demo", "--month", "2012-03"]
    assert main(told) == 1
    assert "--month 2012-03 --force NAME" in capsys.readouterr().err
    assert main([*told, "--force", " "]) == 1
    assert main([*told, "--force", "Ada"]) == 0
    assert "trained through 2012-03, verdict 'underpowered'" in capsys.readouterr().out
    tags = champion(project).tags
    assert tags["price_physics.month"] == "2012-03"
    assert tags["price_physics.forced_by"] == "Ada"
    assert tags["price_physics.verdict"] == "underpowered"


def test_a_report_of_other_settings_says_nothing_of_this_model(project):
    report(project, MARCH, "edge", configuration="0" * 16)
    with pytest.raises(ConfigError, match="the report is of another configuration"):
        promote(project, "demo", MARCH, "Ada")


@pytest.mark.parametrize("stale", ["report", "model"])
def test_what_is_not_current_makes_no_champion(project, monkeypatch, stale):
    """A verdict on other code or inputs says nothing of this model, whoever answers for it."""
    report(project, MARCH, "edge")
    monkeypatch.setattr(promotion, "why_stale", lambda *a: "code" if a[4] == stale else "")
    told = rf"the {stale} is not current \(code\); run  price-physics backfill --study demo --to 2"
    with pytest.raises(ConfigError, match=told):
        promote(project, "demo", MARCH, "Ada")


def test_a_version_of_other_bytes_than_the_store_s_makes_no_champion(project):
    report(project, MARCH, "edge")
    write_model(project, MARCH, weight=2.0)
    with pytest.raises(TrackingError, match=r"through 2012-03 is not the store's.* track"):
        promote(project, "demo", MARCH)
    write_model(project, MARCH)
    assert promote(project, "demo", MARCH).month == MARCH


def test_what_is_not_there_is_named(project):
    with pytest.raises(PartitionMissing, match="demo/report has no partition 2012-01"):
        promote(project, "demo", Month(2012, 1))
    report(project, Month(2012, 2), "edge")
    with pytest.raises(TrackingError, match=r"no model of demo through 2012-02: .* track"):
        promote(project, "demo", Month(2012, 2))


def test_mlflow_is_served_by_one_worker_and_opens_on_the_study(project, monkeypatch, capsys):
    served = []
    monkeypatch.setattr(mlflow_ui, "run_child", lambda command, folder: served.append(command) or 0)
    monkeypatch.setattr(mlflow_ui, "_announce", lambda *_: None)
    monkeypatch.chdir(project.root)
    assert main(["mlflow", "--study", "demo", "--port", "5987"]) == 0
    (command,) = served
    database = tracking_of(project).client().tracking_uri
    assert command[command.index("--backend-store-uri") + 1] == database
    assert command[command.index("--workers") + 1] == "1"
    experiment = tracking_of(project).client().get_experiment_by_name("demo").experiment_id
    page = f"http://127.0.0.1:5987/#/experiments/{experiment}/runs"
    assert page in capsys.readouterr().out
    assert main(["mlflow", "--study", "dmeo", "--port", "5987"]) == 1
    assert "MLflow holds nothing of a study 'dmeo'" in capsys.readouterr().err
