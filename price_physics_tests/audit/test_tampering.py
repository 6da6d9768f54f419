"""Dumps that read back to the last bit, and tampering that leaves the past alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from price_physics.audit.tampering import read_dumps, tamper, write_dumps
from price_physics.months import Month
from price_physics.study.market import Market, TradeColumns, TradeMarket
from price_physics.ticks.build import build_ticks
from price_physics_tests.e2e.projects import ROOT, SAMPLE

FIRST, LAST = Month(2012, 3), Month(2012, 4)
T = Month(2012, 4).start_ns + 11 * 86_400 * 10**9


@pytest.fixture(scope="module")
def sample() -> Market:
    return TradeMarket(
        name="sample",
        symbol="BTCUSD",
        files=[SAMPLE.relative_to(ROOT).as_posix()],
        first_month=FIRST,
        last_month=LAST,
        quarantine_limit=1.0,
    )


@pytest.fixture(scope="module")
def dumps(sample: Market) -> list[pd.DataFrame]:
    return read_dumps(sample, ROOT, FIRST, LAST)


def market_on(folder: Path, dumps: list[pd.DataFrame], market: Market) -> Market:
    files = write_dumps(dumps, folder)
    return market.model_copy(
        update={"vendor": "generic", "files": files, "columns": TradeColumns()}
    )


@pytest.mark.parametrize("month", [FIRST, LAST])
def test_dumps_read_back_to_the_last_bit(
    sample: Market, dumps: list[pd.DataFrame], tmp_path: Path, month: Month
) -> None:
    copy = build_ticks(market_on(tmp_path, dumps, sample), month, tmp_path)
    ticks = build_ticks(sample, month, ROOT).table("ticks")
    pd.testing.assert_frame_equal(copy.table("ticks"), ticks, check_exact=True)
    reasons = set(copy.table("quarantine")["reason"])
    assert reasons == {"price is not a finite number", "time is not a time"}


def test_ids_sides_and_faults_come_through(tmp_path: Path) -> None:
    """Two files: one with ids, sides, an odd row and one without a time, one of another month."""
    start = FIRST.start_ns // 10**6
    rows = [
        f"{start + 5},1.1,2,7,buy",
        f"{start + 3},0.1,3,6,sell",
        f"{start + 9},0,3,8,sell",
        ",1,3,9,sell",
        f"{start + 9},0.30000000000000004,1e-05,9,buy",
    ]
    (tmp_path / "a.csv").write_text("timestamp,price,qty,trade_id,side\n" + "\n".join(rows) + "\n")
    (tmp_path / "b.csv").write_text(f"timestamp,price,qty\n{LAST.stop_ns // 10**6},1,1\n")
    market = TradeMarket(
        name="m",
        symbol="M",
        files=["*.csv"],
        first_month=FIRST,
        last_month=LAST,
        quarantine_limit=1.0,
    )
    dumps = read_dumps(market, tmp_path, FIRST, LAST)
    assert len(dumps) == 1
    copy = build_ticks(market_on(tmp_path / "copy", dumps, market), FIRST, tmp_path / "copy")
    ticks = build_ticks(market, FIRST, tmp_path).table("ticks")
    pd.testing.assert_frame_equal(copy.table("ticks"), ticks, check_exact=True)
    assert len(copy.table("quarantine")) == 2
    assert copy.table("quarantine")["known_at"].tolist() == [
        FIRST.start_ns + 9 * 10**6,
        FIRST.end_ns,
    ]


def test_the_past_stays_and_the_future_does_not(dumps: list[pd.DataFrame]) -> None:
    (before,), (after,) = dumps, tamper(dumps, T, seed=1)
    past = [d[d["time_ns"] <= T].reset_index(drop=True) for d in (before, after)]
    pd.testing.assert_frame_equal(*past, check_exact=True)
    assert len(past[0]) > 100
    old, new = (d[(d["time_ns"] > T) & d["price"].notna()] for d in (before, after))
    assert new["time_ns"].iloc[0] == T + 1, "the first change comes at once"
    kept = new.merge(old, on="time_ns", suffixes=("", "_old"))
    assert not (kept["price"] == kept["price_old"]).any()
    assert not (kept["qty"] == kept["qty_old"]).any()
    assert set(kept.loc[kept["sign_old"] == 0, "sign"]) == {-1, 0, 1}
    gone = ~old["time_ns"].isin(new["time_ns"])
    added = ~new["time_ns"].isin(old["time_ns"])
    assert 0.02 < gone.mean() < 0.3
    assert 0.05 < added.mean() < 0.3
    assert after.loc[after["time_ns"] > T, "price"].isna().any()


def test_the_seed_decides(dumps: list[pd.DataFrame]) -> None:
    one, same, other = (tamper(dumps, T, seed)[0] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert not one.equals(other)


def test_added_rows_have_new_ids_and_repeat_old_ones() -> None:
    n = 200
    dump = pd.DataFrame(
        {
            "time_ns": T + np.arange(n) - n // 2,
            "trade_id": pd.array(np.arange(n), dtype="Int64"),
            "price": 1.0,
            "qty": 1.0,
            "sign": np.ones(n, np.int8),
            "timed": True,
        }
    )
    (after,) = tamper([dump], T, seed=0)
    ids = after["trade_id"]
    assert (ids >= n).any()
    past = set(dump.loc[dump["time_ns"] <= T, "trade_id"])
    future = after[after["time_ns"] > T]
    assert future["trade_id"].isin(past).any()
    assert (dump["price"] == 1.0).all(), "what was given is left as it was"


def test_a_dump_without_a_future_stays(dumps: list[pd.DataFrame]) -> None:
    (after,) = tamper(dumps, LAST.end_ns, seed=0)
    pd.testing.assert_frame_equal(after, dumps[0], check_exact=True)
