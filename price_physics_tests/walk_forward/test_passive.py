import numpy as np
import pytest

from price_physics.walk_forward.passive import (
    AVERAGE,
    CASH,
    INVESTORS,
    SO_FAR,
    Steps,
    against_passive,
)
from price_physics.walk_forward.sharpe_bound import upper_annual_sharpe
from price_physics.walk_forward.tosses import flip_p

I = np.arange(720)  # noqa: E741 -- as the rule names it
DAY = 19_000 + I // 6
R = 0.004 * np.sin(0.7 * I) + 0.003 * np.cos(0.11 * I**2) + 0.0005
FIRST = np.where(np.sin(0.05 * I) > -0.3, 1.0, -0.5)
SECOND = np.where(np.sin(0.7 * I + 0.35) > 0, 1.0, 0.0)
CONSTANT = np.full(720, 0.7)


def golden(book, cost_a_day):
    day = np.unique(DAY)
    net = np.array([(book * R)[day_of == 0].sum() for day_of in (DAY - d for d in day)])
    steps = Steps(book, R, np.ones(720), DAY)
    return against_passive(steps, day, net - cost_a_day)


@pytest.mark.parametrize(
    ("book", "cost", "expected"),
    [
        (FIRST, 1e-4, [(0.00565, 2.487701), (0.138293, 1.097092), (0.342633, 0.422216)]),
        (SECOND, 1e-4, [(0.00005, 4.792745), (0.00005, 4.821669), (0.00005, 4.804332)]),
        (CONSTANT, 0.0, [(0.00005, 3.800257), (1.0, 0.0), (1.0, 0.0)]),
    ],
)
def test_golden_books(book, cost, expected):
    against = golden(book, cost)
    for name, (p, t) in zip(INVESTORS, expected, strict=True):
        found = flip_p(against[name].block_sums, against[name].squares)
        assert found == (pytest.approx(p, abs=5e-7), pytest.approx(t, abs=5e-7)), name


def test_golden_trials():
    own = golden(SECOND, 1e-4)[CASH]
    sums = {k: s * (-0.62 if k % 4 == 0 else 1.0) for k, s in own.block_sums.items()}
    clone = {k: s * 1.01 + 1e-5 * (k % 3) for k, s in sums.items()}
    first = golden(FIRST, 1e-4)[CASH].block_sums
    expected = {0.00075: ([], [clone]), 0.0015: ([first], [clone, first])}
    for p, ledgers in expected.items():
        for others in ledgers:
            found = flip_p(sums, own.squares, others)
            assert found == (pytest.approx(p, abs=5e-7), pytest.approx(3.086197, abs=5e-7))


def test_golden_bound_of_the_sharpe_ratio():
    against = golden(FIRST, 1e-4)[CASH]
    assert upper_annual_sharpe(against.won, against.squares) == pytest.approx(8.702349, abs=5e-7)


def test_sums_by_hand():
    # Two days. Held 1 for one hour, 0 for three, then -1 for two; the average is -1/6 at the end.
    steps = Steps(
        np.array([1.0, 0.0, -1.0]),
        np.array([0.02, 0.01, -0.03]),
        np.array([1, 3, 2]),
        np.array([4, 4, 5]),
    )
    against = against_passive(steps, np.array([4, 5]), np.array([0.019, 0.03]))
    assert against[CASH].won == pytest.approx([0.019, 0.03])
    assert against[CASH].squares == pytest.approx(0.02**2 + 0.03**2)
    assert against[CASH].block_sums == {0: pytest.approx(0.019), 1: pytest.approx(0.03)}
    average = -1 / 6
    assert against[AVERAGE].held == pytest.approx(average)
    assert against[AVERAGE].won == pytest.approx([0.019 - 0.03 * average, 0.03 + 0.03 * average])
    assert against[AVERAGE].earned == pytest.approx((1 + 0.03 * average) * (1 - 0.03 * average) - 1)
    so_far = np.array([1.0, 0.25, average])  # up to and including the step
    assert against[SO_FAR].won == pytest.approx(
        [0.019 - so_far[0] * 0.02 - so_far[1] * 0.01, 0.03 + average * 0.03]
    )
    assert against[SO_FAR].squares == pytest.approx((0.25 * 0.01) ** 2 + (5 / 6 * 0.03) ** 2)


def test_more_months_move_no_block_and_leave_the_average_so_far_as_it_was():
    day = np.unique(DAY)
    net = np.bincount(DAY - 19_000, FIRST * R)
    whole = against_passive(Steps(FIRST, R, np.ones(720), DAY), day, net)
    half = slice(0, 360)
    early = against_passive(
        Steps(FIRST[half], R[half], np.ones(360), DAY[half]), day[:60], net[:60]
    )
    for name in (CASH, SO_FAR):
        assert (whole[name].won[:60] == early[name].won).all()
    assert set(early[CASH].block_sums) < set(whole[CASH].block_sums)


def test_a_position_that_never_changes_times_nothing_however_long_it_is_held():
    # A plain running sum of 0.7 is off by more than the tolerance after a million steps.
    n = 1_000_000
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(1_000), n // 1_000)
    market = rng.normal(0, 0.001, n)
    net = np.bincount(day, 0.7 * market)
    duration = rng.integers(1, 10**12, n)
    against = against_passive(Steps(np.full(n, 0.7), market, duration, day), np.arange(1_000), net)
    for name in (AVERAGE, SO_FAR):
        assert not against[name].timed
        assert against[name].squares == 0
        assert flip_p(against[name].block_sums, against[name].squares) == (1.0, 0.0)


def test_steps_that_take_no_time_and_days_without_a_step():
    steps = Steps(np.array([1.0, 0.5]), np.array([0.01, 0.02]), np.array([0, 0]), np.array([1, 1]))
    against = against_passive(steps, np.array([0, 1, 2]), np.array([0.0, 0.02, 0.0]))
    assert against[SO_FAR].won == pytest.approx([0.0, 0.0, 0.0])
    nothing = Steps(*(np.empty(0),) * 3, np.empty(0, dtype=np.int64))
    flat = against_passive(nothing, np.array([0, 1]), np.zeros(2))
    assert flat[AVERAGE].won.tolist() == [0.0, 0.0]
    assert not flat[CASH].timed


def test_days_that_do_not_fit_are_refused():
    steps = Steps(np.ones(1), np.ones(1), np.ones(1), np.array([3]))
    with pytest.raises(ValueError, match="ends on day 3"):
        against_passive(steps, np.array([2, 4]), np.zeros(2))
    with pytest.raises(ValueError, match="ends on day 3"):
        against_passive(steps, np.array([1, 2]), np.zeros(2))
    with pytest.raises(ValueError, match="ascending"):
        against_passive(steps, np.array([3, 3]), np.zeros(2))
