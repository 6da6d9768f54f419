"""Verdicts both ways, and what people see of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from price_physics.scores.delong import ComparedAucs
from price_physics.store.artefact import canonical_json
from price_physics.truth.judgement import (
    BLIND,
    BOOSTED,
    CEILING,
    DRIFTLESS,
    LEAST_SHARE,
    LEAST_SHARE_ON_CARD,
    LOGISTIC,
    NO_CARD,
    ORACLE,
    OURS,
    Truth,
    hold_card_to_target,
    hold_gains_to_target,
    hold_to_targets,
)
from price_physics.truth.markets import ceiling_auc
from price_physics.truth.odds import Gain

NAMES = [ORACLE, LOGISTIC, BOOSTED, OURS]


def scores(oracle, logistic, boosted, ours, error=0.004):
    return ComparedAucs(NAMES, np.array([oracle, logistic, boosted, ours]), np.eye(4) * error**2)


def row(rows, name):
    return next(r for r in rows if r.score == name)


@pytest.mark.parametrize("kind", ["trend", "exclusive_or"])
def test_a_planted_pattern_must_be_recovered(kind):
    enough = 0.5 + LEAST_SHARE * 0.14
    for ours, passes in ((enough + 1e-9, True), (enough - 1e-9, False), (0.36, False)):
        found = row(hold_to_targets(kind, scores(0.64, 0.5, 0.64, ours)), OURS)
        assert found.passed is passes
        assert found.share == pytest.approx((ours - 0.5) / 0.14)
        assert found.share_error > 0


@pytest.mark.parametrize("kind", ["volatility", "walk"])
def test_nothing_must_be_found_where_nothing_is(kind):
    for ours, passes in ((0.5119, True), (0.4881, True), (0.5121, False), (0.4879, False)):
        rows = hold_to_targets(kind, scores(0.5, 0.6, 0.6, ours))
        assert row(rows, OURS).passed is passes
        assert row(rows, OURS).share is None
        assert row(rows, LOGISTIC).passed is None


def test_a_linear_model_must_not_see_an_exclusive_or():
    for linear, passes in ((0.5119, True), (0.5121, False), (0.4, False)):
        found = row(hold_to_targets("exclusive_or", scores(0.64, linear, 0.64, 0.64)), LOGISTIC)
        assert found.passed is passes
    assert row(hold_to_targets("trend", scores(0.64, 0.6, 0.64, 0.64)), LOGISTIC).passed is None


def test_the_oracle_must_meet_the_closed_form():
    ceiling = ceiling_auc("trend")
    for oracle, passes in ((ceiling + 0.0119, True), (ceiling + 0.0121, False), (0.6, False)):
        rows = hold_to_targets("trend", scores(oracle, 0.5, 0.5, oracle))
        assert row(rows, ORACLE).passed is passes
        assert row(rows, CEILING).auc == ceiling


def test_on_a_card_more_must_be_recovered():
    enough = 0.5 + LEAST_SHARE_ON_CARD * 0.14
    for ours, passes in ((enough + 1e-9, True), (enough - 1e-9, False)):
        found = hold_card_to_target("trend", scores(0.64, 0.5, 0.64, ours))
        assert found.passed is passes
        assert found.auc == ours
        assert found.auc_error == pytest.approx(0.004)
    missing = hold_card_to_target("trend", None)
    assert (missing.auc, missing.passed, missing.target) == (None, None, NO_CARD)


def test_where_barriers_move_the_ceiling_is_the_test_months():
    names = [*NAMES, BLIND]
    found = ComparedAucs(names, np.array([0.61, 0.6, 0.6, 0.6, 0.4]), np.eye(5) * 0.006**2)
    rows = hold_to_targets("moving_barriers", found)
    assert row(rows, CEILING).auc == ceiling_auc("moving_barriers", n_months_before=3) < 0.62
    assert row(rows, ORACLE).passed
    assert row(rows, OURS).passed
    blind = row(rows, BLIND)
    assert (blind.share, blind.target, blind.passed) == (pytest.approx(-0.1 / 0.11), "", None)


def gains(fixed, moving, error=0.03):
    def of(share):
        return Gain(share, error, (0.3, 0.4, 0.3), (0.25, 0.5, 0.25))

    return {
        "trend": {DRIFTLESS: of(-4.0), OURS: of(fixed)},
        "moving_barriers": {DRIFTLESS: of(-4.0), OURS: of(moving), BLIND: of(-3.0)},
    }


def test_moving_barriers_must_be_recovered_as_well_as_fixed_ones():
    slack = 3 * np.hypot(0.03, 0.03)
    for moving, passes in ((0.9, True), (0.7 - 0.99 * slack, True), (0.7 - 1.01 * slack, False)):
        rows = hold_gains_to_target(gains(0.7, moving))
        (asked,) = [r for r in rows if r.passed is not None]
        assert (asked.market, asked.score, asked.passed) == ("moving_barriers", OURS, passes)
        assert "0.700, trend's" in asked.target
        assert [r.score for r in rows if r.market == "moving_barriers"] == [DRIFTLESS, OURS, BLIND]


def test_without_fixed_barriers_moving_ones_have_no_target():
    found = gains(0.7, 0.1)
    del found["trend"]
    assert [(r.target, r.passed) for r in hold_gains_to_target(found)] == [("", None)] * 3


@pytest.fixture
def truth():
    rows = hold_to_targets("trend", scores(0.645, 0.645, 0.64, 0.643))
    rows += hold_to_targets("walk", scores(0.5, 0.501, 0.499, 0.503))
    facts = {"events to train on": 41850, "epochs": 4}
    return Truth(7, rows, {"trend": facts, "walk": facts}, {"model": {"width": 8}})


def test_people_see_every_score_and_the_verdict(truth):
    assert truth.passed
    text = truth.text()
    assert text.splitlines()[-1] == "PASSED: all 3 targets, seed 7"
    assert "0.986" in text
    assert text.count("PASS") == 4
    page = truth.markdown("truth.png")
    assert "| trend | ceiling, closed form | 0.6457 |  |  |  |" in page
    assert "| trend | 41,850 | 4 |" in page
    assert "](truth.png)" in page
    assert json.loads(canonical_json(truth.document()))["rows"][0]["auc"] == ceiling_auc("trend")


def test_a_failure_is_named(truth):
    rows = [replace(r, passed=False) if r.score == OURS else r for r in truth.rows]
    failed = replace(truth, rows=rows)
    assert not failed.passed
    assert failed.document()["passed"] is False
    last = failed.text().splitlines()[-1]
    assert last == "FAILED: network on trend, network on walk (2 of 3 targets)"


def test_log_losses_count_and_are_shown(truth):
    assert "log loss" not in truth.text()
    assert "Log loss" not in truth.markdown("truth.png")
    held = replace(truth, gains=hold_gains_to_target(gains(0.7, 0.65)))
    assert held.passed
    assert held.text().splitlines()[-1] == "PASSED: all 4 targets, seed 7"
    line = "| moving_barriers | driftless odds | -4.000 ± 0.030 | 30.0 / 40.0 / 30.0 |"
    assert line in held.markdown("truth.png")
    assert json.loads(canonical_json(held.document()))["gains"][1]["share"] == 0.7
    lost = replace(truth, gains=hold_gains_to_target(gains(0.7, 0.1)))
    assert not lost.passed
    last = lost.text().splitlines()[-1]
    assert last == "FAILED: log loss of network on moving_barriers (1 of 4 targets)"
