"""Tamper with every tick later than t: whatever was known by t must not move by a byte.

Runs labels, regimes, weights and folds, the four stages between bars and images.
"""

import numpy as np
import pandas as pd
import pytest

from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.schemas.weights import WEIGHTS
from price_physics_tests.labels.chain import run_chain
from price_physics_tests.labels.synthetic import (
    FIRST,
    HOUR_NS,
    World,
    make_market,
    make_study,
    make_world,
    random_ticks,
)

SCHEMAS = {
    "regime_features": REGIME_FEATURES,
    "excursions": EXCURSIONS,
    "barrier_policy": BARRIER_POLICY,
    "labels": LABELS,
    "weights": WEIGHTS,
    "members": FOLD_MEMBERS,
    "roles": FOLD_ROLES,
}
STUDIES = {
    "month": {},
    "regime": {"barrier_policy": {"kind": "regime", "max_events": 40}},
    "global, every third": {
        "barrier_policy": {"kind": "global"},
        "events": {"every_n_bars": 3, "offset_bars": 2},
    },
}


def tamper(world, t, rng):
    """The same ticks up to and including t, and others after it, at once and twice as dear."""
    ticks = {}
    for m, frame in world.ticks.items():
        kept = frame[frame["time_ns"] <= t]
        ticks[m] = kept
        if m.end_ns > t:
            # Whole hours start right after t: later ticks may fill the bar that was open at t.
            start = max(m.start_ns, t + 1 + (-(t + 1)) % HOUR_NS)
            price = 2 * kept["price"].iloc[-1] if len(kept) else 250.0
            later = random_ticks(rng, int(rng.integers(0, 250)), start, m.stop_ns, price)
            ticks[m] = pd.concat([kept, later], ignore_index=True) if len(later) else kept
    return World(ticks)


def known(frames, schema, t):
    table = pd.concat([schema.to_arrow(frame).to_pandas() for frame in frames.values()])
    return table[table[schema.known_at] <= t].reset_index(drop=True)


OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in STUDIES if name != "month"]


@pytest.mark.parametrize("name", ["month", *OTHERS])
def test_rows_known_by_t_do_not_depend_on_later_ticks(name):
    study, market = make_study(**STUDIES[name]), make_market()
    rng = np.random.default_rng(21)
    world = make_world(seed=20, n_ticks=160)
    before = run_chain(study, market, world)
    times = np.concatenate([frame["time_ns"] for frame in world.ticks.values()])
    moments = [int(t) for t in rng.choice(times[times > (FIRST + 1).start_ns], 4)]
    n_compared = dict.fromkeys(SCHEMAS, 0)
    for t in [*moments, (FIRST + 1).end_ns, (FIRST + 2).end_ns]:
        after = run_chain(study, market, tamper(world, t, rng))
        for stage, schema in SCHEMAS.items():
            old, new = (known(out[stage], schema, t) for out in (before, after))
            pd.testing.assert_frame_equal(old, new, check_exact=True, obj=f"{stage} at {t}")
            n_compared[stage] += len(old)
        assert not after["labels"][FIRST + 3].equals(before["labels"][FIRST + 3])
    assert min(n_compared.values()) > 0


def test_two_runs_give_the_same_bytes():
    study, world = make_study(**STUDIES["regime"]), make_world(seed=22)
    one, two = (run_chain(study, make_market(), world) for _ in range(2))
    for stage in SCHEMAS:
        for m in world.months:
            pd.testing.assert_frame_equal(one[stage][m], two[stage][m], check_exact=True)
