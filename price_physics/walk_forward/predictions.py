"""Build the `predictions` partition of a month with the model of the month before.

The model gives probabilities, `signals` decides what they are worth. No other module of this
package needs torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from price_physics.model.predict import driftless_probabilities, predict, serving_model
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY
from price_physics.schemas.model import OUT_OF_FOLD
from price_physics.schemas.predictions import PREDICTIONS
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.store.artefact import Artefact
from price_physics.study.barriers import BarrierPolicyConfig
from price_physics.walk_forward.signals import offered_events, prediction_table

if TYPE_CHECKING:
    import pandas as pd

    from price_physics.months import Month
    from price_physics.past import Known, Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study

_NO_MODEL = "first month of the market: no model was trained before it"


def build_predictions(study: Study, market: Market, month: Month, past: Past) -> Artefact:
    """Predict the events of `month`, out of sample.

    Parameters
    ----------
    study, market, month
    past : Past
        The model of the month before, and the barrier policy in force; bars of both months, images
        and regime features of `month`.

    Returns
    -------
    Artefact
        PREDICTIONS, and the `provenance` of the model, for the report. Without a model (in warm-up
        and in the first month) the probabilities are the driftless odds and are marked as such, and
        nothing trades.

    Raises
    ------
    StoreError
        When the tables were not built from one another, or the model belongs to another study.
    """
    trained = past.of("model").get(month - 1)
    provenance = _provenance(month - 1, trained)
    model = serving_model(trained)
    bars, features = past.table(BARS), past.table(REGIME_FEATURES)[month]
    times = past.table(IMAGE_WINDOWS)[month]["event_time_ns"].to_numpy(np.int64)
    policy = _policy(study.barrier_policy, month, past)
    events = offered_events(study, month, times, policy, bars, features)
    if trained is not None and model is not None:
        probabilities = predict(study, month, model, bars, events, features)
        table = prediction_table(study, events, probabilities, trained.table(OUT_OF_FOLD.name))
    else:
        table = prediction_table(study, events, driftless_probabilities(study, events), None)
    return Artefact(
        tables=((PREDICTIONS, table),),
        documents={"provenance": provenance},
        warm_up=provenance["warm_up"],
    )


def _policy(config: BarrierPolicyConfig, month: Month, past: Past) -> pd.DataFrame | None:
    """Return the BARRIER_POLICY that serves the month; None where there is none."""
    return past.table(BARRIER_POLICY).get(month - config.lag_months)


def _provenance(month: Month, trained: Known | None) -> dict[str, Any]:
    """Describe the model trained through a month."""
    if trained is None:
        empty: dict[str, Any] = {"summary": {}, "folds": {}, "architecture": {}}
        return {"model_month": None, "warm_up": _NO_MODEL, **empty}
    return {
        "model_month": str(month),
        "warm_up": trained.warm_up,
        "summary": trained.document("summary"),
        "folds": trained.document("fold_manifest"),
        "architecture": trained.document("architecture"),
    }
