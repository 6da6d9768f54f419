"""A study: a market and every parameter from bars on."""

from typing import Self

from pydantic import Field, model_validator

from price_physics.study.barriers import BarrierPolicyConfig
from price_physics.study.bars import BarsConfig
from price_physics.study.base import NAME, Config
from price_physics.study.events import EventsConfig, EveryBarEvents
from price_physics.study.folds import FoldsConfig
from price_physics.study.images import ImagesConfig
from price_physics.study.labels import LabelsConfig
from price_physics.study.model import ModelConfig
from price_physics.study.motifs import MotifsConfig
from price_physics.study.regimes import RegimeFeaturesConfig
from price_physics.study.walk_forward import WalkForwardConfig


class Study(Config):
    """A market and every parameter from bars on."""

    name: str = Field(pattern=NAME)
    """The file's name."""
    description: str = ""
    """What the study is about, in one sentence."""
    market: str
    """Name of the market: that of a file in `markets/`."""
    seed: int = Field(7, ge=0, lt=2**31)
    """Seed of every random number."""
    bars: BarsConfig
    """What closes a bar."""
    events: EventsConfig = EveryBarEvents()
    """Which bar closes are events."""
    labels: LabelsConfig
    """When a label ends, and what touches its barriers."""
    barrier_policy: BarrierPolicyConfig
    """Where take-profit and stop-loss stand."""
    regime_features: RegimeFeaturesConfig = RegimeFeaturesConfig()
    """What is known of the market's state at an event."""
    folds: FoldsConfig
    """The purged k-fold inside the training months."""
    images: ImagesConfig = ImagesConfig()
    """What is drawn of the bars before an event."""
    model: ModelConfig = ModelConfig()
    """The network and its training."""
    walk_forward: WalkForwardConfig
    """Costs, and what turns a probability into a trade."""
    motifs: MotifsConfig = MotifsConfig()
    """How many events are explained, in how many motifs."""

    @model_validator(mode="after")
    def _embargo_covers_the_horizon(self) -> Self:
        horizon = self.labels.horizon_minutes
        if horizon is not None and self.folds.embargo_minutes < horizon:
            raise ValueError(
                f"folds.embargo_minutes {self.folds.embargo_minutes} is shorter than "
                f"labels.horizon_minutes {self.labels.horizon_minutes}; give at least the horizon"
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
