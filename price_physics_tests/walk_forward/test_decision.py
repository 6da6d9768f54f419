import re

import numpy as np
import pytest

from price_physics.months import Month
from price_physics.walk_forward.break_even import BreakEven, Signals
from price_physics.walk_forward.decision import (
    DECLARED_LEVEL,
    EDGE,
    MONTHLY_LEVEL,
    NO_EDGE,
    NOT_YET,
    TOO_DEAR,
    UNDERPOWERED,
    Contest,
    Decision,
    decide,
    level_of,
)
from price_physics.walk_forward.passive import AVERAGE, CASH, SO_FAR, Steps, against_passive
from price_physics.walk_forward.sentences import sentence

NONE = Signals(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
COST = 0.0004


def book(position, n_days, seed=0, drift=0.0, cost_a_day=0.0):
    """Play a random market of six steps a day with the book that `position` gives."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(20_000, 20_000 + n_days), 6)
    market = rng.normal(drift, 0.01, len(day))
    held = position(rng, market)
    net = np.bincount(day - 20_000, held * market) - cost_a_day
    return against_passive(Steps(held, market, np.ones(len(day)), day), np.unique(day), net)


def knowing(share):
    """Be right about the next step with probability `share`."""

    def position(rng, market):
        right = rng.random(len(market)) < share
        return np.where(right, 1.0, -1.0) * np.sign(market)

    return position


def coin(rng, market):
    return rng.choice([-1.0, 1.0], len(market))


def always(size):
    return lambda rng, market: np.full(len(market), size)


def signals(worth, n=100, noise=0.002):
    gross = worth + noise * np.tile([1.0, -1.0], n // 2)
    return Signals(np.full(n, 0.001), gross, 20_000 + np.arange(n))


def test_an_edge_needs_all_three_and_ninety_days():
    decision = decide(book(knowing(0.62), 120), 80, signals(0.001), COST)
    assert decision.outcome == EDGE
    assert decision.reasons == ()
    assert decision.p == max(c.p for c in decision.contests.values()) <= MONTHLY_LEVEL
    assert decision.earned == pytest.approx(np.prod(1 + book(knowing(0.62), 120)[CASH].won) - 1)
    assert sentence(decision).startswith(
        f"Edge: it earned {100 * decision.earned:.0f} %, where cash would have earned nothing. "
        f"Against cash, of three the hardest to beat, p is {decision.p:.4f}, at most 0.005."
    )
    early = decide(book(knowing(0.7), 89), 80, signals(0.001), COST)
    assert early.p <= MONTHLY_LEVEL
    assert early.outcome == UNDERPOWERED
    assert "89 days are too few: an edge is called from 90 on" in sentence(early)


def test_the_declared_month_and_no_other():
    month, other = Month(2012, 3), Month(2012, 2)
    assert level_of(other, None) == MONTHLY_LEVEL
    assert level_of(month, month) == DECLARED_LEVEL
    against = book(knowing(0.55), 120, seed=1)
    assert 0.005 < decide(against, 80, NONE, COST).p <= 0.025
    assert decide(against, 80, NONE, COST).outcome == UNDERPOWERED
    assert decide(against, 80, NONE, COST, level_of(month, month)).outcome == EDGE
    waiting = decide(against, 80, signals(-0.01), COST, level_of(other, month))
    assert (waiting.outcome, waiting.reasons) == (NOT_YET, ())
    assert sentence(waiting).startswith("Not judged yet: the study declared the one month")


def test_other_trials_are_in_the_way():
    against = book(knowing(0.57), 120)
    alone = decide(against, 80, NONE, COST)
    others = [book(coin, 120, seed=n)[CASH].block_sums for n in range(1, 30)]
    among = decide(against, 80, NONE, COST, others=iter(others))
    assert (alone.n_trials, among.n_trials) == (1, 30)
    for name in (CASH, AVERAGE, SO_FAR):
        assert alone.contests[name].p <= among.contests[name].p
    assert alone.p < among.p
    assert "luckiest of 30 trials" in sentence(among)
    assert "luckiest" not in sentence(alone)


def test_a_sharpe_surely_below_one_is_no_edge_with_twenty_trades():
    losing = book(coin, 120, cost_a_day=0.02)
    decision = decide(losing, 20, signals(0.001), COST)
    assert (decision.outcome, decision.reasons) == (NO_EDGE, (CASH,))
    assert "its net annual Sharpe ratio is at most \u2212" in sentence(decision)
    assert decide(losing, 19, signals(0.001), COST).outcome == UNDERPOWERED


def test_long_only_in_a_rising_market():
    rising = book(always(0.5), 364, drift=0.002)
    decision = decide(rising, 1, signals(0.001), COST)
    assert decision.contests[CASH].p <= MONTHLY_LEVEL
    assert decision.hardest == AVERAGE
    assert decision.outcome == UNDERPOWERED  # not earlier than 365 days
    text = sentence(decision)
    assert "always holding 0.50 of the market, its average, would have earned" in text
    assert "Being long is no timing; against that investor p is 1.00." in text
    later = decide(book(always(0.5), 365, drift=0.002), 1, signals(0.001), COST)
    assert (later.outcome, later.reasons) == (NO_EDGE, (AVERAGE, SO_FAR))
    assert "its average, nothing was timed" in sentence(later)


def test_a_bad_timer_is_called_so_from_365_days_on():
    def position(rng, market):  # long, and a little longer when it falls
        return 0.8 - 0.2 * np.sign(market)

    for n_days, outcome in ((364, UNDERPOWERED), (365, NO_EDGE)):
        decision = decide(book(position, n_days, drift=0.005), 19, NONE, COST)
        assert decision.outcome == outcome
    assert decision.reasons == (AVERAGE, SO_FAR)
    assert "below 1" in sentence(decision)


def test_without_a_trade_only_the_signals_decide():
    flat = book(always(0.0), 400)
    decision = decide(flat, 0, signals(0.0003, noise=0.02), COST)
    assert decision.break_even.upper > COST
    assert (decision.outcome, decision.reasons) == (UNDERPOWERED, ())
    text = sentence(decision)
    upper = 1e4 * decision.break_even.upper
    assert text.startswith("Underpowered: the model never found a trade worth its cost, though its")
    assert f"signals may be worth up to {upper:.1f} bps." in text
    dead = decide(flat, 0, signals(-0.001, noise=0.0001), COST)
    assert (dead.outcome, dead.reasons) == (NO_EDGE, (TOO_DEAR,))
    assert "surely not worth it" in sentence(dead)
    unknown = decide(flat, 0, NONE, COST)
    assert unknown.outcome == UNDERPOWERED
    assert "worth up to" not in sentence(unknown)


def test_twenty_signals_make_a_break_even():
    flat = book(always(0.0), 100)
    for n, outcome in ((18, UNDERPOWERED), (20, NO_EDGE)):
        decision = decide(flat, 0, signals(-0.001, n, noise=0.0001), COST)
        assert (decision.n_signals, decision.outcome) == (n, outcome)


def test_an_edge_comes_before_no_edge():
    decision = decide(book(knowing(0.62), 120), 80, signals(-0.001), COST)
    assert (decision.outcome, decision.reasons) == (EDGE, ())


def test_golden_sentence_of_a_long_only_book():
    rivals = {name: Contest(0.0001, 3.0, 0.3, 0.0, 0.0, 5.0) for name in (CASH, SO_FAR)}
    rivals[AVERAGE] = Contest(0.6123, -0.3, -0.01, 0.5, 0.412, 2.0)
    worth = BreakEven(3.44e-4, 3.29e-4, 3.58e-4)
    decision = Decision(
        UNDERPOWERED, (), 0.005, 200, 60, 1, 0.381, rivals, worth, n_signals=900, cost=6e-4
    )
    assert sentence(decision) == (
        "Underpowered: it earned 38 %, but always holding 0.50 of the market, its average, would "
        "have earned 41 %. Being long is no timing; against that investor p is 0.61. All signals, "
        "traded or not, break even at 3.4 bps a round trip (3.3 to 3.6); it costs 6.0 bps."
    )


@pytest.mark.parametrize("n_trades", [0, 30])
@pytest.mark.parametrize("position", [coin, always(0.0), always(-0.3), knowing(0.7)])
@pytest.mark.parametrize("n_days", [1, 60, 400])
@pytest.mark.parametrize("level", [None, 0.005, 0.025])
def test_every_sentence_names_what_the_signals_are_worth_and_the_cost(
    n_trades, position, n_days, level
):
    against = book(position, n_days)
    text = sentence(decide(against, n_trades, signals(0.0002), COST, level))
    assert "All signals, traded or not, break even at 2.0 bps a round trip (" in text
    assert text.endswith("; it costs 4.0 bps.")
    short = sentence(decide(against, n_trades, signals(0.0002, 2), COST, level))
    assert "With 2 signals that promised anything" in short
    assert short.endswith("a round trip costs 4.0 bps.")
    assert not re.search(r"\bnan\b|\binf\b|  |-\d|\.\.|None", text + short)
