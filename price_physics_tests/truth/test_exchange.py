"""The synthetic exchange: what a market of its kind must show, and what it must not."""

import numpy as np
import pytest

from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.truth import exchange
from price_physics.truth.exchange import exchange_ticks

JAN = Month(2024, 1)
FIELDS = ("time_us", "trade_id", "price_ticks", "qty_lots", "is_buyer_maker", "move")


def market(n_months, ticks_a_day, seed, first=JAN):
    """All hours, and every field of them in one array."""
    hours = list(exchange_ticks(first, n_months, ticks_a_day, seed))
    return hours, {f: np.concatenate([getattr(h, f) for h in hours]) for f in FIELDS}


@pytest.fixture(scope="module")
def quarter():
    return market(3, 20_000, seed=7)


@pytest.fixture(scope="module")
def orders(quarter):
    """Positions of the first trade of every order, or of every microsecond with several."""
    return np.flatnonzero(np.diff(quarter[1]["time_us"], prepend=-1))


def autocorrelation(x, lag):
    x = x - x.mean()
    return (x[lag:] * x[:-lag]).mean() / x.var()


def minute_returns(ticks, minutes):
    time, step = ticks["time_us"], minutes * 60_000_000
    grid = np.arange(time[0], time[-1], step)
    return np.diff(np.log(ticks["price_ticks"][np.searchsorted(time, grid, "right") - 1]))


