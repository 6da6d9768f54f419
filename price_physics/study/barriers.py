"""Section `barrier_policy` of a study: where the horizontal barriers stand.

A policy serves the events of the month after the one that it was made from. With `in_sample` it
serves the events of that month itself, as in many published studies, though nobody could know it
at the time: it is there for comparison, and no verdict is drawn from it.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from price_physics.study.base import Bounds, Config, Positive, Quantile, kind_or


class QuantileBarriers(Config):
    """Barriers at quantiles of past excursions, in ATR; at the fallback where there are few."""

    kind: Literal["month", "regime", "global"] = "month"
    """Whose excursions count: those of the last months, of the event's regime, or of all months."""
    take_profit_quantile: Quantile = 0.6
    """Quantile of favourable excursions at which the take-profit stands, between 0 and 1."""
    stop_loss_quantile: Quantile = 0.4
    """Quantile of adverse excursions at which the stop-loss stands, between 0 and 1."""
    take_profit_bounds: Bounds
    """Lowest and highest take-profit, in ATR."""
    stop_loss_bounds: Bounds
    """Lowest and highest stop-loss, in ATR."""
    winsor_quantile: Annotated[float, Field(gt=0.5, le=1)] = 0.99
    """Quantile at which excursions are cut off before their quantiles are taken."""
    min_events: int = Field(50, ge=1)
    """Number of events below which the fallback is used."""
    max_events: int = Field(50_000, ge=1)
    """Number of events above which a sample of that size is drawn."""
    lookback_months: int = Field(1, ge=1)
    """Months whose excursions count for `kind: month`, the policy's own included."""
    fallback_take_profit: Positive
    """Take-profit in ATR where events are too few."""
    fallback_stop_loss: Positive
    """Stop-loss in ATR where events are too few."""
    in_sample: bool = Field(False, exclude_if=lambda in_sample: not in_sample)
    """Whether a policy serves the month it was made from, as a comparison without a verdict."""

    @property
    def lag_months(self) -> int:
        """Months from a policy's own to that of the events that it serves."""
        return 0 if self.in_sample else 1

    @property
    def are_pinned(self) -> bool:
        """Whether the bounds leave no choice: then the fallback is what any policy would be."""
        return all(low == high for low, high in (self.take_profit_bounds, self.stop_loss_bounds))

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.min_events > self.max_events:
            raise ValueError(f"min_events {self.min_events} exceeds max_events {self.max_events}")
        for name, value, (low, high) in (
            ("fallback_take_profit", self.fallback_take_profit, self.take_profit_bounds),
            ("fallback_stop_loss", self.fallback_stop_loss, self.stop_loss_bounds),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} {value} lies outside its bounds [{low}, {high}]")
        return self


class _GivenBarriers(Config):
    """Barriers that the study gives, whatever the excursions."""

    lag_months: ClassVar[int] = 1

    kind: str
    in_sample: Literal[False] = Field(False, exclude=True)
    """Always false: these barriers are not chosen from excursions."""

    @field_validator("in_sample", mode="before")
    @classmethod
    def _knows_no_sample(cls, in_sample: Any, info: ValidationInfo) -> Any:
        if in_sample is True:
            raise ValueError(f"kind: {info.data['kind']} has no in_sample; remove it")
        return in_sample


class FixedBarriers(_GivenBarriers):
    """Barriers at given multiples of ATR."""

    kind: Literal["fixed"]
    """Where barriers stand: at given multiples of ATR."""
    take_profit_multiple: Positive
    """Take-profit in ATR."""
    stop_loss_multiple: Positive
    """Stop-loss in ATR."""

    @property
    def levels(self) -> tuple[float, float]:
        """Take-profit and stop-loss in ATR."""
        return self.take_profit_multiple, self.stop_loss_multiple


class PercentBarriers(_GivenBarriers):
    """Barriers at given percentages of the event's price."""

    kind: Literal["percent"]
    """Where barriers stand: at given percentages of the event's price."""
    take_profit_percent: Positive
    """Take-profit in percent of the event's price."""
    stop_loss_percent: Annotated[float, Field(gt=0, lt=100)]
    """Stop-loss in percent of the event's price."""

    @property
    def levels(self) -> tuple[float, float]:
        """Take-profit and stop-loss in percent."""
        return self.take_profit_percent, self.stop_loss_percent


BarrierPolicyConfig = Annotated[
    QuantileBarriers | FixedBarriers | PercentBarriers,
    Field(discriminator="kind"),
    kind_or("month"),
]
