"""Checks of features, excursions, barriers, labels and weights."""

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.orchestration.checks.finding import BUG, Case, Check, Finding, none_of
from price_physics.past import Known, Past
from price_physics.pipeline.dag import STAGES
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import FEATURE_COLUMNS, REGIME_FEATURES
from price_physics.schemas.table import ODDS
from price_physics.schemas.weights import WEIGHTS
from price_physics.store.artefact import Artefact

_RARE, _ENOUGH = 0.02, 50
_SLACK = 1e-9


def _features_in_range(case: Case) -> Finding:
    frame = case.found.table(REGIME_FEATURES.name)
    unit = [np.hypot(frame[f"{c}_sin"], frame[f"{c}_cos"]) for c in ("time_of_day", "day_of_week")]
    return none_of(
        {
            "a feature that is not finite": (
                ~np.isfinite(frame[FEATURE_COLUMNS]).all(axis=1)
            ).sum(),
            "a volatility below zero": (frame["trailing_volatility"] < 0).sum(),
            "a time that is on no circle": (np.abs(np.array(unit) - 1) > _SLACK).sum(),
            "a regime but 0, 1 and 2": (~frame["regime"].isin([0, 1, 2])).sum(),
        },
        f"{len(frame)} events",
    )


def _cut(found: Known, t_ns: int) -> Artefact:
    """Bars as they were known at a time, in the columns that features are made of."""
    bars = found.table(BARS.name, ["close_time_ns", "close", "partial", "known_at"])
    return Artefact(tables=((BARS, bars[bars["known_at"] <= t_ns].reset_index(drop=True)),))


