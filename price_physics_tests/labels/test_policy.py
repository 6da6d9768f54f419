"""The barrier policy: quantiles, floors, bounds, samples, and what it may know."""

import numpy as np
import pandas as pd
import pytest

from price_physics.errors import StaleInputs, StoreError
from price_physics.labels.policy import are_fallback, build_policy, multiples
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.study.barriers import FixedBarriers
from price_physics_tests.labels.synthetic import FIRST, make_market, make_study
from price_physics_tests.past import only_table, past_of

M = FIRST + 3
WIDE = {"take_profit_bounds": [0.01, 100], "stop_loss_bounds": [0.01, 100]}

ONES = np.ones(4)
"""Any prices and ATR will do: barriers in ATR do not depend on them."""


def policy_of(study, month, excursions, features):
    past = past_of({EXCURSIONS: excursions, REGIME_FEATURES: features})
    return only_table(build_policy(study, make_market(), month, past))


def excursions(month, favourable, adverse):
    times = month.start_ns + np.arange(len(favourable), dtype=np.int64)
    columns = {
        "event_time_ns": times,
        "atr": np.ones(len(times)),
        "favourable_atr": np.asarray(favourable, dtype=np.float64),
        "adverse_atr": np.asarray(adverse, dtype=np.float64),
        "known_at": times,
    }
    return pd.DataFrame(columns, columns=EXCURSIONS.columns)


def features(frame, regime):
    table = pd.DataFrame(
        {c: np.zeros(len(frame)) for c in REGIME_FEATURES.columns}, columns=REGIME_FEATURES.columns
    )
    return table.assign(
        event_time_ns=frame["event_time_ns"].to_numpy(), regime=np.asarray(regime, np.int8)
    )


def test_multiples_are_the_winsorised_quantiles():
    rng = np.random.default_rng(0)
    up, down = rng.exponential(3, 500), rng.exponential(2, 500)
    study = make_study(
        barrier_policy=WIDE
        | {"take_profit_quantile": 0.95, "stop_loss_quantile": 0.4, "winsor_quantile": 0.9}
    )
    frame = policy_of(study, M, {M: excursions(M, up, down)}, {})
    BARRIER_POLICY.to_arrow(frame)
    row = frame.iloc[0]
    assert len(frame) == 1
    # The 95th percentile lies beyond where the sample is winsorised: it is the 90th.
    assert row["take_profit_multiple"] == pytest.approx(np.quantile(up, 0.9))
    assert row["stop_loss_multiple"] == pytest.approx(np.quantile(down, 0.4))
    assert (row["regime"], row["n_events"], row["source"]) == (-1, 500, "quantile")
    assert row["known_at"] == M.end_ns


def test_a_sample_under_the_floor_has_the_fallback():
    study = make_study(barrier_policy={"min_events": 10, "fallback_take_profit": 1.25})
    for n, source in ((0, "fallback"), (9, "fallback"), (10, "quantile")):
        frame = policy_of(study, M, {M: excursions(M, np.full(n, 2.0), np.full(n, 3.0))}, {})
        BARRIER_POLICY.to_arrow(frame)
        row = frame.iloc[0]
        assert (row["source"], row["n_events"]) == (source, n)
        expected = (1.25, 1.0) if source == "fallback" else (2.0, 3.0)
        assert (row["take_profit_multiple"], row["stop_loss_multiple"]) == expected
    BARRIER_POLICY.to_arrow(policy_of(study, M, {}, {}))


def test_a_month_without_enough_carries_the_last_policy_on():
    """Month 1 has too few, as have 2 to 4 after it; 5 has its own again."""
    study = make_study(barrier_policy=WIDE | {"min_events": 10, "max_events": 15})
    sizes, rng = (20, 9, 0, 3, 20), np.random.default_rng(1)
    history = {
        FIRST + i: excursions(FIRST + i, rng.exponential(2, n), rng.exponential(2, n))
        for i, n in enumerate(sizes)
    }
    rows = [policy_of(study, FIRST + i, history, {}).iloc[0] for i in range(5)]
    assert [row["source"] for row in rows] == ["quantile", *["carried"] * 3, "quantile"]
    for row in rows[1:4]:  # the very sample that was drawn then
        columns = ["regime", "take_profit_multiple", "stop_loss_multiple", "n_events"]
        assert row[columns].equals(rows[0][columns])
    assert [row["known_at"] for row in rows] == [(FIRST + i).end_ns for i in range(5)]
    del history[FIRST]
    assert policy_of(study, M, history, {}).iloc[0]["source"] == "fallback"


def test_which_events_stand_at_the_fallback():
    study = make_study(barrier_policy={"kind": "regime"})
    frame = excursions(M, [2.0] * 25, [3.0] * 25)
    regime = [0] * 20 + [1] * 5
    policy = policy_of(study, M, {M: frame}, {M: features(frame, regime)})
    assert are_fallback(study, policy, np.array([0, 1, 2, 0])).tolist() == [0, 1, 1, 0]
    assert are_fallback(study, None, np.array([0, 1])).all()
    pinned = {"take_profit_bounds": [1, 1], "stop_loss_bounds": [1, 1]}
    assert not are_fallback(make_study(barrier_policy=pinned), None, np.array([0, 1])).any()
    fixed = FixedBarriers(kind="fixed", take_profit_multiple=2.0, stop_loss_multiple=1.0)
    given = study.model_copy(update={"barrier_policy": fixed})
    assert not are_fallback(given, None, np.array([0, 1])).any()


