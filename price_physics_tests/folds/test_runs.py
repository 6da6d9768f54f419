"""Roles as runs: what goes in comes out, and runs of other labels are refused."""

import numpy as np
import pytest

from price_physics.errors import StaleInputs
from price_physics.folds.runs import as_runs, role_of_each
from price_physics.schemas.folds import FOLD_ROLES


def test_roles_come_out_as_they_went_in():
    rng = np.random.default_rng(4)
    for n in (1, 2, 500):
        times = np.cumsum(rng.integers(1, 9, n))
        role = rng.choice(np.array(["train", "test", "early_stop"], dtype=object), n)
        fold = np.repeat([0, 1], n)
        runs = as_runs(fold, np.tile(times, 2), np.concatenate([role, role[::-1]]), 99)
        FOLD_ROLES.to_arrow(runs)
        for number, expected in enumerate((role, role[::-1])):
            found = role_of_each(runs[runs["fold"] == number], times)
            assert found.tolist() == expected.tolist()
    longest = as_runs(np.zeros(n), times, np.full(n, "train", dtype=object), 99)
    assert len(longest) == 1


def test_nothing_has_no_runs():
    none = np.empty(0, np.int64)
    runs = as_runs(none, none, np.empty(0, object), 99)
    FOLD_ROLES.to_arrow(runs)
    assert len(runs) == len(role_of_each(runs, none)) == 0


@pytest.mark.parametrize(
    "other", [[1, 2, 3], [1, 2, 3, 4, 5], [0, 2, 3, 4], [1, 2, 3, 9], [1, 2, 9, 10]], ids=str
)
def test_runs_of_other_labels_are_refused(other):
    role = np.array(["train", "train", "test", "test"], dtype=object)
    runs = as_runs(np.zeros(4), np.array([1, 2, 3, 4]), role, 99)
    with pytest.raises(StaleInputs, match="they were built from different labels"):
        role_of_each(runs, np.array(other))
