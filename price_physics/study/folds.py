"""Section `folds` of a study: the purged k-fold inside the anchored training months."""

from typing import Annotated

from pydantic import Field

from price_physics.study.base import Config, NonNegative


class FoldsConfig(Config):
    """The purged k-fold inside the anchored training months.

    How long horizons of bars last only the labels tell: the embargo is then that of the longest,
    where `embargo_minutes` is less.
    """

    n_splits: int = Field(5, ge=2)
    """Number of folds."""
    embargo_minutes: NonNegative
    """Minutes after a test block from which no sample trains; at least the horizon."""
    early_stop_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    """Fraction of a fold's training samples, the latest, that decide when training stops."""
    min_training_samples: int = Field(200, ge=20)
    """Samples below which a month does not train: it is marked as warm-up."""

    @property
    def embargo_ns(self) -> int:
        return round(self.embargo_minutes * 60e9)
