"""The moments of an audit: those that it chooses, and those that are asked for."""

import pandas as pd
import pytest

from price_physics.audit.moments import choose_moments, parse_moment
from price_physics.errors import ConfigError
from price_physics.months import Month


def test_moments_are_in_turn_amid_and_at_the_end_of_months() -> None:
    months = Month.span(Month(2020, 1), Month(2020, 9))
    ticks = pd.DataFrame({"time_ns": [Month(2020, 9).start_ns + d for d in (1, 5, 7)], "price": 1})
    assert choose_moments(months, [ticks], 4) == [
        Month(2020, 5).end_ns,
        (Month(2020, 7).start_ns + Month(2020, 7).end_ns) // 2,
        Month(2020, 7).end_ns,
        Month(2020, 9).start_ns + 5,
    ]
    inside = choose_moments(months, [ticks], 1, candle_ns=6)  # of a candle, not at its end
    assert inside == [Month(2020, 9).start_ns + 3]
    with pytest.raises(ConfigError, match="an audit of 2020-01 alone proves little"):
        choose_moments(months[:1], [ticks], 4)


def test_moments_are_read() -> None:
    assert parse_moment("2012-03") == Month(2012, 3).end_ns
    noon = Month(2012, 3).start_ns + 12 * 3600 * 10**9
    assert parse_moment("2012-03-01T12:00:00") == noon
    assert parse_moment("2012-03-01T13:00:00.000001+01:00") == noon + 1000
    with pytest.raises(ValueError, match=r"neither a month \(YYYY-MM\) nor an ISO 8601 time"):
        parse_moment("March")
