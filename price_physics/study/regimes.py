"""Section `regime_features` of a study: what an event knows of the market's state."""

from typing import Annotated

from pydantic import Field

from price_physics.study.base import Config, MonthField, Positive, is_none


class RegimeFeaturesConfig(Config):
    """Spans of the trailing return and volatility that enter the network's head; the regime.

    Where no map says it, an event's regime is the tercile of its trailing volatility among those
    of earlier months' events.
    """

    return_minutes: Positive = 60
    """Minutes before an event over which its trailing return is taken."""
    volatility_minutes: Positive = 60
    """Minutes before an event over which its trailing volatility is taken."""
    regime_by_month: dict[MonthField, Annotated[int, Field(ge=0, le=2)]] | None = Field(
        None, exclude_if=is_none
    )
    """Regime of every month: 0 calm, 1 middle, 2 wild; null: by trailing volatility."""
