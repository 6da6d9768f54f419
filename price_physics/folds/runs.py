"""Roles in time order, kept as runs: how many labels in a row have the same role.

A fold cuts time into a few stretches, so that a year of labels is a few rows.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.errors import StaleInputs
from price_physics.frames import IntArray
from price_physics.schemas.folds import FOLD_ROLES

Texts = npt.NDArray[np.object_]


def as_runs(fold: IntArray, event_time_ns: IntArray, role: Texts, known_at: int) -> pd.DataFrame:
    """Return FOLD_ROLES of labels that lie fold by fold, and by time in each.

    Parameters
    ----------
    fold, event_time_ns : int array of shape (n,)
    role : object array of shape (n,)
    known_at : int
        UTC ns.

    Examples
    --------
    >>> role = np.array(["test", "test", "train"], dtype=object)
    >>> runs = as_runs(np.zeros(3, np.int32), np.array([10, 20, 30]), role, 99)
    >>> runs[["role", "first_event_time_ns", "last_event_time_ns", "n_events"]].values.tolist()
    [['test', 10, 20, 2], ['train', 30, 30, 1]]
    """
    changes = np.ones(len(fold), dtype=np.bool_)
    changes[1:] = (fold[1:] != fold[:-1]) | (role[1:] != role[:-1])
    first = np.flatnonzero(changes)
    n_events = np.diff(np.append(first, len(fold)))
    columns = {
        "fold": fold[first].astype(np.int32),
        "first_event_time_ns": event_time_ns[first],
        "last_event_time_ns": event_time_ns[first + n_events - 1],
        "n_events": n_events.astype(np.int64),
        "role": role[first],
        "known_at": np.full(len(first), known_at, dtype=np.int64),
    }
    return pd.DataFrame(columns, columns=FOLD_ROLES.columns)


def role_of_each(runs: pd.DataFrame, event_time_ns: IntArray) -> Texts:
    """Return the role of every label of a fold.

    Parameters
    ----------
    runs : DataFrame
        FOLD_ROLES of one fold.
    event_time_ns : int64 array of shape (n,)
        The members, by time; of the fold -1 the labels that are no members.

    Returns
    -------
    object array of shape (n,)

    Raises
    ------
    StaleInputs
        When the runs are of other labels.
    """
    n_events = runs["n_events"].to_numpy(np.int64)
    stop = np.cumsum(n_events)
    n, first = len(event_time_ns), runs["first_event_time_ns"].to_numpy(np.int64)
    last = runs["last_event_time_ns"].to_numpy(np.int64)
    fits = int(n_events.sum()) == n and (n_events > 0).all()
    if not (
        fits
        and (event_time_ns[stop - n_events] == first).all()
        and (event_time_ns[stop - 1] == last).all()
    ):
        raise StaleInputs(
            f"the roles of fold {runs['fold'].tolist()[:1]} are of {int(n_events.sum())} labels, "
            f"and the {n} members are others: they were built from different labels"
        )
    return np.repeat(runs["role"].to_numpy(object), n_events)
