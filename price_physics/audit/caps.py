"""Settings that an audit lowers, so that a study's whole DAG runs in minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from price_physics.study.study import Study

CAPS: Mapping[str, float] = {
    "folds.n_splits": 3,
    "images.size_pixels": 24,
    "model.width": 6,
    "model.max_epochs": 2,
    "model.steps_per_epoch": 20,
    "motifs.max_events": 32,
    "walk_forward.min_confidence": 0.0,
    "walk_forward.fee_bps": 0.0,
    "walk_forward.slippage_bps": 0.0,
}
"""Settings and their highest value in an audit: small networks, trained briefly, that trade at no
cost, as they would hardly trade otherwise. None of them changes an arrow of the DAG."""


def lowered(study: Study, caps: Mapping[str, float]) -> dict[str, tuple[Any, Any]]:
    """Find the settings above their caps, each with the study's value and the audit's."""
    overrides = {}
    for key, most in caps.items():
        section, name = key.split(".")
        value = getattr(getattr(study, section), name)
        if value is None or value > most:
            overrides[key] = (value, most)
    return overrides
