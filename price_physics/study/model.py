"""Section `model` of a study: the network and its training loop."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from price_physics.source import names_in
from price_physics.study.base import Config, NonNegative, Positive, one_of

ARCHITECTURES = names_in("price_physics.model.networks")
"""All networks, a module each."""

Architecture = Annotated[str, one_of(ARCHITECTURES)]


class ModelConfig(Config):
    """Network and training loop. A model is judged, calibrated and served in float32."""

    architecture: Architecture = "resnet_lite"
    """The network, by the name of its module."""
    width: Annotated[int, Field(ge=4, le=512)] | None = None
    """Channels of the network's first stage; null is the architecture's own."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Fraction of the last features that training drops."""
    head: Literal["three_class", "binary_take_profit"] = "three_class"
    """What the network predicts: down, flat or up, or whether the take-profit is reached."""
    offset: Literal["driftless", "none"] = "driftless"
    """What is added to the logits: the log of the driftless odds, or nothing, for comparison."""
    batch_size: int = Field(128, ge=2)
    """Samples in a step."""
    max_epochs: int = Field(8, ge=1)
    """Most epochs of a fit."""
    steps_per_epoch: int | None = Field(None, ge=1)
    """Steps in an epoch; null visits every sample once."""
    patience_epochs: int = Field(2, ge=1)
    """Epochs without a better early-stopping loss after which training stops."""
    schedule: Literal["one_cycle", "cosine"] = "one_cycle"
    """How the learning rate moves: up and down again, or only down."""
    learning_rate: Positive = 1e-3
    """The highest learning rate."""
    weight_decay: NonNegative = 0.01
    """Weight decay of AdamW."""
    gradient_clip: Positive | None = 1.0
    """Largest norm of a step's gradient; null clips nothing."""
    weights_on: Literal["loss", "sampler"] = "loss"
    """Whether uniqueness and class weights multiply the loss, or how often a sample is drawn."""
    class_weights: Literal["balanced"] | list[Positive] | None = None
    """Weights, one a class; `balanced` makes the classes of a fit's samples weigh the same."""
    focal_gamma: NonNegative = 0.0
    """Exponent of the focal loss of the binary head; 0 is cross-entropy."""
    max_evaluated_events: int = Field(20_000, ge=100)
    """Most samples, over all folds, that stop the training early, and most that are tested."""
    refit_every_months: int = Field(1, ge=1)
    """Months from one fit to the next; the last model serves in between."""
    n_seeds: int = Field(1, ge=1, le=32)
    """Networks whose logits are averaged."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of training; auto is bfloat16 on CUDA and float32 on the CPU."""
    deterministic: bool = False
    """Whether the same fit gives the same bytes on CUDA too, slower; on the CPU it always does."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs; auto is CUDA where there is one."""

    @property
    def n_classes(self) -> int:
        """Classes of the head: down, flat and up, or other and take profit."""
        return 3 if self.head == "three_class" else 2

    @model_validator(mode="after")
    def _one_weight_a_class(self) -> Self:
        if isinstance(self.class_weights, list) and len(self.class_weights) != self.n_classes:
            meant = "[down, flat, up]" if self.n_classes == 3 else "[other, take profit]"
            raise ValueError(
                f"class_weights {self.class_weights} must hold {self.n_classes} for head "
                f"{self.head}: {meant}"
            )
        if self.focal_gamma and self.head != "binary_take_profit":
            raise ValueError("focal_gamma belongs to head: binary_take_profit")
        return self
