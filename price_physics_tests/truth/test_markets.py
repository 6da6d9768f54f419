import hashlib

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from price_physics.months import Month
from price_physics.schemas.ticks import TICKS
from price_physics.scores.auc import auc
from price_physics.scores.delong import compare_aucs
from price_physics.truth import markets
from price_physics.truth.markets import (
    ceiling_auc,
    episodes_for,
    lattice_market,
    outcome_signs,
    write_generic_csv,
    write_generic_parquet,
)

JAN, FEB = Month(2012, 1), Month(2012, 2)
KINDS = ["trend", "exclusive_or", "volatility", "walk"]


def episodes(ticks):
    """Lattice position of every tick, one row an episode."""
    k = np.log(ticks["price"] / markets.START_PRICE) / np.log(markets.STEP)
    assert np.abs(k - k.round()).max() < 1e-6
    return k.round().to_numpy(dtype=np.int64).reshape(-1, markets.TICKS_AN_EPISODE)


def outcome_labels(k):
    """First touch of 12 steps either side within the 128 outcome ticks: -1, 0, +1."""
    moved = k[:, 128:] - k[:, 127:128]
    hit = np.abs(moved) >= markets.BARRIER_STEPS
    first = np.where(hit.any(axis=1), hit.argmax(axis=1), 0)
    return np.where(hit.any(axis=1), np.sign(moved[np.arange(len(k)), first]), 0)


def pattern_says(kind, k):
    """The oracle's score at the event: the lean of the outcome, read off the pattern."""
    start = np.concatenate([[0], k[:-1, -1]])
    if kind == "exclusive_or":
        return np.sign(k[:, 63] - start) * np.sign(k[:, 127] - k[:, 63])
    return np.sign(k[:, 127] - start)


@pytest.mark.parametrize("kind", KINDS)
def test_ticks_conform_and_fill_the_months(kind):
    ticks = lattice_market(kind, JAN, 2, 10, seed=1)
    TICKS.to_arrow(ticks)
    assert len(ticks) == (31 + 29) * 10 * markets.TICKS_AN_EPISODE
    assert ticks["time_ns"].iloc[0] == JAN.start_ns
    gaps = np.diff(ticks["time_ns"])
    assert (gaps == markets.tick_spacing_ns(10)).all()
    assert ticks["time_ns"].iloc[-1] < FEB.stop_ns
    k = episodes(ticks).ravel()
    steps = np.diff(k)
    assert np.abs(steps).max() == 1
    assert ((steps == 0).any()) == (kind == "volatility")
    moved = steps != 0
    assert (ticks["tick_sign"].to_numpy()[1:][moved] == steps[moved]).all()


def test_four_ticks_a_bar_always():
    ticks = lattice_market("walk", JAN, 1, 25, seed=2)
    notional = (ticks["price"] * ticks["qty"]).to_numpy().reshape(-1, 4).cumsum(axis=1)
    assert (notional[:, 2] < markets.THRESHOLD_QUOTE).all()
    assert (notional[:, 3] >= markets.THRESHOLD_QUOTE).all()


def test_barriers_of_23_basis_points_are_twelve_steps_away():
    up, down = 1 + 23e-4, 1 - 23e-4
    assert markets.STEP**11 < up <= markets.STEP**12
    assert markets.STEP**-11 > down >= markets.STEP**-12


def test_horizon_is_the_outcome_exactly():
    ticks = lattice_market("walk", JAN, 1, 10, seed=1)
    event = ticks["time_ns"][127]  # the close of bar 31
    assert event + round(markets.horizon_minutes(10) * 60e9) == ticks["time_ns"][255]


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_market_begins_with_the_shorter_one(kind):
    short, long = (lattice_market(kind, JAN, n, 5, seed=3) for n in (1, 2))
    pd.testing.assert_frame_equal(long[: len(short)], short)


def test_seeds_and_kinds_differ():
    a, b = (lattice_market("trend", JAN, 1, 5, seed=s)["price"] for s in (1, 2))
    assert not a.equals(b)
    walk = lattice_market("walk", JAN, 1, 5, seed=1)["price"]
    assert not walk.equals(a)


def test_golden_ceiling():
    assert ceiling_auc("trend", 0.025) == pytest.approx(0.6457, abs=5e-5)
    assert ceiling_auc("exclusive_or", 0.025) == ceiling_auc("trend", 0.025)
    assert ceiling_auc("trend", 0.0) == ceiling_auc("walk") == ceiling_auc("volatility") == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["trend", "exclusive_or"])
