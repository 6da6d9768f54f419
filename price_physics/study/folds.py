"""Section `folds` of a study: the purged k-fold inside the anchored training months."""

from typing import Annotated

from pydantic import Field

from price_physics.study.base import MOST_MINUTES, Config, NonNegative


class FoldsConfig(Config):
    """The purged k-fold inside the anchored training months.

    Only the labels tell how long a horizon of bars lasts: the embargo is then at least as long as
    the longest one.
    """

    n_splits: int = Field(5, ge=2)
    """Number of folds."""
    embargo_minutes: Annotated[NonNegative, Field(le=MOST_MINUTES)]
    """Minutes after a test block in which no training sample may start; at least the horizon."""
    early_stop_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    """Fraction of a fold's training samples, the latest, that decide when training stops."""
    min_training_samples: int = Field(200, ge=20)
    """Samples below which a month trains no network and is marked as warm-up."""

    @property
    def embargo_ns(self) -> int:
        return round(self.embargo_minutes * 60e9)
