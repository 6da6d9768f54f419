"""Section `folds` of a study."""

from typing import Annotated

from pydantic import (
    Field,
)

from price_physics.study.base import Config, NonNegative


class FoldsConfig(Config):
    """The purged k-fold inside the anchored training months.

    The embargo is at least the horizon. How long horizons of bars last only the labels tell: the
    embargo is then that of the longest, where `embargo_minutes` is less.
    """

    n_splits: int = Field(5, ge=2)
    embargo_minutes: NonNegative
    early_stop_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    min_training_samples: int = Field(200, ge=20)

    @property
    def embargo_ns(self) -> int:
        return round(self.embargo_minutes * 60e9)
