"""Gather all inputs of a report: the results of a study through a month, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from price_physics.months import Month
    from price_physics.study.market import Market
    from price_physics.study.study import Study
    from price_physics.walk_forward.month import MonthWalk
    from price_physics.walk_forward.verdict import Verdict


@dataclass(frozen=True)
class Evidence:
    """What a report of a study through `month` shows.

    Attributes
    ----------
    walk_forward : mapping of month to MonthWalk
        All months up to `month`; those with a `warm_up` reason do not enter the numbers.
    predictions, labels : mapping of month to DataFrame
        PREDICTIONS and LABELS.
    label_counts : mapping of month to dict
        Events that have no label or no clear one: `dropped` by reason; `undecidable` without ticks.
    quality : mapping of month to dict
        What the ticks of the month say of themselves: the document `quality` of `ticks`.
    provenance : mapping of month to dict
        Of the model that served the month: model_month, warm_up, summary, folds, architecture.
    verdict : Verdict
        Of the same months.
    environment : dict
        versions, seed, config_hash, code_version, synthetic, in_sample, inputs; printed unchanged.
    """

    study: Study
    market: Market
    month: Month
    walk_forward: Mapping[Month, MonthWalk]
    predictions: Mapping[Month, pd.DataFrame]
    labels: Mapping[Month, pd.DataFrame]
    label_counts: Mapping[Month, dict[str, Any]]
    quality: Mapping[Month, dict[str, Any]]
    provenance: Mapping[Month, dict[str, Any]]
    verdict: Verdict
    environment: dict[str, Any]
