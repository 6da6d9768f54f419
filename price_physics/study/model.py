"""Section `model` of a study."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    model_validator,
)

from price_physics.study.base import Config, NonNegative, Positive


class ModelConfig(Config):
    """Network and training loop.

    - width: None is the architecture's own.
    - steps_per_epoch: None visits every sample once.
    - gradient_clip: the largest norm of a step's gradient; None clips nothing.
    - weights_on: uniqueness and class weights multiply the loss, or decide how often a sample is
      drawn (with replacement); never both.
    - class_weights: one a class; balanced weighs the classes of each fit's training samples the
      same in total.
    - n_seeds: networks whose logits are averaged.
    - precision: of training; auto is bfloat16 on CUDA and float32 on the CPU. A model is judged,
      calibrated and served in float32.
    - deterministic: on CUDA, the same fit gives the same bytes, slower; on the CPU it always does.
    """

    architecture: Literal["resnet_lite", "patchify"] = "resnet_lite"
    width: Annotated[int, Field(ge=4, le=512)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    head: Literal["three_class", "binary_take_profit"] = "three_class"
    batch_size: int = Field(128, ge=2)
    max_epochs: int = Field(8, ge=1)
    steps_per_epoch: int | None = Field(None, ge=1)
    patience_epochs: int = Field(2, ge=1)
    schedule: Literal["one_cycle", "cosine"] = "one_cycle"
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.01
    gradient_clip: Positive | None = 1.0
    weights_on: Literal["loss", "sampler"] = "loss"
    class_weights: Literal["balanced"] | list[Positive] | None = None
    focal_gamma: NonNegative = 0.0
    n_seeds: int = Field(1, ge=1, le=32)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    deterministic: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _one_weight_a_class(self) -> Self:
        n_classes = 3 if self.head == "three_class" else 2
        if isinstance(self.class_weights, list) and len(self.class_weights) != n_classes:
            raise ValueError(
                f"class_weights {self.class_weights} must hold {n_classes} for head {self.head}: "
                + ("[down, flat, up]" if n_classes == 3 else "[other, take profit]")
            )
        if self.focal_gamma and self.head != "binary_take_profit":
            raise ValueError("focal_gamma belongs to head: binary_take_profit")
        return self
