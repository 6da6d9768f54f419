"""Any dump with a time, a price and a quantity: columns are named in the market's YAML.

``columns:`` maps meanings to the names in the file; ``header:`` gives those names for files
that have no header of their own. Columns called ``trade_id``, ``is_buyer_maker`` and ``side``
are used without being mapped. ``side`` is the aggressor's.
"""

from collections.abc import Sequence

from price_physics.errors import ConfigError, TickDataError
from price_physics.study import Market
from price_physics.ticks.formats.layout import Layout, split_line
from price_physics.ticks.parse import is_time

_DELIMITERS = ",;\t"


def layout(first_line: str, market: Market, file: str) -> Layout:
    """Decide whether the first line is a header, and where the columns are.

    Raises
    ------
    TickDataError
        When the line is neither a header with the mapped columns nor a trade.
    ConfigError
        When the market's ``header`` lacks a column that its ``columns`` name.
    """
    delimiter = max(_DELIMITERS, key=first_line.count)
    fields = split_line(first_line, delimiter)
    if set(_required(market)) <= set(fields):
        return _locate(fields, market, file, has_header=True, delimiter=delimiter)
    if market.header is None:
        raise TickDataError(
            f"{file}, row 1: {first_line!r} is no header with the columns {_required(market)}; "
            f"in configs/markets/{market.name}.yaml map them under `columns:`, or name the columns "
            "of files without a header under `header:`"
        )
    missing = [name for name in _required(market) if name not in market.header]
    if missing:
        raise ConfigError(
            f"configs/markets/{market.name}.yaml: header = {market.header!r} lacks {missing}, "
            "which `columns:` maps; correct one of the two"
        )
    found = _locate(market.header, market, file, has_header=False, delimiter=delimiter)
    if len(fields) != found.n_columns or not is_time(fields[found.time]):
        raise TickDataError(
            f"{file}, row 1: {first_line!r} is neither a header with the columns "
            f"{_required(market)} nor a trade of the {found.n_columns} columns {market.header}; "
            f"correct `header:` or `columns:` in configs/markets/{market.name}.yaml"
        )
    return found


def layout_of_names(names: Sequence[str], market: Market, file: str) -> Layout:
    """Locate the columns of a table that names them itself, such as parquet.

    Raises
    ------
    TickDataError
        When a mapped column is missing or named twice.
    """
    missing = [name for name in _required(market) if name not in names]
    if missing:
        raise TickDataError(
            f"{file}: no column {missing} among {list(names)}; map the columns under `columns:` in "
            f"configs/markets/{market.name}.yaml"
        )
    return _locate(names, market, file, has_header=True, delimiter=",")


def _required(market: Market) -> list[str]:
    """Names of the columns that a file must have: all that the market maps."""
    columns = market.columns
    optional = (columns.trade_id, columns.is_buyer_maker, columns.side)
    return [columns.timestamp, columns.price, columns.qty, *(c for c in optional if c)]


def _locate(
    names: Sequence[str], market: Market, file: str, *, has_header: bool, delimiter: str
) -> Layout:
    columns = market.columns
    trade_id = columns.trade_id or _if_present("trade_id", names)
    maker, side = columns.is_buyer_maker, columns.side
    if maker is None and side is None:
        maker = _if_present("is_buyer_maker", names)
        side = None if maker else _if_present("side", names)
    for name in (columns.timestamp, columns.price, columns.qty, trade_id, maker, side):
        if list(names).count(str(name)) > 1:
            raise TickDataError(f"{file}, row 1: the column {name!r} is named twice; rename one")
    places = {name: place for place, name in enumerate(names)}
    return Layout(
        n_columns=len(names),
        time=places[columns.timestamp],
        price=places[columns.price],
        qty=places[columns.qty],
        trade_id=None if trade_id is None else places[trade_id],
        is_buyer_maker=None if maker is None else places[maker],
        side=None if side is None else places[side],
        has_header=has_header,
        delimiter=delimiter,
    )


def _if_present(name: str, names: Sequence[str]) -> str | None:
    return name if name in names else None
