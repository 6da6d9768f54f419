"""Roles inside a fold: the early-stopping slice is purged like a test block."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from price_physics.folds.purged import PurgedKFold
from price_physics.folds.roles import EARLY_STOP, ROLES, TEST, TRAIN, fold_roles
from price_physics_tests.folds.test_purged import intervals
from price_physics_tests.folds.validity import check_valid_split, conflict


@settings(max_examples=100, deadline=None)
@given(intervals(), st.integers(0, 12), st.sampled_from([0.05, 0.15, 0.4]))
def test_roles_obey_their_definitions(labels, embargo, fraction):
    start, end = labels
    splitter = PurgedKFold(3, start, end, embargo)
    for (training, _), mask in zip(splitter.split(start), splitter.test_masks(), strict=True):
        role = fold_roles(start, end, mask, embargo, fraction)
        at = {name: np.flatnonzero(role == name) for name in range(len(ROLES))}
        np.testing.assert_array_equal(role == TEST, mask)
        # The last of what the test left for training, at least one if there is any.
        n_early_stop = int(np.ceil(fraction * len(training)))
        np.testing.assert_array_equal(at[EARLY_STOP], training[len(training) - n_early_stop :])
        rest = training[: len(training) - n_early_stop]
        expected = [i for i in rest if not conflict(i, at[EARLY_STOP], start, end, embargo)]
        np.testing.assert_array_equal(at[TRAIN], expected)
        for i in range(len(start)):
            against_test = conflict(i, at[TEST], start, end, embargo)
            against_stop = conflict(i, at[EARLY_STOP], start, end, embargo)
            if mask[i] or i in at[EARLY_STOP]:
                expected_role = ROLES[role[i]]
            elif against_test:
                expected_role = f"{against_test}_by_test"
            else:
                expected_role = f"{against_stop}_by_early_stop" if against_stop else "train"
            assert ROLES[role[i]] == expected_role


def test_neither_slice_sees_another():
    """On labels that all overlap their neighbours, three slices are valid splits pairwise."""
    start = np.arange(300) * 10
    end = start + 35
    for mask in PurgedKFold(5, start, end, 35).test_masks():
        role = fold_roles(start, end, mask, 35, 0.15)
        train, stop, test = (np.flatnonzero(role == r) for r in (TRAIN, EARLY_STOP, TEST))
        assert len(train) > 180
        assert len(stop) > 30
        for a, b in ((train, stop), (train, test), (stop, test)):
            pair = np.concatenate([a, b])
            is_b = np.isin(pair, b)
            order = np.argsort(pair)
            check_valid_split(
                np.flatnonzero(~is_b[order]),
                np.flatnonzero(is_b[order]),
                start[pair[order]],
                end[pair[order]],
            )
