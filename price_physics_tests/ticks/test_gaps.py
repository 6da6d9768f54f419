"""Days and ids that are missing, and which of them stop a month."""

import numpy as np
import pytest

from price_physics.errors import TickDataError
from price_physics.study.outages import Outage
from price_physics.ticks.month.gaps import missing_days, refuse_gaps

from .helpers import DAY, MAY, START, build_month, market, put


def outage(start, end):
    return Outage(start=start, end=end, reason="maintenance")


def counts(*days_without):
    by_day = np.ones(31, np.int64)
    by_day[[day - 1 for day in days_without]] = 0
    return by_day


LATER = market(first_month="2012-04")


def test_days_without_a_tick_are_missing():
    assert missing_days(LATER, MAY, counts(), MAY.start_ns) == ([], [])
    assert missing_days(LATER, MAY, counts(1, 7, 31), None) == (
        ["2012-05-01", "2012-05-07", "2012-05-31"],
        [],
    )


def test_the_first_month_begins_with_its_first_tick():
    first = market(first_month="2012-05")
    third = MAY.start_ns + 2 * DAY * 10**9 + 5
    assert missing_days(first, MAY, counts(1, 2, 7), third) == (["2012-05-07"], [])
    assert missing_days(LATER, MAY, counts(1, 2), third)[0] == ["2012-05-01", "2012-05-02"]
    assert missing_days(first, MAY, counts(*range(1, 32)), None) == ([], [])


@pytest.mark.parametrize(
    ("start", "end", "explains"),
    [
        ("2012-05-07", "2012-05-07", True),
        ("2012-05-07T00:00:00", "2012-05-08T00:00:00", True),
        ("2012-05-01", "2012-06-01", True),
        ("2012-05-07T00:00:01", "2012-05-08", False),
        ("2012-05-06", "2012-05-07T23:59:59", False),
        ("2012-05-08", "2012-05-09", False),
    ],
)
def test_an_outage_explains_the_days_it_covers(start, end, explains):
    settings = market(first_month="2012-04", outages=[outage(start, end)])
    found = missing_days(settings, MAY, counts(7), MAY.start_ns)
    assert found == (([], ["2012-05-07"]) if explains else (["2012-05-07"], []))


def test_only_a_strict_market_stops():
    strict = market(strict_gaps=True)
    refuse_gaps(market(), MAY, ["2012-05-07"], 10**6, 0.9)
    refuse_gaps(strict, MAY, [], 10**6, None)
    refuse_gaps(strict, MAY, [], 1, 0.001)
    with pytest.raises(TickDataError, match=r"'toy', 2012-05: no trade on 2012-05-07, 2012-05-09;"):
        refuse_gaps(strict, MAY, ["2012-05-07", "2012-05-09"], 0, 0.0)
    with pytest.raises(TickDataError, match=r"2012-05: 12 trade ids are missing, 0\.11% of them"):
        refuse_gaps(strict, MAY, [], 12, 0.0011)


# ---------------------------------------------------------------------------- the stage
def dump(folder, days=range(31), step=1, n_missing=0):
    """A trade an hour on the given days, ids one after the other but for a few that are missing."""
    lines, trade_id = ["trade_id,timestamp,price,qty\n"], 1
    for day in days:
        for hour in range(24):
            lines.append(f"{trade_id},{START + day * DAY + hour * 3600},5,1\n")
            trade_id += step
        trade_id += n_missing
        n_missing = 0
    put(folder, "".join(lines))


def build(folder, **settings):
    return build_month(market(first_month="2012-04", **settings), folder, MAY)


def test_a_whole_month_passes_the_strict(tmp_path):
    dump(tmp_path)
    quality = build(tmp_path, strict_gaps=True).quality
    assert quality["missing_days"] == []
    assert quality["missing_ids"] == 0
    assert quality["score"] == 0.5  # all sides are inferred


def test_missing_days_stop_the_strict_only(tmp_path):
    dump(tmp_path, [day for day in range(31) if day not in (6, 7)])
    assert build(tmp_path).quality["missing_days"] == ["2012-05-07", "2012-05-08"]
    with pytest.raises(TickDataError, match=r"no trade on 2012-05-07, 2012-05-08; .*`outages:`"):
        build(tmp_path, strict_gaps=True)
    known = [outage("2012-05-07", "2012-05-07")]
    with pytest.raises(TickDataError, match="no trade on 2012-05-08;"):
        build(tmp_path, strict_gaps=True, outages=known)
    both = [outage("2012-05-07", "2012-05-08")]
    quality = build(tmp_path, strict_gaps=True, outages=both).quality
    assert quality["missing_days"] == []
    assert quality["missing_days_in_outages"] == ["2012-05-07", "2012-05-08"]


def test_missing_ids_stop_the_strict_only_where_ids_are_dense(tmp_path):
    dump(tmp_path, n_missing=3)
    assert build(tmp_path).quality["missing_ids_share"] == 3 / 747
    with pytest.raises(TickDataError, match=r"3 trade ids are missing, 0\.40% of them"):
        build(tmp_path, strict_gaps=True)
    dump(tmp_path, step=3)
    quality = build(tmp_path, strict_gaps=True).quality
    assert quality["missing_ids"] == 2 * 743
    assert quality["missing_ids_share"] is None
