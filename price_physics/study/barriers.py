"""Section `barrier_policy` of a study."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from price_physics.study.base import Bounds, Config, Positive, Quantile

_QUANTILE_KEYS = {"take_profit_bounds", "stop_loss_bounds"} | {
    "fallback_take_profit",
    "fallback_stop_loss",
}


_LEVEL_KEYS = {
    "fixed": {"take_profit_multiple", "stop_loss_multiple"},
    "percent": {"take_profit_percent", "stop_loss_percent"},
}


class BarrierPolicyConfig(Config):
    """Where the horizontal barriers stand.

    - month, regime, global: at quantiles of past excursions, in ATR: of the last
      `lookback_months`, of the event's regime, or of all months; at the fallback where the
      sample is under `min_events`.
    - fixed: at given multiples of ATR.
    - percent: at given percentages of the event's price.

    A policy serves the events of the month after the one that it was made of. With `in_sample` it
    serves that month's own: what others publish, known to nobody at the time. It is there to be
    compared with, and no verdict is drawn from it.

    What belongs to another kind is None.
    """

    kind: Literal["month", "regime", "global", "fixed", "percent"] = "month"
    take_profit_multiple: Positive = None  # type: ignore[assignment]
    stop_loss_multiple: Positive = None  # type: ignore[assignment]
    take_profit_percent: Positive = None  # type: ignore[assignment]
    stop_loss_percent: Annotated[float, Field(gt=0, lt=100)] = None  # type: ignore[assignment]
    take_profit_quantile: Quantile = 0.6
    stop_loss_quantile: Quantile = 0.4
    take_profit_bounds: Bounds = None  # type: ignore[assignment]
    stop_loss_bounds: Bounds = None  # type: ignore[assignment]
    winsor_quantile: Annotated[float, Field(gt=0.5, le=1)] = 0.99
    min_events: int = Field(50, ge=1)
    max_events: int = Field(50_000, ge=1)
    lookback_months: int = Field(1, ge=1)
    fallback_take_profit: Positive = None  # type: ignore[assignment]
    fallback_stop_loss: Positive = None  # type: ignore[assignment]
    in_sample: bool = False

    @property
    def lag_months(self) -> int:
        """From the month of a policy to the month of the events that it serves."""
        return 0 if self.in_sample else 1

    @property
    def _keys(self) -> set[str]:
        levels = set().union(*_LEVEL_KEYS.values())
        every = set(type(self).model_fields)
        return {"kind", *_LEVEL_KEYS[self.kind]} if self.kind in _LEVEL_KEYS else every - levels

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        needed = _LEVEL_KEYS.get(self.kind, _QUANTILE_KEYS)
        if missing := sorted(key for key in needed if getattr(self, key) is None):
            raise ValueError(f"kind: {self.kind} needs {', '.join(missing)}")
        unsaid = set() if self.in_sample else {"in_sample"}  # false is what every kind is
        if foreign := sorted(self.model_fields_set - self._keys - unsaid):
            raise ValueError(f"kind: {self.kind} has no {', '.join(foreign)}; remove it")
        if self.min_events > self.max_events:
            raise ValueError(f"min_events {self.min_events} exceeds max_events {self.max_events}")
        for name, value, bounds in (
            ("fallback_take_profit", self.fallback_take_profit, self.take_profit_bounds),
            ("fallback_stop_loss", self.fallback_stop_loss, self.stop_loss_bounds),
        ):
            if value and bounds and not bounds[0] <= value <= bounds[1]:
                low, high = bounds
                raise ValueError(f"{name} {value} lies outside its bounds [{low}, {high}]")
        return self

    @model_serializer(mode="wrap")
    def _without_other_kinds(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        keys = self._keys if self.in_sample else self._keys - {"in_sample"}
        return {key: value for key, value in handler(self).items() if key in keys}
