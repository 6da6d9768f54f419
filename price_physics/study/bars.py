"""Section `bars` of a study."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from price_physics.study.base import MAX_HORIZON_MINUTES, Config, Positive

_FLOW = ["expected_ticks", "span_bars", "min_ticks", "max_ticks"]


_BARS_NEED = {
    "time": ["interval_minutes"],
    "tick": ["threshold_ticks"],
    "volume": ["threshold_base"],
    "dollar": ["threshold_quote"],
    "tick_imbalance": _FLOW,
    "volume_imbalance": [*_FLOW, "expected_base"],
    "dollar_imbalance": [*_FLOW, "expected_quote"],
    "tick_run": _FLOW,
    "volume_run": [*_FLOW, "expected_base"],
    "dollar_run": [*_FLOW, "expected_quote"],
}
"""The keys that each kind of bars needs; the first one scales its bars."""


class BarsConfig(Config):
    """What closes a bar; each kind has keys of its own and refuses those of the others.

    - time: every `interval_minutes` by the clock, counted from the start of the month.
    - tick, volume, dollar: on reaching `threshold_ticks`, `threshold_base`, `threshold_quote`.
    - tick_, volume_, dollar_imbalance and _run: when one side of the flow exceeds what is
      expected of a bar. Every month starts from `expected_ticks` a bar, `expected_base` or
      `expected_quote` a tick, and the fraction of buys; each bar then moves the expectations
      with the exponential weights of a span of `span_bars`.

    With `target_bars_a_day` the threshold, or `expected_ticks`, follows the month before, within
    a factor of `clip_factor` of the study's own.
    """

    kind: Literal[
        "time",
        "tick",
        "volume",
        "dollar",
        "tick_imbalance",
        "volume_imbalance",
        "dollar_imbalance",
        "tick_run",
        "volume_run",
        "dollar_run",
    ] = "dollar"
    interval_minutes: Annotated[float, Field(ge=1 / 60, le=MAX_HORIZON_MINUTES)] | None = None
    threshold_ticks: Annotated[int, Field(ge=1)] | None = None
    threshold_base: Positive | None = None
    threshold_quote: Positive | None = None
    expected_ticks: Annotated[float, Field(ge=1)] | None = None
    expected_base: Positive | None = None
    expected_quote: Positive | None = None
    expected_buy_fraction: Annotated[float, Field(ge=0, le=1)] = 0.5
    span_bars: Annotated[float, Field(ge=1)] | None = None
    min_ticks: Annotated[int, Field(ge=1)] | None = None
    max_ticks: Annotated[int, Field(ge=1, lt=2**62)] | None = None
    target_bars_a_day: Positive | None = None
    clip_factor: Annotated[float, Field(ge=1)] = 4.0

    @property
    def unit(self) -> str:
        """What is counted: time, tick, volume or dollar."""
        return self.kind.partition("_")[0]

    @property
    def expects_flow(self) -> bool:
        """Whether it is an imbalance or a run kind."""
        return self.kind.endswith(("_imbalance", "_run"))

    @property
    def scale(self) -> float:
        """The study's own interval, threshold or expected ticks."""
        return float(getattr(self, _BARS_NEED[self.kind][0]))

    @property
    def _keys(self) -> set[str]:
        optional = set() if self.kind == "time" else {"target_bars_a_day", "clip_factor"}
        flow = {"expected_buy_fraction"} if self.expects_flow else set()
        return {"kind", *_BARS_NEED[self.kind], *optional, *flow}

    @model_validator(mode="after")
    def _own_keys(self) -> Self:
        given = {key for key in self.model_fields_set if getattr(self, key) is not None}
        needed = _BARS_NEED[self.kind]
        if missing := [key for key in needed if key not in given]:
            raise ValueError(f"kind: {self.kind} needs {', '.join(missing)}")
        if foreign := sorted(given - self._keys):
            raise ValueError(f"kind: {self.kind} has no {', '.join(foreign)}; remove it")
        if self.expects_flow:
            low, value, high = self.min_ticks or 0, self.expected_ticks or 0, self.max_ticks or 0
            if not low <= value <= high:
                raise ValueError(
                    f"expected_ticks {value} lies outside [min_ticks {low}, max_ticks {high}]"
                )
        return self

    @model_serializer(mode="wrap")
    def _without_other_kinds(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in handler(self).items() if key in self._keys}
