"""The stage `folds`: the training set of a month, and the purged k-fold inside it.

The set of m holds labels whose horizon ended by the end of m; its model is tested on m+1. Weights
and features of its members are not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from price_physics.folds.purged import IntArray, PurgedKFold
from price_physics.folds.roles import (
    EARLY_STOP,
    NO_FOLD,
    ROLES,
    TEST,
    TRAIN,
    fold_roles,
    thin,
)
from price_physics.folds.runs import as_runs
from price_physics.frames import conform, stack
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import LABELS
from price_physics.store.artefact import Artefact

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study

_CLASSES = {
    "three_class": {"down": -1, "up": 1},
    "binary_take_profit": {"other": 0, "take profit": 1},
}


def build_folds(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Choose the training set through the month and split it.

    Members are the labels of months up to m that have a window, cross no known outage and do not
    stand at fallback barriers, which say nothing of the market. The embargo is the study's; where
    horizons count bars, no shorter than the members' longest.

    Parameters
    ----------
    past : Past
        LABELS and IMAGE_WINDOWS up to the month.

    Returns
    -------
    Artefact
        FOLD_MEMBERS by event time, FOLD_ROLES as runs, and a manifest to publish. Where there is
        too little to train on, `warm_up` says why and there are no roles.
    """
    months = _training_months(study, month, past)
    start_ns, end_ns, horizon_ns, label, excluded = _members(months, month, past)
    embargo_ns = study.folds.embargo_ns
    if study.labels.horizon_bars is not None:  # only the labels tell how long so many bars last
        embargo_ns = max(embargo_ns, int(horizon_ns.max(initial=0)))
    known_at = np.full(len(start_ns), month.end_ns, dtype=np.int64)
    members = conform(FOLD_MEMBERS, event_time_ns=start_ns, label_end_ns=end_ns, known_at=known_at)
    roles: npt.NDArray[np.int8] = np.empty((0, len(start_ns)), dtype=np.int8)
    folds: list[dict[str, Any]] = []
    classes = _classes(study, label)
    warm_up = _too_little(study, len(label), classes)
    if warm_up is None:
        roles, folds = _split(study, start_ns, end_ns, embargo_ns)
        warm_up = _empty_fold(embargo_ns, roles, classes)
    if warm_up is not None:
        roles, folds = roles[:0], []
    frame = _roles_frame(month, roles, start_ns, {} if warm_up else excluded)
    manifest = {
        "months": [str(months[0]), str(months[-1])] if months else [],
        "n_members": len(start_ns),
        "embargo_ns": embargo_ns,
        "folds": folds,
        "excluded": {reason: len(events) for reason, events in excluded.items()},
        "sha256": _digest(frame),
    }
    return Artefact(
        tables=((FOLD_ROLES, frame), (FOLD_MEMBERS, members)),
        documents={"manifest": manifest},
        warm_up=warm_up,
        highlights={"members": len(members)},
    )


def _training_months(study: Study, month: Month, past: Past) -> list[Month]:
    """Months whose labels train: all up to the month, or the latest `window_months` of them."""
    months = [m for m in past.of(LABELS.asset) if m <= month]
    return months[-study.folds.window_months :] if study.folds.window_months else months


def _members(
    months: list[Month], month: Month, past: Past
) -> tuple[IntArray, IntArray, IntArray, npt.NDArray[np.int8], dict[str, IntArray]]:
    """Start, end, horizon and label of each member, by start; times of the others by reason."""
    columns = ("event_time_ns", "label_end_ns", "horizon_end_ns", "label")
    reasons = ("crosses_outage", "at_fallback")
    labels, windows = (
        past.table(LABELS, *columns, *reasons),
        past.table(IMAGE_WINDOWS, "event_time_ns"),
    )
    start_ns, end_ns, horizon_end_ns, label, *flags = stack(
        LABELS, labels, months, *columns, *reasons
    )
    (drawn,) = stack(IMAGE_WINDOWS, windows, [m for m in windows if m <= month], "event_time_ns")
    left_out = ~np.isin(start_ns, drawn)
    excluded = {"no_window": np.sort(start_ns[left_out])}
    for reason, flag in zip(reasons, flags, strict=True):  # the first that holds
        excluded[reason] = np.sort(start_ns[flag & ~left_out])
        left_out |= flag
    kept = np.flatnonzero(~left_out)
    kept = kept[np.argsort(start_ns[kept], kind="stable")]
    horizon_ns = (horizon_end_ns - start_ns)[kept]
    return start_ns[kept], end_ns[kept], horizon_ns, label[kept], excluded


