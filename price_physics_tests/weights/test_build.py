"""Weights of whole months against the slow reference, and at the edges."""

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import StoreError
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import LABELS
from price_physics.schemas.weights import WEIGHTS
from price_physics.weights.build import build_weights
from price_physics_tests.labels.chain import run_chain
from price_physics_tests.labels.synthetic import (
    FIRST,
    make_labels,
    make_market,
    make_study,
    make_world,
)
from price_physics_tests.past import only_table, past_of
from price_physics_tests.weights import naive


def weights_of(month, labels, bars):
    past = past_of({LABELS: labels, BARS: bars})
    return only_table(build_weights(make_study(), make_market(), month, past))


@pytest.mark.parametrize("empty", [(), (FIRST,), (FIRST + 2,)], ids=str)
def test_weights_are_the_slow_ones(empty):
    world = make_world(seed=9, n_months=3, n_ticks=121, empty=empty)
    out = run_chain(make_study(), make_market(), world)
    for m in world.months:
        found = out["weights"][m]
        WEIGHTS.to_arrow(found)
        months = [k for k in world.months if k <= m]
        spans = naive.positions(months, out["labels"], world.bars)
        assert found["event_time_ns"].tolist() == [time_ns for time_ns, _, _ in spans]
        n_bars = sum(len(world.bars[k]) for k in months)
        expected = naive.average_uniqueness(
            [first for _, first, _ in spans], [last for _, _, last in spans], n_bars
        )
        np.testing.assert_allclose(found["average_uniqueness"], expected, rtol=1e-12)
        assert (found["known_at"] == m.end_ns).all()
        # Every label known by then, once, whatever month it is stored in.
        stored = pd.concat([out["labels"][k]["event_time_ns"] for k in months])
        assert sorted(stored) == found["event_time_ns"].tolist()


def test_a_label_without_later_bars_ends_with_the_last_bar_of_its_month():
    """Bars close at 10, 20, 30; the label of 20 outlives them and shares bar 30 with its own."""
    start = FIRST.start_ns
    bars = pd.DataFrame({"close_time_ns": start + np.array([10, 20, 30]), "partial": False})
    labels = make_labels(start + np.array([10, 20]), start + np.array([20, 99]))
    found = weights_of(FIRST, {FIRST: labels}, {FIRST: bars})
    # Alive: one label at 10, two at 20, one at 30.
    np.testing.assert_allclose(found["average_uniqueness"], [3 / 4, 3 / 4])


def test_the_last_bar_of_its_month_stays_the_end_when_later_months_arrive():
    """Bars: two in the first month, one in the second. The first label outlives the first two."""
    start, later = FIRST.start_ns, (FIRST + 1).start_ns + 10
    bars = {
        FIRST: pd.DataFrame({"close_time_ns": start + np.array([10, 20]), "partial": False}),
        FIRST + 1: pd.DataFrame({"close_time_ns": [later], "partial": False}),
    }
    labels = {
        FIRST: make_labels(start + np.array([10]), start + np.array([99])),
        FIRST + 1: make_labels(start + np.array([20]), np.array([later])),
    }
    found = weights_of(FIRST + 1, labels, bars)
    # Alive: the first label at 10, both at 20, the second in its own month.
    np.testing.assert_allclose(found["average_uniqueness"], [3 / 4, 3 / 4])


def test_no_labels_and_no_bars():
    frame = weights_of(FIRST, {FIRST: LABELS.empty()}, {})
    pd.testing.assert_frame_equal(frame, WEIGHTS.empty())
    pd.testing.assert_frame_equal(weights_of(FIRST, {}, {}), WEIGHTS.empty())


def test_labels_of_other_bars_are_refused():
    world = make_world(seed=9, n_months=1)
    out = run_chain(make_study(), make_market(), world)
    moved = {FIRST: world.bars[FIRST].assign(close_time_ns=lambda b: b["close_time_ns"] + 1)}
    with pytest.raises(StoreError, match="is the close of no bar"):
        weights_of(FIRST, out["labels"], moved)
