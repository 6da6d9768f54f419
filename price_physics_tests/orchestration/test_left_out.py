"""What a backfill leaves out of a market is named, with the reason."""

from datetime import UTC, datetime

import pytest

from price_physics.months import Month
from price_physics.orchestration.backfill import left_out
from price_physics.study.market import TradeMarket

NOW = Month.of(int(datetime.now(UTC).timestamp()) * 10**9)
RUNNING = f"{NOW} (still running)"


def market(last_month=None):
    return TradeMarket(
        name="toy", symbol="TOY", files=["*"], first_month=NOW - 5, last_month=last_month
    )


@pytest.mark.parametrize(
    ("last_month", "done", "asked", "told"),
    [
        (None, NOW - 1, None, RUNNING),
        (None, NOW - 2, None, f"{NOW - 1} (no file holds a trade of it), {RUNNING}"),
        (None, NOW - 3, NOW - 3, f"{NOW - 2} to {NOW - 1} (TO={NOW - 3}), {RUNNING}"),
        (NOW, NOW - 1, None, RUNNING),
        (NOW + 1, NOW - 1, None, f"{RUNNING}, {NOW + 1} (not begun)"),
        (NOW + 3, NOW - 1, NOW - 1, f"{RUNNING}, {NOW + 1} to {NOW + 3} (not begun)"),
        (NOW - 1, NOW - 1, None, ""),
        (NOW - 2, NOW - 2, NOW - 2, ""),
        (NOW - 1, NOW - 3, NOW - 3, f"{NOW - 2} to {NOW - 1} (TO={NOW - 3})"),
    ],
)
def test_months_after_the_last_that_was_done(last_month, done, asked, told):
    assert left_out(market(last_month), done, asked) == told
