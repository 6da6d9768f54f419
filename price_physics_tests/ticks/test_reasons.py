"""Reasons are numbers in arrays and words for people."""

import numpy as np

from price_physics.ticks.reading.parse import first_reason
from price_physics.ticks.reading.reasons import READABLE, Reason


def test_every_reason_has_a_number_and_words_of_its_own():
    assert [int(reason) for reason in Reason] == list(range(len(Reason)))
    assert len({reason.words for reason in Reason}) == len(Reason) < 128
    assert (Reason.NONE, Reason.NONE.words) == (0, "")
    assert Reason(np.int8(1)) is Reason.TIME


def test_what_could_be_read_is_no_sign_of_a_damaged_file():
    assert {Reason.PRICE_SIGN.words, Reason.RANGE.words, Reason.START.words} <= READABLE
    unreadable = {Reason.TIME, Reason.PRICE, Reason.TRADE_ID, Reason.OTHER_VOLUME, Reason.N_FIELDS}
    assert not {reason.words for reason in unreadable} & READABLE


def test_the_first_reason_that_holds_is_named():
    late, early = np.array([True, True, False]), np.array([False, True, False])
    found = first_reason({Reason.QTY: early, Reason.TIME: late})
    assert found.dtype == np.int8
    assert [Reason(code) for code in found] == [Reason.TIME, Reason.QTY, Reason.NONE]
