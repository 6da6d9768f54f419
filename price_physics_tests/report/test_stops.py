"""How far beyond their level stops left: computed by hand, and in words."""

import pandas as pd
import pytest

from price_physics.report.stops import stop_numbers, stop_sentences
from price_physics.schemas.walk_forward import TRADES
from price_physics_tests.labels.synthetic import make_market
from price_physics_tests.walk_forward import make

OF_TICKS, OF_CANDLES = make_market(), make_market(candle_minutes=60)


def trades(*rows):
    """TRADES of (event, side, exit price, reason)."""
    frame = pd.DataFrame(rows, columns=["event_time_ns", "side", "exit_price", "exit_reason"])
    return frame.reindex(columns=TRADES.columns)


def predictions(*events):
    barriers = {"upper": 110.0, "lower": 80.0}
    return pd.DataFrame([{"event_time_ns": event, **barriers} for event in events])


STOPPED = trades(
    (1, 1, 79.0, "stop_loss"),  # one of 80 below the lower barrier
    (2, -1, 110.11, "stop_loss"),  # 0.11 of 110 above the upper one
    (3, 1, 110.0, "take_profit"),
    (4, -1, 100.0, "time_out"),
)


def test_stops_by_hand():
    months = [predictions(1, 2), predictions(), predictions(3, 4)]
    found = stop_numbers(make.study(), OF_CANDLES, STOPPED, months)
    assert found["n_stops"] == 2
    assert found["mean_bps"] == pytest.approx((125 + 10) / 2)


@pytest.mark.parametrize("frame", [TRADES.empty(), STOPPED[2:]])
def test_without_a_stop_nothing_is_said(frame):
    found = stop_numbers(make.study(), OF_TICKS, frame, [predictions(3, 4)])
    assert (found["n_stops"], found["mean_bps"]) == (0, None)
    assert stop_sentences(found) == []
    assert stop_sentences(stop_numbers(make.study(), OF_TICKS, frame, [])) == []


@pytest.mark.parametrize(
    ("market", "latency_ms", "rule"),
    [
        (OF_TICKS, 0, "at the trade that touched"),
        (OF_TICKS, 5, "at the first trade at least the latency after"),
        (OF_CANDLES, 0, "beyond its level by 0.73 of the mean step"),
        (OF_CANDLES, 5, "by what highs and lows tell, up to 0.73 of the mean step"),
    ],
)
def test_the_sentence_says_the_number_and_the_rule(market, latency_ms, rule):
    study = make.study(latency_ms=latency_ms)
    (said,) = stop_sentences(stop_numbers(study, market, STOPPED, [predictions(1, 2, 3, 4)]))
    assert said.startswith("Stops gave up 67.5 bps beyond their level, the mean of 2: ")
    assert rule in said
