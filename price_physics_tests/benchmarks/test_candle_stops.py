"""The measurement of stops sees what it is meant to see."""

import numpy as np
import pytest

from price_physics_tests.benchmarks import candle_stops
from price_physics_tests.benchmarks.candle_stops import (
    BOUNCES,
    OURS,
    bounce_of,
    candles_of,
    main,
    mean_by_days,
    measure,
    table,
    ticks_of,
    walk,
)

SMALL = 150_000


def test_candles_by_hand():
    minute = candle_stops.MINUTE_NS
    time_ns = np.array([0, 10, 20, minute, 3 * minute, 3 * minute + 5])
    candles = candles_of(ticks_of(time_ns, np.array([5.0, 9.0, 4.0, 6.0, 7.0, 8.0])), 1)
    assert candles.open_time_ns.tolist() == [0, minute, 3 * minute]
    assert candles.time_ns.tolist() == [minute - 1, 2 * minute - 1, 4 * minute - 1]
    assert candles.open.tolist() == [5, 6, 7]
    assert candles.high.tolist() == [9, 6, 8]
    assert candles.low.tolist() == [4, 6, 7]
    assert candles.close.tolist() == [4, 6, 8]


@pytest.mark.parametrize("bounce", [0.0, 1.0, 2.0])
def test_the_bounce_of_a_walk_is_found_again(bounce):
    assert bounce_of(walk(bounce, SMALL)) == pytest.approx(bounce, abs=0.15)


def test_errors_are_those_of_sums_of_days():
    value = np.array([1.0, 3.0, 5.0, 7.0])
    assert mean_by_days(value, np.array([0, 0, 1, 1])) == (4.0, pytest.approx(np.sqrt(32) / 4))
    assert mean_by_days(value, np.arange(4)) == (4.0, pytest.approx(np.sqrt(20) / 4))


@pytest.mark.slow
def test_without_latency_the_rule_is_no_kinder_than_ticks_and_the_level_is():
    """Half-spreads of half a step to two: from prices that hardly bounce to ours."""
    for bounce in (0.5, 1.0, 2.0):
        cell = measure("", walk(bounce, SMALL), 5, 1.0, 0)
        assert cell.judged == ""
        mean, error = cell.harsher_bps["level or open"]
        assert mean < -2 * error
        assert cell.harsher_bps["worse of level, market"][0] > cell.harsher_bps[OURS][0]


@pytest.mark.slow
def test_with_latency_the_rule_is_harsh_only_where_trades_bounce_by_four_steps():
    cells = {b: measure("", walk(b, SMALL), 5, 1.0, 100) for b in BOUNCES}
    judged = {b: cell.judged for b, cell in cells.items()}
    assert judged == {0.0: "", 0.5: "", 1.0: "", 2.0: "", 4.0: "HARSH"}
    for bounce in (0.0, 0.5):  # this can fail: the level is kinder
        mean, error = cells[bounce].harsher_bps["level or open"]
        assert mean < -2 * error


def test_without_the_trades_it_says_so(tmp_path, monkeypatch, capsys):
    cell = measure("bounce 1", walk(1.0, SMALL), 5, 1.0, 0)
    delayed = measure("bounce 1", walk(1.0, SMALL), 5, 1.0, 100)
    monkeypatch.setattr(candle_stops, "walk_cells", lambda: [cell, delayed])
    assert main(["--folder", str(tmp_path / "nothing")]) == 0
    said = capsys.readouterr().out
    assert "nothing is absent: the trades of binance_btcusdc were not measured" in said
    assert table([cell]).splitlines()[-1] in said
