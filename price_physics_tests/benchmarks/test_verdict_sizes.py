"""The simulation judges as the rule does, on books that know the past only."""

from dataclasses import replace

import numpy as np
import pytest

from price_physics.walk_forward.passive import INVESTORS, Steps, against_passive
from price_physics.walk_forward.tosses import flip_p
from price_physics_tests.benchmarks.verdict_sizes import kernels, looks, planted
from price_physics_tests.benchmarks.verdict_sizes.__main__ import main, measure
from price_physics_tests.benchmarks.verdict_sizes.books import null_books
from price_physics_tests.benchmarks.verdict_sizes.looks import MONTHLY
from price_physics_tests.benchmarks.verdict_sizes.markets import (
    STEP_SD,
    STEPS_A_DAY,
    WARM_UP,
    autocorrelated,
    simulate,
)
from price_physics_tests.benchmarks.verdict_sizes.records import (
    FIRST_BLOCK,
    Records,
    largest_p,
    statistic,
)

BOOKS = null_books()
NAMES = [book.name for book in BOOKS]
N_DAYS = 92


def paths(seed=0, n_runs=4):
    return simulate(np.random.default_rng(seed), n_runs, N_DAYS)


def hold(book, market, seed=1):
    return book.hold(market, np.random.default_rng(seed))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "gain", "expected"), [(0, 0.0, False), (1, 0.2, None), (2, 0.4, True)]
)
def test_the_best_of_twenty_is_called_as_the_rule_calls_it(seed, gain, expected):
    rng = np.random.default_rng(seed)
    noise = simulate(rng, 1, looks.POWER_DAYS).judged
    book = looks._similar_coins(rng, 0.5, noise.shape[1])
    market = np.broadcast_to(noise + gain * STEP_SD * book[3], book.shape)
    trials = Records.of(book, market)
    blocks, squares = trials.against(looks.POWER_DAYS)
    named = [
        [dict(enumerate(sums, FIRST_BLOCK)) for sums in against.tolist()] for against in blocks
    ]
    p = np.empty((3, looks.N_TRIALS))
    for trial in range(looks.N_TRIALS):
        others = named[0][:trial] + named[0][trial + 1 :]
        for investor in range(3):
            p[investor, trial], _ = flip_p(named[investor][trial], squares[investor, trial], others)
    whole, cash = looks._any_edge(trials)
    assert whole == (p.max(axis=0) <= 0.025).any()
    assert cash == (p[0] <= 0.025).any()
    assert expected is None or whole == expected


def test_there_are_38_books_and_eleven_are_looked_at_every_month():
    assert len(set(NAMES)) == 38
    assert len(MONTHLY) == 11
    assert {name for name, _ in MONTHLY} <= set(NAMES)


@pytest.mark.parametrize("book", BOOKS, ids=NAMES)
def test_many_records_are_judged_as_one_is(book):
    market = paths()
    held = hold(book, market)
    records = Records.of(held, market.judged)
    day = 20_000 + np.arange(market.judged.shape[1]) // STEPS_A_DAY
    for n_days in (7, N_DAYS):  # a record goes on; the last block need not be whole
        stop = n_days * STEPS_A_DAY
        blocks, squares = records.against(n_days)
        t, p = statistic(blocks, squares), largest_p(records, n_days)
        for run in range(len(held)):
            b, r = held[run, :stop], market.judged[run, :stop]
            net = np.bincount(day[:stop] - day[0], b * r)
            steps = Steps(b, r, np.ones(stop), day[:stop])
            against = against_passive(steps, np.unique(day[:stop]), net)
            found = [flip_p(against[i].block_sums, against[i].squares) for i in INVESTORS]
            for investor, (_, one) in enumerate(found):
                assert np.maximum(t[investor, run], -1e9) == pytest.approx(one if one else -1e9)
            expected = max(one for one, _ in found)
            assert p[run] == (pytest.approx(expected) if (t[:, run] > 1).all() else 1.0)
            assert expected > 0.08 or p[run] < 1


@pytest.mark.parametrize("book", BOOKS, ids=NAMES)
def test_no_book_knows_what_comes(book):
    market = paths(2)
    now = market.judged.shape[1] // 2
    returns, calm = market.returns.copy(), market.log_volatility.copy()
    returns[:, WARM_UP + now :] *= -3.0
    calm[:, WARM_UP + now + 1 :] *= -1.0
    changed = replace(market, returns=returns, log_volatility=calm)
    before, after = hold(book, market), hold(book, changed)
    assert (before[:, : now + 1] == after[:, : now + 1]).all()
    assert np.abs(before).max() <= 1


