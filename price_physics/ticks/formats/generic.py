"""Formats whose columns the market names itself: what ``generic`` of trades and of candles share.

``columns:`` maps meanings to the names in the file; ``header:`` gives those names for files
that have no header of their own. Where the quantity counts contracts, ``contract_size:`` says what
one is worth. Ids may be integers or any text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from price_physics.errors import ConfigError, TickDataError
from price_physics.ticks.formats.layout import Layout
from price_physics.ticks.formats.match import Sample, is_integer, most, plain_name
from price_physics.ticks.reading.parse import MISSING, is_time

if TYPE_CHECKING:
    from price_physics.study.market import Market


@dataclass(frozen=True)
class Generic:
    """A format whose column names are the market's.

    Attributes
    ----------
    expects : str
        As of every format.
    meanings : frozenset of str
        As of every format.
    required : callable
        From the market's mapping to the names that a file must have.
    names_of : callable
        From the mapping and the names that a file has to the name of the column of each meaning;
        None where there is no such column.
    known : mapping of str to sequence of str
        Names, as `match.plain_name` gives them, that the columns may have where the market maps
        none and the file has none of the default name.
    """

    expects: str
    meanings: frozenset[str]
    required: Callable[[Any], list[str]]
    names_of: Callable[[Any, Sequence[str]], dict[str, str | None]]
    known: Mapping[str, Sequence[str]]

    def fits(self, sample: Sample) -> bool:
        """Return False: without a market no column has a name."""
        return False

    def match(self, sample: Sample, market: Market) -> Layout | None:
        """Return the layout where the columns are, None where they are not and none were mapped.

        Raises
        ------
        TickDataError
            When a market that means this format has other columns, or one is named twice.
        ConfigError
            When the market's ``header`` lacks a column that its ``columns`` name.
        """
        columns = market.columns
        if _maps_some(market):
            columns = self._by_known_names(columns, sample.first)
        required = self.required(columns)
        if set(required) <= set(sample.first):
            return self._locate(columns, sample.first, sample, market, has_header=True)
        if not is_meant(market):
            return None
        if sample.is_table:
            missing = [name for name in required if name not in sample.first]
            raise TickDataError(
                f"{sample.place}: no column {missing} among {list(sample.first)}; map the columns "
                f"under `columns:` in configs/markets/{market.name}.yaml"
            )
        return self._without_header(required, sample, market)

    def match_known(self, sample: Sample, market: Market) -> Layout | None:
        """Return the layout where columns have well-known names, None where they have not."""
        columns, names = self._by_known_names(market.columns, sample.first), set(sample.first)
        if set(self.required(columns)) <= names and len(names) == len(sample.first):
            return self._locate(columns, sample.first, sample, market, has_header=True)
        return None

    def _by_known_names(self, columns: Any, names: Sequence[str]) -> Any:
        """Complete the market's mapping by names that are known; two quantities are none."""
        name_of = {plain_name(name): name for name in reversed(names)}
        found = {}
        for meaning, known in self.known.items():
            if meaning in columns.model_fields_set or getattr(columns, meaning) in names:
                continue
            present = [name_of[name] for name in known if name in name_of]
            if len(present) == 1 or (present and meaning == "timestamp"):
                found[meaning] = present[0]
        return columns.model_copy(update=found)

    def _without_header(self, required: list[str], sample: Sample, market: Market) -> Layout:
        yaml = f"configs/markets/{market.name}.yaml"
        if market.header is None:
            raise TickDataError(
                f"{sample.place}: {sample.shown!r} is no header with the columns {required}; "
                f"in {yaml} map them under `columns:`, or name the columns of files without a "
                f"header under `header:`{sample.hint}"
            )
        columns = self._by_known_names(market.columns, market.header)
        required = self.required(columns)
        missing = [name for name in required if name not in market.header]
        if missing:
            raise ConfigError(
                f"{yaml}: header = {market.header!r} lacks {missing}, which `columns:` maps; "
                "correct one of the two"
            )
        found = self._locate(columns, market.header, sample, market, has_header=False)
        rows = [len(row) == found.n_columns and is_time(row[found.time]) for row in sample.rows]
        if sample.names is not None or not most(rows):
            raise TickDataError(
                f"{sample.place}: {sample.shown!r} is neither a header with the columns "
                f"{required} nor a row of the {found.n_columns} columns {market.header}; "
                f"correct `header:` or `columns:` in {yaml}{sample.hint}"
            )
        return found

    def _locate(
        self,
        mapping: Any,
        names: Sequence[str],
        sample: Sample,
        market: Market,
        *,
        has_header: bool,
    ) -> Layout:
        columns = self.names_of(mapping, names) | {"symbol": if_present("symbol", names)}
        for name in columns.values():
            if list(names).count(str(name)) > 1:
                raise TickDataError(
                    f"{sample.place}: the column {name!r} is named twice; rename one"
                )
        place_of = {name: place for place, name in enumerate(names)}
        places = {meaning: place_of[name] for meaning, name in columns.items() if name is not None}
        if "trade_id" in places and _are_blank(sample, places["trade_id"]):
            del places["trade_id"]
        trade_id = places.get("trade_id")
        layout = Layout(
            vendor="",
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


def is_meant(market: Market) -> bool:
    """Say whether the market names its columns itself, so that no vendor's format applies."""
    return market.vendor == "generic" or _maps_some(market)


def _maps_some(market: Market) -> bool:
    return bool({"columns", "header"} & market.model_fields_set)


def if_present(name: str, names: Sequence[str]) -> str | None:
    """Return a name if the file has it, else None."""
    return name if name in names else None


def _are_blank(sample: Sample, place: int) -> bool:
    """Say whether none of the first rows has an id: one that comes later tells nothing apart."""
    ids = [row[place].lower() for row in sample.rows if place < len(row)]
    return bool(ids) and set(ids) <= set(MISSING)


def _are_integers(sample: Sample, place: int) -> bool:
    """Say whether most ids of the first rows are integers; parquet may show one as ``7.0``."""
    ids = [row[place].removesuffix(".0") for row in sample.rows if place < len(row)]
    return most([is_integer(field) for field in ids if field.lower() not in MISSING])
