"""The settings that make two studies the same trial."""

import hashlib
import json
from typing import Any

from price_physics.study.market import Market
from price_physics.study.study import Study


def config_hash(study: Study, market: Market) -> str:
    """Hash `trial_settings`."""
    settings = trial_settings(study, market)
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def trial_settings(study: Study, market: Market) -> dict[str, Any]:
    """List every setting that can change a trade: where all are equal, it is the same trial.

    Left out are names, descriptions, the extent of the data (`files`, months), what only refuses
    data (`vendor`, `strict_gaps`, `quarantine_limit`), motifs, and the device and its determinism.
    A trial that is looked at twice counts once.
    """
    without: Any = {
        "name": True,
        "description": True,
        "market": True,
        "motifs": True,
        "model": {"device", "deterministic"},
    }
    extent = {"name", "files", "first_month", "last_month"}
    refuses = {"vendor", "strict_gaps", "quarantine_limit"}
    return {
        "study": study.model_dump(mode="json", exclude=without),
        "market": market.model_dump(mode="json", exclude=extent | refuses),
    }
