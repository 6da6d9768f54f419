"""What a month says about itself: counted in slices, and worked out by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.ticks.month import kernels
from price_physics.ticks.month.quality import Histogram, QualityCounts, completeness, score
from price_physics.ticks.reading.rows import NO_ID, ORDERED_ID, TEXT_ID

from .helpers import MAY, make_rows

SECOND = 10**9


def count(*pieces, last_before_ns=None) -> QualityCounts:
    counts = QualityCounts(MAY, last_before_ns)
    for rows in pieces:
        counts.add(rows)
    return counts


def at_seconds(*seconds, **columns):
    return make_rows([MAY.start_ns + int(s * SECOND) for s in seconds], **columns)


def prices(values):
    return count(at_seconds(*range(len(values)), price=values)).report()


# ---------------------------------------------------------------------------- gaps
def test_gaps():
    report = count(at_seconds(0, 0, 1, 2, 3, 14, 15, 25)).report()
    assert report["typical_gap_seconds"] == 1.0
    assert report["silences_over_ten_typical_gaps"] == 1
    assert report["longest_silence_seconds"] == 11.0
    assert report["longest_silence_start_ns"] == MAY.start_ns + 3 * SECOND


def test_a_silence_over_the_start_of_the_month_is_seen():
    report = count(at_seconds(1, 2, 3), last_before_ns=MAY.start_ns - 99 * SECOND).report()
    assert report["longest_silence_seconds"] == 100.0
    assert report["longest_silence_start_ns"] == MAY.start_ns - 99 * SECOND
    assert report["first_tick_ns"] == MAY.start_ns + SECOND


@pytest.mark.parametrize("seconds", [[], [5], [5, 5]])
def test_gaps_of_nothing(seconds):
    report = count(at_seconds(*seconds)).report()
    assert report["typical_gap_seconds"] is None
    assert report["silences_over_ten_typical_gaps"] == 0
    assert report["longest_silence_seconds"] is None
    assert report["first_tick_ns"] == (MAY.start_ns + 5 * SECOND if seconds else None)


@given(st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=50))
@settings(deadline=None)
def test_a_median_is_right_to_a_thousandth(values):
    gaps = np.sort(values)
    histogram = Histogram()
    for value in gaps:
        place = kernels.bucket(value)
        histogram.counts[place] += 1
        histogram.sums[place] += value
    exact = gaps[(len(gaps) - 1) // 2]
    assert histogram.median() == pytest.approx(exact, rel=1e-3)
    assert histogram.above(exact * 1.001) <= (gaps > exact).sum()
    assert histogram.above(exact / 1.001) >= (gaps >= exact).sum()


# ---------------------------------------------------------------------------- spikes
@pytest.mark.parametrize(
    ("tail", "n_spikes"),
    [
        ([150, 100], 1),
        ([60, 100], 1),
        ([150, 151], 0),  # it stays
        ([150, 130], 0),  # comes back by less than half
        ([100.3, 100], 0),  # not far enough
        ([150, 100, 100, 60, 100], 2),
    ],
)
def test_spikes_that_revert(tail, n_spikes):
    calm = [100, 100.1, 100, 100.1, 100, 100.1, 100, 100]
    assert prices([*calm, *tail])["reverting_spikes"] == n_spikes


def test_no_spikes_in_nothing():
    for values in ([], [5.0], [5.0, 5.0, 5.0]):
        assert prices(values)["reverting_spikes"] == 0


# ---------------------------------------------------------------------------- ids
def ids(*values, kind=ORDERED_ID):
    counts = count(at_seconds(*range(len(values)), trade_id=values, kind=[kind] * len(values)))
    return counts.missing_ids, counts.missing_ids_share


def test_missing_ids():
    assert ids(5, 6, 7, 9, 10) == (1, 1 / 6)
    assert ids(5, 6, 8, 7, 9) == (0, None)  # few steps of one: ids that others share
    assert ids(5) == (0, None)
    assert ids() == (None, None)
    assert ids(5, 9, kind=TEXT_ID) == (None, None)
    assert ids(0, 0, kind=NO_ID) == (None, None)


def test_ids_that_several_instruments_share_have_gaps_that_mean_nothing():
    missing, share = ids(*range(0, 3000, 3))
    assert (missing, share) == (1998, None)
    missing, share = ids(*range(1000), *range(1010, 2000))
    assert (missing, share) == (10, 10 / 2000)


# ---------------------------------------------------------------------------- slices
@pytest.mark.slow
@given(st.data())
@settings(deadline=None, max_examples=60)
def test_slices_change_nothing(data):
    n = data.draw(st.integers(0, 20))
    hours = sorted(data.draw(st.lists(st.integers(0, 50), min_size=n, max_size=n)))

    def column(*values):
        return data.draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))

    rows = make_rows(
        [MAY.start_ns + hour * 3600 * SECOND for hour in hours],
        column(1, 2, 3, 4, 5, 6),
        column(5.0, 5.1, 7.0),
        column(1.0, 2.0),
        column(NO_ID, ORDERED_ID, TEXT_ID),
        column(-1, 0, 1),
    )
    cuts = data.draw(st.sets(st.integers(0, 51)))
    edges = np.searchsorted(rows.time_ns, [MAY.start_ns + c * 3600 * SECOND for c in sorted(cuts)])
    pieces = [
        rows.at(slice(first, stop))
        for first, stop in zip([0, *edges], [*edges, len(rows.line)], strict=True)
    ]
    whole, parts = (
        count(rows, last_before_ns=MAY.start_ns - 5),
        count(*pieces, last_before_ns=MAY.start_ns - 5),
    )
    assert whole.report() == parts.report()
    assert whole.ticks_by_day.tolist() == parts.ticks_by_day.tolist()
    assert whole.ticks_by_day.sum() == n
    assert json.dumps(whole.report(), allow_nan=False)


def test_ticks_by_day():
    counts = count(at_seconds(0, 86_399, 86_400, 30 * 86_400))
    assert counts.ticks_by_day.tolist() == [2, 1, *[0] * 28, 1]


# ---------------------------------------------------------------------------- score
REPORT = {
    "ticks": 800,
    "rows_read": 1000,
    "quarantined": 100,
    "duplicates_dropped": 100,
    "rows_out_of_order": 200,
    "reverting_spikes": 8,
    "missing_days": ["2012-05-01", "2012-05-02"],
    "days": 20,
    "missing_ids_share": 0.25,
    "sides_inferred_share": 0.5,
}


def test_the_score_by_hand():
    by_hand = 0.9 * 0.9 * 0.8 * 0.99 * 0.9 * 0.75 * 0.75
    assert score(REPORT) == pytest.approx(by_hand, rel=1e-12)
    assert score(REPORT | {"missing_ids_share": None}) == pytest.approx(by_hand / 0.75, rel=1e-12)
    assert completeness(REPORT) == pytest.approx(0.9 * 0.9 * 0.75, rel=1e-12)


def test_a_faultless_month_scores_one_and_an_empty_one_nothing():
    clean = dict.fromkeys(REPORT, 0) | {"ticks": 1, "rows_read": 1, "days": 31}
    assert score(clean | {"missing_days": []}) == 1.0
    assert completeness(clean | {"missing_days": []}) == 1.0
    assert score(clean | {"ticks": 0}) is None
    assert completeness(clean | {"ticks": 0}) is None
