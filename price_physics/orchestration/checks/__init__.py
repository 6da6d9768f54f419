"""Checks by month of every asset: what is sound about it, and what to do where it is not.

A check is a plain function of a month; Dagster is known to this module alone. One that blocks
fails where a number would be wrong: the month is not written then, and nothing downstream runs.
The rest warns. The columns of every table are checked where it is written.
"""

import warnings

import dagster as dg

from price_physics.orchestration.checks.finding import Case, Check, Evaluation
from price_physics.orchestration.checks.labels import (
    EXCURSION_CHECKS,
    FEATURE_CHECKS,
    LABEL_CHECKS,
    POLICY_CHECKS,
    WEIGHT_CHECKS,
)
from price_physics.orchestration.checks.learning import (
    FOLD_CHECKS,
    IMAGE_CHECKS,
    MODEL_CHECKS,
    PREDICTION_CHECKS,
    PROBABILITY_CHECKS,
)
from price_physics.orchestration.checks.market import BAR_CHECKS
from price_physics.orchestration.checks.tables import table_checks
from price_physics.orchestration.checks.ticks import TICK_CHECKS
from price_physics.orchestration.checks.verdict import MOTIF_CHECKS, REPORT_CHECKS, WALK_CHECKS
from price_physics.study.market import Market

_OWN: dict[str, tuple[Check, ...]] = {
    "ticks": TICK_CHECKS,
    "bars": BAR_CHECKS,
    "regime_features": FEATURE_CHECKS,
    "excursions": EXCURSION_CHECKS,
    "barrier_policy": POLICY_CHECKS,
    "labels": LABEL_CHECKS,
    "weights": WEIGHT_CHECKS,
    "images": IMAGE_CHECKS,
    "folds": FOLD_CHECKS,
    "model": MODEL_CHECKS,
    "probabilities": PROBABILITY_CHECKS,
    "predictions": PREDICTION_CHECKS,
    "walk_forward": WALK_CHECKS,
    "report": REPORT_CHECKS,
    "motifs": MOTIF_CHECKS,
}


def checks_of(asset: str, market: Market) -> tuple[Check, ...]:
    """The checks of an asset, its own first; one that is not named here has those of tables."""
    return (*_OWN.get(asset, ()), *table_checks(asset, bool(market.candle_ns)))


def evaluate(asset: str, case: Case) -> list[Evaluation]:
    """Look at a month with every check of its asset."""
    return [Evaluation(check, check.look(case)) for check in checks_of(asset, case.market)]


def check_specs(
    asset: str, market: Market, key: dg.AssetKey, partitions: dg.PartitionsDefinition
) -> list[dg.AssetCheckSpec]:
    """What Dagster knows of an asset's checks before any month is computed."""
    with warnings.catch_warnings():
        # without partitions a check would belong to no month; the parameter is a preview
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                check.name,
                asset=key,
                description=check.description,
                blocking=check.blocking,
                partitions_def=partitions,
            )
            for check in checks_of(asset, market)
        ]