def _no_look_ahead(case: Case) -> Finding:
    """Compute the features again at one event in the month's middle, of bars known by then."""
    frame = case.found.table(REGIME_FEATURES.name)
    if not len(frame):
        return Finding(True, "no event")
    t_ns = int(frame["event_time_ns"].iloc[len(frame) // 2])
    bars: dict[Month, Known] = {m: _cut(found, t_ns) for m, found in case.inputs["bars"].items()}
    stage = STAGES["regime_features"].function()
    then = stage(case.study, case.market, case.month, Past({"bars": bars}))
    known = then.table(REGIME_FEATURES.name)
    same = known.equals(frame.iloc[: len(known)].reset_index(drop=True))
    at = pd.Timestamp(t_ns, tz="UTC").isoformat(timespec="seconds")
    text = f"{len(known)} events up to {at}, computed of bars known by then: "
    return Finding(same, text + ("the same" if same else "other features than with later bars"))


def _excursions_in_range(case: Case) -> Finding:
    frame = case.found.table(EXCURSIONS.name)
    return none_of(
        {
            "an ATR that is not above zero": (~(frame["atr"] > 0)).sum(),
            "an excursion below zero": (
                ~(frame[["favourable_atr", "adverse_atr"]] >= 0).all(axis=1)
            ).sum(),
        },
        f"{len(frame)} events",
    )


def _barriers_in_bounds(case: Case) -> Finding:
    frame, study = case.found.table(BARRIER_POLICY.name), case.study
    wrong = {"a barrier that is not above zero": 0}
    bounds = study.barrier_policy if study else None
    for column in ("take_profit_multiple", "stop_loss_multiple"):
        values = frame[column].to_numpy(np.float64)
        wrong["a barrier that is not above zero"] += int((~(values > 0)).sum())
        limits = getattr(bounds, column.replace("multiple", "bounds"), None)
        if limits:
            low, high = limits
            outside = (values < low * (1 - _SLACK)) | (values > high * (1 + _SLACK))
            wrong[f"{column} outside {low:g} to {high:g}"] = int(outside.sum())
    n_events = int(frame["n_events"].sum())
    return none_of(wrong, f"{', '.join(sorted(set(frame['source'])))}; {n_events} excursions")


def _outcomes_fit(case: Case) -> Finding:
    frame = case.found.table(LABELS.name)
    event, end, horizon = (
        frame[c].to_numpy(np.int64) for c in ("event_time_ns", "label_end_ns", "horizon_end_ns")
    )
    odds = frame[list(ODDS)].to_numpy(np.float64)
    gain = frame["label"] * frame["outcome_atr"]
    return none_of(
        {
            "a label but -1, 0 and 1": (~frame["label"].isin([-1, 0, 1])).sum(),
            "ends before its event, or after its horizon": ((end < event) | (end > horizon)).sum(),
            "horizon outside the month": (
                (horizon > case.month.end_ns) | (horizon < case.month.start_ns)
            ).sum(),
            "price not between its barriers": (
                ~((frame["lower"] < frame["price"]) & (frame["price"] < frame["upper"]))
            ).sum(),
            "a take-profit that loses, or a stop-loss that gains": (gain < -_SLACK).sum(),
            "driftless odds that do not add up to one": (
                (np.abs(odds.sum(axis=1) - 1) > 1e-6) | (odds < -_SLACK).any(axis=1)
            ).sum(),
        },
        f"{len(frame)} labels",
    )


def _balance(case: Case) -> Finding:
    label = case.found.table(LABELS.name, ["label"])["label"]
    shares = {
        name: float((label == k).mean()) for name, k in (("up", 1), ("flat", 0), ("down", -1))
    }
    if len(label) < _ENOUGH:
        return Finding(True, f"{len(label)} labels: too few to tell")
    text = ", ".join(f"{share:.0%} {name}" for name, share in shares.items())
    passed = min(shares["up"], shares["down"]) >= _RARE
    return Finding(
        passed, f"{text} of {len(label)} labels", {f"share_{k}": v for k, v in shares.items()}
    )


def _weights_cover(case: Case) -> Finding:
    frame = case.found.table(WEIGHTS.name, ["average_uniqueness"])
    uniqueness = frame["average_uniqueness"].to_numpy(np.float64)
    n_labels = sum(len(m.table(LABELS.name, ["label"])) for m in case.inputs["labels"].values())
    outside = int((~((uniqueness > 0) & (uniqueness <= 1 + _SLACK))).sum())
    mean = float(uniqueness.mean()) if len(uniqueness) else 0.0
    return none_of(
        {"a uniqueness outside 0 to 1": outside, "labels without a weight": n_labels - len(frame)},
        f"{len(frame)} labels up to {case.month}, mean uniqueness {mean:.3f}",
    )


FEATURE_CHECKS = (
    Check(
        "features_in_range",
        _features_in_range,
        "Features are finite, volatilities not below zero, times of day and week on their circles.",
        BUG,
        blocking=True,
    ),
    Check(
        "no_look_ahead",
        _no_look_ahead,
        "Features up to an event in the month's middle are the same to the last bit when computed "
        "of the bars that were known by then. `price-physics audit` does so for every asset.",
        "a feature looks ahead: trust no result of the study; run price-physics audit --study.",
        blocking=True,
    ),
)
EXCURSION_CHECKS = (
    Check(
        "excursions_in_range",
        _excursions_in_range,
        "ATRs are above zero, and excursions not below.",
        BUG,
        blocking=True,
    ),
)
POLICY_CHECKS = (
    Check(
        "barriers_in_bounds",
        _barriers_in_bounds,
        "Barriers are above zero, and within the study's bounds.",
        BUG,
        blocking=True,
    ),
)
LABEL_CHECKS = (
    Check(
        "outcomes_fit",
        _outcomes_fit,
        "A label ends after its event and by its horizon, which ends in the month; the price lies "
        "between its barriers; a take-profit does not lose; driftless odds add up to one.",
        BUG,
        blocking=True,
    ),
    Check(
        "labels_in_balance",
        _balance,
        f"Either side is at least {_RARE:.0%} of the month's labels.",
        "the network can learn little of the rare side: move the barriers closer "
        "(barrier_policy), or lengthen the horizon (labels).",
    ),
)
WEIGHT_CHECKS = (
    Check(
        "weights_cover_labels",
        _weights_cover,
        "Every label up to the month has a uniqueness above 0 and at most 1.",
        BUG,
        blocking=True,
    ),
)
