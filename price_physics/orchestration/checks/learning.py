"""Checks of images, folds, the model and its predictions."""

import numpy as np
import pandas as pd

from price_physics.folds.audit import audit_split
from price_physics.folds.runs import role_of_each
from price_physics.months import Month
from price_physics.orchestration.checks.finding import BUG, Case, Check, Finding, none_of
from price_physics.orchestration.checks.tables import n_rows
from price_physics.schemas.bars import BARS
from price_physics.schemas.folds import FOLD_MEMBERS, FOLD_ROLES
from price_physics.schemas.images import DROPPED_WINDOWS, IMAGE_WINDOWS
from price_physics.schemas.model import LEARNING_CURVES, OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.probabilities import PROBABILITIES

_SLACK = 1e-6
_FLAT = 0.002
_ENOUGH = 50


def _few_dropped(case: Case) -> Finding:
    n, n_dropped = n_rows(case.found, IMAGE_WINDOWS), n_rows(case.found, DROPPED_WINDOWS)
    numbers = {"windows": n, "dropped": n_dropped}
    text = f"{n} events have an image, {n_dropped} have not"
    longest = max(case.study.images.windows_bars) if case.study else 0
    bars = sum(n_rows(found, BARS) for found in case.inputs["bars"].values())
    if n_dropped and bars < 2 * longest:
        return Finding(True, f"{text}: {bars} bars, and a window needs {longest}", numbers)
    return Finding(n_dropped <= n, text, numbers)


def _no_label_crosses(case: Case) -> Finding:
    if case.found.warm_up:
        return Finding(True, f"a warm-up: {case.found.warm_up}")
    members = case.found.table(FOLD_MEMBERS.name).sort_values("event_time_ns")
    start, end = (members[c].to_numpy(np.int64) for c in ("event_time_ns", "label_end_ns"))
    roles = case.found.table(FOLD_ROLES.name)
    embargo = case.study.folds.embargo_ns if case.study else 0
    leaks, n_folds = [], 0
    for fold, of_fold in roles[roles["fold"] >= 0].groupby("fold"):
        role = role_of_each(of_fold, start)
        train = np.flatnonzero(np.isin(role, ["train", "early_stop"]))
        found = audit_split(start, end, train, np.flatnonzero(role == "test"), embargo)
        leaks += [f"fold {fold}: {leak}" for leak in found]
        n_folds += 1
    late = int((end > case.month.end_ns).sum())
    if late:
        leaks.append(f"{late} labels end after {case.month}")
    numbers = {"members": len(members), "folds": n_folds}
    return Finding(
        not leaks, "; ".join(leaks) or f"{n_folds} folds, {len(members)} labels", numbers
    )


def _probabilities_fit(case: Case) -> Finding:
    return none_of(_wrong_probabilities(case.found.table(OUT_OF_FOLD.name)), "all within 0 and 1")


def _wrong_probabilities(frame: pd.DataFrame) -> dict[str, int]:
    p = frame[["p_up", "p_flat", "p_down"]].to_numpy(np.float64)
    is_three = ~np.isnan(p[:, 1])
    return {
        "a probability outside 0 to 1": int(((p < -_SLACK) | (p > 1 + _SLACK)).any(axis=1).sum()),
        "probabilities that do not add up to one": int(
            (np.abs(p.sum(axis=1) - 1) > _SLACK)[is_three].sum()
        ),
        "no probability": int(np.isnan(p[:, 0]).sum()),
    }


def _losses_finite(case: Case) -> Finding:
    curves = case.found.table(LEARNING_CURVES.name)
    wrong = int((~np.isfinite(curves["train_loss"].to_numpy(np.float64))).sum())
    return none_of({"a loss that is not finite": wrong}, f"{len(curves)} epochs")


def _alive(case: Case) -> Finding:
    if case.found.warm_up:
        return Finding(True, f"a warm-up: {case.found.warm_up}")
    spread = float(case.found.table(OUT_OF_FOLD.name, ["p_up"])["p_up"].std())
    text = f"standard deviation of p_up out of fold {spread:.4f}"
    return Finding(spread > _FLAT, text, {"spread_p_up": spread})


def _calibrated(case: Case) -> Finding:
    if case.found.warm_up:
        return Finding(True, f"a warm-up: {case.found.warm_up}")
    summary = case.found.document("summary")
    error = summary["calibration_error_equal_count"]
    floor = summary.get(
        "calibration_floor_equal_count_effective", summary["calibration_floor_equal_count"]
    )
    numbers = {"calibration_error": error, "calibration_floor": floor}
    text = f"calibration error {error:.3f}; a perfect model of so few labels shows {floor:.3f}"
    return Finding(error <= 2 * floor, text, numbers)


