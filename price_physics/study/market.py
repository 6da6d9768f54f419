"""A market: where the ticks of one instrument come from, or the candles that stand in for them."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from price_physics.source import names_in
from price_physics.study.base import NAME, Config, MonthField, Positive, is_none, one_of
from price_physics.study.outages import Outage

RowKind = Literal["trades", "candles"]

QUARANTINE_LIMIT = 0.01
"""Share of a month's rows that may be set aside, where a market does not say otherwise."""

_FORMATS: dict[RowKind, str] = {
    "trades": "price_physics.ticks.formats.trades",
    "candles": "price_physics.ticks.formats.candles",
}
VENDORS = {rows: names_in(package) for rows, package in _FORMATS.items()}
"""The vendors of each kind of rows, a module each; any dump may be generic."""


class TradeColumns(Config):
    """Which column of a generic dump of trades holds what; values are names in the file."""

    timestamp: str = "timestamp"
    """Column of the time of a trade."""
    price: str = "price"
    """Column of the price, in quote currency."""
    qty: str = "qty"
    """Column of the quantity, in base currency or contracts."""
    trade_id: str | None = None
    """Column of the trade's id; null where there is none."""
    is_buyer_maker: str | None = None
    """Column that is true where the buyer was the maker; this, `side`, or neither."""
    side: str | None = None
    """Column of the aggressor's side, buy or sell."""

    @model_validator(mode="after")
    def _one_side(self) -> Self:
        if self.is_buyer_maker and self.side:
            raise ValueError("give is_buyer_maker or side, not both")
        return self


class CandleColumns(Config):
    """Which column of a generic dump of candles holds what; values are names in the file."""

    timestamp: str = "timestamp"
    """Column of the start of a candle."""
    open: str = "open"
    """Column of the first price, in quote currency."""
    high: str = "high"
    """Column of the highest price, in quote currency."""
    low: str = "low"
    """Column of the lowest price, in quote currency."""
    close: str = "close"
    """Column of the last price, in quote currency."""
    volume: str = "volume"
    """Column of the volume, in base currency or contracts."""
    quote_volume: str | None = None
    """Column of the volume in quote currency; in base, where `volume` counts inverse contracts."""
    buy_volume: str | None = None
    """Column of the part of `volume` that the aggressor bought; null where there is none."""


_COLUMNS: dict[RowKind, type[Config]] = {"trades": TradeColumns, "candles": CandleColumns}


