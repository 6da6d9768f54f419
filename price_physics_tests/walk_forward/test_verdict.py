"""The verdict on whole records; every number is recomputed here."""

import json
import math
import time
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from price_physics.frames import conform
from price_physics.months import Month
from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY, POSITIONS, SCORED, TRADES
from price_physics.walk_forward.bootstrap import bootstrap_mean
from price_physics.walk_forward.month import MonthWalk
from price_physics.walk_forward.statistics import (
    deflated_sharpe_ratio,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
)
from price_physics.walk_forward.trial import judge_months
from price_physics.walk_forward.verdict import describe
from price_physics_tests.report import cases
from price_physics_tests.walk_forward import markets, naive

MONTH = Month(1971, 1)
DAY = 86_400_000_000_000


def market(seed, sharpe, n_days=180):
    return markets.random_market(np.random.default_rng([11, seed]), n_days, sharpe)


def walk_of(tables, n_trades, scored=None):
    """A record as one month of the walk-forward, whatever its length."""
    daily, book, equity = tables
    columns = dict.fromkeys(TRADES.columns, np.zeros(n_trades))
    trades = pd.DataFrame(columns | {"exit_reason": "take_profit"})
    scored = SCORED.empty() if scored is None else scored
    return MonthWalk(trades, POSITIONS.empty(), book, equity, daily, scored, None)


