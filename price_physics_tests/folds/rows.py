"""Roles as a row for every label, which tests read more easily than runs."""

import pandas as pd

from price_physics.folds.roles import NO_FOLD
from price_physics.folds.runs import role_of_each


def role_rows(roles, members, labels=None):
    """Fold, event and role of every member in every fold; with labels, of those outside as well.

    Parameters
    ----------
    roles, members : DataFrame
        FOLD_ROLES and FOLD_MEMBERS.
    labels : int array, optional
        Events of all labels.
    """
    of_fold = {fold: members["event_time_ns"].to_numpy() for fold in roles["fold"] if fold >= 0}
    if labels is not None:
        outside = sorted(set(labels) - set(members["event_time_ns"]))
        of_fold[NO_FOLD] = pd.Series(outside, dtype="int64").to_numpy()
    parts = [
        pd.DataFrame(
            {
                "fold": fold,
                "event_time_ns": times,
                "role": role_of_each(roles[roles["fold"] == fold], times),
            }
        )
        for fold, times in of_fold.items()
    ]
    if not parts:
        return pd.DataFrame(columns=["fold", "event_time_ns", "role"])
    return pd.concat(parts, ignore_index=True)
