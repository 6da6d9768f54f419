"""What a stage may read: months of other assets, opened but not loaded.

The DAG's table says which months of which assets. A stage asks for tables and documents by name;
it does not know whether a partition of the store or an artefact in memory is behind them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd

from price_physics.months import Month
from price_physics.schemas.table import TableSchema
from price_physics.schemas.ticks import CANDLES, TICKS

T = TypeVar("T")


class Known(Protocol):
    """One month of one asset: a `Partition`, or an `Artefact` that nobody has stored."""

    @property
    def warm_up(self) -> str | None: ...

    @property
    def synthetic(self) -> bool: ...

    @property
    def in_sample(self) -> bool: ...

    def holds(self, table: TableSchema) -> bool: ...

    def table(self, name: str, columns: list[str] | None = None) -> pd.DataFrame: ...

    def chunks(self, name: str) -> Iterator[pd.DataFrame]: ...

    def document(self, name: str) -> dict[str, Any]: ...

    def arrays(self, name: str) -> dict[str, np.ndarray]: ...


class Past:
    """Months of assets, as far as the DAG's table lets a stage look back.

    Parameters
    ----------
    assets : mapping of asset to {month: Known}
        Every asset that the stage reads, also where no month of it exists yet.

    Examples
    --------
    >>> Past({"bars": {}}).of("ticks")
    Traceback (most recent call last):
    KeyError: "this stage reads ['bars'], not 'ticks'; say so in the DAG's table"
    """

    def __init__(self, assets: Mapping[str, Mapping[Month, Known]]) -> None:
        self._assets = assets

    def of(self, asset: str) -> Mapping[Month, Known]:
        """Months of an asset, in order."""
        if asset not in self._assets:
            raise KeyError(
                f"this stage reads {sorted(self._assets)}, not {asset!r}; say so in the DAG's table"
            )
        months = self._assets[asset]
        return {m: months[m] for m in sorted(months)}

    @property
    def rows(self) -> TableSchema:
        """The table of the market's rows: TICKS, or CANDLES that stand in for them."""
        months = self.of(TICKS.asset).values()
        return CANDLES if any(known.holds(CANDLES) for known in months) else TICKS

    def table(self, schema: TableSchema, *columns: str) -> Mapping[Month, pd.DataFrame]:
        """A table by month, with all columns or those named; a month is loaded when asked for."""
        wanted = list(columns) or None
        return _LazyMonths(self.of(schema.asset), lambda known: known.table(schema.name, wanted))

    def chunks(self, schema: TableSchema) -> Mapping[Month, Iterable[pd.DataFrame]]:
        """A table by month, in consecutive pieces: for tables that may be too long for memory.

        Each pass over a month's pieces reads them again.
        """
        months = self.of(schema.asset)
        return {m: _MonthChunks(known, schema.name) for m, known in months.items()}

    def documents(self, asset: str, name: str) -> Mapping[Month, dict[str, Any]]:
        """A JSON document by month; a month is loaded when asked for."""
        return _LazyMonths(self.of(asset), lambda known: known.document(name))


class _LazyMonths(Mapping[Month, T]):
    """A value for each month, loaded when it is first asked for."""

    def __init__(self, months: Mapping[Month, Known], load: Callable[[Known], T]) -> None:
        self._months = months
        self._load = load
        self._loaded: dict[Month, T] = {}

    def __getitem__(self, month: Month) -> T:
        if month not in self._loaded:
            self._loaded[month] = self._load(self._months[month])
        return self._loaded[month]

    def __iter__(self) -> Iterator[Month]:
        return iter(self._months)

    def __len__(self) -> int:
        return len(self._months)


class _MonthChunks:
    def __init__(self, known: Known, name: str) -> None:
        self._known = known
        self._name = name

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return self._known.chunks(self._name)