def signals(worth_bps, n=100, first_day=0):
    """Events that promised 10 bps and returned `worth_bps`, give or take 20."""
    returned = worth_bps + 20.0 * np.tile([1.0, -1.0], n // 2)
    columns = dict.fromkeys(SCORED.columns, np.zeros(n))
    known = (first_day + np.arange(n)) * DAY
    more = {"stated_bps": np.full(n, 10.0), "returned_bps": returned, "known_at": known}
    return conform(SCORED, **(columns | more))


def judge(tables, n_trades=120, others=(), scored=None, **rule):
    study = cases.study()
    changed = study.walk_forward.model_copy(update=rule)
    study = study.model_copy(update={"walk_forward": changed})
    walks = {MONTH: walk_of(tables, n_trades, scored)}
    return judge_months(walks, {}, study, MONTH, others)


def by_hand(tables):
    """Net, book, market of every step and its day, straight from what the market was made of."""
    daily, book, equity = tables
    price = np.append(book["price"].to_numpy(), equity["price"].iloc[-1])
    day = daily["day_ns"].to_numpy() // DAY
    steps = len(book) // len(day)
    return (
        daily["net_return"].to_numpy(),
        book["book"].to_numpy(),
        price[1:] / price[:-1] - 1,
        np.repeat(day, steps),
    )


def won_against(tables):
    """Winnings by day and V, by passive investor; all steps last equally long."""
    net, held, market, day = by_hand(tables)
    n = np.arange(1, len(held) + 1)
    positions = {"cash": 0 * held, "average": 0 * held + held.mean(), "so far": held.cumsum() / n}
    days = np.unique(day)
    gross = np.array([(held * market)[day == d].sum() for d in days])
    return {
        name: (
            np.array([((held - c) * market)[day == d].sum() for d in days]) - (gross - net),
            float((((held - c) * market) ** 2).sum()),
        )
        for name, c in positions.items()
    }


def blocks(won):
    sums = {}
    for d, value in enumerate(won):
        sums[d // 5] = sums.get(d // 5, 0.0) + value
    return sums


def test_a_strong_edge_is_called_one_with_every_number_behind_it():
    tables = market(0, 10)
    verdict = judge(tables)
    returns = tables[0]["net_return"].to_numpy()
    assert verdict.verdict == "edge"
    assert (verdict.n_days, verdict.n_trades, verdict.n_trials) == (180, 120, 1)
    for name, (won, squares) in won_against(tables).items():
        p, t = naive.toss(blocks(won), squares)
        contest = verdict.contests[name]
        assert (contest.p, contest.t) == (pytest.approx(p, abs=1e-12), pytest.approx(t))
        assert contest.won == pytest.approx(won.sum())
    assert verdict.p == max(c.p for c in verdict.contests.values()) <= 0.005
    assert verdict.contests[verdict.hardest].p == verdict.p
    assert verdict.earned == pytest.approx(np.prod(1 + returns) - 1)
    described = verdict.description
    assert described.sharpe_daily == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert described.sharpe_annual == pytest.approx(described.sharpe_daily * math.sqrt(365))
    assert described.bootstrap_p == bootstrap_mean(returns, 7).p_value
    assert described.deflated_sharpe is None
    assert [c.met for c in verdict.conditions] == [True] * 4
    assert [c.threshold for c in verdict.conditions] == [0.005] * 3 + [90]
    assert verdict.sentence.startswith("Edge: it earned ")
    assert 0 < described.minimum_track_record_days < 180
    assert json.loads(json.dumps(asdict(verdict)))["conditions"][0]["met"] is True


def test_a_clear_loser_is_no_edge():
    tables = market(1, -8)
    verdict = judge(tables)
    assert verdict.verdict == "no edge"
    (won, squares), n = won_against(tables)["cash"], 180
    centred, variance = won - won.mean(), 0.0
    for lag in range(-5, 6):
        pairs = centred[abs(lag) :] @ centred[: n - abs(lag)]
        variance += (1 - abs(lag) / 6) * pairs / n
    error = max(math.sqrt(variance / n), math.sqrt(squares) / n)
    upper = (won.mean() + 1.96 * error) / won.std(ddof=1) * math.sqrt(365)
    assert verdict.contests["cash"].upper_sharpe == pytest.approx(upper)
    assert upper < 1
    assert verdict.description.minimum_track_record_days is None
    assert [c.met for c in verdict.conditions] == [False, False, False, True]
    assert "its net annual Sharpe ratio is at most" in verdict.sentence


def test_little_data_is_underpowered_not_no_edge():
    verdict = judge(market(2, 1, n_days=40), 30)
    assert verdict.verdict == "underpowered"
    assert verdict.contests["cash"].upper_sharpe > 1
    assert verdict.conditions[3].met is False
    assert "Against that investor p is 0.34" in verdict.sentence


def always_long(n_days=180):
    rng = np.random.default_rng(5)
    price = 100 * np.exp(np.append(0, np.cumsum(rng.normal(0.01, 0.02, n_days))))
    return markets.tables(price, np.ones(n_days), 1)


def test_profit_from_always_being_long_is_no_edge_of_timing():
    verdict = judge(always_long(), 180)
    assert [c.met for c in verdict.conditions] == [True, False, False, True]
    assert verdict.verdict == "underpowered"
    assert "Being long is no timing; against that investor p is 1.00." in verdict.sentence
    later = judge(always_long(365), 180)
    assert later.verdict == "no edge"
    assert "its average, nothing was timed" in later.sentence


def test_many_trials_deflate_and_the_smaller_variance_counts():
    returns = market(3, 6)[0]["net_return"].to_numpy()
    alike = [0.3, 0.3, 0.31]
    described = describe(returns, alike, seed=1)
    arguments = (sharpe_ratio(returns), 180, *moments(returns))
    assert described.probabilistic_sharpe == pytest.approx(probabilistic_sharpe_ratio(*arguments))
    variance = np.var(alike, ddof=1)
    expected = deflated_sharpe_ratio(*arguments, variance, 3)
    assert described.deflated_sharpe == pytest.approx(expected)

    far_apart = [0.3, -2.0, 2.0, None]
    expected = deflated_sharpe_ratio(*arguments, 1 / 179, 4)
    assert describe(returns, far_apart, seed=1).deflated_sharpe == pytest.approx(expected)


def moments(returns):
    d = returns - returns.mean()
    return (d**3).mean() / (d**2).mean() ** 1.5, (d**4).mean() / (d**2).mean() ** 2


def trial(name, sums=None, sharpe=None):
    known = {"block_sums": {str(k): s for k, s in sums.items()}} if sums else {}
    return {"trial": name, "sharpe_daily": sharpe, **known}


def test_enough_trials_take_an_edge_away():
    tables = market(2, 5.5)
    alone = judge(tables)
    assert alone.verdict == "edge"
    lucky = [
        trial(f"t{n}", blocks(won_against(market(200 + n, 0))["cash"][0]), 0.01) for n in range(40)
    ]
    among = judge(tables, others=lucky)
    sums, squares = won_against(tables)["cash"]
    others = [{int(k): s for k, s in t["block_sums"].items()} for t in lucky]
    p, _ = naive.toss(blocks(sums), squares, others)
    assert among.contests["cash"].p == pytest.approx(p, abs=1e-12)
    assert among.n_trials == 41
    assert [c.met for c in among.conditions] == [False, False, False, True]
    assert among.verdict == "underpowered"
    assert among.description.deflated_sharpe is not None


def test_a_clone_takes_nothing_away_and_a_stranger_does():
    tables = market(2, 5.5)
    own = blocks(won_against(tables)["cash"][0])
    alone, clone = judge(tables), judge(tables, others=[trial("clone", own)])
    assert alone.contests["cash"] == clone.contests["cash"]
    assert all(clone.contests[name].p >= alone.contests[name].p for name in alone.contests)
    stranger = judge(tables, others=[trial("old", sharpe=0.1)])
    assert stranger.n_trials == 2
    assert all(stranger.contests[name].p > alone.contests[name].p for name in alone.contests)
    assert judge(tables, others=[trial("old")]).contests == stranger.contests
    assert judge(tables, others=[trial("older")]).contests != stranger.contests


def test_the_declared_month_and_no_other():
    tables = market(5, 4.4)
    every = judge(tables)
    assert 0.005 < every.p <= 0.025
    assert (every.verdict, every.level) == ("underpowered", 0.005)
    declared = judge(tables, judged_in=MONTH)
    assert (declared.verdict, declared.level) == ("edge", 0.025)
    other = judge(tables, judged_in=MONTH + 1)
    assert (other.verdict, other.level, other.conditions) == ("not judged yet", None, ())
    assert other.sentence.startswith("Not judged yet: the study declared the one month")


def test_signals_that_are_not_worth_their_cost_are_no_edge_traded_or_not():
    flat = markets.tables(np.full(61, 100.0), np.zeros(60), 1)
    dear = judge(flat, 0, scored=signals(2.0))
    assert dear.verdict == "no edge"
    assert (dear.worth.n_signals, dear.worth.cost_bps) == (100, pytest.approx(50.0))
    assert dear.worth.break_even_bps == pytest.approx(2.0)
    cheap = judge(flat, 0, scored=signals(60.0))
    assert cheap.verdict == "underpowered"
    assert "its signals may be worth up to" in cheap.sentence
    assert "No event was predicted." in cheap.sentence, "what refused them"
    few = judge(flat, 0, scored=signals(2.0, n=18))
    assert few.verdict == "underpowered"


@pytest.mark.parametrize(
    ("n_days", "n_trades", "book", "words"),
    [
        (30, 0, 0.0, "the model never found a trade worth its cost"),
        (1, 5, 1.0, "Being long is no timing; against that investor p is 1.00"),
        (30, 5, 0.0, "over 30 days and 5 trades"),
        (0, 0, 0.0, "the model never found a trade worth its cost"),
    ],
)
def test_nothing_to_judge_is_underpowered_and_says_so(n_days, n_trades, book, words):
    price = np.exp(np.random.default_rng(6).normal(size=n_days + 1))
    tables = (
        markets.tables(price, np.full(n_days, book), 1)
        if n_days
        else (DAILY.empty(), BOOK.empty(), EQUITY.empty())
    )
    verdict = judge(tables, n_trades)
    assert verdict.verdict == "underpowered"
    assert words in verdict.sentence
    described = verdict.description
    assert described.bootstrap_p is described.sharpe_daily is None
    assert described.minimum_track_record_days is None


def test_a_warm_up_is_not_judged():
    walk = replace(walk_of(always_long(30), 0), warm_up="too little")
    verdict = judge_months({MONTH: walk}, {}, cases.study(), MONTH)
    assert (verdict.verdict, verdict.contests, verdict.conditions) == ("underpowered", {}, ())
    assert "no day is out of sample yet" in verdict.sentence


def test_same_seed_same_verdict():
    assert judge(market(7, 3), 9) == judge(market(7, 3), 9)


def test_the_verdict_of_the_sixtieth_month_takes_seconds():
    """Sixty months, 288 marks and a dozen trades a day: the time is linear in them."""
    n_days = 60 * 30
    tables = market(8, 2, n_days=n_days)
    daily, book, _ = tables
    price = np.interp(np.arange(n_days * 288), np.arange(len(book)) * 48, book["price"].to_numpy())
    time_ns = np.arange(1, n_days * 288 + 1) * (DAY // 288) - 1
    level = np.ones(len(time_ns))
    closes = conform(
        EQUITY, time_ns=time_ns, price=price, book=level, equity=level, gross_equity=level
    )
    others = [trial(f"t{n}", {k: 0.01 * (-1) ** (k * n) for k in range(360)}) for n in range(20)]
    start = time.perf_counter()
    verdict = judge((daily, book, closes), 700, others, signals(30.0, n=7_000))
    assert verdict.n_days == n_days
    assert time.perf_counter() - start < 30


@pytest.mark.slow
def test_random_walks_rarely_show_an_edge_and_a_strong_one_mostly_does():
    verdicts = {
        sharpe: [judge(market(100 + run, sharpe), 100).verdict for run in range(n_runs)]
        for sharpe, n_runs in ((0, 150), (6, 40))
    }
    assert verdicts[0].count("edge") / 150 <= 0.04
    assert verdicts[6].count("edge") / 40 >= 0.8


def test_a_position_that_is_still_open_was_not_refused():
    flat = walk_of(market(0, 0.0), n_trades=0)
    row = {name: [0.0] for name in POSITIONS.columns} | {"carried": ["out"]}
    held = replace(flat, positions=conform(POSITIONS, **row))
    of = {}, cases.study(), MONTH
    assert "No event was predicted." in judge_months({MONTH: flat}, *of).sentence
    assert "No event was predicted." not in judge_months({MONTH: held}, *of).sentence