class _Market(Config):
    """The settings of a market, whether its rows are trades or candles."""

    rows: ClassVar[RowKind]

    name: str = Field(pattern=NAME)
    """The file's name."""
    symbol: str
    """Symbol of the instrument at the venue; rows of another are refused or skipped."""
    vendor: str | None = None
    files: list[str] = Field(min_length=1)
    """Globs of the vendor's files, relative to the project; `**` stands for any depth."""
    columns: TradeColumns | CandleColumns
    header: list[str] | None = None
    """Names of the columns of generic files that have no header of their own."""
    contract_size: Positive | None = None
    """Worth of one contract: in base currency, or in quote currency where contracts are inverse."""
    contract_is_inverse: bool = False
    """Whether a contract is worth an amount of quote currency, where the dump does not say so."""
    encoding: str | None = Field(None, exclude_if=is_none)
    """Encoding of text that is not UTF-8, such as `gb18030`, `cp1252` or `utf-16`."""
    strict_gaps: bool = False
    """Whether a month with a gap in its files or trade ids is refused."""
    quarantine_limit: Annotated[float, Field(ge=0, le=1)] = Field(
        QUARANTINE_LIMIT, exclude_if=lambda limit: limit == QUARANTINE_LIMIT
    )
    """Largest share of a month's rows that may be set aside; a month above it is refused."""
    first_month: MonthField
    """First month, as YYYY-MM."""
    last_month: MonthField | None = None
    """Last month, as YYYY-MM; null if the market is still open."""
    outages: list[Outage] = []
    """Silences of the venue that are known beforehand; labels that cross one do not train."""
    synthetic: bool = False
    """Whether this market was made up: every result of it says so."""

    @field_validator("vendor", mode="before")
    @classmethod
    def _vendor_has_these_rows(cls, vendor: Any) -> Any:
        other: RowKind = "candles" if cls.rows == "trades" else "trades"
        if vendor in VENDORS[other] and vendor not in VENDORS[cls.rows]:
            advice = "give candle_minutes" if other == "candles" else "drop candle_minutes"
            raise ValueError(f"vendor: {vendor} has rows of {other}; {advice}")
        return vendor

    @field_validator("columns", mode="before")
    @classmethod
    def _columns_of_these_rows(cls, columns: Any) -> Any:
        other: RowKind = "candles" if cls.rows == "trades" else "trades"
        foreign = _COLUMNS[other].model_fields.keys() - _COLUMNS[cls.rows].model_fields.keys()
        if isinstance(columns, dict) and (found := sorted(foreign & columns.keys())):
            advice = "give candle_minutes" if other == "candles" else "drop candle_minutes"
            raise ValueError(f"{', '.join(found)}: keys for {other}; correct them, or {advice}")
        return columns

    @field_validator("encoding")
    @classmethod
    def _is_known(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            try:
                "".encode(encoding)
            except (LookupError, ValueError):
                raise ValueError(
                    f"encoding {encoding!r} is not one that Python knows; such as gb18030, "
                    "cp1252 or utf-16"
                ) from None
        return encoding

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


class TradeMarket(_Market):
    """Where the trades of one instrument come from."""

    rows: ClassVar[RowKind] = "trades"
    candle_ns: ClassVar[int] = 0

    vendor: Annotated[str, one_of(VENDORS["trades"])] | None = None
    """The only vendor whose files are taken; null takes what their first rows say they are."""
    columns: TradeColumns = TradeColumns()
    """Names of the columns of generic files."""
    side_words: dict[str, Literal["buy", "sell", "unknown"]] | None = Field(
        None, exclude_if=is_none
    )
    """What words of the column of sides say of the aggressor, where they are not well known."""
    candle_minutes: None = Field(None, exclude=True)
    """Always null: a number makes this a market of candles."""


class CandleMarket(_Market):
    """Where the candles of one instrument come from; they stand in for ticks, see `labels`.

    A candle holds open, high, low, close and volume, and is stamped with its start.
    """

    rows: ClassVar[RowKind] = "candles"

    vendor: Annotated[str, one_of(VENDORS["candles"])] | None = None
    """The only vendor whose files are taken; null takes what their first rows say they are."""
    columns: CandleColumns = CandleColumns()
    """Names of the columns of generic files."""
    side_words: ClassVar[None] = None
    candle_minutes: Positive
    """Length of a candle in minutes: whole seconds that divide a day."""

    @field_validator("candle_minutes")
    @classmethod
    def _divides_a_day(cls, minutes: float) -> float:
        whole = round(minutes * 60)
        if abs(minutes * 60 - whole) > 0.01 or not whole or 86_400 % whole:
            raise ValueError(
                f"candle_minutes {minutes:g} are not whole seconds that divide a day; "
                "a second is 0.0167"
            )
        return minutes

    @property
    def candle_ns(self) -> int:
        """Length of a candle, in whole seconds."""
        return round(self.candle_minutes * 60) * 10**9


def _rows_of(market: Any) -> RowKind:
    if isinstance(market, dict):
        return "trades" if market.get("candle_minutes") is None else "candles"
    return market.rows


Market = Annotated[
    Annotated[TradeMarket, Tag("trades")] | Annotated[CandleMarket, Tag("candles")],
    Discriminator(_rows_of),
]
"""Trades, or candles where `candle_minutes` says how long they are."""
