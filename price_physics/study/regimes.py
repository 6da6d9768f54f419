"""Section `regime_features` of a study: what is known of the market's state at an event."""

from typing import Annotated

from pydantic import Field

from price_physics.study.base import MOST_MINUTES, Config, MonthField, Positive, is_none


class RegimeFeaturesConfig(Config):
    """The regime, and the spans of the trailing return and volatility in the network's head.

    Without a map, an event's regime is the tercile of its trailing volatility among the events of
    earlier months.
    """

    return_minutes: Annotated[Positive, Field(le=MOST_MINUTES)] = 60
    """Minutes before an event over which its trailing return is taken."""
    volatility_minutes: Annotated[Positive, Field(le=MOST_MINUTES)] = 60
    """Minutes before an event over which its trailing volatility is taken."""
    regime_by_month: dict[MonthField, Annotated[int, Field(ge=0, le=2)]] | None = Field(
        None, exclude_if=is_none
    )
    """Regime of every month: 0 calm, 1 middle, 2 wild; null goes by trailing volatility."""
