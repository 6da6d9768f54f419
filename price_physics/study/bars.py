"""Section `bars` of a study: what closes a bar."""

# Every kind says its `unit`, its `scale` and whether it `expects_flow`.

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from price_physics.study.base import MAX_HORIZON_MINUTES, Config, Positive, kind_or

TargetBarsADay = Annotated[
    Positive | None,
    Field(
        description="Bars a calendar day to aim at: the threshold, or `expected_ticks`, follows "
        "the month before; null keeps the one given."
    ),
]

ClipFactor = Annotated[
    float,
    Field(
        ge=1,
        description="Largest factor, either way, by which `target_bars_a_day` moves the threshold "
        "or `expected_ticks` away from the one given.",
    ),
]


class TimeBars(Config):
    """Bars that the clock closes, in intervals counted from the start of the month."""

    unit: ClassVar[str] = "time"
    expects_flow: ClassVar[bool] = False

    kind: Literal["time"]
    """What closes a bar: the clock."""
    interval_minutes: Annotated[float, Field(ge=1 / 60, le=MAX_HORIZON_MINUTES)]
    """Length of a bar in minutes."""

    @property
    def scale(self) -> float:
        """The interval in minutes."""
        return self.interval_minutes


class TickBars(Config):
    """Bars that a number of ticks closes, or of candles where the market has those."""

    unit: ClassVar[str] = "tick"
    expects_flow: ClassVar[bool] = False

    kind: Literal["tick"]
    """What closes a bar: a number of ticks."""
    threshold_ticks: Annotated[int, Field(ge=1)]
    """Number of ticks at which a bar closes."""
    target_bars_a_day: TargetBarsADay = None
    clip_factor: ClipFactor = 4.0

    @property
    def scale(self) -> float:
        """The study's own threshold in ticks."""
        return float(self.threshold_ticks)


class VolumeBars(Config):
    """Bars that traded volume closes."""

    unit: ClassVar[str] = "volume"
    expects_flow: ClassVar[bool] = False

    kind: Literal["volume"]
    """What closes a bar: traded volume."""
    threshold_base: Positive
    """Volume in base currency at which a bar closes."""
    target_bars_a_day: TargetBarsADay = None
    clip_factor: ClipFactor = 4.0

    @property
    def scale(self) -> float:
        """The study's own threshold in base currency."""
        return self.threshold_base


class DollarBars(Config):
    """Bars that traded value closes."""

    unit: ClassVar[str] = "dollar"
    expects_flow: ClassVar[bool] = False

    kind: Literal["dollar"] = "dollar"
    """What closes a bar: traded value, in whatever the quote currency is."""
    threshold_quote: Positive
    """Value in quote currency at which a bar closes."""
    target_bars_a_day: TargetBarsADay = None
    clip_factor: ClipFactor = 4.0

    @property
    def scale(self) -> float:
        """The study's own threshold in quote currency."""
        return self.threshold_quote


class FlowBars(Config):
    """Bars that close when one side of the flow exceeds what is expected of a bar.

    Every month starts from the expectations given; each bar then moves them.
    """

    unit: ClassVar[str]
    expects_flow: ClassVar[bool] = True

    kind: str
    expected_ticks: Annotated[float, Field(ge=1)]
    """Ticks expected of a bar when a month starts."""
    expected_buy_fraction: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Fraction of buys expected when a month starts, from 0 to 1."""
    span_bars: Annotated[float, Field(ge=1)]
    """Span in bars of the exponential weights with which each bar moves the expectations."""
    min_ticks: Annotated[int, Field(ge=1)]
    """Fewest ticks of a bar; also the least for `expected_ticks`."""
    max_ticks: Annotated[int, Field(ge=1, lt=2**62)]
    """Most ticks of a bar; also the most for `expected_ticks`."""
    target_bars_a_day: TargetBarsADay = None
    clip_factor: ClipFactor = 4.0

    @property
    def is_run(self) -> bool:
        """Whether the larger side of the flow counts, rather than the difference of both."""
        return self.kind.endswith("_run")

    @property
    def scale(self) -> float:
        """The study's own expected ticks."""
        return self.expected_ticks

    @model_validator(mode="after")
    def _starts_within_limits(self) -> Self:
        if not self.min_ticks <= self.expected_ticks <= self.max_ticks:
            raise ValueError(
                f"expected_ticks {self.expected_ticks} lies outside [min_ticks {self.min_ticks}, "
                f"max_ticks {self.max_ticks}]"
            )
        return self


class TickFlowBars(FlowBars):
    """Bars that close when ticks of one side exceed what is expected."""

    unit: ClassVar[str] = "tick"
    expected_size: ClassVar[float] = 1.0

    kind: Literal["tick_imbalance", "tick_run"]
    """What closes a bar: the imbalance of ticks bought and sold, or the larger side's ticks."""


class VolumeFlowBars(FlowBars):
    """Bars that close when volume of one side exceeds what is expected."""

    unit: ClassVar[str] = "volume"

    kind: Literal["volume_imbalance", "volume_run"]
    """What closes a bar: the imbalance of volume bought and sold, or the larger side's volume."""
    expected_base: Positive
    """Volume in base currency expected of a tick when a month starts."""

    @property
    def expected_size(self) -> float:
        """What is expected of a tick, in the unit that is counted."""
        return self.expected_base


class DollarFlowBars(FlowBars):
    """Bars that close when value of one side exceeds what is expected."""

    unit: ClassVar[str] = "dollar"

    kind: Literal["dollar_imbalance", "dollar_run"]
    """What closes a bar: the imbalance of value bought and sold, or the larger side's value."""
    expected_quote: Positive
    """Value in quote currency expected of a tick when a month starts."""

    @property
    def expected_size(self) -> float:
        """What is expected of a tick, in the unit that is counted."""
        return self.expected_quote


CountedBars = TickBars | VolumeBars | DollarBars | TickFlowBars | VolumeFlowBars | DollarFlowBars
"""Every kind but time: what is counted may follow the month before."""

BarsConfig = Annotated[TimeBars | CountedBars, Field(discriminator="kind"), kind_or("dollar")]
