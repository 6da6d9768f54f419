"""Section `events` of a study: which bar closes are events; both kinds restart each month."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from price_physics.study.base import Config, Positive, kind_or


class EveryBarEvents(Config):
    """Every n-th bar close is an event."""

    kind: Literal["every"] = Field("every", exclude=True)
    """Which closes are events: every n-th."""
    every_n_bars: int = Field(1, ge=1)
    """Bars from one event to the next."""
    offset_bars: int = Field(0, ge=0)
    """Bars of a month before its first event; less than `every_n_bars`."""

    @model_validator(mode="after")
    def _starts_within_the_first(self) -> Self:
        if self.offset_bars >= self.every_n_bars:
            raise ValueError(
                f"offset_bars {self.offset_bars} must be below every_n_bars {self.every_n_bars}"
            )
        return self


class CusumEvents(Config):
    """A close is an event when the log returns since the last one sum far enough either way."""

    kind: Literal["cusum"]
    """Which closes are events: those of the symmetric CUSUM filter."""
    cusum_bps: Positive
    """Sum of log returns, either way, that makes an event, in basis points."""


EventsConfig = Annotated[
    EveryBarEvents | CusumEvents, Field(discriminator="kind"), kind_or("every")
]
