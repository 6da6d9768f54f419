"""Build the `probabilities` partition: events of a month, asked of the model of the month before.

The only stage that runs the network out of sample. What the probabilities are worth is decided in
`walk_forward`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from price_physics.frames import conform
from price_physics.labels.offers import offered_events
from price_physics.model.predict import driftless_probabilities, predict, serving_model
from price_physics.schemas.bars import BARS
from price_physics.schemas.images import IMAGE_WINDOWS
from price_physics.schemas.labels import BARRIER_POLICY
from price_physics.schemas.probabilities import PROBABILITIES
from price_physics.schemas.regimes import REGIME_FEATURES
from price_physics.store.artefact import Artefact

if TYPE_CHECKING:
    from price_physics.months import Month
    from price_physics.past import Past
    from price_physics.study.market import Market
    from price_physics.study.study import Study

_NO_MODEL = "first month of the market: no model was trained before it"


def build_probabilities(study: Study, market: Market, month: Month, past: Past) -> Artefact:
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
        PROBABILITIES. Without a model (in warm-up and in the first month) they are the driftless
        odds and are marked as such, and `warm_up` says why.

    Raises
    ------
    StoreError
        When the tables were not built from one another, or the model belongs to another study.
    ConfigError
        When the device is not available.
    """
    trained = past.of("model").get(month - 1)
    model = serving_model(trained, study.model.device)
    bars, features = past.table(BARS), past.table(REGIME_FEATURES)[month]
    times = past.table(IMAGE_WINDOWS)[month]["event_time_ns"].to_numpy(np.int64)
    policy = past.table(BARRIER_POLICY).get(month - study.barrier_policy.lag_months)
    events = offered_events(study, month, times, policy, bars, features)
    if model is None:
        p = driftless_probabilities(study, events)
    else:
        p = predict(study, month, model, bars, events, features)
    table = conform(
        PROBABILITIES,
        **events,
        by_network=np.full(len(events), model is not None),
        **p[["p_up", "p_flat", "p_down"]],
    )
    return Artefact(
        tables=((PROBABILITIES, table),),
        warm_up=_NO_MODEL if trained is None else trained.warm_up,
    )
