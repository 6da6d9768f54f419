"""The tape: where the month begins on it, and the price that never traded at its end."""

import numpy as np

from price_physics.prices import prices_of
from price_physics.schemas.ticks import CANDLES
from price_physics.walk_forward.tape import Tape
from price_physics_tests.past import past_of
from price_physics_tests.walk_forward import make
from price_physics_tests.walk_forward.make import FEB
from price_physics_tests.walk_forward.test_candles import hourly, laid_out


def test_of_ticks():
    time_ns = make.hours(FEB, -2, -1, 0, 5)
    tape = Tape.of(make.prices(time_ns, [1.0, 2.0, 3.0, 4.0]), FEB)
    assert (tape.first, tape.last, tape.prices_a_tick) == (2, 4, 1)
    places = np.arange(5)
    assert tape.time_at(places).tolist() == [*time_ns, FEB.end_ns]
    assert tape.price_at(places).tolist() == [1, 2, 3, 4, 4]


def test_of_candles_every_open_and_close_has_a_place():
    candles = hourly([(0, 10, 12, 9, 11), (3, 11, 13, 10, 12)])
    tape = Tape.of(prices_of(past_of({CANDLES: {FEB: candles}}), (FEB - 1, FEB)), FEB)
    assert (tape.first, tape.last, tape.prices_a_tick) == (0, 4, 2)
    time_ns, price, high, low = laid_out(candles)
    found = (tape.prices.time_ns, tape.prices.close, tape.prices.high, tape.prices.low)
    for array, expected in zip(found, (time_ns, price, high, low), strict=True):
        assert array.tolist() == expected.tolist()
    assert tape.price_at(np.array([4])).tolist() == [12]


def test_where_nothing_has_ever_traded_there_is_no_price():
    tape = Tape.of(make.prices([], []), FEB)
    assert (tape.first, tape.last) == (0, 0)
    assert tape.time_at(np.array([0])).tolist() == [FEB.end_ns]
    assert np.isnan(tape.price_at(0))
