"""Build the `predictions` partition of a month: what its probabilities are worth, and what trades.

No network is asked: whoever tries another fee, confidence or size waits for arithmetic only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.probabilities import PROBABILITIES
from price_physics.store.artefact import Artefact
from price_physics.walk_forward.signals import prediction_table

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Known, Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study


def build_predictions(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Decide about the events of `month`, out of sample.

    Parameters
    ----------
    study, market, month
    past : Past
        Probabilities of `month`, and the model of the month before, which gave them.

    Returns
    -------
    Artefact
        PREDICTIONS, and the `provenance` of the model, for the report. Where no network gave the
        probabilities (in warm-up and in the first month) nothing trades.
    """
    warm_up = past.of(PROBABILITIES.asset)[month].warm_up
    trained = past.of(OUT_OF_FOLD.asset).get(month - 1)
    served = trained is not None and warm_up is None
    out_of_fold = past.table(OUT_OF_FOLD)[month - 1] if served else None
    table = prediction_table(study, past.table(PROBABILITIES)[month], out_of_fold)
    return Artefact(
        tables=((PREDICTIONS, table),),
        documents={"provenance": _provenance(month - 1, trained, warm_up)},
        warm_up=warm_up,
    )


def _provenance(month: Month, trained: Known | None, warm_up: str | None) -> dict[str, Any]:
    """Describe the model of a month; a warm-up has no architecture."""
    if trained is None:
        empty: dict[str, Any] = {"summary": {}, "folds": {}, "architecture": {}}
        return {"model_month": None, "warm_up": warm_up, **empty}
    architecture = trained.document("architecture")
    return {
        "model_month": architecture.get("month", str(month)),  # a model may serve on
        "warm_up": warm_up,
        "summary": trained.document("summary"),
        "folds": trained.document("fold_manifest"),
        "architecture": architecture,
    }