def test_oracle_reaches_the_ceiling_and_not_more(kind):
    k = episodes(lattice_market(kind, JAN, 3, 270, seed=4))
    label, score = outcome_labels(k), pattern_says(kind, k)
    moved = label != 0
    reached = auc(score[moved], label[moved] > 0)
    # About 12,000 labels: a standard error of 0.0045; the pattern is read right 99 % of the time.
    assert reached == pytest.approx(ceiling_auc(kind), abs=0.015)
    wrong_half = np.sign(k[:, 127] - k[:, 63])
    if kind == "exclusive_or":  # either half alone says nothing
        assert auc(wrong_half[moved], label[moved] > 0) == pytest.approx(0.5, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["walk", "volatility"])
def test_where_nothing_can_be_told_nothing_is(kind):
    k = episodes(lattice_market(kind, JAN, 2, 270, seed=5))
    label, score = outcome_labels(k), pattern_says("trend", k)
    moved = label != 0
    assert auc(score[moved], label[moved] > 0) == pytest.approx(0.5, abs=0.02)


def test_volatility_has_two_kinds_of_episodes():
    k = episodes(lattice_market("volatility", JAN, 1, 90, seed=6))
    share = (np.diff(k, axis=1) != 0).mean(axis=1)
    wild = share == 1
    assert wild.mean() == pytest.approx(0.5, abs=0.05)
    assert share[~wild].mean() == pytest.approx(0.25, abs=0.005)


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="divisor of 337500"):
        lattice_market("walk", JAN, 1, 7, seed=1)
    with pytest.raises(ValueError, match="divisor of 337500"):
        lattice_market("walk", JAN, 1, 0, seed=1)
    with pytest.raises(ValueError, match="choose one of trend"):
        lattice_market("cycle", JAN, 1, 10, seed=1)
    with pytest.raises(ValueError, match="theta = 1"):
        lattice_market("walk", JAN, 1, 10, seed=1, theta=1)


def test_no_months_no_ticks():
    TICKS.to_arrow(lattice_market("walk", JAN, 0, 10, seed=1))


@pytest.mark.parametrize("name", ["walk.csv", "deep/walk.csv.gz"])
def test_csv_holds_the_ticks_to_the_last_bit(tmp_path, name):
    ticks = lattice_market("volatility", JAN, 1, 1, seed=7)
    path = tmp_path / name
    write_generic_csv(ticks, path)
    again = tmp_path / "again" / path.name
    write_generic_csv(ticks, again)
    assert again.read_bytes() == path.read_bytes()
    read = pd.read_csv(path, float_precision="round_trip")
    assert list(read.columns) == ["timestamp", "price", "qty", "trade_id", "is_buyer_maker"]
    assert (read["timestamp"] * 1_000_000 == ticks["time_ns"]).all()
    assert read["price"].tolist() == ticks["price"].tolist()
    assert read["qty"].tolist() == ticks["qty"].tolist()
    assert (read["is_buyer_maker"] == (ticks["tick_sign"] < 0)).all()


@pytest.mark.parametrize("kind", ["trend", "exclusive_or"])
def test_signs_are_the_coins_behind_the_market(kind):
    k = episodes(lattice_market(kind, JAN, 2, 100, seed=8, theta=0.9))
    sign = outcome_signs(kind, JAN, 2, 100, seed=8)
    assert (np.sign(k[:, -1] - k[:, 127]) == sign).all(), "so strong a drift cannot be missed"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["trend", "exclusive_or"])
def test_who_knows_the_signs_reaches_the_ceiling(kind):
    label = outcome_labels(episodes(lattice_market(kind, JAN, 1, 500, seed=9)))
    moved = label != 0
    sign = outcome_signs(kind, JAN, 1, 500, seed=9)[moved]
    reached, error = compare_aucs({"oracle": sign}, label[moved] > 0).of("oracle")
    assert reached == pytest.approx(ceiling_auc(kind), abs=3 * error)


@pytest.mark.parametrize("kind", ["walk", "volatility"])
def test_there_are_no_signs_where_nothing_leans(kind):
    assert outcome_signs(kind, JAN, 2, 10, seed=1).tolist() == [0] * (60 * 10)


@pytest.mark.parametrize(("n_events", "a_day"), [(1, 1), (32, 2), (40_000, 1350), (120_000, 4500)])
def test_fewest_episodes_for_so_many_events(n_events, a_day):
    assert episodes_for(n_events, JAN) == a_day
    markets.tick_spacing_ns(a_day)


@pytest.mark.parametrize("n_events", [0, -1, 31 * 337_500 + 1])
def test_so_many_events_cannot_be(n_events):
    with pytest.raises(ValueError, match="give 1 to 10462500"):
        episodes_for(n_events, JAN)


