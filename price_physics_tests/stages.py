"""The stages before the network, chained in memory: what labels and predictions stand on."""

from price_physics.bars.build import build_bars
from price_physics.labels.build import build_labels
from price_physics.labels.excursions import build_excursions
from price_physics.labels.policy import build_policy
from price_physics.regimes.build import build_regime_features
from price_physics.schemas.bars import BARS
from price_physics.schemas.labels import BARRIER_POLICY, EXCURSIONS, LABELS
from price_physics.schemas.regimes import REGIME_FEATURES

BEFORE = (
    (BARS, build_bars),
    (REGIME_FEATURES, build_regime_features),
    (EXCURSIONS, build_excursions),
    (LABELS, build_labels),
    (BARRIER_POLICY, build_policy),
)
"""Each table and the stage that gives it, in the order in which a month is built."""
