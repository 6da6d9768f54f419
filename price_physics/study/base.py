"""What every section of a YAML has in common: how strict it is, and types with units."""

from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
)

from price_physics.months import Month

MAX_HORIZON_MINUTES = 28 * 24 * 60
"""A horizon of at most 28 days ends in the event's month or the next: two months suffice."""


MonthField = Annotated[Month, PlainValidator(Month.parse), PlainSerializer(str)]


Positive = Annotated[float, Field(gt=0)]


NonNegative = Annotated[float, Field(ge=0)]


Quantile = Annotated[float, Field(gt=0, lt=1)]


def _increasing(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"lower bound {pair[0]} exceeds upper bound {pair[1]}")
    return pair


Bounds = Annotated[tuple[Positive, Positive], AfterValidator(_increasing)]


class Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
