"""Section `labels` of a study."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from price_physics.study.base import MAX_HORIZON_MINUTES, Config


class LabelsConfig(Config):
    """The vertical barrier, by the clock or by a number of bars, the horizontal ones' width, what
    touches them, and which way an event is traded.

    - A horizon of bars that lasts over 28 days gives no label.
    - path: ticks touch the barriers, or the highs and lows of the bars that were built from them.
      Where a market's rows are candles, these stand in for ticks, with their highs and lows. A bar
      or candle that touches both sides met the one beyond which it opens; any other does not tell
      which came first: `both_touched` drops the label, or takes the loss, whichever the side, and
      so only where a head asks about one side.
      Where a bar's stop left, nobody knows: at the worst of its level, the bar's open and its
      close, which is harsher than ticks, the more so the longer the bars. What `both_touched` drops
      is missing from expected values, which makes them rosier. And trades of the event's own
      instant that the next bar holds are on the path of bars; by ticks they are not.
    - side: a primary model says which way, and the label whether it was right (meta-labelling):
      long where the trailing return is positive and short where it is negative, for "trend";
      the other way round for "reversal". Without it every event is a long.
    """

    horizon_minutes: Annotated[float, Field(gt=0, le=MAX_HORIZON_MINUTES)] | None = None
    horizon_bars: Annotated[int, Field(ge=1)] | None = None
    atr_period_bars: int = Field(14, ge=1)
    path: Literal["ticks", "bars"] = "ticks"
    both_touched: Literal["drop", "stop_loss_first"] | None = None
    side: Literal["trend", "reversal"] | None = None

    @model_validator(mode="after")
    def _one_horizon(self) -> Self:
        if (self.horizon_minutes is None) == (self.horizon_bars is None):
            raise ValueError("give horizon_minutes or horizon_bars, one of them")
        if self.path == "bars" and self.both_touched is None:
            raise ValueError("path: bars needs both_touched: drop or stop_loss_first")
        return self

    @property
    def longest_horizon_ns(self) -> int:
        """The horizon, or what one of bars may last."""
        return round((self.horizon_minutes or MAX_HORIZON_MINUTES) * 60e9)

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unasked = (("path", "ticks"), *((key, None) for key in type(self).model_fields))
        return {key: value for key, value in handler(self).items() if (key, value) not in unasked}
