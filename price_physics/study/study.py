"""A study: a market and every parameter from bars on."""

from typing import Self

from pydantic import (
    Field,
    model_validator,
)

from price_physics.study.barriers import BarrierPolicyConfig
from price_physics.study.bars import BarsConfig
from price_physics.study.base import Config
from price_physics.study.events import EventsConfig
from price_physics.study.folds import FoldsConfig
from price_physics.study.images import ImagesConfig
from price_physics.study.labels import LabelsConfig
from price_physics.study.model import ModelConfig
from price_physics.study.motifs import MotifsConfig
from price_physics.study.regimes import RegimeFeaturesConfig
from price_physics.study.walk_forward import WalkForwardConfig


class Study(Config):
    """A market and every parameter from bars on."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    description: str = ""
    market: str
    seed: int = Field(7, ge=0, lt=2**31)
    bars: BarsConfig
    events: EventsConfig = EventsConfig()
    labels: LabelsConfig
    barrier_policy: BarrierPolicyConfig
    regime_features: RegimeFeaturesConfig = RegimeFeaturesConfig()
    folds: FoldsConfig
    images: ImagesConfig = ImagesConfig()
    model: ModelConfig = ModelConfig()
    walk_forward: WalkForwardConfig
    motifs: MotifsConfig = MotifsConfig()

    @model_validator(mode="after")
    def _embargo_covers_the_horizon(self) -> Self:
        horizon = self.labels.horizon_minutes
        if horizon is not None and self.folds.embargo_minutes < horizon:
            raise ValueError(
                f"folds.embargo_minutes {self.folds.embargo_minutes} is shorter than "
                f"labels.horizon_minutes {self.labels.horizon_minutes}; a label outlives it"
            )
        return self

    @model_validator(mode="after")
    def _a_loss_has_one_side(self) -> Self:
        first, head = self.labels.both_touched, self.model.head
        if first == "stop_loss_first" and head != "binary_take_profit":
            raise ValueError(
                f"labels.both_touched {first} is a loss to longs and shorts alike, and model.head "
                f"{head} takes a long's loss for a short's profit; set labels.both_touched: drop, "
                "or model.head: binary_take_profit"
            )
        return self

    @model_validator(mode="after")
    def _one_side_one_question(self) -> Self:
        if self.labels.side is not None and self.model.head != "binary_take_profit":
            raise ValueError(
                f"labels.side {self.labels.side} says which way to trade, and model.head "
                f"{self.model.head} asks it again; set model.head: binary_take_profit"
            )
        return self
