import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from price_physics.schemas.walk_forward import BOOK, DAILY, EQUITY
from price_physics.walk_forward.bootstrap import bootstrap_mean
from price_physics.walk_forward.shift import shift_test
from price_physics.walk_forward.statistics import (
    deflated_sharpe_ratio,
    probabilistic_sharpe_ratio,
    sharpe_ratio,
)
from price_physics.walk_forward.verdict import judge
from price_physics_tests.walk_forward import markets


def market(seed, sharpe, n_days=180):
    return markets.random_market(np.random.default_rng([11, seed]), n_days, sharpe)


def test_a_strong_edge_is_called_one_with_every_number_behind_it():
    tables = market(0, 10)
    verdict = judge(*tables, 120, [0.5], seed=1)
    returns = tables[0]["net_return"].to_numpy()
    assert verdict.verdict == "edge"
    assert (verdict.n_days, verdict.n_trades, verdict.n_trials) == (180, 120, 1)
    assert verdict.sharpe_daily == pytest.approx(returns.mean() / returns.std(ddof=1))
    assert verdict.sharpe_annual == pytest.approx(verdict.sharpe_daily * math.sqrt(365))
    test = bootstrap_mean(returns, 1)
    assert verdict.bootstrap_p == test.p_value
    upper = test.upper / returns.std(ddof=1) * math.sqrt(365)
    assert verdict.sharpe_annual_upper_95 == pytest.approx(upper)
    assert verdict.shift_p == shift_test(*tables)
    assert verdict.deflated_sharpe is None
    assert [c.met for c in verdict.conditions] == [True] * 3
    assert [c.threshold for c in verdict.conditions] == [0.025, 0.025, 0.975]
    assert f"{verdict.sharpe_annual:.2f}".replace("-", "\u2212") in verdict.sentence
    assert 0 < verdict.minimum_track_record_days < 180
    assert json.loads(json.dumps(asdict(verdict)))["conditions"][0]["met"] is True


def test_a_clear_loser_is_no_edge():
    verdict = judge(*market(1, -8), 120, [0.0], seed=1)
    assert verdict.verdict == "no edge"
    assert verdict.sharpe_annual_upper_95 < 1
    assert verdict.minimum_track_record_days is None
    assert not any(c.met for c in verdict.conditions)
    assert "nothing worth having" in verdict.sentence


def test_little_data_is_underpowered_not_no_edge():
    verdict = judge(*market(2, 1, n_days=40), 30, [0.0], seed=1)
    assert verdict.verdict == "underpowered"
    assert verdict.sharpe_annual_upper_95 > 1
    assert "too little to tell" in verdict.sentence


def test_profit_from_always_being_long_is_no_edge_of_timing():
    rng = np.random.default_rng(5)
    price = 100 * np.exp(np.append(0, np.cumsum(rng.normal(0.01, 0.02, 180))))
    verdict = judge(*markets.tables(price, np.ones(180), 1), 180, [0.0], seed=1)
    assert [c.met for c in verdict.conditions] == [True, False, True]
    assert verdict.verdict == "underpowered"


def test_many_trials_deflate_and_the_smaller_variance_counts():
    tables = market(3, 6)
    returns = tables[0]["net_return"].to_numpy()
    alike = [0.3, 0.3, 0.31]
    verdict = judge(*tables, 120, alike, seed=1)
    arguments = (sharpe_ratio(returns), 180, *moments(returns))
    assert verdict.probabilistic_sharpe == pytest.approx(probabilistic_sharpe_ratio(*arguments))
    variance = np.var(alike, ddof=1)
    assert verdict.deflated_sharpe == pytest.approx(deflated_sharpe_ratio(*arguments, variance, 3))
    assert verdict.conditions[2].threshold == 0.95

    far_apart = [0.3, -2.0, 2.0, None]
    verdict = judge(*tables, 120, far_apart, seed=1)
    assert verdict.n_trials == 4
    assert verdict.deflated_sharpe == pytest.approx(deflated_sharpe_ratio(*arguments, 1 / 179, 4))


def moments(returns):
    d = returns - returns.mean()
    return (d**3).mean() / (d**2).mean() ** 1.5, (d**4).mean() / (d**2).mean() ** 2


def test_enough_trials_take_an_edge_away():
    tables = market(4, 5)
    assert judge(*tables, 120, [0.2], seed=1).verdict == "edge"
    many = judge(*tables, 120, [0.3, -0.3] * 500, seed=1)
    assert [c.met for c in many.conditions] == [True, True, False]
    assert many.verdict == "underpowered"


@pytest.mark.parametrize(
    ("n_days", "n_trades", "book", "words"),
    [
        (30, 0, 0.0, "no trade in 30 days"),
        (1, 5, 1.0, "1 day"),
        (30, 5, 0.0, "30 days returned the same"),
        (0, 0, 0.0, "no trade in 0 days"),
    ],
)
def test_nothing_to_judge_is_underpowered_and_says_so(n_days, n_trades, book, words):
    price = np.exp(np.random.default_rng(6).normal(size=n_days + 1))
    tables = (
        markets.tables(price, np.full(n_days, book), 1)
        if n_days
        else (DAILY.empty(), BOOK.empty(), EQUITY.empty())
    )
    verdict = judge(*tables, n_trades, [], seed=1)
    assert verdict.verdict == "underpowered"
    assert words in verdict.sentence
    assert verdict.conditions == []
    assert verdict.bootstrap_p is verdict.sharpe_daily is verdict.minimum_track_record_days is None


def test_same_seed_same_verdict():
    assert judge(*market(7, 3), 9, [0.1], seed=3) == judge(*market(7, 3), 9, [0.1], seed=3)


@pytest.mark.slow
def test_random_walks_rarely_show_an_edge_and_a_strong_one_mostly_does():
    verdicts = {
        sharpe: [
            judge(*market(100 + run, sharpe), 100, [0.0], run, n_resamples=500).verdict
            for run in range(n_runs)
        ]
        for sharpe, n_runs in ((0, 150), (6, 40))
    }
    assert verdicts[0].count("edge") / 150 <= 0.04
    assert verdicts[6].count("edge") / 40 >= 0.8
