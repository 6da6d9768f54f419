"""What is measured on the tables of the DAG, without the DAG: both verdicts, what is refused."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import ConfigError, StoreError
from price_physics.months import Month
from price_physics.orchestration import truth as run
from price_physics.orchestration.truth import measure, run_truth
from price_physics.project import Project
from price_physics.study.market import TradeMarket
from price_physics.study.model import ModelConfig
from price_physics.study.reading import load_configs
from price_physics.study.study import Study
from price_physics.truth.judgement import (
    BLIND,
    DRIFTLESS,
    LOGISTIC,
    NO_CARD,
    ON_CARD,
    ORACLE,
    OURS,
    Truth,
    hold_gains_to_target,
    hold_to_targets,
)
from price_physics.truth.markets import lattice_market, outcome_signs
from price_physics.truth.odds import outcome_odds
from price_physics.truth.page import draw
from price_physics.truth.projects import (
    TEST,
    TRAIN,
    blind_study,
    first_month,
    market,
    market_episodes,
    planted_project,
    study,
)
from price_physics_tests.truth.lattice import windows_and_labels

A_DAY, SEED = 25, 21
P0 = {"p0_up": 0.2, "p0_none": 0.6, "p0_down": 0.2}


@dataclass
class Tables:
    """A partition, or a store of one: tables by name."""

    tables: dict = field(default_factory=dict)
    root: Path = Path("store")

    def read(self, key, month):
        names = {name: frame for (name, m), frame in self.tables.items() if m == month}
        if key[0].endswith("_blind"):
            return Tables({"probabilities": names["blind"]})
        return Tables(names)

    def table(self, name, columns=None):
        return self.tables[name][columns or self.tables[name].columns]

    def document(self, name):
        return {"n_training": 31 * A_DAY, "epochs": 4}


def stored(kind, score_of_sign):
    """The tables that the DAG makes of a market, with probabilities of our own."""
    first, a_day = first_month(kind), market_episodes(kind, A_DAY)
    ticks = lattice_market(kind, first, TEST - first + 1, a_day, SEED)
    sign = outcome_signs(kind, first, TEST - first + 1, a_day, SEED)
    store = Tables()
    for month in Month.span(first, TEST):
        bars = ticks[ticks["time_ns"].between(month.start_ns, month.stop_ns - 1)].iloc[3::4]
        bars = bars.rename(columns={"time_ns": "close_time_ns", "price": "close"})
        time_ns = bars["close_time_ns"].to_numpy()[31::64]
        _, label = windows_and_labels(kind, first, a_day, SEED, month)
        score = score_of_sign(sign[-len(label) :])
        p_up = 0.5 / (1 + np.exp(-score))
        store.tables |= {
            ("bars", month): bars,
            ("labels", month): pd.DataFrame(
                {"event_time_ns": time_ns, "label": label, "side": 1, **P0}
            ),
            ("probabilities", month): pd.DataFrame(
                {"event_time_ns": time_ns, "p_up": p_up, "p_flat": 0.5, "p_down": 0.5 - p_up}
            ),
        }
    return store


def measured(store, kind):
    aucs, gains, facts = measure(store, kind, SEED, A_DAY)
    rows = hold_to_targets(kind, aucs)
    held = hold_gains_to_target({kind: gains})
    return {row.score: row for row in rows}, Truth(SEED, rows, {kind: facts}, {}, held)


@pytest.mark.parametrize("kind", ["trend", "exclusive_or"])
def test_a_network_that_knows_recovers_all_and_passes(kind):
    rows, truth = measured(stored(kind, lambda sign: 0.3 * sign), kind)
    assert rows[OURS].share == 1
    assert rows[ORACLE].passed
    assert rows[OURS].passed
    assert truth.passed
    assert truth.markets[kind]["events to test on"] == 29 * A_DAY
    assert draw(truth).startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", ["trend", "exclusive_or"])
def test_a_network_that_guesses_fails(kind):
    def guess(sign):
        return np.random.default_rng(1).normal(size=len(sign))

    rows, truth = measured(stored(kind, guess), kind)
    assert rows[OURS].passed is False
    assert not truth.passed
    assert OURS in truth.text().splitlines()[-1]


def test_a_leak_shows_where_nothing_can_be_known():
    store = stored("walk", lambda sign: np.zeros(len(sign)))
    assert measured(store, "walk")[1].passed
    label = store.tables["labels", TEST]["label"]
    store.tables["probabilities", TEST]["p_up"] += 0.01 * label
    rows, truth = measured(store, "walk")
    assert rows[OURS].auc == 1
    assert not truth.passed


def test_a_linear_model_sees_no_exclusive_or():
    rows, _ = measured(stored("exclusive_or", lambda sign: 0.3 * sign), "exclusive_or")
    assert rows[LOGISTIC].passed


def test_a_missing_prediction_is_refused():
    store = stored("walk", lambda sign: np.zeros(len(sign)))
    store.tables["probabilities", TEST] = store.tables["probabilities", TEST].iloc[1:]
    with pytest.raises(StoreError, match="725 events have a label, but only 724"):
        measured(store, "walk")


def test_bars_of_another_length_are_refused():
    store = stored("walk", lambda sign: np.zeros(len(sign)))
    store.tables["bars", TRAIN] = store.tables["bars", TRAIN].iloc[1:]
    with pytest.raises(StoreError, match="an event is bar 30 of an episode"):
        measured(store, "walk")


def odds_of(sign, steps):
    """Predictions of who knows which way outcomes lean, and takes barriers to be `steps` away."""
    down, none, up = outcome_odds(0.025, steps)
    leans = [np.where(sign > 0, p, q) for p, q in ((down, up), (none, none), (up, down))]
    return dict(zip(("p_down", "p_flat", "p_up"), leans, strict=True))


def test_where_barriers_move_the_network_gains_what_the_blind_one_loses():
    kind, a_day = "moving_barriers", market_episodes("moving_barriers", A_DAY)
    store = stored(kind, lambda sign: 0.3 * sign)
    predicted = store.tables["probabilities", TEST]
    sign = outcome_signs(kind, first_month(kind), 4, a_day, SEED)[-len(predicted) :]
    store.tables["probabilities", TEST] = predicted.assign(**odds_of(sign, 9))
    store.tables["blind", TEST] = predicted.assign(**odds_of(sign, 14))
    rows, truth = measured(store, kind)
    assert rows[ORACLE].passed
    assert rows[OURS].share == rows[BLIND].share == 1
    shares = {row.score: row.share for row in truth.gains}
    assert list(shares) == [DRIFTLESS, OURS, BLIND]
    assert shares[OURS] == pytest.approx(1)
    assert shares[BLIND] < -1
    assert shares[DRIFTLESS] < -1
    facts = truth.markets[kind]
    assert facts["events to test on"] == 29 * 5 * a_day
    assert draw(truth).startswith(b"\x89PNG")


def test_a_missing_prediction_of_the_blind_network_is_refused():
    store = stored("moving_barriers", lambda sign: 0.3 * sign)
    store.tables["blind", TEST] = store.tables["probabilities", TEST].iloc[1:]
    with pytest.raises(StoreError, match=r"moving_barriers_blind 2020-02: 435 events .* 434"):
        measured(store, "moving_barriers")


def test_log_losses_need_a_pattern():
    _, truth = measured(stored("walk", lambda sign: np.zeros(len(sign))), "walk")
    assert truth.gains == []


def test_studies_of_moving_barriers_differ_in_the_offset_alone(tmp_path):
    project = planted_project(tmp_path, ["moving_barriers"], 7, 18, tmp_path / "none.yaml")
    markets, found = load_configs(project.configs)
    own, blind = found["moving_barriers"], found[blind_study("moving_barriers")]
    assert (own.model.offset, blind.model.offset) == ("driftless", "none")
    as_own = blind.model.model_copy(update={"offset": "driftless"})
    assert blind.model_copy(update={"name": own.name, "model": as_own}) == own
    assert own.labels.horizon_bars == 32
    # Two months are the warm-up, with 3 * 30 and 4 * 31 events; the third has 12 * 31.
    assert own.folds.min_training_samples == 90 + 124 + 1
    files = sorted(path.name for path in tmp_path.rglob("*.parquet"))
    assert files == [f"moving_barriers-{month}.parquet" for month in Month.span(TEST - 3, TEST)]
    assert markets["moving_barriers"].first_month == TEST - 3


def test_moving_barriers_have_about_as_many_events_as_fixed_ones():
    assert market_episodes("trend", 1350) == 1350
    assert market_episodes("moving_barriers", 1350) == 75
    assert 40_000 <= 75 * (3 * 30 + 4 * 31 + 12 * 31) <= 1.1 * 31 * 1350
    with pytest.raises(ConfigError, match="that moving_barriers can hold"):
        market_episodes("moving_barriers", 337_500)


@pytest.mark.parametrize("kind", ["trend", "walk"])
def test_settings_are_possible(kind):
    assert TradeMarket(name=kind, **market(kind)).synthetic
    planted = Study(name=kind, **study(kind, 7, 1350))
    assert planted.labels.horizon_minutes == pytest.approx(32 / 60)
    assert planted.barrier_policy.take_profit_percent == planted.barrier_policy.stop_loss_percent


def truth_with(monkeypatch, tmp_path, card, score_of_sign=lambda sign: 0.3 * sign):
    """`make truth` of two kinds on tables of our own; what was planted, and the result."""
    planted = []

    def planted_project(root, kinds, seed, n_episodes_a_day, dagster, model=None):
        planted.append((root.name, list(kinds), n_episodes_a_day, model))
        return Project(root)

    def measured_on_few(store, kind, seed, n_episodes_a_day):
        return measure(stored(kind, score_of_sign), kind, SEED, A_DAY)

    monkeypatch.setattr("torch.cuda.is_available", lambda: card)
    monkeypatch.setattr(run, "planted_project", planted_project)
    monkeypatch.setattr(run, "_run_dag", lambda *_: None)
    monkeypatch.setattr(run, "measure", measured_on_few)
    return planted, run_truth(Project(tmp_path), ["trend", "walk"], SEED, 620)


def test_without_a_card_table_json_and_page_say_so(monkeypatch, tmp_path):
    planted, truth = truth_with(monkeypatch, tmp_path, card=False)
    assert [entry[0] for entry in planted] == [f"seed-{SEED}-20-a-day"]
    (row,) = [r for r in truth.rows if r.score == ON_CARD]
    assert (row.market, row.auc, row.share, row.passed) == ("trend", None, None, None)
    (line,) = [text for text in truth.text().splitlines() if ON_CARD in text]
    assert line.split(ON_CARD)[1].strip() == NO_CARD
    folder = tmp_path / "outputs" / "truth"
    assert f"| {ON_CARD} |  |  | {NO_CARD} |  |" in (folder / "truth.md").read_text("utf-8")
    rows = json.loads((folder / "truth.json").read_text("utf-8"))["rows"]
    assert [r["target"] for r in rows if r["score"] == ON_CARD] == [NO_CARD]
    assert truth.passed


def test_with_a_card_the_default_network_sees_more_events(monkeypatch, tmp_path):
    planted, truth = truth_with(monkeypatch, tmp_path, card=True)
    name, kinds, a_day, model = planted[1]
    assert (name, kinds) == (f"seed-{SEED}-{a_day}-a-day-on-card", ["trend"])
    assert 31 * a_day >= 120_000
    settings = Study(name="trend", **study("trend", SEED, a_day, model)).model
    default = ModelConfig()
    assert settings.device == "cuda"
    assert (settings.architecture, settings.width) == (default.architecture, default.width)
    (row,) = [r for r in truth.rows if r.score == ON_CARD]
    assert (row.share, row.passed, row.target) == (1, True, "share at least 0.97")
    assert "trend, on a card" in truth.markets
    assert (tmp_path / "outputs" / "truth" / "truth.png").read_bytes().startswith(b"\x89PNG")


def test_a_default_network_that_guesses_on_a_card_fails(monkeypatch, tmp_path):
    def guess(sign):
        return np.random.default_rng(1).normal(size=len(sign))

    _, truth = truth_with(monkeypatch, tmp_path, True, guess)
    assert f"{ON_CARD} on trend" in truth.text().splitlines()[-1]