def _classes(study: Study, label: npt.NDArray[np.int8]) -> dict[str, npt.NDArray[np.bool_]]:
    """Find the samples of each class without which there is no training, by the class's name.

    Flat is not one of them: in some markets labels hardly ever time out.
    """
    seen = label if study.model.head == "three_class" else (label == 1).astype(np.int8)
    return {name: seen == value for name, value in _CLASSES[study.model.head].items()}


def _too_little(
    study: Study, n_members: int, classes: dict[str, npt.NDArray[np.bool_]]
) -> str | None:
    needed = max(study.folds.min_training_samples, study.folds.n_splits)
    if n_members < needed:
        return f"{n_members} training samples, and {needed} are needed"
    for name, mask in classes.items():
        if not mask.any():
            return f"no sample of class {name} among {n_members}"
    return None


def _split(
    study: Study, start_ns: IntArray, end_ns: IntArray, embargo_ns: int
) -> tuple[npt.NDArray[np.int8], list[dict[str, Any]]]:
    """Roles of shape (n_splits, n_samples), and the manifest's entry of each fold."""
    config = study.folds
    most = max(1, study.model.max_evaluated_events // config.n_splits)
    splitter = PurgedKFold(config.n_splits, start_ns, end_ns, embargo_ns)
    roles, folds = [], []
    for fold, test in enumerate(splitter.test_masks()):
        role = fold_roles(start_ns, end_ns, test, embargo_ns, config.early_stop_fraction)
        role = thin(role, most)
        counts = np.bincount(role, minlength=len(ROLES))
        roles.append(role)
        folds.append(
            {
                "fold": fold,
                "test_start_ns": int(start_ns[test][0]),
                "test_end_ns": int(end_ns[test].max()),
                "counts": {name: int(n) for name, n in zip(ROLES, counts, strict=True)},
            }
        )
    return np.stack(roles), folds


def _empty_fold(
    embargo_ns: int, roles: npt.NDArray[np.int8], classes: dict[str, npt.NDArray[np.bool_]]
) -> str | None:
    """Why a fold cannot be trained, stopped or tested; None when all can."""
    for fold, role in enumerate(roles):
        for needed in (TRAIN, EARLY_STOP, TEST):
            if not (role == needed).any():
                return (
                    f"fold {fold} has no {ROLES[needed]} sample left after purging, with an "
                    f"embargo of {embargo_ns / 60e9:g} minutes"
                )
        for name, mask in classes.items():
            if not mask[role == TRAIN].any():
                return f"fold {fold} has no training sample of class {name}"
    return None


def _roles_frame(
    month: Month,
    roles: npt.NDArray[np.int8],
    event_time_ns: IntArray,
    excluded: Mapping[str, IntArray],
) -> pd.DataFrame:
    """Build FOLD_ROLES: first the excluded labels with their reasons, then fold by fold."""
    outside = np.concatenate([np.empty(0, np.int64), *excluded.values()])
    of = [np.full(len(events), reason, dtype=object) for reason, events in excluded.items()]
    reason = np.concatenate([np.empty(0, object), *of])
    order = np.argsort(outside, kind="stable")
    parts = [as_runs(np.full(len(order), NO_FOLD), outside[order], reason[order], month.end_ns)]
    for fold, role in enumerate(roles):
        names = np.array(ROLES, dtype=object)[role]
        parts.append(as_runs(np.full(len(role), fold), event_time_ns, names, month.end_ns))
    return pd.concat(parts, ignore_index=True)


def _digest(roles: pd.DataFrame) -> str:
    """sha256 over the roles, so that two manifests can be told apart at a glance."""
    digest = hashlib.sha256()
    for column in ("fold", "first_event_time_ns", "n_events"):
        digest.update(roles[column].to_numpy().tobytes())
    digest.update("\n".join(roles["role"]).encode())
    return digest.hexdigest()
