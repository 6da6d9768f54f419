"""Two futures of a market of candles: the same up to a moment, and different in everything after.

Of the candle that is not over at that moment, the open is known and the rest is not.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from price_physics.audit.candles import (
    read_candle_dumps,
    tamper_candles,
    write_candle_dumps,
)
from price_physics.months import Month
from price_physics.store.artefact import Artefact
from price_physics.study.market import CandleMarket, Market
from price_physics.ticks.build import build_ticks

MARCH = Month(2012, 3)
CANDLE_NS = 60 * 10**9
N = 4_000
T = MARCH.start_ns + 2_000 * CANDLE_NS + CANDLE_NS // 3
"""Amid a candle that is there."""
VALUES = ["open", "high", "low", "price", "volume", "notional"]


def write_market(folder: Path, buy_volume: bool) -> Market:
    """Two files of candles with gaps, empty candles, repeats, and rows that cannot be read."""
    rng = np.random.default_rng(7)
    number = np.flatnonzero((rng.random(N) > 0.1) | (np.arange(N) == 2_000))
    close = 100 + np.cumsum(rng.integers(-2, 3, number.size)) / 8
    opened = np.r_[100.0, close[:-1]]
    rows = pd.DataFrame(
        {
            "timestamp": (MARCH.start_ns + number * CANDLE_NS) // 10**6,
            "open": opened,
            "high": np.maximum(opened, close) + rng.integers(0, 3, number.size) / 8,
            "low": np.minimum(opened, close) - rng.integers(0, 3, number.size) / 8,
            "close": close,
            "volume": np.where(
                rng.random(number.size) < 0.05, 0.0, rng.exponential(1.0, number.size)
            ),
        }
    )
    rows.loc[number == 2_000, "volume"] = 1.0
    if buy_volume:
        rows["buy_volume"] = rows["volume"] * rng.random(number.size)
    odd = rows.iloc[::300]
    half = N * 9 // 20
    parts = [rows.iloc[:half], pd.concat([rows.iloc[half:], odd, odd.assign(close=1e6, high=1e6)])]
    folder.mkdir(parents=True)
    for name, part in zip("ab", parts, strict=True):
        part.to_csv(folder / f"{name}.csv", index=False)
    return CandleMarket(
        name="m",
        symbol="M",
        files=["*.csv"],
        candle_minutes=1,
        first_month=MARCH,
        last_month=MARCH,
        quarantine_limit=1.0,
    )


@pytest.fixture(scope="module", params=[False, True], ids=["no buy volume", "buy volume"])
def market(request, tmp_path_factory) -> tuple[Market, Path]:
    root = tmp_path_factory.mktemp("candles") / "raw"
    return write_market(root, request.param), root


@pytest.fixture(scope="module")
def dumps(market) -> list[pd.DataFrame]:
    return read_candle_dumps(*market, MARCH, MARCH)


def built(dumps: list[pd.DataFrame], root: Path) -> Artefact:
    files = write_candle_dumps(dumps, root, CANDLE_NS)
    copy = CandleMarket(
        name="m",
        symbol="M",
        files=files,
        vendor="generic",
        candle_minutes=1,
        first_month=MARCH,
        quarantine_limit=1.0,
    )
    return build_ticks(copy, MARCH, root)


def start_of(rows: pd.DataFrame) -> pd.Series:
    return rows["time_ns"] - CANDLE_NS + 1


def test_dumps_read_back_to_the_last_bit(market, dumps, tmp_path) -> None:
    settings, root = market
    original, copy = build_ticks(settings, MARCH, root), built(dumps, tmp_path)
    pd.testing.assert_frame_equal(
        copy.table("candles"), original.table("candles"), check_exact=True
    )
    n_broken = sum(len(dump) - len(dump.dropna(subset="price")) for dump in dumps)
    n_copied, n_original = (len(month.table("quarantine")) for month in (copy, original))
    assert n_copied == n_original + n_broken > n_original


def test_the_past_stays_and_the_future_does_not(dumps) -> None:
    after = tamper_candles(dumps, T, 1, CANDLE_NS)
    for old, new in zip(dumps, after, strict=True):
        past = [d[d["time_ns"] <= T].reset_index(drop=True) for d in (old, new)]
        pd.testing.assert_frame_equal(*past, check_exact=True)
    old, new = (pd.concat(d).dropna(subset="price") for d in (dumps, after))
    old, new = old[start_of(old) > T], new[start_of(new) > T]
    assert (start_of(new) % CANDLE_NS == 0).all()
    kept = new.drop_duplicates("time_ns").merge(old.drop_duplicates("time_ns"), on="time_ns")
    for name in ("open", "high", "low", "price"):
        assert not (kept[f"{name}_x"] == kept[f"{name}_y"]).any(), name
    assert 0.02 < (~old["time_ns"].isin(new["time_ns"])).mean() < 0.3
    assert 0.02 < (~new["time_ns"].isin(old["time_ns"])).mean() < 0.3
    assert new["time_ns"].duplicated().sum() > 1
    assert (new["volume"] == 0).sum() > (old["volume"] == 0).sum()
    assert pd.concat(after)["price"].isna().any()


def test_of_the_candle_that_is_not_over_the_open_stays_and_all_else_changes(dumps) -> None:
    def under_way(frames: list[pd.DataFrame]) -> pd.Series:
        rows = pd.concat(frames).dropna(subset="price")
        (row,) = rows[(start_of(rows) <= T) & (rows["time_ns"] > T)].to_dict("records")
        return pd.Series(row)

    old, new = under_way(dumps), under_way(tamper_candles(dumps, T, 1, CANDLE_NS))
    assert new["open"] == old["open"]
    assert new["volume"] > 0
    for name in VALUES[1:]:
        assert new[name] != old[name], name


@pytest.mark.parametrize("t_ns", [T, T - T % CANDLE_NS, T - T % CANDLE_NS - 1])
def test_both_futures_land_and_agree_on_what_was_known(dumps, tmp_path, t_ns) -> None:
    """Amid a candle, at its first instant, and at the last one of the candle before."""
    base = built(dumps, tmp_path / "base").table("candles")
    after = built(tamper_candles(dumps, t_ns, 1, CANDLE_NS), tmp_path / "after").table("candles")
    known = [c[c["close_time_ns"] <= t_ns] for c in (base, after)]
    pd.testing.assert_frame_equal(*known, check_exact=True)
    assert len(known[0]) > 1_000
    later = [c[c["close_time_ns"] > t_ns].reset_index(drop=True) for c in (base, after)]
    assert not later[0].equals(later[1])
    started = [c.loc[c["open_time_ns"] <= t_ns, "open"].tolist() for c in (base, after)]
    assert started[0] == started[1]


def test_the_seed_decides_and_what_was_given_stays(dumps) -> None:
    before = [dump.copy() for dump in dumps]
    one, same, other = (tamper_candles(dumps, T, seed, CANDLE_NS)[1] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert not one.equals(other)
    for dump, kept in zip(dumps, before, strict=True):
        pd.testing.assert_frame_equal(dump, kept, check_exact=True)


def test_a_dump_without_a_future_stays(dumps) -> None:
    for before, after in zip(dumps, tamper_candles(dumps, MARCH.end_ns, 0, CANDLE_NS), strict=True):
        pd.testing.assert_frame_equal(after, before, check_exact=True)