def test_parquet_holds_the_ticks_and_is_small(tmp_path):
    ticks = lattice_market("volatility", JAN, 1, 10, seed=7)
    write_generic_parquet(ticks, tmp_path / "deep" / "walk.parquet")
    write_generic_parquet(ticks, tmp_path / "again.parquet")
    written = (tmp_path / "again.parquet").read_bytes()
    assert (tmp_path / "deep" / "walk.parquet").read_bytes() == written
    assert len(written) < 8 * len(ticks)
    read = pq.read_table(tmp_path / "again.parquet").to_pandas()
    assert (read["timestamp"] * 1_000_000 == ticks["time_ns"]).all()
    for name in ("price", "qty", "trade_id"):
        assert read[name].tolist() == ticks[name].tolist()
    assert (read["is_buyer_maker"] == (ticks["tick_sign"] < 0)).all()


# ---------------------------------------------------------------------------- barriers that move
@pytest.fixture(scope="module")
def moving():
    """Five months: the first step comes back."""
    return lattice_market("moving_barriers", JAN, 5, 1, seed=1)


def by_month(ticks, n_months=5):
    for i in range(n_months):
        month = JAN + i
        yield i, ticks[ticks["time_ns"].between(month.start_ns, month.stop_ns, inclusive="left")]


def test_the_step_changes_from_month_to_month(moving):
    TICKS.to_arrow(moving)
    steps = []
    for i, ticks in by_month(moving):
        moves = np.diff(np.log(ticks["price"]))
        steps.append(np.abs(moves).mean())
        assert np.allclose(np.abs(moves), steps[-1], rtol=1e-9)
        assert steps[-1] == pytest.approx(markets.step_size("moving_barriers", i) * np.log(1.0002))
    assert len({round(step, 9) for step in steps[:4]}) == 4
    assert steps[4] == pytest.approx(steps[0], rel=1e-9)
    jumps = np.abs(np.diff(np.log(moving["price"])))
    assert jumps.max() < 1.01 * max(steps), "prices go on where the month before ended"


def test_volatility_an_hour_is_that_of_every_month(moving):
    squares = [
        (np.diff(np.log(ticks["price"])) ** 2).mean() / np.diff(ticks["time_ns"]).mean()
        for _, ticks in by_month(moving)
    ]
    assert np.allclose(squares, squares[0], rtol=1e-6)


def test_months_hold_whole_episodes_of_the_same_bars(moving):
    for i, ticks in by_month(moving):
        n = markets.n_episodes(JAN + i, markets.PACES[i % 4])
        assert len(ticks) == n * markets.TICKS_AN_EPISODE
        notional = (ticks["price"] * ticks["qty"]).to_numpy().reshape(-1, 4).cumsum(axis=1)
        assert (notional[:, 2] < markets.THRESHOLD_QUOTE).all()
        assert (notional[:, 3] >= markets.THRESHOLD_QUOTE).all()


def test_barriers_stand_elsewhere_every_month():
    found = [markets.barrier_steps("moving_barriers", i) for i in range(4)]
    assert found == [7, 8, 14, 9]
    assert min(found[:3]) < found[3] < max(found[:3])
    for i, steps in enumerate(found):
        step = markets.STEP ** markets.step_size("moving_barriers", i)
        assert step ** (steps - 1) < 1.0023 <= step**steps
        assert step ** (1 - steps) > 0.9977 >= step**-steps


def test_a_longer_moving_market_begins_with_the_shorter_one(moving):
    short = lattice_market("moving_barriers", JAN, 2, 1, seed=1)
    pd.testing.assert_frame_equal(moving[: len(short)], short)


def test_signs_are_the_coins_behind_moving_barriers():
    ticks = lattice_market("moving_barriers", JAN, 4, 1, seed=8, theta=0.9)
    price = ticks["price"].to_numpy().reshape(-1, markets.TICKS_AN_EPISODE)
    sign = outcome_signs("moving_barriers", JAN, 4, 1, seed=8)
    assert (np.sign(price[:, -1] - price[:, 127]) == sign).all()


def test_the_ceiling_follows_the_barrier():
    aucs = [ceiling_auc("moving_barriers", 0.025, i) for i in range(4)]
    assert sorted(aucs) == [aucs[0], aucs[1], aucs[3], aucs[2]]
    assert aucs[3] == pytest.approx(1 / (1 + (0.975 / 1.025) ** 9))


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("trend", "9e8df29800a1de87"),
        ("exclusive_or", "0b0c8f175dce224b"),
        ("volatility", "f48ba6a1d59ae24a"),
        ("walk", "531e127d1e96e4c6"),
    ],
)
def test_moves_of_a_seed_never_change(kind, digest):
    ticks = lattice_market(kind, JAN, 2, 2, seed=7)
    k = episodes(ticks).ravel()
    assert hashlib.sha256(k.astype("<i8").tobytes()).hexdigest()[:16] == digest
    assert (
        ticks["price"].tolist() == (markets.START_PRICE * markets.STEP ** k.astype(float)).tolist()
    )
