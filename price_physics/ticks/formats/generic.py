"""Any dump with a time, a price and a quantity: columns are named in the market's YAML.

``columns:`` maps meanings to the names in the file; ``header:`` gives those names for files
that have no header of their own. Columns called ``trade_id``, ``is_buyer_maker``, ``side`` and
``symbol`` are used without being mapped. ``side`` is the aggressor's. Where the quantity counts
contracts, ``contract_size:`` says what one is worth. Ids may be integers or any text.

In a market of candles: any dump with a start, open, high, low, close and volume.
"""

from collections.abc import Sequence
from dataclasses import replace

from price_physics.errors import ConfigError, TickDataError
from price_physics.study.market import CandleColumns, Market, TradeColumns
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Sample, is_integer, most
from price_physics.ticks.parse import is_time


class Generic:
    """The format whose column names are the market's."""

    name = "generic"
    expects = (
        "timestamp,price,qty, of candles timestamp,open,high,low,close,volume, or what `columns:` "
        "names"
    )

    def match(self, sample: Sample, market: Market) -> Layout | None:
        """Return the layout where the columns are, None where they are not and none were mapped.

        Raises
        ------
        TickDataError
            When a market that means this format has other columns, or one is named twice.
        ConfigError
            When the market's ``header`` lacks a column that its ``columns`` name.
        """
        if set(_required(market)) <= set(sample.first):
            return _locate(sample.first, sample, market, has_header=True)
        if not is_meant(market):
            return None
        if sample.is_table:
            missing = [name for name in _required(market) if name not in sample.first]
            raise TickDataError(
                f"{sample.file}: no column {missing} among {list(sample.first)}; map the columns "
                f"under `columns:` in configs/markets/{market.name}.yaml"
            )
        return _without_header(sample, market)


FORMAT = Generic()


def is_meant(market: Market) -> bool:
    """Say whether the market names its columns itself, so that no vendor's format applies."""
    return market.vendor == "generic" or bool({"columns", "header"} & market.model_fields_set)


def _without_header(sample: Sample, market: Market) -> Layout:
    yaml = f"configs/markets/{market.name}.yaml"
    if market.header is None:
        raise TickDataError(
            f"{sample.file}, row 1: {sample.shown!r} is no header with the columns "
            f"{_required(market)}; in {yaml} map them under `columns:`, or name the columns of "
            "files without a header under `header:`"
        )
    missing = [name for name in _required(market) if name not in market.header]
    if missing:
        raise ConfigError(
            f"{yaml}: header = {market.header!r} lacks {missing}, which `columns:` maps; correct "
            "one of the two"
        )
    found = _locate(market.header, sample, market, has_header=False)
    trades = [len(row) == found.n_columns and is_time(row[found.time]) for row in sample.rows]
    if sample.names is not None or not most(trades):
        raise TickDataError(
            f"{sample.file}, row 1: {sample.shown!r} is neither a header with the columns "
            f"{_required(market)} nor a row of the {found.n_columns} columns {market.header}; "
            f"correct `header:` or `columns:` in {yaml}"
        )
    return found


def _required(market: Market) -> list[str]:
    """Names of the columns that a file must have: all that the market maps."""
    c = market.columns
    if isinstance(c, CandleColumns):
        names = [c.timestamp, c.open, c.high, c.low, c.close, c.volume]
        optional = [c.quote_volume, c.buy_volume]
    else:
        names = [c.timestamp, c.price, c.qty]
        optional = [c.trade_id, c.is_buyer_maker, c.side]
    return [*names, *(name for name in optional if name)]


def _trade_columns(columns: TradeColumns, names: Sequence[str]) -> dict[str, str | None]:
    """The file's name of every column of the layout."""
    maker, side = columns.is_buyer_maker, columns.side
    if maker is None and side is None:
        maker = _if_present("is_buyer_maker", names)
        side = None if maker else _if_present("side", names)
    return {
        "time": columns.timestamp,
        "price": columns.price,
        "qty": columns.qty,
        "trade_id": columns.trade_id or _if_present("trade_id", names),
        "is_buyer_maker": maker,
        "side": side,
    }


def _candle_columns(columns: CandleColumns, names: Sequence[str]) -> dict[str, str | None]:
    return {
        "time": columns.timestamp,
        "open": columns.open,
        "high": columns.high,
        "low": columns.low,
        "price": columns.close,
        "qty": columns.volume,
        "other_qty": columns.quote_volume
        or _if_present("quote_volume", names)
        or _if_present("turnover", names),
        "close_time": _if_present("close_time", names),
        "buy_qty": columns.buy_volume or _if_present("buy_volume", names),
    }


def _locate(names: Sequence[str], sample: Sample, market: Market, *, has_header: bool) -> Layout:
    if isinstance(market.columns, CandleColumns):
        columns = _candle_columns(market.columns, names)
    else:
        columns = _trade_columns(market.columns, names)
    columns["symbol"] = _if_present("symbol", names)
    for name in columns.values():
        if list(names).count(str(name)) > 1:
            raise TickDataError(
                f"{sample.file}, row 1: the column {name!r} is named twice; rename one"
            )
    place_of = {name: place for place, name in enumerate(names)}
    places = {meaning: place_of[name] for meaning, name in columns.items() if name is not None}
    trade_id = places.get("trade_id")
    layout = Layout(
        vendor="generic",
        n_columns=len(names),
        time=places.pop("time"),
        price=places.pop("price"),
        qty=places.pop("qty"),
        has_header=has_header,
        delimiter=sample.delimiter,
        trade_id_is_text=trade_id is not None and not _are_integers(sample, trade_id),
        qty_scale=market.contract_size or 1.0,
        qty_is_quote=market.contract_is_inverse,
    )
    return replace(layout, **places)  # type: ignore[arg-type]


def _are_integers(sample: Sample, place: int) -> bool:
    """Say whether most ids of the first rows are integers; a float's ``.0`` is one of parquet."""
    ids = [row[place].removesuffix(".0") for row in sample.rows if place < len(row)]
    return most([is_integer(field) for field in ids if field])


def _if_present(name: str, names: Sequence[str]) -> str | None:
    return name if name in names else None
