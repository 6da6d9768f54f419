"""Section `walk_forward` of a study: costs, and what turns a probability into a trade."""

from typing import Annotated, Literal

from pydantic import Field

from price_physics.study.base import Config, MonthField, NonNegative, is_none


class WalkForwardConfig(Config):
    """Costs a side in basis points, and the rule that turns a probability into a trade.

    Orders are filled at the first price known after the event and `latency_ms`. With candles that
    is the next one's open; with a latency, the close of the candle into which it falls.
    """

    fee_bps: NonNegative
    """Fee of the venue a side, in basis points of the notional."""
    slippage_bps: NonNegative
    """Slippage a side, in basis points of the notional."""
    half_spread_bps: NonNegative = 0.0
    """Half of the bid-ask spread, paid a side, in basis points of the notional."""
    latency_ms: NonNegative = 0.0
    """Milliseconds from an event to the moment at which its order may be filled."""
    min_confidence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the take-profit's probability that must lie above break-even; 0 asks for none."""
    sizing: Literal["probability", "fixed"] = "probability"
    """Size of a position: by its expected value over its standard deviation, or always 1."""
    judged_in: MonthField | None = Field(None, exclude_if=is_none)
    """The only month in which the study is judged, at 0.025; to declare before any is seen."""

    @property
    def cost_a_side(self) -> float:
        """Cost of trading one unit of notional once, as a fraction."""
        return (self.fee_bps + self.slippage_bps + self.half_spread_bps) * 1e-4

    @property
    def latency_ns(self) -> int:
        return round(self.latency_ms * 1e6)
