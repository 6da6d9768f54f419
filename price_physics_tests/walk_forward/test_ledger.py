import json

import pytest

from price_physics.errors import StoreError
from price_physics.walk_forward.ledger import read_trials, record_trial
from price_physics_tests.walk_forward.make import FEB, JAN, MAR


def test_each_trial_counts_once_with_its_latest_entry(tmp_path):
    record_trial(tmp_path, "m", "bbb", JAN, {"sharpe_daily": 0.1})
    record_trial(tmp_path, "m", "bbb", MAR, {"sharpe_daily": 0.3})
    record_trial(tmp_path, "m", "aaa", FEB, {"sharpe_daily": None})
    record_trial(tmp_path, "other", "ccc", JAN, {"sharpe_daily": 9.0})
    latest = [(t["trial"], t["month"], t["sharpe_daily"]) for t in read_trials(tmp_path, "m", MAR)]
    assert latest == [("aaa", "2012-02", None), ("bbb", "2012-03", 0.3)]


def test_an_old_month_does_not_see_later_entries(tmp_path):
    record_trial(tmp_path, "m", "aaa", JAN, {"sharpe_daily": 0.1})
    before = read_trials(tmp_path, "m", JAN)
    record_trial(tmp_path, "m", "aaa", FEB, {"sharpe_daily": 0.2})
    record_trial(tmp_path, "m", "bbb", FEB, {"sharpe_daily": 0.2})
    assert read_trials(tmp_path, "m", JAN) == before


def test_writing_again_replaces_and_leaves_nothing_else(tmp_path):
    record_trial(tmp_path, "m", "aaa", JAN, {"sharpe_daily": 0.1})
    path = record_trial(tmp_path, "m", "aaa", JAN, {"sharpe_daily": 0.2})
    assert json.loads(path.read_text()) == {
        "market": "m",
        "month": "2012-01",
        "sharpe_daily": 0.2,
        "trial": "aaa",
    }
    assert list(path.parent.iterdir()) == [path]


def test_an_entry_of_an_earlier_version_is_still_read(tmp_path):
    path = record_trial(tmp_path, "m", "aaa", JAN, {"sharpe_daily": 0.1})
    now = read_trials(tmp_path, "m", JAN)
    path.write_text(path.read_text().replace('"trial"', '"config_hash"'))
    assert read_trials(tmp_path, "m", JAN) == now
    assert now[0]["trial"] == "aaa"


def test_no_ledger_yet(tmp_path):
    assert read_trials(tmp_path / "none", "m", JAN) == []


def test_numbers_json_has_not_are_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        record_trial(tmp_path, "m", "aaa", JAN, {"sharpe_daily": float("nan")})


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_a_torn_entry_is_named(tmp_path, text):
    path = record_trial(tmp_path, "m", "aaa", JAN, {})
    path.write_text(text)
    with pytest.raises(StoreError, match=r"2012-01\.json: not a trial"):
        read_trials(tmp_path, "m", JAN)
