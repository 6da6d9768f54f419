"""Section `events` of a study."""

from typing import Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from price_physics.study.base import Config, Positive


class EventsConfig(Config):
    """Which bar closes are events; the count, and the filter, restart each month.

    - every: every `every_n_bars`-th, starting at `offset_bars`.
    - cusum: whenever the log returns since the last event sum to `cusum_bps` basis points
      either way (the symmetric CUSUM filter).
    """

    kind: Literal["every", "cusum"] = "every"
    every_n_bars: int = Field(1, ge=1)
    offset_bars: int = Field(0, ge=0)
    cusum_bps: Positive | None = None

    @model_validator(mode="after")
    def _own_keys(self) -> Self:
        if self.offset_bars >= self.every_n_bars:
            raise ValueError(
                f"offset_bars {self.offset_bars} must be below every_n_bars {self.every_n_bars}"
            )
        if (self.kind == "cusum") != (self.cusum_bps is not None):
            raise ValueError("cusum_bps belongs to kind: cusum, which needs it")
        if self.kind == "cusum" and {"every_n_bars", "offset_bars"} & self.model_fields_set:
            raise ValueError("every_n_bars and offset_bars belong to kind: every")
        return self

    @model_serializer(mode="wrap")
    def _without_the_other_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        every = ("every_n_bars", "offset_bars")
        own = {"every": every, "cusum": ("kind", "cusum_bps")}[self.kind]
        return {key: value for key, value in handler(self).items() if key in own}
