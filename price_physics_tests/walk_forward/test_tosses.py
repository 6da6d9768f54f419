import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.walk_forward.tosses import N_TOSSES, coins, flip_p, luckiest, tossed

EIGHT = dict.fromkeys(range(100, 108), 1.0)
ROW = {"p": 5e-8, "t": 5e-7}

sums = st.dictionaries(st.integers(0, 40), st.floats(-1, 1), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("block_sums", "squares", "p", "t", "exact"),
    [
        (EIGHT, 8.0, 0.0038998, 2.828427, 1 / 256),
        ({**EIGHT, 107: -1.0}, 8.0, 0.0342483, 2.121320, 9 / 256),
        (EIGHT, 16.0, 0.0347483, 2.0, 9 / 256),
    ],
)
def test_golden_blocks(block_sums, squares, p, t, exact):
    found = flip_p(block_sums, squares)
    assert found == (pytest.approx(p, abs=ROW["p"]), pytest.approx(t, abs=ROW["t"]))
    assert found[0] == pytest.approx(exact, abs=4 * np.sqrt(exact / N_TOSSES))


def test_coins_are_those_of_the_rule_and_cannot_be_changed():
    expected = np.random.default_rng([0, 107]).integers(0, 2, 20_000) * 2 - 1
    assert (coins(107) == expected).all()
    with pytest.raises(ValueError, match="read-only"):
        coins(107)[0] = 1


def naive(block_sums, squares, others=()):
    """The formulas of the rule, one toss after the other."""
    q = sum(s * s for s in block_sums.values())
    if q == 0 or squares == 0:
        return 1.0, 0.0
    t = min(1.0, (q / squares) ** 0.5) * sum(block_sums.values()) / q**0.5
    n = 0
    for j in range(N_TOSSES):
        best = -np.inf
        for trial in (block_sums, *others):
            own = sum(s * s for s in trial.values())
            if own:
                best = max(best, sum(coins(k)[j] * s for k, s in trial.items()) / own**0.5)
        n += best >= t - 1e-12
    return (1 + n) / (N_TOSSES + 1), t


@pytest.mark.slow
def test_p_is_what_the_formulas_say():
    rng = np.random.default_rng(3)
    own, other = ({k: float(rng.normal(0.5)) for k in range(first, 9)} for first in (0, 4))
    for others in ((), (other,), (other, own)):
        p, t = flip_p(own, 12.0, others)
        assert (p, t) == pytest.approx(naive(own, 12.0, others))


def test_nothing_varied_nothing_timed():
    assert flip_p({}, 0.0) == (1.0, 0.0)
    assert flip_p({7: 0.0, 8: 0.0}, 0.0) == (1.0, 0.0)
    assert flip_p({7: 0.1}, 0.0) == (1.0, 0.0)  # costs alone are no timing either


@settings(deadline=None)
@given(sums, st.floats(0.01, 10), st.lists(st.one_of(sums, st.integers(0, 2**70)), max_size=4))
def test_another_trial_never_lowers_p_and_a_clone_changes_nothing(own, squares, others):
    p = [flip_p(own, squares, others[:n])[0] for n in range(len(others) + 1)]
    assert (np.diff(p) >= 0).all()
    assert flip_p(own, squares, [*others, own]) == flip_p(own, squares, others)
    assert flip_p(own, squares, others[::-1])[0] == p[-1]


def test_a_trial_without_block_sums_enters_as_an_independent_one():
    stranger = np.random.default_rng([1, 2**200]).standard_normal(N_TOSSES)
    assert (luckiest([2**200]) == stranger).all()
    expected = np.maximum(stranger, tossed(EIGHT))
    p = (1 + np.count_nonzero(expected >= np.sqrt(8) - 1e-12)) / (N_TOSSES + 1)
    assert flip_p(EIGHT, 8.0, [2**200])[0] == p > flip_p(EIGHT, 8.0)[0]


def test_a_trial_that_never_won_nor_lost_has_no_luck():
    assert flip_p(EIGHT, 8.0, [{1: 0.0}, {}]) == flip_p(EIGHT, 8.0)


def test_month_sixty_takes_seconds():
    blocks = {block: float(np.sin(block)) for block in range(3_000, 3_365)}
    trials = [{k: s * np.cos(n * k) for k, s in blocks.items()} for n in range(20)]
    start = time.perf_counter()
    flip_p(blocks, 100.0, trials)
    assert time.perf_counter() - start < 10  # half a second alone on one core
