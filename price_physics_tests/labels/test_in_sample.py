"""The in-sample policy: served to its own month, and what that lets its labels know."""

import pandas as pd
import pytest

from price_physics.errors import StaleInputs
from price_physics.labels.build import build_labels
from price_physics.months import Month
from price_physics.schemas.labels import BARRIER_POLICY
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics_tests.labels.chain import run_chain
from price_physics_tests.labels.synthetic import FIRST, make_market, make_study, make_world
from price_physics_tests.past import past_of

from .stages import DEMO, assert_known_stays, sample_ticks


def build(in_sample, kind="month"):
    world = make_world(seed=0)
    study = make_study(barrier_policy={"in_sample": in_sample, "kind": kind})
    return study, world, run_chain(study, make_market(), world)


@pytest.mark.parametrize("kind", ["month", "regime", "global"])
def test_an_event_stands_between_the_barriers_of_its_own_month(kind):
    _, world, out = build(True, kind)
    features = pd.concat(list(out["regime_features"].values())).set_index("event_time_ns")
    carried = 0
    for m in world.months:
        for row in out["labels"][m].to_dict("records"):
            own = Month.of(row["event_time_ns"])
            policy = out["barrier_policy"][own].set_index("regime")
            regime = features.loc[row["event_time_ns"], "regime"] if kind == "regime" else -1
            line = policy.loc[regime]
            assert row["take_profit_multiple"] == line["take_profit_multiple"]
            assert row["stop_loss_multiple"] == line["stop_loss_multiple"]
            carried += own < m
    assert carried > 5, "events of a month whose horizon ends in the next"


def test_policies_and_excursions_are_those_of_an_honest_study():
    """Only who is served differs; and no event is lost or labelled twice."""
    _, world, honest = build(False)
    _, _, peeking = build(True)
    for m in world.months:
        for table in ("excursions", "barrier_policy"):
            pd.testing.assert_frame_equal(honest[table][m], peeking[table][m])
        times = [out["labels"][m]["event_time_ns"] for out in (honest, peeking)]
        pd.testing.assert_series_equal(*times)
    first, second = (out["labels"][FIRST + 1]["take_profit_multiple"] for out in (honest, peeking))
    assert (first != second).all()


def test_a_policy_that_should_be_there_is_an_error_and_not_the_fallback():
    study, world, out = build(True)
    m = FIRST + 2
    tables = {**world.tables, REGIME_FEATURES: out["regime_features"]}
    for lost in (m, m - 1):
        policies = {k: v for k, v in out["barrier_policy"].items() if k != lost}
        with pytest.raises(StaleInputs, match=rf"of {lost} is not there.* events of {lost}"):
            build_labels(study, make_market(), m, past_of({**tables, BARRIER_POLICY: policies}))


def test_its_labels_know_later_ticks():
    """What the proof of no look-ahead says of it; of an honest study the same proof holds."""
    config = DEMO.barrier_policy.model_copy(update={"in_sample": True})
    study = DEMO.model_copy(update={"barrier_policy": config})
    ticks = sample_ticks()
    assert_known_stays(DEMO, ticks, 45.3)
    with pytest.raises(AssertionError, match=r"^labels are different"):
        assert_known_stays(study, ticks, 45.3)
