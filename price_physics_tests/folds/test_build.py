"""The training set of a month: members, roles, manifest, warm-up."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from price_physics.folds.audit import audit_split
from price_physics.folds.build import build_folds
from price_physics.folds.roles import NO_FOLD
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics_tests.folds.rows import role_rows
from price_physics_tests.folds.validity import check_valid_split
from price_physics_tests.labels.chain import run_chain
from price_physics_tests.labels.synthetic import (
    FIRST,
    HOUR_NS,
    make_labels,
    make_market,
    make_study,
    make_world,
)
from price_physics_tests.past import past_of

OUTAGE = {"start": "2020-02-10T00:00:00", "end": "2020-02-12T00:00:00", "reason": "test"}
BINARY = {"model": {"head": "binary_take_profit"}}


def folds_of(study, month, labels, windows):
    past = past_of({LABELS: labels, IMAGE_WINDOWS: windows})
    return opened(build_folds(study, make_market(), month, past))


def opened(artefact):
    members, roles = artefact.table("members"), artefact.table("roles")
    manifest, warm_up = artefact.document("manifest"), artefact.warm_up
    rows = role_rows(roles[roles["fold"] != NO_FOLD], members)
    return SimpleNamespace(
        members=members, roles=roles, rows=rows, manifest=manifest, warm_up=warm_up
    )


@pytest.fixture(scope="module")
def chain():
    study = make_study()
    return study, run_chain(study, make_market(outages=[OUTAGE]), make_world(seed=12, n_months=4))


def test_members_are_the_labels_with_a_window_that_cross_no_outage(chain):
    study, out = chain
    m = FIRST + 2
    short = {k: frame.iloc[7:] for k, frame in out["windows"].items()}
    result = folds_of(study, m, out["labels"], short)
    FOLD_MEMBERS.to_arrow(result.members)
    FOLD_ROLES.to_arrow(result.roles)
    assert result.warm_up is None
    labels = pd.concat([out["labels"][k] for k in (FIRST, FIRST + 1, m)])
    windows = set(np.concatenate([frame["event_time_ns"] for frame in short.values()]))
    has_window = labels["event_time_ns"].isin(windows)
    crosses, fallback = labels["crosses_outage"], labels["at_fallback"]
    kept = labels[has_window & ~crosses & ~fallback]
    pd.testing.assert_frame_equal(
        result.members[["event_time_ns", "label_end_ns"]],
        kept[["event_time_ns", "label_end_ns"]].reset_index(drop=True),
    )
    excluded = {
        "no_window": int((~has_window).sum()),
        "crosses_outage": int((has_window & crosses).sum()),
        "at_fallback": int((has_window & ~crosses & fallback).sum()),
    }
    assert result.manifest["excluded"] == excluded
    assert min(excluded.values()) > 0
    # Every label has its role: a fold's, or why it is in none.
    rows = role_rows(result.roles, result.members, labels["event_time_ns"])
    assert set(rows["event_time_ns"]) == set(labels["event_time_ns"])
    outside = rows[rows["fold"] == NO_FOLD].set_index("event_time_ns")["role"]
    assert outside.value_counts().to_dict() == excluded
    assert not set(outside.index) & set(result.members["event_time_ns"])
    assert (~pd.Series(outside.index).isin(windows) == (outside == "no_window").to_numpy()).all()
    # The cut: everything about a member was over by the end of the month.
    assert (kept["horizon_end_ns"] <= m.end_ns).all()
    assert (result.members["known_at"] == m.end_ns).all()
    assert (result.roles["known_at"] == m.end_ns).all()


def test_folds_are_purged_splits_of_the_members(chain):
    study, out = chain
    n_dropped = 0
    for m in (FIRST + 1, FIRST + 2, FIRST + 3):
        result = opened(out["folds"][m])
        members = result.members
        start, end = members["event_time_ns"].to_numpy(), members["label_end_ns"].to_numpy()
        tested = []
        for _, roles in result.rows.groupby("fold"):
            assert roles["event_time_ns"].tolist() == start.tolist()
            role = roles["role"].to_numpy()
            test = np.flatnonzero(role == "test")
            tested.extend(test)
            train, stop = np.flatnonzero(role == "train"), np.flatnonzero(role == "early_stop")
            assert min(len(train), len(stop)) > 0
            dropped = pd.Series(role).str.match("(purged|embargoed)_by_(test|early_stop)$")
            n_dropped += dropped.sum()
            # Training against both slices at once is a valid split of what is not purged by
            # the test alone; checked sample by sample in test_roles.
            both = np.sort(np.concatenate([train, stop, test]))
            check_valid_split(
                np.flatnonzero(~np.isin(both, test)),
                np.flatnonzero(np.isin(both, test)),
                start[both],
                end[both],
                study.folds.embargo_ns,
            )
        assert tested == list(range(len(start)))
    assert n_dropped > 20


def test_manifest(chain):
    study, out = chain
    result = opened(out["folds"][FIRST + 2])
    manifest = json.loads(json.dumps(result.manifest))
    assert manifest == result.manifest
    assert manifest["months"] == ["2020-01", "2020-03"]
    assert manifest["n_members"] == len(result.members)
    assert manifest["embargo_ns"] == study.folds.embargo_ns
    assert [fold["fold"] for fold in manifest["folds"]] == [0, 1, 2]
    ends = result.members.set_index("event_time_ns")["label_end_ns"]
    for fold in manifest["folds"]:
        roles = result.rows[result.rows["fold"] == fold["fold"]]
        counts = roles["role"].value_counts()
        assert {k: n for k, n in fold["counts"].items() if n} == counts.to_dict()
        test = roles.loc[roles["role"] == "test", "event_time_ns"]
        assert fold["test_start_ns"] == test.min()
        assert fold["test_end_ns"] == ends[test].max()
    other = opened(out["folds"][FIRST + 3]).manifest
    assert len(manifest["sha256"]) == 64
    assert manifest["sha256"] != other["sha256"]


def toy(n=120, label=None, length_hours=1, step_hours=2):
    """Labels and windows of one month, evenly spread."""
    start = FIRST.start_ns + HOUR_NS * step_hours * np.arange(n)
    label = np.arange(n) % 3 - 1 if label is None else label
    labels = make_labels(start, start + HOUR_NS * length_hours, label)
    windows = pd.DataFrame({"event_time_ns": start, "window_start_ns": start})
    return {FIRST: labels}, {FIRST: windows[IMAGE_WINDOWS.columns]}


def random_horizons(seed=1):
    """Labels an hour apart whose horizons of bars last up to two days, and that end within."""
    rng = np.random.default_rng(seed)
    start = FIRST.start_ns + HOUR_NS * np.arange(600)
    horizon = rng.integers(1, 49, len(start))
    end = start + HOUR_NS * rng.integers(1, horizon + 1)
    labels = make_labels(start, end, np.arange(len(start)) % 3 - 1)
    labels["horizon_end_ns"] = start + HOUR_NS * horizon
    windows = pd.DataFrame({"event_time_ns": start, "window_start_ns": start})
    return {FIRST: labels}, {FIRST: windows[IMAGE_WINDOWS.columns]}


@pytest.mark.parametrize("given_hours", [0, 1, 60])
def test_the_embargo_covers_the_longest_horizon_of_bars(given_hours):
    labels, windows = random_horizons()
    bars = {"horizon_minutes": None, "horizon_bars": 9}
    study = make_study(labels=bars, folds={"embargo_minutes": 60 * given_hours})
    result = folds_of(study, FIRST, labels, windows)
    embargo_ns = HOUR_NS * max(given_hours, 48)
    assert result.manifest["embargo_ns"] == embargo_ns
    members = result.members
    start, end = members["event_time_ns"].to_numpy(), members["label_end_ns"].to_numpy()
    for _, roles in result.rows.groupby("fold"):
        role = roles["role"].to_numpy()
        for tested, trained in (("test", ("train", "early_stop")), ("early_stop", ("train",))):
            train, test = np.flatnonzero(np.isin(role, trained)), np.flatnonzero(role == tested)
            assert min(len(train), len(test)) > 0
            assert audit_split(start, end, train, test, embargo_ns) == []


def test_members_alone_lengthen_the_embargo():
    """The longest horizon is that of a label without a window, which is no member."""
    labels, windows = random_horizons()
    labels[FIRST].loc[0, "horizon_end_ns"] = FIRST.start_ns + 1_000 * HOUR_NS
    study = make_study(labels={"horizon_minutes": None, "horizon_bars": 9})
    shorter = {FIRST: windows[FIRST].iloc[1:]}
    assert folds_of(study, FIRST, labels, shorter).manifest["embargo_ns"] == 48 * HOUR_NS
    by_clock = folds_of(make_study(), FIRST, labels, windows)
    assert by_clock.manifest["embargo_ns"] == 36 * HOUR_NS
    too_long = folds_of(study, FIRST, labels, windows)
    assert too_long.warm_up.endswith("with an embargo of 60000 minutes")


WARM_UPS = {
    "too few": (toy(19), {}, "19 training samples, and 20 are needed"),
    "no down": (toy(label=np.tile([0, 1], 60)), {}, "no sample of class down among 120"),
    "no take profit": (toy(label=np.tile([-1, 0], 60)), BINARY, "no sample of class take profit"),
    "all take profit": (toy(label=np.ones(120)), BINARY, "no sample of class other"),
    "all overlap": (toy(length_hours=500), {}, "fold 0 has no early_stop|fold 0 has no train"),
    # Downs only in the first third: the fold that tests it has none to train on.
    "class in one block": (
        toy(label=np.r_[np.tile([-1, 0, 1, 1], 10), np.tile([0, 1], 40)]),
        {},
        "fold 0 has no training sample of class down",
    ),
}


@pytest.mark.parametrize("name", WARM_UPS)
def test_too_little_to_train_on_is_a_warm_up(name):
    (labels, windows), changes, reason = WARM_UPS[name]
    study = make_study(folds={"embargo_minutes": 36 * 60}, **changes)
    result = folds_of(study, FIRST, labels, windows)
    assert result.warm_up is not None
    assert pd.Series([result.warm_up]).str.contains(reason).all()
    assert len(result.members) == len(labels[FIRST])
    pd.testing.assert_frame_equal(result.roles, FOLD_ROLES.empty())
    FOLD_MEMBERS.to_arrow(result.members)
    assert result.manifest["folds"] == []
    assert result.manifest["sha256"] == hashlib.sha256(b"").hexdigest()


def test_the_page_shows_the_number_of_members():
    labels, windows = toy(30)
    past = past_of({LABELS: labels, IMAGE_WINDOWS: windows})
    assert build_folds(make_study(), make_market(), FIRST, past).highlights == {"members": 30}


def test_two_classes_suffice_for_the_binary_head():
    labels, windows = toy(label=np.tile([-1, 1], 60))
    assert folds_of(make_study(**BINARY), FIRST, labels, windows).warm_up is None


def test_nothing_at_all_is_a_warm_up():
    for labels, windows in (({}, {}), ({FIRST: LABELS.empty()}, {FIRST: IMAGE_WINDOWS.empty()})):
        result = folds_of(make_study(), FIRST, labels, windows)
        assert result.warm_up == "0 training samples, and 20 are needed"
        pd.testing.assert_frame_equal(result.members, FOLD_MEMBERS.empty())
        pd.testing.assert_frame_equal(result.roles, FOLD_ROLES.empty())


def test_later_months_are_not_read(chain):
    study, out = chain
    m = FIRST + 1
    upto = [{k: v for k, v in out[s].items() if k <= m} for s in ("labels", "windows")]
    small, large = (
        folds_of(study, m, *upto),
        folds_of(study, m, out["labels"], out["windows"]),
    )
    pd.testing.assert_frame_equal(small.roles, large.roles)
    assert small.manifest == large.manifest


# ---------------------------------------------------------------------------- thinner, shorter
def test_a_window_of_months_forgets_older_labels(chain):
    study, out = chain
    m = FIRST + 3
    short = make_study(folds={"window_months": 2})
    result = folds_of(short, m, out["labels"], out["windows"])
    kept = pd.concat([out["labels"][k] for k in (m - 1, m)])
    kept = kept[~kept["crosses_outage"] & ~kept["at_fallback"]]
    assert result.members["event_time_ns"].tolist() == kept["event_time_ns"].tolist()
    assert result.manifest["months"] == [str(m - 1), str(m)]
    whole = folds_of(study, m, out["labels"], out["windows"])
    assert len(whole.members) > len(result.members)


def test_what_stops_and_what_is_tested_is_thinned_evenly_and_nothing_else_moves():
    labels, windows = toy(3_000, step_hours=0.1, length_hours=0.1)
    study, thin = (make_study(model={"max_evaluated_events": n}) for n in (20_000, 150))
    whole, thinned = (folds_of(of, FIRST, labels, windows) for of in (study, thin))
    pd.testing.assert_frame_equal(whole.members, thinned.members)
    before = thinned.rows["role"].replace(
        {"thinned_early_stop": "early_stop", "thinned_test": "test"}
    )
    assert before.tolist() == whole.rows["role"].tolist()
    for _, rows in thinned.rows.groupby("fold"):
        for role in ("early_stop", "test"):
            place = np.flatnonzero((rows["role"] == role).to_numpy())
            assert len(place) == 50
            assert np.ptp(np.diff(place)) <= 1
    counts = thinned.manifest["folds"][0]["counts"]
    assert counts["test"] + counts["thinned_test"] == 1_000


def test_more_are_needed_than_are_kept():
    with pytest.raises(ValueError, match="max_training_events is 50, below min_training_samples"):
        make_study(folds={"max_training_events": 50, "min_training_samples": 60})