def test_bounds_hold():
    study = make_study()
    row = policy_of(study, M, {M: excursions(M, np.full(50, 99.0), np.full(50, 0.0))}, {}).iloc[0]
    assert (row["take_profit_multiple"], row["stop_loss_multiple"]) == (4.0, 0.5)


@pytest.mark.parametrize(
    ("kind", "lookback", "expected"),
    [("month", 1, 3.0), ("month", 2, 2.5), ("month", 9, 1.5), ("global", 1, 1.5)],
)
def test_which_months_count(kind, lookback, expected):
    """Month i of four holds excursions of i ATR; a later month is never read."""
    history = {FIRST + i: excursions(FIRST + i, np.full(20, i), np.full(20, i)) for i in range(4)}
    history[M + 1] = excursions(M + 1, np.full(500, 50.0), np.full(500, 50.0))
    study = make_study(
        barrier_policy=WIDE
        | {
            "kind": kind,
            "lookback_months": lookback,
            "take_profit_quantile": 0.5,
            "stop_loss_quantile": 0.5,
        }
    )
    row = policy_of(study, M, history, {}).iloc[0]
    assert row["take_profit_multiple"] == row["stop_loss_multiple"] == expected


def test_each_regime_has_its_own_sample_and_floor():
    frame = excursions(M, [1.0] * 20 + [2.0] * 20 + [3.0] * 5, [3.0] * 20 + [2.0] * 20 + [1.0] * 5)
    regime = [0] * 20 + [1] * 20 + [2] * 5
    study = make_study(barrier_policy={"kind": "regime"})
    policy = policy_of(study, M, {M: frame}, {M: features(frame, regime)})
    BARRIER_POLICY.to_arrow(policy)
    assert policy["regime"].tolist() == [0, 1, 2]
    assert policy["take_profit_multiple"].tolist() == [1.0, 2.0, 1.0]
    assert policy["stop_loss_multiple"].tolist() == [3.0, 2.0, 1.0]
    assert policy["n_events"].tolist() == [20, 20, 5]
    assert policy["source"].tolist() == ["quantile", "quantile", "fallback"]
    up, down = multiples(study, policy, np.array([2, 0, 1, 0]), ONES, ONES)
    np.testing.assert_array_equal(up, [1, 1, 2, 1])
    np.testing.assert_array_equal(down, [1, 3, 2, 3])


def test_an_excursion_without_a_regime_is_an_error():
    frame = excursions(M, [1.0] * 20, [1.0] * 20)
    study = make_study(barrier_policy={"kind": "regime"})
    for table in ({}, {M: features(frame.iloc[1:], [0] * 19)}):
        with pytest.raises(StoreError, match="regime_features lacks"):
            policy_of(study, M, {M: frame}, table)


def test_a_large_sample_is_drawn_with_the_seed_and_the_month():
    rng = np.random.default_rng(3)
    frame = excursions(M, rng.exponential(2, 2000), rng.exponential(2, 2000))
    limits = WIDE | {"max_events": 100, "min_events": 50}

    def row(seed, month):
        study = make_study(barrier_policy=limits).model_copy(update={"seed": seed})
        return policy_of(study, month, {month: frame}, {}).iloc[0]

    assert row(1, M)["n_events"] == 100
    assert row(1, M).equals(row(1, M))
    assert row(1, M)["take_profit_multiple"] != row(2, M)["take_profit_multiple"]
    assert row(1, M)["take_profit_multiple"] != row(1, M + 1)["take_profit_multiple"]
    whole = np.quantile(frame["favourable_atr"], 0.6)
    assert row(1, M)["take_profit_multiple"] == pytest.approx(whole, rel=0.3)


def test_no_policy_yet_means_the_fallback():
    study = make_study(barrier_policy={"fallback_take_profit": 2.0, "fallback_stop_loss": 3.0})
    up, down = multiples(study, None, np.array([0, 1, 2]), ONES, ONES)
    assert (up.tolist(), down.tolist()) == ([2.0] * 3, [3.0] * 3)
    assert [
        len(side) for side in multiples(study, None, np.array([], dtype=np.int64), ONES, ONES)
    ] == [0, 0]


def test_one_row_serves_every_regime():
    study = make_study()
    policy = policy_of(study, M, {M: excursions(M, [2.0] * 20, [3.0] * 20)}, {})
    up, down = multiples(study, policy, np.array([0, 2, 1]), ONES, ONES)
    assert (up.tolist(), down.tolist()) == ([2.0] * 3, [3.0] * 3)


@pytest.mark.parametrize("in_sample", [False, True])
def test_an_in_sample_policy_is_marked_and_the_page_shows_the_table(in_sample):
    study = make_study(barrier_policy={"in_sample": in_sample})
    past = past_of({EXCURSIONS: {M: excursions(M, [2.0] * 20, [3.0] * 20)}, REGIME_FEATURES: {}})
    found = build_policy(study, make_market(), M, past)
    assert found.in_sample is in_sample
    (row,) = found.highlights["policy"].splitlines()[2:]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:5] == ["-1", "2", "3", "20", "quantile"]


def test_a_policy_that_does_not_serve_a_regime_is_refused():
    frame = excursions(M, [1.0] * 20, [1.0] * 20)
    study = make_study(barrier_policy={"kind": "regime"})
    policy = policy_of(study, M, {M: frame}, {M: features(frame, [1] * 20)})
    with pytest.raises(StaleInputs, match=r"not \[2\]"):
        multiples(study, policy[policy["regime"] < 2], np.array([0, 2]), ONES, ONES)
