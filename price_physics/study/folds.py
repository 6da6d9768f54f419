"""Section `folds` of a study: the training months, and the purged k-fold inside them."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from price_physics.study.base import MOST_MINUTES, Config, NonNegative


class FoldsConfig(Config):
    """The training months, all since the first unless a window is set, and the k-fold inside them.

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
    window_months: int | None = Field(None, ge=1)
    """Months of labels that train, the latest; null trains on all since the first."""
    max_training_events: int | None = Field(None, ge=20)
    """Most samples that a fit trains on, drawn by their uniqueness; null trains on all."""

    @model_validator(mode="after")
    def _enough_samples_kept(self) -> Self:
        most, least = self.max_training_events, self.min_training_samples
        if most is not None and most < least:
            raise ValueError(
                f"max_training_events is {most}, below min_training_samples, {least}: no month "
                "would ever train"
            )
        return self

    @property
    def embargo_ns(self) -> int:
        return round(self.embargo_minutes * 60e9)
