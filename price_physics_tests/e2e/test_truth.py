"""`make truth`, small: a market through the real DAG, scored on the events an oracle knows."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from price_physics import cli
from price_physics.months import Month
from price_physics.store.partitions import Store
from price_physics.truth.judgement import (
    BLIND,
    BOOSTED,
    CEILING,
    DRIFTLESS,
    LOGISTIC,
    ON_CARD,
    ORACLE,
    OURS,
)
from price_physics.truth.projects import TEST, TRAIN, first_month, studies
from price_physics_tests.truth.lattice import windows_and_labels

A_DAY, SEED = 20, 5


@pytest.mark.slow
def test_truth_runs_goes_on_and_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(tmp_path))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)  # a card would see far more
    (tmp_path / "configs" / "studies").mkdir(parents=True)
    os.environ.pop("DAGSTER_HOME", None)
    command = ["truth", "--kind", "exclusive_or", "--seed", str(SEED), "--events", "620"]
    status = cli.main(command)

    folder = tmp_path / "outputs" / "truth"
    first = (folder / "truth.json").read_bytes()
    truth = json.loads(first)
    rows = {row["score"]: row for row in truth["rows"]}
    assert list(rows) == [CEILING, ORACLE, LOGISTIC, BOOSTED, OURS, ON_CARD]
    assert status == (0 if truth["passed"] else 1)
    assert truth["passed"] == all(row["passed"] is not False for row in truth["rows"])
    assert ("PASSED" if truth["passed"] else "FAILED") in capsys.readouterr().out
    assert rows[ORACLE]["passed"], "the labels of the DAG are not those of the market"
    assert rows[LOGISTIC]["passed"], "the market leaks"

    # The DAG's labels are those of a few lines of NumPy, event by event.
    store = Store(folder / f"seed-{SEED}-{A_DAY}-a-day" / "data" / "store")
    for month in (TRAIN, TEST):
        label = store.read(("exclusive_or", "labels"), month).table("labels", ["label"])["label"]
        _, expected = windows_and_labels("exclusive_or", TRAIN, A_DAY, SEED, month)
        np.testing.assert_array_equal(label, expected)
    facts = truth["markets"]["exclusive_or"]
    assert facts["events to train on"] == 620
    assert facts["events to test on"] == 580

    before = {p: p.stat().st_mtime_ns for p in store.root.glob("**/manifest.json")}
    assert cli.main(command) == status
    assert {p: p.stat().st_mtime_ns for p in store.root.glob("**/manifest.json")} == before
    assert (folder / "truth.json").read_bytes() == first
    assert (folder / "truth.png").read_bytes().startswith(b"\x89PNG")
    assert "truth.png" in (folder / "truth.md").read_text()


@pytest.mark.slow
def test_where_barriers_move_both_networks_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(tmp_path))
    (tmp_path / "configs" / "studies").mkdir(parents=True)
    os.environ.pop("DAGSTER_HOME", None)
    kind = "moving_barriers"
    status = cli.main(["truth", "--kind", kind, "--seed", str(SEED), "--events", "558"])

    folder = tmp_path / "outputs" / "truth"
    truth = json.loads((folder / "truth.json").read_bytes())
    rows = {row["score"]: row for row in truth["rows"]}
    assert list(rows) == [CEILING, ORACLE, LOGISTIC, BOOSTED, OURS, BLIND]
    assert status == (0 if truth["passed"] else 1)
    assert rows[ORACLE]["passed"], "the labels of the DAG are not those of the market"
    gains = {row["score"]: row for row in truth["gains"]}
    assert list(gains) == [DRIFTLESS, OURS, BLIND]
    assert "## Log loss" in (folder / "truth.md").read_text()
    facts = truth["markets"][kind]
    assert facts["events to train on"] == 3 * 30 + 4 * 31 + 12 * 31

    # A horizon of bars is the outcome in every month, and both studies have the same labels; only
    # the last month to train on has a network, of both.
    store = Store(folder / f"seed-{SEED}-18-a-day" / "data" / "store")
    first = first_month(kind)
    for study in studies(kind):
        for month in Month.span(first, TEST):
            label = store.read((study, "labels"), month).table("labels", ["label"])["label"]
            _, expected = windows_and_labels(kind, first, 1, SEED, month)
            np.testing.assert_array_equal(label, expected)
        by_network = store.read((study, "probabilities"), TEST).table("probabilities")["by_network"]
        assert by_network.all()
        warm_up = store.read((study, "predictions"), TRAIN).table("predictions")["by_network"]
        assert not warm_up.any()


def test_impossible_numbers_of_events_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRICE_PHYSICS_ROOT", str(tmp_path))
    (tmp_path / "configs" / "studies").mkdir(parents=True)
    assert cli.main(["truth", "--events", "0"]) == 1
    assert "--events: 0 events a month" in capsys.readouterr().err
    assert not (tmp_path / "outputs").exists()
