"""Section `regime_features` of a study."""

from typing import Annotated, Any

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from price_physics.study.base import Config, MonthField, Positive


class RegimeFeaturesConfig(Config):
    """Spans of the trailing return and volatility that enter the network's head; the regime.

    The regime is the tercile of trailing volatility among earlier months' events, or what
    `regime_by_month` says of every month: 0 calm, 1 middle, 2 wild.
    """

    return_minutes: Positive = 60
    volatility_minutes: Positive = 60
    regime_by_month: dict[MonthField, Annotated[int, Field(ge=0, le=2)]] | None = None

    @model_serializer(mode="wrap")
    def _without_no_map(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if value is not None}
