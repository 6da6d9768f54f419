"""Markets and studies: the pydantic models of ``configs/*.yaml``.

A market is where the ticks come from; a study is a market and every parameter from bars on.
Units stand in the names. Whatever a file cannot mean is refused here, before anything runs.
This module reads YAML and nothing else; it computes no prices.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from price_physics.errors import ConfigError
from price_physics.months import Month

MAX_HORIZON_MINUTES = 28 * 24 * 60
"""A horizon of at most 28 days ends in the event's month or the next: two months suffice."""

MonthField = Annotated[Month, PlainValidator(Month.parse), PlainSerializer(str)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Quantile = Annotated[float, Field(gt=0, lt=1)]


def _increasing(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise ValueError(f"lower bound {pair[0]} exceeds upper bound {pair[1]}")
    return pair


Bounds = Annotated[tuple[Positive, Positive], AfterValidator(_increasing)]


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# ---------------------------------------------------------------------------- market
class Outage(_Config):
    """A silence of the venue known beforehand; times are ISO 8601, UTC, both inclusive.

    An end that is only a date includes that day.
    """

    start: str
    end: str
    reason: str

    @field_validator("start", "end")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        _iso_ns(text)
        return text

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.start_ns > self.end_ns:
            raise ValueError(f"outage starts at {self.start}, after its end {self.end}")
        return self

    @property
    def start_ns(self) -> int:
        return _iso_ns(self.start)

    @property
    def end_ns(self) -> int:
        whole_day = len(self.end) == len("2012-01-01")
        return _iso_ns(self.end) + (86_400_000_000_000 - 1 if whole_day else 0)


_TRADE_COLUMNS = {"price", "qty", "trade_id", "is_buyer_maker", "side"}
_CANDLE_COLUMNS = {"open", "high", "low", "close", "volume", "quote_volume", "buy_volume"}


class Columns(_Config):
    """Which column of a generic dump holds what; values are names in the file.

    `price` to `side` are of trades. `open` to `buy_volume` are of candles, whose `timestamp` is
    their start; `volume` is in base and `quote_volume` in quote currency (where `volume` counts
    inverse contracts, it is in base currency), `buy_volume` the part of `volume` that the aggressor
    bought; the last two are optional.
    """

    timestamp: str = "timestamp"
    price: str = "price"
    qty: str = "qty"
    trade_id: str | None = None
    is_buyer_maker: str | None = None
    side: str | None = None
    open: str = "open"
    high: str = "high"
    low: str = "low"
    close: str = "close"
    volume: str = "volume"
    quote_volume: str | None = None
    buy_volume: str | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if self.is_buyer_maker and self.side:
            raise ValueError("give is_buyer_maker or side, not both")
        return self


Vendor = Literal[
    "binance_aggregate_trades",
    "binance_coin_futures_trades",
    "binance_events",
    "binance_futures_trades",
    "binance_klines",
    "binance_spot_trades",
    "bitcoincharts",
    "bitflyer",
    "bitmex",
    "bybit_derivatives",
    "bybit_spot",
    "generic",
    "kraken",
    "kraken_ohlcvt",
    "okx",
    "quoted_iso",
    "tardis",
]
"""The formats of ``ticks/formats``, one module each."""

_CANDLE_VENDORS = {"binance_klines", "kraken_ohlcvt"}


class Market(_Config):
    """Where the ticks of one instrument come from.

    Files say by their first rows which vendor's they are; `vendor` insists on one.
    `candle_minutes` says that their rows are no trades but candles of that length: open, high,
    low, close and volume, stamped with their start. They stand in for ticks, see `LabelsConfig`.
    `contract_size` is what one contract is worth, for dumps that count contracts: base currency,
    or quote currency where the contract is inverse. Most dumps say themselves whether it is; for
    Tardis and other dumps `contract_is_inverse` does.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    symbol: str
    vendor: Vendor | None = None
    files: list[str] = Field(min_length=1)
    columns: Columns = Columns()
    header: list[str] | None = None
    candle_minutes: Positive | None = None
    contract_size: Positive | None = None
    contract_is_inverse: bool = False
    strict_gaps: bool = False
    first_month: MonthField
    last_month: MonthField | None = None
    outages: list[Outage] = []
    synthetic: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.last_month is not None and self.last_month < self.first_month:
            raise ValueError(
                f"last_month {self.last_month} is before first_month {self.first_month}"
            )
        if self.contract_is_inverse and self.contract_size is None:
            raise ValueError("contract_is_inverse needs contract_size")
        if self.vendor not in (None, "generic") and {"columns", "header"} & self.model_fields_set:
            raise ValueError("columns and header belong to vendor: generic")
        return self

    @model_validator(mode="after")
    def _rows_of_one_sort(self) -> Self:
        seconds = (self.candle_minutes or 1.0) * 60
        whole = round(seconds)
        if abs(seconds - whole) > 0.01 or not whole or 86_400 % whole:
            raise ValueError(
                f"candle_minutes {self.candle_minutes:g} are not whole seconds that divide a day; "
                "a second is 0.0167"
            )
        is_candles = self.candle_minutes is not None
        if self.vendor not in (None, "generic") and is_candles != (self.vendor in _CANDLE_VENDORS):
            sort = "trades; drop candle_minutes" if is_candles else "candles; give candle_minutes"
            raise ValueError(f"vendor: {self.vendor} has rows of {sort}")
        foreign = sorted(
            self.columns.model_fields_set & (_TRADE_COLUMNS if is_candles else _CANDLE_COLUMNS)
        )
        if foreign:
            names, sort = ", ".join(foreign), "trades" if is_candles else "candles"
            raise ValueError(
                f"columns: {names} of {sort}; candle_minutes says which rows are there"
            )
        return self

    @property
    def candle_ns(self) -> int:
        """Length of a candle, in whole seconds; 0 where rows are trades."""
        return round((self.candle_minutes or 0.0) * 60) * 10**9

    @model_serializer(mode="wrap")
    def _without_the_other_sort(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        market = handler(self)
        foreign = _CANDLE_COLUMNS if self.candle_minutes is None else _TRADE_COLUMNS
        if "columns" in market:
            columns = market["columns"].items()
            market["columns"] = {key: name for key, name in columns if key not in foreign}
        if self.candle_minutes is None:
            market.pop("candle_minutes", None)
        return market


# ---------------------------------------------------------------------------- study
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


class BarsConfig(_Config):
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


class EventsConfig(_Config):
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


class LabelsConfig(_Config):
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


_QUANTILE_KEYS = {"take_profit_bounds", "stop_loss_bounds"} | {
    "fallback_take_profit",
    "fallback_stop_loss",
}
_LEVEL_KEYS = {
    "fixed": {"take_profit_multiple", "stop_loss_multiple"},
    "percent": {"take_profit_percent", "stop_loss_percent"},
}


class BarrierPolicyConfig(_Config):
    """Where the horizontal barriers stand.

    - month, regime, global: at quantiles of past excursions, in ATR: of the last
      `lookback_months`, of the event's regime, or of all months; at the fallback where the
      sample is under `min_events`.
    - fixed: at given multiples of ATR.
    - percent: at given percentages of the event's price.

    A policy serves the events of the month after the one that it was made of. With `in_sample` it
    serves that month's own: what others publish, known to nobody at the time. It is there to be
    compared with, and no verdict is drawn from it.

    What belongs to another kind is None.
    """

    kind: Literal["month", "regime", "global", "fixed", "percent"] = "month"
    take_profit_multiple: Positive = None  # type: ignore[assignment]
    stop_loss_multiple: Positive = None  # type: ignore[assignment]
    take_profit_percent: Positive = None  # type: ignore[assignment]
    stop_loss_percent: Annotated[float, Field(gt=0, lt=100)] = None  # type: ignore[assignment]
    take_profit_quantile: Quantile = 0.6
    stop_loss_quantile: Quantile = 0.4
    take_profit_bounds: Bounds = None  # type: ignore[assignment]
    stop_loss_bounds: Bounds = None  # type: ignore[assignment]
    winsor_quantile: Annotated[float, Field(gt=0.5, le=1)] = 0.99
    min_events: int = Field(50, ge=1)
    max_events: int = Field(50_000, ge=1)
    lookback_months: int = Field(1, ge=1)
    fallback_take_profit: Positive = None  # type: ignore[assignment]
    fallback_stop_loss: Positive = None  # type: ignore[assignment]
    in_sample: bool = False

    @property
    def lag_months(self) -> int:
        """From the month of a policy to the month of the events that it serves."""
        return 0 if self.in_sample else 1

    @property
    def _keys(self) -> set[str]:
        levels = set().union(*_LEVEL_KEYS.values())
        every = set(type(self).model_fields)
        return {"kind", *_LEVEL_KEYS[self.kind]} if self.kind in _LEVEL_KEYS else every - levels

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        needed = _LEVEL_KEYS.get(self.kind, _QUANTILE_KEYS)
        if missing := sorted(key for key in needed if getattr(self, key) is None):
            raise ValueError(f"kind: {self.kind} needs {', '.join(missing)}")
        unsaid = set() if self.in_sample else {"in_sample"}  # false is what every kind is
        if foreign := sorted(self.model_fields_set - self._keys - unsaid):
            raise ValueError(f"kind: {self.kind} has no {', '.join(foreign)}; remove it")
        if self.min_events > self.max_events:
            raise ValueError(f"min_events {self.min_events} exceeds max_events {self.max_events}")
        for name, value, bounds in (
            ("fallback_take_profit", self.fallback_take_profit, self.take_profit_bounds),
            ("fallback_stop_loss", self.fallback_stop_loss, self.stop_loss_bounds),
        ):
            if value and bounds and not bounds[0] <= value <= bounds[1]:
                low, high = bounds
                raise ValueError(f"{name} {value} lies outside its bounds [{low}, {high}]")
        return self

    @model_serializer(mode="wrap")
    def _without_other_kinds(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        keys = self._keys if self.in_sample else self._keys - {"in_sample"}
        return {key: value for key, value in handler(self).items() if key in keys}


class RegimeFeaturesConfig(_Config):
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


class FoldsConfig(_Config):
    """The purged k-fold inside the anchored training months.

    The embargo is at least the horizon. How long horizons of bars last only the labels tell: the
    embargo is then that of the longest, where `embargo_minutes` is less.
    """

    n_splits: int = Field(5, ge=2)
    embargo_minutes: NonNegative
    early_stop_fraction: Annotated[float, Field(gt=0, lt=0.5)] = 0.15
    min_training_samples: int = Field(200, ge=20)

    @property
    def embargo_ns(self) -> int:
        return round(self.embargo_minutes * 60e9)


class ImagesConfig(_Config):
    """Windows of closes and volumes, all ending at the event, stacked as channels of one image."""

    windows_bars: list[Annotated[int, Field(ge=8, le=4096)]] = Field([32, 64, 128], min_length=1)
    size_pixels: int = Field(64, ge=8, le=512)
    channels: list[
        Literal[
            "gasf",
            "gadf",
            "mtf",
            "recurrence",
            "wavelet",
            "volume_gasf",
            "volume_gadf",
            "volume_mtf",
            "volume_recurrence",
            "volume_wavelet",
        ]
    ] = Field(["gasf", "gadf", "mtf"], min_length=1)
    sample_range: tuple[float, float] = (-1.0, 1.0)
    mtf_bins: int = Field(8, ge=2, le=64)
    engine: Literal["torch", "pyts"] = "torch"

    @model_validator(mode="after")
    def _sees_direction(self) -> Self:
        if len(set(self.windows_bars)) < len(self.windows_bars):
            raise ValueError(f"windows_bars {self.windows_bars} repeats a length")
        if len(set(self.channels)) < len(self.channels):
            raise ValueError(f"channels {self.channels} repeats a renderer")
        if self.sample_range not in ((-1.0, 1.0), (0.0, 1.0)):
            raise ValueError(f"sample_range {self.sample_range} must be [-1, 1] or [0, 1]")
        one_sided = self.sample_range == (0.0, 1.0)
        directed = {"gadf", "wavelet"} | ({"gasf"} if one_sided else set())
        if not directed & set(self.channels):  # volume has no direction of the price
            raise ValueError(
                f"channels {self.channels} with sample_range {list(self.sample_range)} cannot tell "
                "a rise from a fall; add gadf or wavelet, or give gasf a sample_range of [0, 1]"
            )
        drawn_by_pyts = {"gasf", "gadf", "mtf", "recurrence"}
        others = [c for c in self.channels if c not in drawn_by_pyts]
        if self.engine == "pyts" and others:
            raise ValueError(
                f"engine pyts draws {sorted(drawn_by_pyts)} of closes, not {others}; "
                "drop them, or use engine: torch"
            )
        return self


class ModelConfig(_Config):
    """Network and training loop.

    - width: None is the architecture's own.
    - steps_per_epoch: None visits every sample once.
    - gradient_clip: the largest norm of a step's gradient; None clips nothing.
    - weights_on: uniqueness and class weights multiply the loss, or decide how often a sample is
      drawn (with replacement); never both.
    - class_weights: one a class; balanced weighs the classes of each fit's training samples the
      same in total.
    - n_seeds: networks whose logits are averaged.
    - precision: of training; auto is bfloat16 on CUDA and float32 on the CPU. A model is judged,
      calibrated and served in float32.
    - deterministic: on CUDA, the same fit gives the same bytes, slower; on the CPU it always does.
    """

    architecture: Literal["resnet_lite", "patchify"] = "resnet_lite"
    width: Annotated[int, Field(ge=4, le=512)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    head: Literal["three_class", "binary_take_profit"] = "three_class"
    batch_size: int = Field(128, ge=2)
    max_epochs: int = Field(8, ge=1)
    steps_per_epoch: int | None = Field(None, ge=1)
    patience_epochs: int = Field(2, ge=1)
    schedule: Literal["one_cycle", "cosine"] = "one_cycle"
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.01
    gradient_clip: Positive | None = 1.0
    weights_on: Literal["loss", "sampler"] = "loss"
    class_weights: Literal["balanced"] | list[Positive] | None = None
    focal_gamma: NonNegative = 0.0
    n_seeds: int = Field(1, ge=1, le=32)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    deterministic: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"

    @model_validator(mode="after")
    def _one_weight_a_class(self) -> Self:
        n_classes = 3 if self.head == "three_class" else 2
        if isinstance(self.class_weights, list) and len(self.class_weights) != n_classes:
            raise ValueError(
                f"class_weights {self.class_weights} must hold {n_classes} for head {self.head}: "
                + ("[down, flat, up]" if n_classes == 3 else "[other, take profit]")
            )
        if self.focal_gamma and self.head != "binary_take_profit":
            raise ValueError("focal_gamma belongs to head: binary_take_profit")
        return self


class WalkForwardConfig(_Config):
    """Costs a side in basis points, and the rule that turns a probability into a trade.

    Orders are filled at the first price known after the event and `latency_ms`. Of candles that is
    the next one's open; with a latency, the close of the candle into which it falls.
    """

    fee_bps: NonNegative
    slippage_bps: NonNegative
    half_spread_bps: NonNegative = 0.0
    latency_ms: NonNegative = 0.0
    min_confidence: Annotated[float, Field(ge=0, lt=1)] = 0.0
    sizing: Literal["probability", "fixed"] = "probability"

    @property
    def cost_a_side(self) -> float:
        """Cost of trading one unit of notional once, as a fraction."""
        return (self.fee_bps + self.slippage_bps + self.half_spread_bps) * 1e-4

    @property
    def latency_ns(self) -> int:
        return round(self.latency_ms * 1e6)


class MotifsConfig(_Config):
    """How many events are explained, and into how many motifs a side they fall at most."""

    max_events: int = Field(256, ge=8)
    max_motifs_a_side: int = Field(4, ge=1)
    min_events_a_motif: int = Field(8, ge=2)


class Study(_Config):
    """A market and every parameter from bars on."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]*$")
    description: str = ""
    market: str
    seed: int = Field(7, ge=0, lt=2**31)
    bars: BarsConfig
    events: EventsConfig = EventsConfig()
    labels: LabelsConfig
    barrier_policy: BarrierPolicyConfig
    regime_features: RegimeFeaturesConfig = RegimeFeaturesConfig()
    folds: FoldsConfig
    images: ImagesConfig = ImagesConfig()
    model: ModelConfig = ModelConfig()
    walk_forward: WalkForwardConfig
    motifs: MotifsConfig = MotifsConfig()

    @model_validator(mode="after")
    def _embargo_covers_the_horizon(self) -> Self:
        horizon = self.labels.horizon_minutes
        if horizon is not None and self.folds.embargo_minutes < horizon:
            raise ValueError(
                f"folds.embargo_minutes {self.folds.embargo_minutes} is shorter than "
                f"labels.horizon_minutes {self.labels.horizon_minutes}; a label outlives it"
            )
        return self

    @model_validator(mode="after")
    def _a_loss_has_one_side(self) -> Self:
        first, head = self.labels.both_touched, self.model.head
        if first == "stop_loss_first" and head != "binary_take_profit":
            raise ValueError(
                f"labels.both_touched {first} is a loss to longs and shorts alike, and model.head "
                f"{head} takes a long's loss for a short's profit; set labels.both_touched: drop, "
                "or model.head: binary_take_profit"
            )
        return self

    @model_validator(mode="after")
    def _one_side_one_question(self) -> Self:
        if self.labels.side is not None and self.model.head != "binary_take_profit":
            raise ValueError(
                f"labels.side {self.labels.side} says which way to trade, and model.head "
                f"{self.model.head} asks it again; set model.head: binary_take_profit"
            )
        return self


def config_hash(study: Study, market: Market) -> str:
    """Hash `trial_settings`."""
    settings = trial_settings(study, market)
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def trial_settings(study: Study, market: Market) -> dict[str, Any]:
    """List everything that can change a number: what makes two trials one.

    Names, descriptions and the extent of the data (`files`, months) do not count, nor do what
    only refuses data (`vendor`, `strict_gaps`), motifs, the device and its determinism, which
    change no trade: a trial looked at twice is still one.
    """
    without: Any = {
        "name": True,
        "description": True,
        "market": True,
        "motifs": True,
        "model": {"device", "deterministic"},
    }
    extent = {"name", "files", "first_month", "last_month", "vendor", "strict_gaps"}
    return {
        "study": study.model_dump(mode="json", exclude=without),
        "market": market.model_dump(mode="json", exclude=extent),
    }


# ---------------------------------------------------------------------------- reading
_ConfigT = TypeVar("_ConfigT", Market, Study)


def load_market(path: Path) -> Market:
    """Read one market; its name is the file's stem. Raises ConfigError."""
    return _load(path, Market)


def load_study(path: Path) -> Study:
    """Read one study; its name is the file's stem. Raises ConfigError."""
    return _load(path, Study)


def load_configs(folder: Path) -> tuple[dict[str, Market], dict[str, Study]]:
    """Read ``markets/*.yaml`` and ``studies/*.yaml`` under `folder`, by name.

    Raises
    ------
    ConfigError
        When a file is impossible, or a study names a market that is not there.
    """
    markets = {p.stem: load_market(p) for p in sorted((folder / "markets").glob("*.yaml"))}
    studies = {p.stem: load_study(p) for p in sorted((folder / "studies").glob("*.yaml"))}
    for study in studies.values():
        if study.market not in markets:
            raise ConfigError(
                f"{folder / 'studies' / study.name}.yaml: market = {study.market!r}: no such file "
                f"{folder / 'markets' / study.market}.yaml; there are {sorted(markets) or 'none'}"
            )
        if wrong := _mismatch(study, markets[study.market]):
            raise ConfigError(f"{folder / 'studies' / study.name}.yaml: {wrong}")
    return markets, studies


def _mismatch(study: Study, market: Market) -> str:
    """Say what a study asks of its market that rows of its sort cannot give."""
    bars, labels, minutes = study.bars, study.labels, market.candle_minutes
    if minutes is None:
        if labels.path == "ticks" and labels.both_touched is not None:
            return (
                f"labels.both_touched = {labels.both_touched!r}: a trade never touches both "
                "barriers; remove it, or set labels.path: bars"
            )
        return ""
    if labels.both_touched is None:
        return (
            f"labels.both_touched: the rows of market {market.name!r} are candles, and one may "
            "touch both barriers; set it to drop or stop_loss_first"
        )
    if bars.expects_flow:
        return (
            f"bars.kind = {bars.kind!r} counts the sides of trades, and the rows of market "
            f"{market.name!r} are candles; choose time, tick, volume or dollar"
        )
    for name, value in (
        ("bars.interval_minutes", bars.interval_minutes),
        ("labels.horizon_minutes", labels.horizon_minutes),
    ):
        if value is not None and round(value * 60e9) % market.candle_ns:
            return (
                f"{name} = {value!r} is no multiple of the {minutes:g} minutes of a candle of "
                f"market {market.name!r}"
            )
    return ""


def _load(path: Path, model: type[_ConfigT]) -> _ConfigT:
    try:
        text = path.read_text(encoding="utf-8")
        _refuse_repeated_keys(yaml.compose(text, Loader=yaml.SafeLoader))
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        place = str(error).replace('in "<unicode string>", ', "")
        raise ConfigError(f"{path}: not valid YAML: {place}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected a mapping of settings, found {data!r}")
    if "name" in data:
        raise ConfigError(f"{path}: name = {data['name']!r}: the file's name is the name; drop it")
    try:
        # JSON in strict mode takes lists for tuples but no text for numbers.
        strict_json = json.dumps({**data, "name": path.stem}, default=str)
        return model.model_validate_json(strict_json, strict=True)
    except ValidationError as error:
        lines = [f"{path}: {_explain(e)}" for e in error.errors()]
        raise ConfigError("\n".join(lines)) from error


def _explain(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "(the whole file)"
    value = error["input"]
    shown = "" if error["type"] == "missing" or isinstance(value, dict) else f" = {value!r}"
    if error["type"] == "extra_forbidden":
        return f"{key}{shown}: unknown key; remove it or correct its spelling"
    return f"{key}{shown}: {error['msg']}"


def _refuse_repeated_keys(node: yaml.Node | None) -> None:
    """YAML keeps the last of two equal keys without a word; we do not."""
    if isinstance(node, yaml.SequenceNode):
        for child in node.value:
            _refuse_repeated_keys(child)
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, child in node.value:
            if key.value in seen:
                raise yaml.YAMLError(f"key {key.value!r} is given twice\n{key.start_mark}")
            seen.add(key.value)
            _refuse_repeated_keys(child)


def _iso_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000