def test_books_do_what_their_names_say():
    market = paths(3, n_runs=200)
    held = {book.name: hold(book, market) for book in BOOKS}
    move = np.cumsum(market.returns, axis=1)
    i, week = WARM_UP + 100, 7 * STEPS_A_DAY
    last = np.sign(move[:, i - 1] - move[:, i - 1 - week])
    assert (held["momentum 7 d"][:, 100] == last).all()
    assert (held["fade the last move, 7 d"] == -held["momentum 7 d"]).all()
    mean = move[:, i - week : i].mean(axis=1)
    assert (np.sign(held["fade the level, 7 d"][:, 100]) == np.sign(mean - move[:, i - 1])).all()
    start = move[:, WARM_UP - 1]
    above = np.sign(move[:, i - 1] - start)
    assert (np.sign(held["follow the level since the start"][:, 100]) == above).all()
    assert (held["8 trades"] != 0).mean() * N_DAYS == pytest.approx(8, abs=0.8)  # some overlap
    assert held["long half the time"].mean() == pytest.approx(0.5, abs=0.01)
    assert held["long in calm hours only"].mean() == pytest.approx(0.5, abs=0.05)
    assert (held["wild hours only"] != 0).mean() == pytest.approx(0.2, abs=0.04)


def test_trades_are_held_until_a_barrier():
    market = np.array([[0.4, 0.7, 0.1, -0.5, -0.6, 0.3]])
    entry, side = np.array([[0, 1, 4]]), np.array([[1.0, 1.0, -1.0]])
    book = kernels.barrier_trades.py_func(entry, side, market, 1.0, 1.0)
    # the second waits for the first to take its profit, loses 1.0 by the fifth step
    assert book.tolist() == [[1, 1, 1, 1, 1, -1]]
    assert (kernels.barrier_trades(entry, side, market, 1.0, 1.0) == book).all()


def test_stakes_are_doubled_until_a_gain():
    market = np.array([[-0.1, -0.1, -0.1, -0.1, 0.1, 0.1]])
    side = np.array([[1.0, -1, 1, -1, 1, -1]])
    book = kernels.doubling_down.py_func(side, market, 0.25)
    assert book.tolist() == [[0.25, 0.5, 1.0, 1.0, 1.0, -0.25]]
    assert (kernels.doubling_down(side, market, 0.25) == book).all()


def test_planted_trend_pays_whoever_holds_it():
    noise = np.random.default_rng(4).normal(size=(3, 60))
    book, market = kernels.planted_trend.py_func(noise, 6, 1.0, 0.5, 10)
    assert market == pytest.approx(noise[:, 10:] + 0.5 * book)
    move = market[:, 20:26].sum(axis=1)
    assert (book[:, 26] == np.where(move > 0, 1, -1)).all()
    again = kernels.planted_trend(noise, 6, 1.0, 0.5, 10)
    assert (again[0] == book).all()
    assert again[1] == pytest.approx(market)


def test_markets_have_the_volatility_they_should():
    market = simulate(np.random.default_rng(5), 400, 365)
    assert market.returns.std() == pytest.approx(STEP_SD, rel=0.05)
    assert market.log_volatility.std() == pytest.approx(1, abs=0.03)
    lag = 4 * STEPS_A_DAY
    half = np.mean(market.log_volatility[:, lag:] * market.log_volatility[:, :-lag])
    assert half == pytest.approx(0.5, abs=0.03)
    returns = autocorrelated(market).returns / STEP_SD
    assert np.mean(returns[:, 1:] * returns[:, :-1]) == pytest.approx(0.15, abs=0.03)


def test_planted_values_and_odds_are_as_said():
    rng = np.random.default_rng(6)
    sd = planted._value_sd()
    value = np.abs(sd * rng.standard_normal(400_000))
    gross = value + planted.NOISE_SD * rng.standard_normal(400_000)
    a_year = np.sqrt(365 * planted.EVENTS_A_DAY)
    assert gross.mean() / gross.std() * a_year == pytest.approx(4, abs=0.15)
    for cell in planted.CELLS[:2]:
        centre, spread = planted._log_odds(cell)
        p = 1 / (1 + np.exp(-centre - spread * rng.standard_normal(200_000)))
        up = rng.random(200_000) < p
        assert up.mean() == pytest.approx(cell.loss / (cell.win + cell.loss), abs=0.005)
        ranks = np.empty(len(p))
        ranks[np.argsort(p)] = np.arange(len(p))
        n_up = up.sum()
        auc = (ranks[up].sum() - n_up * (n_up - 1) / 2) / (n_up * (len(p) - n_up))
        assert auc == pytest.approx(cell.auc, abs=0.006)


@pytest.mark.slow
def test_every_figure_is_measured_and_a_trial_on_less_is_not_kept(capsys):
    sections = measure(7, 0.002)
    assert [len(rows) for rows in sections.values()] == [11, 304, 3, 4, 1, 1, 9]
    main(["--share", "0.001"])
    page = capsys.readouterr().out
    assert page.count("\n| ") >= 11 + 38 + 3 + 4 + 1 + 1 + 9
    with pytest.raises(SystemExit):
        main(["--share", "0.001", "--accept"])