# ---------------------------------------------------------------------------- bookkeeping
def test_a_month_holds_its_ticks_in_order(quarter):
    hours, ticks = quarter
    assert len(ticks["time_us"]) == (31 + 29 + 31) * 20_000
    for i in range(3):
        month = JAN + i
        inside = (ticks["time_us"] >= month.start_ns // 1_000) & (
            ticks["time_us"] < month.stop_ns // 1_000
        )
        n_days = (month.stop_ns - month.start_ns) // 86_400_000_000_000
        assert inside.sum() == n_days * 20_000
    assert (np.diff(ticks["time_us"]) >= 0).all()
    assert (ticks["trade_id"] == np.arange(1, len(ticks["trade_id"]) + 1)).all()
    for hour in hours:
        assert hour.hour_start_us % 3_600_000_000 == 0
        assert (hour.time_us // 3_600_000_000 == hour.hour_start_us // 3_600_000_000).all()


def test_the_grid_and_the_first_price(quarter):
    _, ticks = quarter
    assert ticks["price_ticks"].dtype == ticks["qty_lots"].dtype == np.int64
    assert ticks["price_ticks"].min() >= 1
    assert ticks["qty_lots"].min() == 1
    assert ticks["price_ticks"][0] / 10 == pytest.approx(42_000, rel=0.02)


def test_move_is_the_sign_of_the_last_change_across_hours(quarter):
    hours, ticks = quarter
    change = np.sign(np.diff(ticks["price_ticks"], prepend=ticks["price_ticks"][0]))
    expected, last = [], 0
    for sign in change[:50_000].tolist():
        last = sign or last
        expected.append(last)
    assert ticks["move"][:50_000].tolist() == expected
    before = [hours[0].price_ticks[0], *(h.price_ticks[-1] for h in hours[:-1])]
    assert [h.price_before for h in hours] == before


@pytest.mark.slow
def test_a_longer_market_begins_with_the_shorter_one():
    (short_hours, short), (_, long) = market(1, 300, seed=3), market(2, 300, seed=3)
    for field in FIELDS:
        assert (long[field][: len(short[field])] == short[field]).all()
    assert len(long["move"]) > len(short["move"])
    again, _ = market(1, 300, seed=3)
    assert all(
        (a.price_ticks == b.price_ticks).all() for a, b in zip(short_hours, again, strict=True)
    )


@pytest.mark.slow
def test_seeds_differ():
    a, b = (market(1, 100, seed=s)[1]["price_ticks"] for s in (1, 2))
    assert not np.array_equal(a, b)


def test_hours_are_made_one_at_a_time():
    ticks = exchange_ticks(JAN, 1_000, 10_000_000, seed=1)
    assert len(next(ticks).time_us) > 1_000


@pytest.mark.parametrize("ticks_a_day", [1, 7])
def test_hours_without_a_trade_are_left_out(ticks_a_day):
    hours, ticks = market(1, ticks_a_day, seed=1)
    assert len(ticks["time_us"]) == 31 * ticks_a_day
    assert len(hours) < 24 * 31
    assert all(len(h.time_us) for h in hours)


def test_impossible_arguments_are_refused_at_once():
    with pytest.raises(ConfigError, match="ticks_a_day = 0: give 1 or more"):
        exchange_ticks(JAN, 1, 0, seed=1)
    with pytest.raises(ConfigError, match="months = 0: give 1 or more"):
        exchange_ticks(JAN, 0, 1, seed=1)
    with pytest.raises(ConfigError, match="seed = -1: give 0 or more"):
        exchange_ticks(JAN, 1, 1, seed=-1)
    with pytest.raises(ConfigError, match="first month 2009-12: give 2010-01 or a later one"):
        exchange_ticks(Month(2009, 12), 1, 1, seed=1)


# ---------------------------------------------------------------------------- statistics
@pytest.mark.parametrize("minutes", [10, 60])
def test_volatility_clusters_and_returns_do_not(quarter, minutes):
    returns = minute_returns(quarter[1], minutes)
    assert autocorrelation(np.abs(returns), 1) > 0.15
    assert autocorrelation(np.abs(returns), 6) > 0.1
    error = 1 / np.sqrt(len(returns))
    for lag in (1, 2, 6):  # heteroscedastic: twice the error of independent returns, and more
        assert abs(autocorrelation(returns, lag)) < 6 * error
    kurtosis = ((returns - returns.mean()) ** 4).mean() / returns.var() ** 2
    assert 5 < kurtosis < 50


def test_days_are_three_percent_wide(quarter):
    hourly = minute_returns(quarter[1], 60)
    assert np.sqrt(24) * hourly.std() == pytest.approx(0.03, rel=0.35)


@pytest.mark.slow
def test_nothing_drifts():
    """Over a hundred markets the last price is on average the first one."""
    last = np.array([market(1, 2, seed)[1]["price_ticks"][-1] for seed in range(100)]) / 420_000
    assert last.std() > 0.02
    assert abs(last.mean() - 1) < 3 * last.std() / np.sqrt(len(last))


def test_the_mid_is_a_martingale_given_sides():
    """Its next step has mean zero whatever the side before, though sides can be foreseen."""
    rng = np.random.default_rng(1)
    n = 400_000
    side = 1 - 2 * (np.cumsum(rng.random(n) < exchange._FLIP) & 1)
    shock = exchange._mid_shocks(side, 1, rng)
    assert shock.std() == pytest.approx(1, abs=0.01)
    for before in (-1, 1):
        assert abs(shock[1:][side[:-1] == before].mean()) < 4 / np.sqrt(n / 2)
    assert np.corrcoef(shock, side)[0, 1] > 0.5  # the side of the same order moves it


def test_sides_persist_and_prices_bounce(quarter, orders):
    _, ticks = quarter
    side = np.where(ticks["is_buyer_maker"][orders], -1, 1)
    assert autocorrelation(side, 1) == pytest.approx(0.5, abs=0.02)
    assert abs(side.mean()) < 0.02
    returns = np.diff(np.log(ticks["price_ticks"][orders]))
    assert -0.3 < autocorrelation(returns, 1) < -0.05


def test_one_order_sweeps_levels_in_one_direction(quarter, orders):
    _, ticks = quarter
    assert 1.6 < len(ticks["time_us"]) / len(orders) < 1.75
    same = np.diff(ticks["time_us"]) == 0
    walked = np.diff(ticks["price_ticks"]) * np.where(ticks["is_buyer_maker"][1:], -1, 1)
    one_side = ticks["is_buyer_maker"][1:] == ticks["is_buyer_maker"][:-1]
    within = walked[same & one_side]
    assert (within < 0).mean() < 0.001  # two orders in the same microsecond are rare
    assert 0.2 < (within > 0).mean() < 0.6


def test_orders_come_in_bursts_and_follow_the_day(quarter, orders):
    _, ticks = quarter
    gaps = np.diff(ticks["time_us"][orders])
    assert gaps.std() / gaps.mean() > 2  # 1 if they were independent
    minute = np.bincount((ticks["time_us"] - ticks["time_us"][0]) // 60_000_000)
    assert minute.var() / minute.mean() > 5
    assert autocorrelation(minute, 1) > 0.3
    by_hour = np.bincount(ticks["time_us"] // 3_600_000_000 % 24)
    assert by_hour[13:18].mean() > 1.5 * by_hour[1:6].mean()
    weekday = np.bincount((ticks["time_us"] // 86_400_000_000 + 3) % 7)
    assert weekday[5:].mean() < weekday[:5].mean()


def test_volume_of_trade_follows_volatility(quarter):
    _, ticks = quarter
    hour = (ticks["time_us"] - JAN.start_ns // 1_000) // 3_600_000_000
    count = np.bincount(hour)[1:-1]
    wide = np.abs(minute_returns(quarter[1], 60))[: len(count)]
    assert np.corrcoef(np.log(count + 1), wide)[0, 1] > 0.3


def test_sizes_have_a_pareto_tail(quarter):
    _, ticks = quarter
    size = np.sort(ticks["qty_lots"])[::-1].astype(float)
    assert 15 <= np.median(size) <= 25
    k = 400
    hill = 1 / np.log(size[:k] / size[k]).mean()
    assert 1.2 < hill < 2.2  # an index of 1.5; a log-normal alone shows 4 and more here
    assert size[0] > 200 * size.mean()
