"""What all sections of a YAML have in common: how strict they are, and shared types."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetPydanticSchema,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import core_schema

from price_physics.months import Month

MAX_HORIZON_MINUTES = 28 * 24 * 60
"""A horizon of at most 28 days ends in the event's month or the next: two months suffice."""

NAME = r"^[a-z0-9][a-z0-9_]{0,63}$"
"""The name of a market or a study: that of its file, and of its folder in the store."""

MonthField = Annotated[
    Month,
    PlainValidator(Month.parse),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-(0[1-9]|1[0-2])(-01)?$"}),
]

Positive = Annotated[float, Field(gt=0)]

NonNegative = Annotated[float, Field(ge=0)]

MOST_MINUTES = 525_600
"""A year: a span beyond it is a slip of the pen, and one far beyond no number of nanoseconds."""

Quantile = Annotated[float, Field(gt=0, lt=1)]


def _as_tuple(pair: Any) -> Any:
    """YAML has lists only."""
    return tuple(pair) if isinstance(pair, list) else pair


def _increasing(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"lower bound {pair[0]} exceeds upper bound {pair[1]}")
    return pair


Bounds = Annotated[
    tuple[Positive, Positive], BeforeValidator(_as_tuple), AfterValidator(_increasing)
]


class Config(BaseModel):
    # The text below a field is its description: prose, which is part of no code version.
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def is_none(value: object) -> bool:
    """Whether to leave a field out of a dump: unset, it must not change an old study's hash."""
    return value is None


def kind_or(default: str) -> BeforeValidator:
    """Give a section without a kind the default kind."""

    def with_kind(section: Any) -> Any:
        return {"kind": default, **section} if isinstance(section, dict) else section

    return BeforeValidator(with_kind)


def one_of(names: list[str]) -> GetPydanticSchema:
    """Accept the names found at run time, as a ``Literal`` accepts those in the code."""
    return GetPydanticSchema(lambda source, handler: core_schema.literal_schema(names))