def _offers_fit(case: Case) -> Finding:
    frame = case.found.table(PROBABILITIES.name)
    event = frame["event_time_ns"].to_numpy(np.int64)
    outside = (event < case.month.start_ns) | (event > case.month.end_ns)
    fits = (frame["lower"] < frame["price"]) & (frame["price"] < frame["upper"])
    return none_of(
        _wrong_probabilities(frame)
        | {
            "an event of another month": int(outside.sum()),
            "a price not between its barriers": int((~fits).sum()),
        },
        f"{len(frame)} events",
    )


def _signals_fit(case: Case) -> Finding:
    frame = case.found.table(PREDICTIONS.name)
    size, traded = frame["size"].to_numpy(np.float64), frame["side"].to_numpy() != 0
    return none_of(
        {
            "a size outside 0 to 1": int((~((size >= 0) & (size <= 1))).sum()),
            "a size without a side": int(((size != 0) & ~traded).sum()),
        },
        f"{len(frame)} events, {int(traded.sum())} with a side",
    )


def _model_is_older(case: Case) -> Finding:
    if case.found.warm_up:
        return Finding(True, f"a warm-up: {case.found.warm_up}")
    of = Month.parse(case.found.document("provenance")["model_month"])
    return Finding(of < case.month, f"the model of {of} predicts {case.month}")


def _both_sides(case: Case) -> Finding:
    side = case.found.table(PREDICTIONS.name, ["side"])["side"]
    n, n_long = int((side != 0).sum()), int((side > 0).sum())
    numbers = {"signals": n, "longs": n_long}
    text = f"{n_long} longs among {n} signals"
    if n < _ENOUGH or case.found.warm_up or (case.study and case.study.model.head != "three_class"):
        return Finding(True, text, numbers)
    return Finding(0 < n_long < n, text, numbers)


IMAGE_CHECKS = (
    Check(
        "most_events_have_images",
        _few_dropped,
        "No more events are dropped than drawn, where there are bars for two longest windows.",
        "the table `dropped` says why; a shorter longest window (images.windows_bars) needs fewer "
        "bars before an event.",
    ),
)
FOLD_CHECKS = (
    Check(
        "no_label_crosses_its_fold",
        _no_label_crosses,
        "No label that trains a fold, or stops it, meets a label that tests it, or starts within "
        "the embargo after; none ends after the month.",
        "the folds leak: trust no score of the model; " + BUG,
        blocking=True,
    ),
)
MODEL_CHECKS = (
    Check(
        "probabilities_fit",
        _probabilities_fit,
        "Out-of-fold probabilities lie within 0 and 1 and add up to one.",
        BUG,
        blocking=True,
    ),
    Check(
        "losses_are_finite",
        _losses_finite,
        "No epoch has a loss that is not a number.",
        "lower model.learning_rate or model.gradient_clip, or set model.precision to float32.",
        blocking=True,
    ),
    Check(
        "model_is_alive",
        _alive,
        "The model says different things of different events.",
        "it has collapsed to one answer: lower model.learning_rate, train longer "
        "(model.max_epochs), or give it more months.",
    ),
    Check(
        "model_is_calibrated",
        _calibrated,
        "The calibration error out of fold is at most twice what a perfect model would show of so "
        "few independent labels.",
        "its probabilities are not what comes out, and sizes follow them: look at the reliability "
        "plot of the report; fewer model.max_epochs overfit less.",
    ),
)
PROBABILITY_CHECKS = (
    Check(
        "probabilities_fit",
        _offers_fit,
        "Probabilities lie within 0 and 1 and add up to one, events are the month's, prices lie "
        "between their barriers.",
        BUG,
        blocking=True,
    ),
)
PREDICTION_CHECKS = (
    Check(
        "signals_fit",
        _signals_fit,
        "Sizes lie within 0 and 1, and none is without a side.",
        BUG,
        blocking=True,
    ),
    Check(
        "model_is_older",
        _model_is_older,
        "The model that predicts was trained through an earlier month.",
        "the predictions know their own month: trust no result of the study; " + BUG,
        blocking=True,
    ),
    Check(
        "both_sides_are_taken",
        _both_sides,
        "Signals are not all long, nor all short.",
        "in a market that trends that is what a model may say; else look at the labels' balance "
        "and at the spread of the probabilities.",
    ),
)
