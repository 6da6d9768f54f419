"""Leaks that no tampering shows: unpurged folds, and barriers chosen in sample.

By the end of a month all of its labels are known, so a fold without purge is the same bytes
whatever comes later, and so is an in-sample policy. So this module looks at the intervals of the
labels in the stored folds, and at the manifest of every partition.
"""

import numpy as np
import pandas as pd

from price_physics.audit.findings import Leak, utc
from price_physics.folds.audit import audit_split
from price_physics.folds.runs import role_of_each
from price_physics.store.partitions import Partition

_TESTED_BY = {"test": ("train", "early_stop"), "early_stop": ("train",)}
"""For each tested role, the roles whose labels may not touch it."""


def split_leaks(folds: Partition) -> list[Leak]:
    """Check the training set of a month and every fold inside it.

    Parameters
    ----------
    folds : Partition
        A partition of the asset `folds`.

    Returns
    -------
    list of Leak
        At most one a kind, fold and tested role. Labels that train, or stop the training, may not
        touch a block of tested ones or its embargo; labels that train may not touch the slice that
        stops the training; no member may end after the month, when the model already serves.
    """
    members = folds.table("members").sort_values("event_time_ns")
    end_ns = int(folds.manifest["known_at"])
    late = members[members["label_end_ns"] > end_ns]
    leaks = []
    if len(late):
        what = f"the month ended at {utc(end_ns)}"
        first = late.iloc[0]
        interval = int(first["event_time_ns"]), int(first["label_end_ns"])
        leaks.append(_leak(folds, "members", "label_end_ns", "", interval, what, len(late)))
    embargo_ns = int(folds.document("manifest")["embargo_ns"])
    roles = folds.table("roles")
    for fold, rows in roles[roles["fold"] >= 0].groupby("fold", sort=True):
        labels = members.assign(role=role_of_each(rows, members["event_time_ns"].to_numpy()))
        leaks += _fold_leaks(folds, int(str(fold)), labels, embargo_ns)
    return leaks


def in_sample_leak(partition: Partition) -> Leak:
    """Report a partition whose manifest says that it depends on an in-sample policy."""
    return Leak(
        t_ns=None,
        asset=partition.key[1],
        month=str(partition.month),
        member="manifest.json",
        column="in_sample",
        row="",
        known_at_ns=int(partition.manifest["known_at"]),
        base="the barriers of a month",
        tampered="its own outcomes",
        n_rows=1,
        reason="in-sample policy",
    )


def _fold_leaks(folds: Partition, fold: int, labels: pd.DataFrame, embargo_ns: int) -> list[Leak]:
    leaks = []
    for tested, trained in _TESTED_BY.items():
        found = audit_split(
            labels["event_time_ns"].to_numpy(np.int64),
            labels["label_end_ns"].to_numpy(np.int64),
            np.flatnonzero(labels["role"].isin(trained)),
            np.flatnonzero(labels["role"] == tested),
            embargo_ns,
        )
        for finding in found:
            start, end = (utc(time) for time in finding.test_ns)
            what = f"{finding.kind} of {tested} label from {start} to {end}"
            where = f"fold {fold}, "
            counted = finding.n_labels
            leaks.append(_leak(folds, "roles", "role", where, finding.train_ns, what, counted))
    return leaks


def _leak(
    folds: Partition,
    table: str,
    column: str,
    where: str,
    interval: tuple[int, int],
    what: str,
    n_rows: int,
) -> Leak:
    return Leak(
        t_ns=None,
        asset="folds",
        month=str(folds.month),
        member=f"{table}.parquet",
        column=column,
        row=f"{where}event_time_ns {interval[0]} ({utc(interval[0])})",
        known_at_ns=int(folds.manifest["known_at"]),
        base=f"a training label until {utc(interval[1])}",
        tampered=what,
        n_rows=n_rows,
        reason="a label that trains touches what is tested",
    )
