"""A market: where the ticks of one instrument come from."""

from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from price_physics.study.base import Config, MonthField, Positive


class Outage(Config):
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


class Columns(Config):
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


class Market(Config):
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


def _iso_ns(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000
