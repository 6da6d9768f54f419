"""Section `labels` of a study: the vertical barrier, and what touches the horizontal ones."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from price_physics.study.base import MAX_HORIZON_MINUTES, Config, is_none

_HORIZONS = ("horizon_minutes", "horizon_bars")


class LabelsConfig(Config, json_schema_extra={"anyOf": [{"required": [h]} for h in _HORIZONS]}):
    """The horizon, by the clock or by a number of bars, the ATR, the path and the side.

    Where a market's rows are candles, their highs and lows stand in for ticks. A bar or candle that
    touches both barriers touched the one beyond which it opens first; if it opens between them, it
    does not tell which came first.

    A stop in a bar exits at the bar's open where that is beyond its level. Or else it exits beyond
    its level by 0.73 times the mean step from a bar's close to the next one's open, over 100 bars,
    which is about what it costs by ticks. Labels that `both_touched` drops are missing from
    expected values, which makes these rosier. The path of bars includes trades of the event's own
    instant that the next bar holds; the path of ticks does not.
    """

    horizon_minutes: Annotated[float, Field(gt=0, le=MAX_HORIZON_MINUTES)] | None = Field(
        None, exclude_if=is_none
    )
    """Minutes after an event at which its label ends, by the clock; this or `horizon_bars`."""
    horizon_bars: Annotated[int, Field(ge=1)] | None = Field(None, exclude_if=is_none)
    """Bars after an event at which its label ends; over 28 days there is no label."""
    atr_period_bars: int = Field(14, ge=1)
    """Bars over which the average true range, the unit of barriers, is taken."""
    path: Literal["ticks", "bars"] = Field("ticks", exclude_if=lambda path: path == "ticks")
    """What touches barriers: ticks, or the highs and lows of the bars that were built from them."""
    both_touched: Literal["drop", "stop_loss_first"] | None = Field(None, exclude_if=is_none)
    """What a bar or candle that touches both barriers gives: no label, or a loss."""
    side: Literal["trend", "reversal"] | None = Field(None, exclude_if=is_none)
    """Which way a primary model trades: with the trailing return, or against it; null is long."""

    @model_validator(mode="after")
    def _one_horizon(self) -> Self:
        if (self.horizon_minutes is None) == (self.horizon_bars is None):
            raise ValueError("give horizon_minutes or horizon_bars, one of them")
        if self.path == "bars" and self.both_touched is None:
            raise ValueError("path: bars needs both_touched: drop or stop_loss_first")
        return self

    @property
    def longest_horizon_ns(self) -> int:
        """The horizon by the clock, or the longest that one of bars may last."""
        return round((self.horizon_minutes or MAX_HORIZON_MINUTES) * 60e9)
