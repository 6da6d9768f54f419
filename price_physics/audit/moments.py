"""The moments after which everything is changed."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pandas as pd

from price_physics.audit.findings import utc
from price_physics.errors import ConfigError
from price_physics.months import Month
from price_physics.study.study import Study


def choose_moments(
    months: Sequence[Month], dumps: Sequence[pd.DataFrame], n: int, candle_ns: int = 0
) -> list[int]:
    """Choose moments in the later half of the months, where most is known.

    They are in turn a tick in the middle of a month and the end of one. With candles, which are
    `candle_ns` long, the tick is a moment inside a candle: what is known of it too early shows
    only there.

    Raises
    ------
    ConfigError
        When there are too few months.
    """
    if len(months) < 2:
        raise ConfigError(
            f"an audit of {months[0]} alone proves little: give at least two months, with --from "
            "and --to, or more data"
        )
    chosen = []
    for k in range(n):
        place = round((len(months) - 1) * (1 - k / (2 * n)))
        if k % 2:
            chosen.append(months[max(place, 1) - 1].end_ns)
        else:
            chosen.append(_middle(months[place], dumps) - candle_ns // 3)
    return sorted(set(chosen))


def _middle(month: Month, dumps: Sequence[pd.DataFrame]) -> int:
    """Time of the middle tick of a month, or its middle by the clock."""
    times = pd.concat([dump.loc[dump["price"].notna(), "time_ns"] for dump in dumps])
    times = times[times.between(month.start_ns, month.end_ns)].sort_values()
    if not len(times):
        return (month.start_ns + month.end_ns) // 2
    return int(times.iloc[len(times) // 2])


def parse_moment(text: str) -> int:
    """Read a moment: a month is its end, anything else ISO 8601, UTC where it has no offset.

    Raises
    ------
    ValueError
        When it is neither.

    Examples
    --------
    >>> parse_moment("2012-03") == parse_moment("2012-04-01T00:00:00") - 1
    True
    """
    try:
        return Month.parse(text).end_ns
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a month (YYYY-MM) nor an ISO 8601 time (2012-03-15T12:00:00)"
        ) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 10**9 + moment.microsecond * 1000


def last_month(t_ns: int, months: Sequence[Month], study: Study) -> Month:
    """Find the last month that can hold a row known by t, or change with what comes right after it.

    The label of an event at t is stored in the month in which its horizon ends.
    """
    if not months[0].start_ns <= t_ns < months[-1].end_ns:
        raise ConfigError(
            f"moment {utc(t_ns)} is not inside the months {months[0]} to {months[-1]}, so nothing "
            "comes before it or nothing after it; choose one inside, or other months"
        )
    return min(Month.of(t_ns + max(study.labels.longest_horizon_ns, 1)), months[-1])
