"""Files that are sound one by one, and together or in their order are not what they seem."""

import pytest

from price_physics.errors import TickDataError
from price_physics.ticks import look

from .helpers import BITCOINCHARTS, MAY, START, build_month, market, put

BITMEX_HEAD = (
    "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,"
    "foreignNotional\n"
)


def test_a_copy_of_a_file_stops(tmp_path):
    for name in ("a.csv", "a (1).csv"):
        put(tmp_path, f"{START},5.0,1\n", name)
    with pytest.raises(TickDataError, match=r"a\.csv and a \(1\)\.csv hold the same bytes"):
        build_month(BITCOINCHARTS, tmp_path, MAY)


def test_ids_that_restart_stop_the_month(tmp_path):
    ids = market(header=["trade_id", "timestamp", "price", "qty"])
    for day in range(3):
        rows = [f"{i},{START + day * 86_400 + i},{5 + day},1\n" for i in range(1, 1001)]
        put(tmp_path, "".join(rows), f"{day}.csv")
    with pytest.raises(TickDataError, match=r"2000 rows repeat an id .* 1\.csv, row 1 the first"):
        build_month(ids, tmp_path, MAY)


@pytest.mark.parametrize("block_bytes", [None, 64])
def test_newest_first_turns_the_ties_too(tmp_path, monkeypatch, block_bytes):
    """Within a second the first trade is the last line."""
    trades = [(START + second, 10.0 + second + k / 100) for second in range(40) for k in range(7)]
    lines = [f"{time},{price:.2f},1\n" for time, price in reversed(trades)]
    put(tmp_path, "".join(lines))
    if block_bytes:
        read_file = look.read_file
        monkeypatch.setattr(look, "read_file", lambda *given: read_file(*given, block_bytes))
    ticks = build_month(BITCOINCHARTS, tmp_path, MAY).ticks.frame()
    assert ticks["price"].round(2).tolist() == [round(price, 2) for _, price in trades]
    assert (ticks["tick_sign"] == 1).all()


def test_other_instruments_of_a_file_of_all_are_passed_over(tmp_path):
    def row(second: int, symbol: str, price: float) -> str:
        time = f"2012-05-01D00:00:{second:02d}.000000000"
        return f"{time},{symbol},Buy,100,{price},PlusTick,id-{second},1,0.5,100\n"

    symbols = ["XBTUSD", "ETHUSD", "XBTUSD", "XBTM12", "ETHUSD", "XBTUSD"]
    rows = [row(second, symbol, 5.0 + second) for second, symbol in enumerate(symbols)]
    put(tmp_path, BITMEX_HEAD + "".join(rows))
    result = build_month(market(vendor=None, symbol="XBTUSD"), tmp_path, MAY)
    assert result.ticks.frame()["price"].tolist() == [5.0, 7.0, 10.0]
    assert result.ticks.frame()["qty"].tolist() == [0.5] * 3
    assert result.quality["rows_read"] == 3
    assert result.quality["quarantined"] == 0


def test_a_message_says_why_no_trade_was_found(tmp_path):
    rows = "".join(f"{START + i},5,0,bid\n" for i in range(9))
    put(tmp_path, "timestamp,price,qty,side\n" + rows)
    with pytest.raises(TickDataError, match=r"row 2: '.*,bid': qty is not above zero"):
        build_month(market(), tmp_path, MAY)
